//! A vocabulary in the metadata of a GGUF file, under `tokenizer.ggml.`:
//! <https://github.com/ggml-org/ggml/blob/master/docs/gguf.md#tokenizer>.

use std::path::Path;

use super::pieces::blanks;
use super::{StoredKind, StoredSpecial, StoredVocabulary, TokenType, WordPiece};
use crate::error::VocabularyError;

/// The metadata of a GGUF file, by key; whoever reads such files implements it. A key that is not there, or that is
/// of another kind, gives none.
pub trait GgufMetadata {
    fn text(&self, key: &str) -> Option<&str>;
    fn texts(&self, key: &str) -> Option<&[String]>;
    fn flag(&self, key: &str) -> Option<bool>;
    fn number(&self, key: &str) -> Option<u64>;
    fn floats(&self, key: &str) -> Option<&[f32]>;
    fn integers(&self, key: &str) -> Option<Vec<i64>>;
    /// An array of bytes.
    fn bytes(&self, key: &str) -> Option<&[u8]>;
}

/// The vocabulary of a file; `path` is for errors.
///
/// # Errors
/// The file has none, or one of a kind that is not known.
pub fn read(metadata: &impl GgufMetadata, path: &Path) -> Result<StoredVocabulary, VocabularyError> {
    let failed = |what: String| VocabularyError::Tokenizer { path: path.to_owned(), what };
    let key = |name: &str| format!("tokenizer.ggml.{name}");
    let id = |name: &str| u32::try_from(metadata.number(&key(name))?).ok();
    let model = metadata.text(&key("model"));
    let model =
        model.ok_or_else(|| failed("the file holds no tokenizer (`tokenizer.ggml.model`)".to_owned()))?;
    let tokens = metadata.texts(&key("tokens"));
    let tokens =
        tokens.ok_or_else(|| failed("the file holds no tokens (`tokenizer.ggml.tokens`)".to_owned()))?;
    let kind = match model {
        "gpt2" => {
            let merges = metadata.texts(&key("merges"));
            let merges =
                merges.ok_or_else(|| failed("its BPE has no merges (`tokenizer.ggml.merges`)".to_owned()))?;
            let split = metadata.text(&key("pre")).unwrap_or("default").to_owned();
            StoredKind::ByteLevelBpe { merges: merges.to_vec(), split }
        }
        "llama" => StoredKind::SentencePieceBpe { by_score: true },
        "t5" => StoredKind::Unigram,
        "bert" => StoredKind::WordPiece(WordPiece::default()),
        other => {
            return Err(failed(format!(
                "its tokenizer is of the kind `{other}`; known are gpt2, llama, t5 and bert"
            )));
        }
    };
    let types = metadata.integers(&key("token_type")).unwrap_or_default();
    Ok(StoredVocabulary {
        kind,
        tokens: if model == "t5" { blanks(tokens) } else { tokens.to_vec() },
        scores: metadata.floats(&key("scores")).unwrap_or_default().to_vec(),
        types: types.into_iter().map(TokenType::of).collect(),
        special: StoredSpecial {
            bos: id("bos_token_id"),
            eos: id("eos_token_id"),
            unknown: id("unknown_token_id"),
            padding: id("padding_token_id"),
            class: id("cls_token_id"),
            // The format's own spelling.
            separator: id("seperator_token_id"),
        },
        add_bos: metadata.flag(&key("add_bos_token")),
        add_eos: metadata.flag(&key("add_eos_token")),
        add_space_prefix: metadata.flag(&key("add_space_prefix")).unwrap_or(true),
        charsmap: metadata.bytes(&key("precompiled_charsmap")).unwrap_or_default().to_vec(),
    })
}

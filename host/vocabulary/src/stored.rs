//! Tokenizers out of vocabularies that other formats store: a GGUF file's metadata, SentencePiece's tokenizer.model,
//! BERT's vocab.txt.
//! What they leave open (how text is split before it is looked up, how spaces are written) follows from the kind of
//! vocabulary, as Transformers has it.

/// Byte-level BPE.
mod byte_level;
/// A model folder's tokenizer, in whichever of these formats it is.
mod folder;
/// The metadata of a GGUF file.
mod gguf;
/// SentencePiece's BPE and Unigram.
mod pieces;
/// SentencePiece's own file.
mod sentence_piece;
/// Special tokens, and where they are put.
mod special;
/// BERT's own file.
mod vocab_txt;
/// BERT's WordPiece.
mod word_piece;

use std::path::Path;

use serde_json::{Value, json};

use crate::error::VocabularyError;
use crate::tokenizer::TokenizerFile;

pub use folder::tokenizer_of;
pub use gguf::{GgufMetadata, read as gguf};
pub use sentence_piece::read as sentence_piece;
pub use vocab_txt::read as vocab_txt;
pub use word_piece::WordPiece;

/// A vocabulary as a file stores it: the tokens in the order of their ids, and what is known about them.
#[derive(Clone, PartialEq, Debug)]
pub struct StoredVocabulary {
    pub kind: StoredKind,
    pub tokens: Vec<String>,
    /// As many as tokens, or none.
    pub scores: Vec<f32>,
    /// As many as tokens, or none: then all are normal.
    pub types: Vec<TokenType>,
    pub special: StoredSpecial,
    /// Whether the first and the last token of a text are added; none: as the kind has it.
    pub add_bos: Option<bool>,
    pub add_eos: Option<bool>,
    /// Whether a text begins with a space though it does not; of SentencePiece.
    pub add_space_prefix: bool,
    /// How characters are replaced before anything else: SentencePiece's `precompiled_charsmap`, or nothing.
    pub charsmap: Vec<u8>,
}

/// How a text becomes tokens.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum StoredKind {
    /// GPT-2's: pairs of tokens, in the order in which they are merged, each with a space between; and how text is
    /// split first, by the name that GGUF has for it.
    ByteLevelBpe { merges: Vec<String>, split: String },
    /// Llama's: what a token may be merged of follows from the tokens.
    SentencePieceBpe { by_score: bool },
    /// T5's.
    Unigram,
    /// BERT's.
    WordPiece(WordPiece),
}

/// What a token is, by the numbers of SentencePiece and GGUF.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TokenType {
    Normal,
    Unknown,
    /// Never text: the beginning of a sequence, its end.
    Control,
    /// Always whole.
    UserDefined,
    Unused,
    /// One byte of what has no token, `<0xFF>`.
    Byte,
}

impl TokenType {
    /// Numbers that are none are normal tokens.
    pub fn of(number: i64) -> Self {
        match number {
            2 => Self::Unknown,
            3 => Self::Control,
            4 => Self::UserDefined,
            5 => Self::Unused,
            6 => Self::Byte,
            _ => Self::Normal,
        }
    }
}

/// Ids of tokens with a meaning, where the file names them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct StoredSpecial {
    pub bos: Option<u32>,
    pub eos: Option<u32>,
    pub unknown: Option<u32>,
    pub padding: Option<u32>,
    /// BERT's first token, and what ends each of its texts.
    pub class: Option<u32>,
    pub separator: Option<u32>,
}

impl StoredVocabulary {
    /// The tokenizer as a tokenizer.json; `path` is for errors.
    ///
    /// # Errors
    /// The vocabulary contradicts itself, or its way of splitting text is not known.
    pub fn tokenizer(&self, path: &Path) -> Result<TokenizerFile, VocabularyError> {
        let failed = |what: String| VocabularyError::Tokenizer { path: path.to_owned(), what };
        self.check().map_err(failed)?;
        let parts = match &self.kind {
            StoredKind::ByteLevelBpe { merges, split } => byte_level::parts(self, merges, split),
            StoredKind::SentencePieceBpe { by_score } => Ok(pieces::bpe(self, *by_score)),
            StoredKind::Unigram => Ok(pieces::unigram(self)),
            StoredKind::WordPiece(kind) => Ok(word_piece::parts(self, *kind)),
        };
        let Parts { normalizer, pre_tokenizer, decoder, model } = parts.map_err(failed)?;
        let json = json!({
            "version": "1.0",
            "truncation": null,
            "padding": null,
            "added_tokens": special::added(self),
            "normalizer": normalizer,
            "pre_tokenizer": pre_tokenizer,
            "post_processor": special::post_processor(self),
            "decoder": decoder,
            "model": model,
        });
        TokenizerFile::from_bytes(json.to_string().as_bytes(), path)
    }

    /// The token with an id that the file names.
    pub fn token(&self, id: Option<u32>) -> Option<&str> {
        self.tokens.get(usize::try_from(id?).ok()?).map(String::as_str)
    }

    /// The special tokens by the names that tokenizer_config.json and chat templates have for them.
    pub fn special_tokens(&self) -> Vec<(&'static str, &str)> {
        let special = self.special;
        let named = [
            ("bos_token", special.bos),
            ("eos_token", special.eos),
            ("unk_token", special.unknown),
            ("pad_token", special.padding),
            ("cls_token", special.class),
            ("sep_token", special.separator),
        ];
        named.into_iter().filter_map(|(name, id)| Some((name, self.token(id)?))).collect()
    }

    fn check(&self) -> Result<(), String> {
        let count = self.tokens.len();
        if count == 0 {
            return Err("its vocabulary is empty".to_owned());
        }
        if u32::try_from(count).is_err() {
            return Err(format!("its vocabulary has {count} tokens, more than ids can count"));
        }
        for (name, length) in [("scores", self.scores.len()), ("types", self.types.len())] {
            if length != 0 && length != count {
                return Err(format!("it has {count} tokens and {length} {name} of tokens"));
            }
        }
        if matches!(self.kind, StoredKind::Unigram) && self.scores.is_empty() {
            return Err("its tokens have no scores, which Unigram goes by".to_owned());
        }
        Ok(())
    }

    fn types(&self) -> impl Iterator<Item = (usize, &str, TokenType)> {
        let types = self.types.iter().copied().chain(std::iter::repeat(TokenType::Normal));
        self.tokens.iter().zip(types).enumerate().map(|(id, (token, kind))| (id, token.as_str(), kind))
    }

    fn vocabulary(&self) -> Value {
        self.tokens.iter().enumerate().map(|(id, token)| (token.clone(), Value::from(id))).collect()
    }
}

/// What a tokenizer.json has besides special tokens.
struct Parts {
    normalizer: Value,
    pre_tokenizer: Value,
    decoder: Value,
    model: Value,
}

fn sequence(of: &str, parts: Vec<Value>) -> Value {
    json!({"type": "Sequence", of: parts})
}

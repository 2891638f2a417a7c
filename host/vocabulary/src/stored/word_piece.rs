//! WordPiece as BERT has it. GGUF writes `▁word` for a piece that begins a word and `piece` for one that continues
//! it; BERT writes `word` and `##piece`. GGUF does not say whether case counts: in BERTs that are stored so, it does not.

use serde_json::{Value, json};

use super::{Parts, StoredVocabulary, TokenType};

const BEGINS: char = '\u{2581}';

/// What a WordPiece vocabulary leaves open.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WordPiece {
    /// Whether pieces are written as BERT writes them, and not as GGUF does.
    pub as_bert: bool,
    /// Whether case does not count.
    pub lowercase: bool,
    /// Whether accents do not count; none: as case.
    pub strip_accents: Option<bool>,
    /// Whether each Chinese character is a word.
    pub split_chinese: bool,
}

impl Default for WordPiece {
    /// As GGUF has it.
    fn default() -> Self {
        Self { as_bert: false, lowercase: true, strip_accents: None, split_chinese: true }
    }
}

pub(super) fn parts(stored: &StoredVocabulary, kind: WordPiece) -> Parts {
    let written = |token: &str, of: TokenType| match kind.as_bert {
        true => token.to_owned(),
        false => piece(token, of),
    };
    let vocabulary: Value = stored
        .types()
        .map(|(id, token, of)| (written(token, of), Value::from(id)))
        .collect::<serde_json::Map<_, _>>()
        .into();
    Parts {
        normalizer: json!({
            "type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": kind.split_chinese,
            "strip_accents": kind.strip_accents, "lowercase": kind.lowercase
        }),
        pre_tokenizer: json!({"type": "BertPreTokenizer"}),
        decoder: json!({"type": "WordPiece", "prefix": "##", "cleanup": true}),
        model: json!({
            "type": "WordPiece",
            "unk_token": stored.token(stored.special.unknown).unwrap_or("[UNK]"),
            "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100,
            "vocab": vocabulary,
        }),
    }
}

/// As BERT writes it.
pub(super) fn piece(token: &str, kind: TokenType) -> String {
    if let Some(word) = token.strip_prefix(BEGINS) {
        return word.to_owned();
    }
    let is_special = token.starts_with('[') && token.ends_with(']') && token.len() > 2;
    if kind != TokenType::Normal || is_special {
        return token.to_owned();
    }
    format!("##{token}")
}

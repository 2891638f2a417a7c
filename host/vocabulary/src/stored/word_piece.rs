//! WordPiece as BERT has it. GGUF writes `▁word` for a piece that begins a word and `piece` for one that continues
//! it; BERT writes `word` and `##piece`. It does not say whether case counts: in BERTs that are stored so, it does not.

use serde_json::{Value, json};

use super::{Parts, StoredVocabulary, TokenType};

const BEGINS: char = '\u{2581}';

pub(super) fn parts(stored: &StoredVocabulary) -> Parts {
    let vocabulary: Value = stored
        .types()
        .map(|(id, token, kind)| (piece(token, kind), Value::from(id)))
        .collect::<serde_json::Map<_, _>>()
        .into();
    Parts {
        normalizer: json!({
            "type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": null,
            "lowercase": true
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

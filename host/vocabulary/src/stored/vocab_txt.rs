//! BERT's own file, vocab.txt: a token a line, the line's number is the id. What it leaves open stands in the
//! tokenizer_config.json beside it, by the names of Transformers' `BertTokenizer`.

use std::path::Path;

use serde_json::{Map, Value};

use super::{StoredKind, StoredSpecial, StoredVocabulary, TokenType, WordPiece};
use crate::error::VocabularyError;

/// Reads the bytes of a vocab.txt; `config` is the tokenizer_config.json beside it, or empty, and `path` is for errors.
///
/// Where nothing says whether case counts, the vocabulary does: one with capital letters was made of text that had
/// them, and would not be found again without. (Transformers takes every such vocabulary for one without case, also
/// BioBERT's.)
///
/// # Errors
/// They are no text, or lack the token for what is not in the vocabulary.
pub fn read(
    bytes: &[u8],
    config: &Map<String, Value>,
    path: &Path,
) -> Result<StoredVocabulary, VocabularyError> {
    let failed = |what: String| VocabularyError::Tokenizer { path: path.to_owned(), what };
    let text = std::str::from_utf8(bytes).map_err(|error| failed(format!("not UTF-8: {error}")))?;
    let tokens: Vec<String> = text.lines().map(str::to_owned).collect();
    let name = |key: &str, usual: &str| {
        let value = config.get(key);
        let named = value.and_then(|value| value.as_str().or_else(|| value.get("content")?.as_str()));
        named.unwrap_or(usual).to_owned()
    };
    let id = |token: &str| u32::try_from(tokens.iter().rposition(|other| other == token)?).ok();
    let [unknown, padding, class, separator, mask] = [
        name("unk_token", "[UNK]"),
        name("pad_token", "[PAD]"),
        name("cls_token", "[CLS]"),
        name("sep_token", "[SEP]"),
        name("mask_token", "[MASK]"),
    ];
    let special = StoredSpecial {
        unknown: id(&unknown),
        padding: id(&padding),
        class: id(&class),
        separator: id(&separator),
        ..StoredSpecial::default()
    };
    if special.unknown.is_none() {
        return Err(failed(format!("its vocabulary lacks `{unknown}`, the token for what is not in it")));
    }
    let named = [unknown, padding, class, separator, mask];
    let types = tokens.iter().map(|token| match named.contains(token) {
        true => TokenType::Control,
        false => TokenType::Normal,
    });
    let types = types.collect();
    let flag = |key: &str| config.get(key).and_then(Value::as_bool);
    let has_case = || {
        let words = tokens.iter().filter(|token| !token.starts_with('['));
        words.flat_map(|token| token.chars()).any(char::is_uppercase)
    };
    let kind = WordPiece {
        as_bert: true,
        lowercase: flag("do_lower_case").unwrap_or_else(|| !has_case()),
        strip_accents: flag("strip_accents"),
        split_chinese: flag("tokenize_chinese_chars").unwrap_or(true),
    };
    Ok(StoredVocabulary {
        kind: StoredKind::WordPiece(kind),
        tokens,
        scores: Vec::new(),
        types,
        special,
        add_bos: None,
        add_eos: None,
        add_space_prefix: false,
        charsmap: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn encode(vocabulary: &str, config: Value, text: &str) -> Vec<String> {
        let config = config.as_object().cloned().unwrap();
        let path = Path::new("vocab.txt");
        let stored = read(vocabulary.as_bytes(), &config, path).unwrap();
        let tokenizer = stored.tokenizer(path).unwrap().into_tokenizer();
        tokenizer.encode(text, true).unwrap().get_tokens().to_vec()
    }

    #[test]
    fn case_counts_where_the_config_or_the_vocabulary_says_so() {
        let cased = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nDNA\n##s\nand\n";
        assert_eq!(
            encode(cased, json!({}), "DNAs and rna"),
            ["[CLS]", "DNA", "##s", "and", "[UNK]", "[SEP]"]
        );
        let config = json!({ "do_lower_case": true });
        assert_eq!(encode(cased, config, "And DNA [MASK]"), ["[CLS]", "and", "[UNK]", "[MASK]", "[SEP]"]);
        let uncased = "[PAD]\n[unused1]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\ndna\n##s\n";
        assert_eq!(encode(uncased, json!({}), "DNAs"), ["[CLS]", "dna", "##s", "[SEP]"]);
        let named = "<p>\n<u>\n<c>\n<s>\na\r\n";
        let config = json!({ "unk_token": "<u>", "cls_token": { "content": "<c>" }, "sep_token": "<s>" });
        assert_eq!(encode(named, config, "a b <c>"), ["<c>", "a", "<u>", "<c>", "<s>"]);
    }

    #[test]
    fn what_is_no_vocabulary_is_refused() {
        let refused =
            |bytes: &[u8]| read(bytes, &Map::new(), Path::new("vocab.txt")).unwrap_err().to_string();
        assert!(refused(b"a\nb\n").contains("lacks `[UNK]`"));
        assert!(refused(b"\xff\n").contains("not UTF-8"));
    }
}

use serde_json::{Value, json};

use super::*;
use crate::corpus::tests::corpus;

/// A WordPiece tokenizer of these words.
fn word_piece(words: &[&str]) -> TokenizerFile {
    let tokens = ["[UNK]"].iter().chain(words).enumerate();
    let vocabulary: serde_json::Map<String, Value> =
        tokens.map(|(id, word)| ((*word).to_owned(), id.into())).collect();
    let json = json!({
        "version": "1.0", "truncation": { "direction": "Right", "max_length": 2, "strategy": "LongestFirst", "stride": 0 },
        "padding": null, "added_tokens": [], "normalizer": null, "pre_tokenizer": { "type": "BertPreTokenizer" },
        "post_processor": null, "decoder": null,
        "model": { "type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                   "max_input_chars_per_word": 100, "vocab": vocabulary },
    });
    TokenizerFile::from_bytes(json.to_string().as_bytes(), "tokenizer.json".as_ref()).unwrap()
}

/// Each word with the space before it, as byte-level BPE has them.
fn byte_level() -> TokenizerFile {
    let letters = (b'a'..=b'z').map(|letter| char::from(letter).to_string());
    let more = ["Ġ", ".", "Ġr", "re", "Ġre", "Ġred"].map(str::to_owned);
    let vocabulary: serde_json::Map<String, Value> =
        letters.chain(more).enumerate().map(|(id, token)| (token, id.into())).collect();
    let json = json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": [], "normalizer": null,
        "pre_tokenizer": { "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": false, "use_regex": true },
        "post_processor": null, "decoder": null,
        "model": { "type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": null,
                   "end_of_word_suffix": null, "fuse_unk": false, "vocab": vocabulary,
                   "merges": ["r e", "Ġ re", "Ġre d"] },
    });
    TokenizerFile::from_bytes(json.to_string().as_bytes(), "tokenizer.json".as_ref()).unwrap()
}

#[test]
fn every_number_is_what_its_name_says() {
    let (_folder, corpus) = corpus(&["a red car is big. is", "öl"]);
    let tokenizers = [
        ("pieces".to_owned(), word_piece(&["a", "r", "##ed", "car", "is", "##s", "."])),
        ("bytes".to_owned(), byte_level()),
    ];
    let found = compare(&corpus, &tokenizers[..1], 3).unwrap();
    assert_eq!((found.texts, found.words, found.bytes), (2, 7, 23));
    let pieces = &found.tokenizers[0];
    // a, r ##ed, car, is, [UNK], ., is, [UNK]
    assert_eq!((pieces.tokens, pieces.vocabulary), (9, 8));
    assert_eq!(pieces.tokens_per_word, 8.0 / 7.0);
    assert_eq!(pieces.whole_words, 4.0 / 7.0);
    assert_eq!(pieces.unknown, 2.0 / 9.0);
    assert_eq!(pieces.bytes_per_token, 23.0 / 9.0);
    assert!(found.differing.is_empty());
}

#[test]
fn a_word_with_its_space_is_whole_and_the_texts_that_differ_most_come_first() {
    let texts = ["red red red red red", "car car car car car", "a a a a a", "red"];
    let (_folder, corpus) = corpus(&texts);
    let tokenizers =
        [("pieces".to_owned(), word_piece(&["a", "red", "car"])), ("bytes".to_owned(), byte_level())];
    let found = compare(&corpus, &tokenizers, 2).unwrap();
    let bytes = &found.tokenizers[1];
    // `re d` where no space is before it; ` red`; `Ġ c a r`; `Ġ a`.
    assert_eq!(bytes.tokens, (2 + 4) + (3 + 4 * 4) + (1 + 4 * 2) + 2);
    // A space that is a token of its own takes nothing from the `a` after it.
    assert_eq!(bytes.whole_words, (4 + 5) as f64 / 16.0);
    assert_eq!(bytes.unknown, 0.0);
    assert_eq!(found.tokenizers[0].tokens_per_word, 1.0);
    let shown: Vec<(&str, &str, &[u64])> = found
        .differing
        .iter()
        .map(|text| (text.origin.as_str(), text.text.as_str(), text.tokens.as_slice()))
        .collect();
    assert_eq!(
        shown,
        [
            ("texts.jsonl:2", "car car car car car", [5, 19].as_slice()),
            ("texts.jsonl:3", "a a a a a", &[5, 9]),
        ]
    );
}

#[test]
fn texts_without_words_are_told() {
    let (_folder, corpus) = corpus(&["...", "!"]);
    let tokenizers = [("pieces".to_owned(), word_piece(&["a"]))];
    assert!(matches!(compare(&corpus, &tokenizers, 1), Err(VocabularyError::NoWords)));
}

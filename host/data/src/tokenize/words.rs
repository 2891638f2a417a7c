//! Token ids word by word, each word once.
//!
//! BERT's normaliser and pre-tokenizer never look across a space, and WordPiece never looks beyond a word: the ids of a
//! text are those of what stands between its spaces. Texts repeat their words, so most ids are found and not made. What
//! is made is made by the tokenizer itself.

use std::collections::HashMap;

use tokenizers::models::ModelWrapper;
use tokenizers::normalizers::NormalizerWrapper;
use tokenizers::pre_tokenizers::PreTokenizerWrapper;
use tokenizers::{Result, Tokenizer};
use xxhash_rust::xxh3::Xxh3DefaultBuilder;

/// Words that are remembered, and the bytes of the longest of them.
const WORDS: usize = 1 << 16;
const LONGEST: usize = 48;

/// The ids of words that have been met. One thread's; any tokenizer's ids are its own.
#[derive(Default)]
pub struct WordCache {
    places: HashMap<Box<str>, (u32, u32), Xxh3DefaultBuilder>,
    ids: Vec<u32>,
}

impl WordCache {
    fn clear(&mut self) {
        self.places.clear();
        self.ids.clear();
    }
}

/// Whether the ids of a text are those of what stands between its spaces, special tokens aside.
pub(super) fn separable(tokenizer: &Tokenizer) -> bool {
    let pipeline = matches!(tokenizer.get_normalizer(), Some(NormalizerWrapper::BertNormalizer(_)))
        && matches!(tokenizer.get_pre_tokenizer(), Some(PreTokenizerWrapper::BertPreTokenizer(_)))
        && matches!(tokenizer.get_model(), ModelWrapper::WordPiece(_));
    // An added token may hold a space, or take those beside it.
    let beyond_a_word = |token: &tokenizers::AddedToken| {
        token.lstrip || token.rstrip || token.content.chars().any(char::is_whitespace)
    };
    pipeline && !tokenizer.get_added_tokens_decoder().values().any(beyond_a_word)
}

/// Adds the ids of `text`, without special tokens, to `ids`. The tokenizer must be [`separable`].
pub(super) fn encode(
    tokenizer: &Tokenizer,
    text: &str,
    cache: &mut WordCache,
    ids: &mut Vec<u32>,
) -> Result<()> {
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        if let Some((start, end)) = cache.places.get(word) {
            ids.extend_from_slice(cache.ids.get(*start as usize..*end as usize).unwrap_or_default());
            continue;
        }
        let encoding = tokenizer.encode_fast(word, false)?;
        ids.extend_from_slice(encoding.get_ids());
        if word.len() > LONGEST {
            continue;
        }
        if cache.places.len() >= WORDS {
            cache.clear();
        }
        let start = cache.ids.len() as u32;
        cache.ids.extend_from_slice(encoding.get_ids());
        cache.places.insert(word.into(), (start, cache.ids.len() as u32));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use pegbox_random::SplitMix64;
    use serde_json::json;

    use super::*;

    /// A WordPiece tokenizer of letters, digits, signs and a few longer pieces.
    fn letters(added: &str, lstrip: bool) -> Tokenizer {
        let mut vocabulary: BTreeMap<String, u32> = BTreeMap::new();
        let mut add = |piece: String| {
            let next = vocabulary.len() as u32;
            vocabulary.entry(piece).or_insert(next);
        };
        ["[UNK]", "[CLS]", "[SEP]"].into_iter().for_each(|token| add(token.to_owned()));
        for sign in ('a'..='z').chain('0'..='9').chain("!?.,-'[]()é漢".chars()) {
            add(sign.to_string());
            add(format!("##{sign}"));
        }
        ["the", "##ing", "card", "ca"].into_iter().for_each(|piece| add(piece.to_owned()));
        let flags = json!({"id": 2, "content": added, "single_word": false, "lstrip": lstrip, "rstrip": false,
            "normalized": false, "special": true});
        let file = json!({
            "version": "1.0", "truncation": null, "padding": null, "added_tokens": [flags],
            "normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true,
                "strip_accents": null, "lowercase": true},
            "pre_tokenizer": {"type": "BertPreTokenizer"}, "post_processor": null, "decoder": null,
            "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                "max_input_chars_per_word": 12, "vocab": vocabulary},
        });
        Tokenizer::from_bytes(file.to_string()).unwrap()
    }

    #[test]
    fn word_by_word_is_as_the_whole_text() {
        let tokenizer = letters("[SEP]", false);
        assert!(separable(&tokenizer));
        let pieces = [
            "the",
            "card",
            "CARDS",
            "Cafe\u{301}",
            "é",
            "\u{301}",
            "漢字",
            "a漢b",
            "[SEP]",
            "x[SEP]y",
            "it's",
            "-",
            "...",
            "\u{a0}",
            "\t",
            "\n",
            "\u{0}",
            "\u{200d}",
            "😀",
            "averyverylongword",
            "Ǆ",
            "ß",
            "ing",
        ];
        let mut random = SplitMix64::new(3);
        let mut cache = WordCache::default();
        for _ in 0..2000 {
            let mut text = String::new();
            for _ in 0..random.below(12) {
                text.push_str(pieces[random.below(pieces.len())]);
                text.push_str(["", " ", "  "][random.below(3)]);
            }
            let mut ids = Vec::new();
            encode(&tokenizer, &text, &mut cache, &mut ids).unwrap();
            assert_eq!(ids, tokenizer.encode_fast(text.as_str(), false).unwrap().get_ids(), "{text:?}");
        }
        assert!(cache.places.contains_key("card"));
    }

    #[test]
    fn a_full_cache_begins_anew() {
        let tokenizer = letters("[SEP]", false);
        let mut cache = WordCache::default();
        for number in 0..WORDS + 10 {
            encode(&tokenizer, &format!("a{number}"), &mut cache, &mut Vec::new()).unwrap();
        }
        assert_eq!(cache.places.len(), 10);
    }

    #[test]
    fn what_looks_beyond_a_word_is_not_separable() {
        assert!(!separable(&letters("[SEP]", true)));
        assert!(!separable(&letters("the end", false)));
        let mut other = letters("[SEP]", false);
        other.with_pre_tokenizer(Some(tokenizers::pre_tokenizers::metaspace::Metaspace::default()));
        assert!(!separable(&other));
    }
}

//! SentencePiece (Kudo & Richardson 2018): spaces are written as `▁` and are part of the tokens.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::{Parts, StoredVocabulary, TokenType, sequence};

const SPACE: &str = "\u{2581}";

/// Bytes of a token that is looked into. SentencePiece makes none longer than a few dozen.
const LONGEST: usize = 512;

/// BPE with byte fallback, as Llama has it.
pub(super) fn bpe(stored: &StoredVocabulary, by_score: bool) -> Parts {
    let scheme = if stored.add_space_prefix { "first" } else { "never" };
    let mut decoders = vec![
        json!({"type": "Replace", "pattern": {"String": SPACE}, "content": " "}),
        json!({"type": "ByteFallback"}),
        json!({"type": "Fuse"}),
    ];
    if stored.add_space_prefix {
        decoders.push(json!({"type": "Strip", "content": " ", "start": 1, "stop": 0}));
    }
    Parts {
        normalizer: Value::Null,
        pre_tokenizer: metaspace(scheme, false),
        decoder: sequence("decoders", decoders),
        model: json!({
            "type": "BPE",
            "dropout": null,
            "unk_token": unknown(stored).and_then(|id| stored.token(Some(id))),
            "continuing_subword_prefix": null,
            "end_of_word_suffix": null,
            "fuse_unk": true,
            "byte_fallback": true,
            "ignore_merges": false,
            "vocab": stored.vocabulary(),
            "merges": merges(stored, by_score && !stored.scores.is_empty()),
        }),
    }
}

/// Unigram (Kudo 2018), as T5 has it.
pub(super) fn unigram(stored: &StoredVocabulary) -> Parts {
    let normalizer = if stored.charsmap.is_empty() {
        Value::Null
    } else {
        json!({"type": "Precompiled", "precompiled_charsmap": base64(&stored.charsmap)})
    };
    let scheme = if stored.add_space_prefix { "always" } else { "never" };
    let words = json!({"type": "WhitespaceSplit"});
    let scored = stored.tokens.iter().zip(&stored.scores);
    let entries: Vec<Value> = scored.map(|(token, score)| json!([token, score])).collect();
    Parts {
        normalizer,
        pre_tokenizer: sequence("pretokenizers", vec![words, metaspace(scheme, true)]),
        decoder: metaspace(scheme, true),
        model: json!({
            "type": "Unigram",
            "unk_id": unknown(stored),
            "vocab": entries,
            "byte_fallback": stored.types.contains(&TokenType::Byte),
        }),
    }
}

/// GGUF calls the blanks of T5's texts by their ids. The first hundred are the tokens that T5 knows as
/// `<extra_id_99>` down to `<extra_id_0>`.
pub(super) fn blanks(tokens: &[String]) -> Vec<String> {
    let mut left: usize = 100;
    let rename = |token: &String| {
        let number = token.strip_prefix("[PAD").and_then(|rest| rest.strip_suffix(']'));
        let is_blank =
            number.is_some_and(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()));
        match left.checked_sub(1) {
            Some(next) if is_blank => {
                left = next;
                format!("<extra_id_{next}>")
            }
            _ => token.clone(),
        }
    };
    tokens.iter().map(rename).collect()
}

fn metaspace(scheme: &str, split: bool) -> Value {
    json!({"type": "Metaspace", "replacement": SPACE, "prepend_scheme": scheme, "split": split})
}

fn unknown(stored: &StoredVocabulary) -> Option<u32> {
    let by_type = || stored.types.iter().position(|kind| *kind == TokenType::Unknown);
    stored.special.unknown.or_else(|| u32::try_from(by_type()?).ok())
}

/// Which pairs are merged, the first before others: each token's parts, by the score of the token or, where there is
/// none, by its id. As Transformers' `generate_merges`.
fn merges(stored: &StoredVocabulary, by_score: bool) -> Vec<Value> {
    let ids: HashMap<&str, usize> =
        stored.tokens.iter().enumerate().map(|(id, token)| (token.as_str(), id)).collect();
    let mut found: Vec<Merge<'_>> = Vec::new();
    for (id, token) in stored.tokens.iter().enumerate().filter(|(_, token)| token.len() <= LONGEST) {
        let mut of_token = Vec::new();
        let length = token.chars().count();
        for (before, (place, _)) in token.char_indices().enumerate().skip(1) {
            let (left, right) = token.split_at(place);
            if let (Some(left_id), Some(right_id)) = (ids.get(left), ids.get(right)) {
                of_token.push((
                    (left_id, right_id),
                    Merge { id, lengths: (before, length - before), left, right },
                ));
            }
        }
        of_token.sort_by_key(|(ids, _)| *ids);
        found.extend(of_token.into_iter().map(|(_, merge)| merge));
    }
    let score = |merge: &Merge<'_>| stored.scores.get(merge.id).copied().unwrap_or(0.0);
    if by_score {
        let order = |one: &Merge<'_>, other: &Merge<'_>| {
            score(other).total_cmp(&score(one)).then(other.lengths.cmp(&one.lengths))
        };
        found.sort_by(order);
    } else {
        found.sort_by_key(|merge| (merge.id, merge.lengths));
    }
    found.into_iter().map(|merge| json!([merge.left, merge.right])).collect()
}

struct Merge<'t> {
    /// The token that it makes.
    id: usize,
    /// Characters of its parts.
    lengths: (usize, usize),
    left: &'t str,
    right: &'t str,
}

/// RFC 4648, with padding.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |at: usize| u32::from(chunk.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..4 {
            let letter = ALPHABET.get((bits >> (18 - 6 * place) & 63) as usize).copied().unwrap_or(b'=');
            text.push(if place <= chunk.len() { char::from(letter) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_the_rfc() {
        for (text, expected) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(text.as_bytes()), expected);
        }
    }
}

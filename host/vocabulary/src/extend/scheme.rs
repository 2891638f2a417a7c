//! How a tokenizer takes new words.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;
use tokenizers::{Decoder, Model, NormalizedString, Normalizer, OffsetReferential, OffsetType, PreTokenizer};

use crate::error::VocabularyError;
use crate::tokenizer::TokenizerFile;

/// Stands between the words of a unit; normalisers of WordPiece remove it from texts, byte-level BPE writes it
/// otherwise.
pub(super) const JOINT: char = '\0';

/// A whole word, by the same classes as `tokenizers` uses for `single_word`.
static WORD: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"^\w+$").ok());

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Scheme {
    WordPiece,
    ByteLevelBpe,
}

impl Scheme {
    pub fn of(base: &TokenizerFile) -> Result<Self, VocabularyError> {
        let json = base.json();
        let kind = |pointer: &str| json.pointer(pointer).and_then(Value::as_str);
        // Files from before the field was written have merges, and nothing else has.
        let model = kind("/model/type").or_else(|| json.pointer("/model/merges").map(|_| "BPE"));
        match model {
            Some("WordPiece") if kind("/pre_tokenizer/type") == Some("BertPreTokenizer") => {
                Ok(Self::WordPiece)
            }
            Some("WordPiece") => {
                Err(base
                    .unextendable("its pre-tokenizer is not BERT's, so that it is not known where words end"))
            }
            Some("BPE") if is_byte_level(json.get("pre_tokenizer")) && is_byte_level(json.get("decoder")) => {
                Ok(Self::ByteLevelBpe)
            }
            Some("BPE") => Err(base.unextendable("its BPE is not byte-level")),
            other => Err(base.unextendable(format!("its model is {}", other.unwrap_or("of no known type")))),
        }
    }

    pub fn takes_compounds(self) -> bool {
        self == Self::WordPiece
    }

    /// Hands on the words of a text as the model gets them. For WordPiece, words that stand together without a space
    /// come together, [`JOINT`] between them: whether an added token is found depends on what stands beside it. Tokens
    /// that were added before are left out.
    pub fn units(
        self,
        base: &TokenizerFile,
        text: &str,
        each: &mut dyn FnMut(&str),
    ) -> Result<(), tokenizers::Error> {
        let tokenizer = base.tokenizer();
        let mut text =
            tokenizer.get_added_vocabulary().extract_and_normalize(tokenizer.get_normalizer(), text);
        if let Some(pre_tokenizer) = tokenizer.get_pre_tokenizer() {
            pre_tokenizer.pre_tokenize(&mut text)?;
        }
        let mut unit = String::new();
        let mut end = None;
        for (word, place, tokens) in text.get_splits(OffsetReferential::Original, OffsetType::Byte) {
            if tokens.is_some() {
                end = None;
                continue;
            }
            if self == Self::ByteLevelBpe {
                each(word);
                continue;
            }
            if end != Some(place.0) && !unit.is_empty() {
                each(&unit);
                unit.clear();
            }
            if !unit.is_empty() {
                unit.push(JOINT);
            }
            unit.push_str(word);
            end = Some(place.1);
        }
        if !unit.is_empty() {
            each(&unit);
        }
        Ok(())
    }

    /// What the model splits a word into.
    pub fn pieces(self, base: &TokenizerFile, word: &str) -> Result<Vec<u32>, VocabularyError> {
        let tokens = base.tokenizer().get_model().tokenize(word).map_err(|error| base.failed(error))?;
        Ok(tokens.into_iter().map(|token| token.id).collect())
    }

    /// A word as a reader knows it, a space before it as `▁`; none where it may not become a token.
    pub fn readable(self, base: &TokenizerFile, word: &str) -> Option<String> {
        match self {
            Self::WordPiece => {
                // It is matched against normalised text, so it must be what normalising leaves as it is.
                let mut normal = NormalizedString::from(word);
                if let Some(normalizer) = base.tokenizer().get_normalizer() {
                    normalizer.normalize(&mut normal).ok()?;
                }
                (is_word(word) && normal.get() == word).then(|| word.to_owned())
            }
            Self::ByteLevelBpe => {
                let decoder = base.tokenizer().get_decoder()?;
                let text = decoder.decode(vec![word.to_owned()]).ok()?;
                let bare = text.strip_prefix(' ').unwrap_or(&text);
                is_word(bare).then(|| text.replacen(' ', "▁", 1))
            }
        }
    }
}

fn is_byte_level(part: Option<&Value>) -> bool {
    let Some(part) = part else { return false };
    let parts = part.get("pretokenizers").or_else(|| part.get("decoders")).and_then(Value::as_array);
    part.get("type").and_then(Value::as_str) == Some("ByteLevel")
        || parts.is_some_and(|parts| parts.iter().any(|part| is_byte_level(Some(part))))
}

/// Letters, digits and marks, at least one of them a letter. An underscore is no word of BERT's.
pub(super) fn is_word(text: &str) -> bool {
    is_word_like(text) && text.chars().any(char::is_alphabetic) && !text.contains('_')
}

/// Whether all of `text` is what a word is made of, by the definition of `single_word`.
pub(super) fn is_word_like(text: &str) -> bool {
    WORD.as_ref().is_some_and(|word| word.is_match(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_letters_digits_and_marks() {
        for word in ["metformin", "Übergröße", "b12", "हिन्दी", "x"] {
            assert!(is_word(word), "{word}");
        }
        for other in ["", "12", "covid-19", "user_id", "a b", "°c", "½", "can't"] {
            assert!(!is_word(other), "{other}");
        }
    }
}

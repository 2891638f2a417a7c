//! Which characters are kept.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};

use tokenizers::pre_tokenizers::byte_level::ByteLevel;

/// The symbols that every word is made of, in the order of their ids: characters by code point, then those that
/// continue a word.
pub(super) struct Alphabet {
    characters: BTreeSet<char>,
    symbols: Vec<String>,
}

impl Alphabet {
    fn new(characters: BTreeSet<char>) -> Self {
        let symbols = characters.iter().map(char::to_string).collect();
        Self { characters, symbols }
    }

    /// The 256 characters that stand for bytes.
    pub fn of_bytes() -> Self {
        Self::new(ByteLevel::alphabet().into_iter().collect())
    }

    /// The `limit` most frequent characters; of equally frequent ones the first by code point.
    pub fn of_words(words: &[(String, u64)], limit: usize) -> Self {
        let mut counts: HashMap<char, u64> = HashMap::new();
        for (word, count) in words {
            for character in word.chars() {
                *counts.entry(character).or_default() += count;
            }
        }
        let mut ranked: Vec<(char, u64)> = counts.into_iter().collect();
        ranked.sort_unstable_by_key(|(character, count)| (Reverse(*count), *character));
        Self::new(ranked.into_iter().take(limit).map(|(character, _)| character).collect())
    }

    /// And each character as it continues a word, if one does.
    #[must_use]
    pub fn with_continuing(mut self, words: &[(String, u64)], prefix: &str) -> Self {
        let continuing: BTreeSet<char> = words.iter().flat_map(|(word, _)| word.chars().skip(1)).collect();
        let kept = continuing.intersection(&self.characters);
        self.symbols.extend(kept.map(|character| format!("{prefix}{character}")));
        self
    }

    pub fn len(&self) -> usize {
        self.symbols.len()
    }

    pub fn symbols(&self) -> &[String] {
        &self.symbols
    }

    pub fn characters(&self) -> impl Iterator<Item = char> {
        self.characters.iter().copied()
    }

    pub fn holds(&self, character: char) -> bool {
        self.characters.contains(&character)
    }

    /// The words cut at the characters that are not kept.
    pub fn split(&self, words: &[(String, u64)]) -> Vec<(String, u64)> {
        let mut parts: HashMap<&str, u64> = HashMap::new();
        for (word, count) in words {
            for part in word.split(|character: char| !self.holds(character)).filter(|part| !part.is_empty()) {
                *parts.entry(part).or_default() += count;
            }
        }
        let mut parts: Vec<_> = parts.into_iter().map(|(part, count)| (part.to_owned(), count)).collect();
        parts.sort_unstable();
        parts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_frequent_characters_stay_and_words_are_cut_at_the_others() {
        let words = [("abca".to_owned(), 3), ("xa".to_owned(), 1), ("ca".to_owned(), 1)];
        let alphabet = Alphabet::of_words(&words, 3).with_continuing(&words, "##");
        assert_eq!(alphabet.symbols(), ["a", "b", "c", "##a", "##b", "##c"]);
        let alphabet = Alphabet::of_words(&words, 2);
        assert_eq!(alphabet.symbols(), ["a", "c"]);
        assert_eq!(alphabet.split(&words), [("a".into(), 4), ("ca".into(), 4)]);
        assert_eq!(Alphabet::of_bytes().len(), 256);
    }
}

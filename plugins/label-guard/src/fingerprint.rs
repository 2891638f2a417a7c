use std::hash::Hasher;

use serde::Deserialize;
use siphasher::sip128::{Hasher128, SipHasher13};

/// A text as 128 bits. Among a billion different texts, the chance that any two have the same is below
/// one in 10^20.
pub(crate) type Fingerprint = [u8; 16];

/// Which texts are the same.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SameText {
    /// Byte for byte.
    Exact,
    /// But for letter case and white space.
    #[default]
    Case,
    /// But for these and punctuation.
    Words,
}

/// Takes fingerprints.
pub(crate) struct Fingerprints {
    same: SameText,
    /// The text as it is compared; kept for its room.
    compared: String,
}

impl Fingerprints {
    pub fn new(same: SameText) -> Self {
        Self { same, compared: String::new() }
    }

    /// The fingerprint of `text`, the same for texts that count as the same.
    pub fn of(&mut self, text: &str) -> Fingerprint {
        self.compared.clear();
        match self.same {
            SameText::Exact => return hash(text),
            SameText::Case => self.add(text.split_whitespace()),
            SameText::Words => {
                self.add(
                    text.split(|c: char| c.is_whitespace() || is_sign(c)).filter(|word| !word.is_empty()),
                );
                if self.compared.is_empty() {
                    // Of nothing but signs: they tell one from the other.
                    self.add(text.split_whitespace());
                }
            }
        }
        hash(&self.compared)
    }

    fn add<'a>(&mut self, words: impl Iterator<Item = &'a str>) {
        for word in words {
            if !self.compared.is_empty() {
                self.compared.push(' ');
            }
            if word.is_ascii() {
                self.compared.extend(word.bytes().map(|byte| char::from(byte.to_ascii_lowercase())));
            } else {
                // Character by character, so that a sigma is the same wherever it stands.
                self.compared.extend(word.chars().flat_map(char::to_lowercase));
            }
        }
    }
}

fn hash(text: &str) -> Fingerprint {
    // The same keys in every instance.
    let mut hasher = SipHasher13::new();
    hasher.write(text.as_bytes());
    hasher.finish128().as_bytes()
}

/// Whether `c` is punctuation or a symbol of the common blocks. What else is no letter may be a part of one.
fn is_sign(c: char) -> bool {
    let common = matches!(
        c,
        '!'..='~' | '\u{a1}'..='\u{bf}' | '\u{2010}'..='\u{2027}' | '\u{2030}'..='\u{205e}' | '\u{20a0}'..='\u{20cf}'
            | '\u{3001}'..='\u{3003}' | '\u{3008}'..='\u{301f}' | '\u{ff01}'..='\u{ff65}'
    );
    common && !c.is_alphanumeric()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_and_white_space_make_no_difference_and_all_else_does() {
        let mut fingerprints = Fingerprints::new(SameText::Case);
        let mut of = |text| fingerprints.of(text);
        assert_eq!(of("Where is my CARD?"), of("  where\u{a0}is\n\tmy card? "));
        assert_eq!(of("ÄRGER ΟΔΟΣ"), of("ärger οδοσ"));
        assert_ne!(of("card"), of("card?"));
        assert_ne!(of("ab c"), of("a bc"));
        assert_ne!(of(""), of("a"));
    }

    #[test]
    fn punctuation_makes_none_where_the_recipe_says_so() {
        let mut fingerprints = Fingerprints::new(SameText::Words);
        let mut of = |text| fingerprints.of(text);
        assert_eq!(of("Where is my card?!"), of("where, is my -- card"));
        assert_eq!(of("¿Dónde está?"), of("dónde, está"));
        assert_eq!(of("「東京」です。"), of("東京 です"));
        assert_ne!(of("नमस्ते"), of("नमसते"));
        assert_ne!(of(":-)"), of(":-("));
        assert_ne!(of("a b"), of("ab"));
    }

    #[test]
    fn everything_makes_one_where_texts_are_compared_exactly() {
        let mut fingerprints = Fingerprints::new(SameText::Exact);
        assert_ne!(fingerprints.of("card"), fingerprints.of("Card"));
        assert_ne!(fingerprints.of("card"), fingerprints.of("card "));
        assert_eq!(fingerprints.of("card"), fingerprints.of("card"));
    }

    #[test]
    fn it_never_changes() {
        // Same rows, same state: the host caches on that.
        let hex: String =
            Fingerprints::new(SameText::Case).of("a").iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "47f6fb72e8b5103708043755c271cd5f");
    }
}

use std::hash::Hasher;

use siphasher::sip128::{Hasher128, SipHasher13};

/// A text as 128 bits. Among a billion different texts, the chance that any two have the same is below
/// one in 10^20.
pub(crate) type Fingerprint = [u8; 16];

/// Takes fingerprints.
#[derive(Default)]
pub(crate) struct Fingerprints {
    /// The text as it is compared; kept for its room.
    compared: String,
}

impl Fingerprints {
    /// The fingerprint of `text`, the same for texts that differ in letter case and white space alone.
    pub fn of(&mut self, text: &str) -> Fingerprint {
        self.compared.clear();
        for word in text.split_whitespace() {
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
        // The same keys in every instance.
        let mut hasher = SipHasher13::new();
        hasher.write(self.compared.as_bytes());
        hasher.finish128().as_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_and_white_space_make_no_difference_and_all_else_does() {
        let mut fingerprints = Fingerprints::default();
        let mut of = |text| fingerprints.of(text);
        assert_eq!(of("Where is my CARD?"), of("  where\u{a0}is\n\tmy card? "));
        assert_eq!(of("ÄRGER ΟΔΟΣ"), of("ärger οδοσ"));
        assert_ne!(of("card"), of("card?"));
        assert_ne!(of("ab c"), of("a bc"));
        assert_ne!(of(""), of("a"));
    }

    #[test]
    fn it_never_changes() {
        // Same rows, same state: the host caches on that.
        let hex: String = Fingerprints::default().of("a").iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "47f6fb72e8b5103708043755c271cd5f");
    }
}

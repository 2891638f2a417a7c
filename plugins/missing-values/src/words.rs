/// Words that say that there is no value.
#[derive(Clone, Debug)]
pub(crate) struct Words {
    /// Trimmed, in lower case.
    words: Vec<String>,
    /// No value of more bytes is one of them.
    longest: usize,
}

impl Words {
    pub(crate) fn new(words: &[String]) -> Self {
        let words: Vec<String> =
            words.iter().map(|word| word.trim().to_lowercase()).filter(|word| !word.is_empty()).collect();
        // A letter of three bytes may have a small one of a single byte: the Kelvin sign.
        let longest = 3 * words.iter().map(String::len).max().unwrap_or(0);
        Self { words, longest }
    }

    /// Whether `value` is no value: absent, blank, or one of the words.
    pub(crate) fn is_missing(&self, value: Option<&str>) -> bool {
        let Some(value) = value else { return true };
        let value = value.trim();
        value.is_empty() || value.len() <= self.longest && self.words.iter().any(|word| same(word, value))
    }
}

/// Whether `value` is `word`, which is in lower case.
fn same(word: &str, value: &str) -> bool {
    value.chars().flat_map(char::to_lowercase).eq(word.chars())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_however_they_are_written() {
        let words = Words::new(&["n/a", " None ", "kein Wert", "fehlt völlig", ""].map(str::to_owned));
        for value in [
            "",
            " ",
            "\t\n",
            "\u{a0}",
            "n/a",
            " N/A\n",
            "NONE",
            "Kein wert",
            "\u{212a}EIN WERT",
            "FEHLT VÖLLIG",
        ] {
            assert!(words.is_missing(Some(value)), "{value:?}");
        }
        assert!(words.is_missing(None));
        for value in ["0", "na", "none of them", "n/a n/a", "kein", "nonesuch", "."] {
            assert!(!words.is_missing(Some(value)), "{value:?}");
        }
    }

    #[test]
    fn without_words_only_what_is_blank_is_missing() {
        let words = Words::new(&[]);
        assert!(words.is_missing(Some(" ")));
        assert!(!words.is_missing(Some("null")));
    }
}

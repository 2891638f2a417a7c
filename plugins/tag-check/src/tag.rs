use crate::scheme::Letter;

/// A tag as it is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Tag<'a> {
    /// None if it is no tag at all.
    pub letter: Option<Letter>,
    /// Of the entity; empty outside of one.
    pub kind: &'a str,
    /// Whether it is written as it should be.
    pub clean: bool,
}

impl<'a> Tag<'a> {
    /// What has no meaning.
    const NONE: Self = Self { letter: None, kind: "", clean: true };

    /// Reads a tag: `O`, or a letter, the separator, and a type. A small letter, a zero for `O` and another usual
    /// separator are slips.
    pub fn read(written: &'a str, separator: &str) -> Self {
        match written {
            "O" => return Self { letter: Some(Letter::O), kind: "", clean: true },
            "o" | "0" => return Self { letter: Some(Letter::O), kind: "", clean: false },
            _ => {}
        }
        let mut rest = written.chars();
        let Some(first) = rest.next() else { return Self::NONE };
        let rest = rest.as_str();
        let Some(letter) = Letter::of(first.to_ascii_uppercase()).filter(|letter| *letter != Letter::O)
        else {
            return Self::NONE;
        };
        if let Some(kind) = rest.strip_prefix(separator).filter(|kind| !kind.is_empty()) {
            return Self { letter: Some(letter), kind, clean: first.is_ascii_uppercase() };
        }
        match rest.strip_prefix(['-', '_', ':', '/']).filter(|kind| !kind.is_empty()) {
            Some(kind) => Self { letter: Some(letter), kind, clean: false },
            None => Self::NONE,
        }
    }

    /// Whether it is of an entity.
    pub fn of_entity(&self) -> bool {
        self.letter.is_some_and(|letter| letter != Letter::O)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(written: &str) -> (Option<Letter>, &str, bool) {
        let Tag { letter, kind, clean } = Tag::read(written, "-");
        (letter, kind, clean)
    }

    #[test]
    fn letters_and_types_are_read() {
        assert_eq!(read("O"), (Some(Letter::O), "", true));
        assert_eq!(read("B-PER"), (Some(Letter::B), "PER", true));
        assert_eq!(read("I-creative-work"), (Some(Letter::I), "creative-work", true));
        assert_eq!(Tag::read("B::X", "::"), Tag { letter: Some(Letter::B), kind: "X", clean: true });
    }

    #[test]
    fn slips_are_understood() {
        assert_eq!(read("0"), (Some(Letter::O), "", false));
        assert_eq!(read("b-PER"), (Some(Letter::B), "PER", false));
        assert_eq!(read("I_LOC"), (Some(Letter::I), "LOC", false));
    }

    #[test]
    fn what_is_no_tag_is_none() {
        for written in ["", "3", "B", "B-", "-PER", "PER", "X-PER", "O-PER", "Ä-PER"] {
            assert_eq!(read(written).0, None, "{written}");
        }
    }
}

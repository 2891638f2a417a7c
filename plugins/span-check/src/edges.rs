use unicode_segmentation::{GraphemeCursor, UnicodeSegmentation};

/// The beginning and the end of the character, as readers count them, within which `at` lies; none if `at` parts
/// two. It may be of several code points: a letter and its accents, a flag, a family.
pub(crate) fn cut_character(text: &str, at: usize) -> Option<(usize, usize)> {
    let bytes = text.as_bytes();
    let (before, after) = (bytes.get(at.checked_sub(1)?)?, bytes.get(at)?);
    // Of ASCII, only a line break of two characters is one.
    if before.is_ascii() && after.is_ascii() && (*before, *after) != (b'\r', b'\n') {
        return None;
    }
    let cursor = || GraphemeCursor::new(at, text.len(), true);
    if cursor().is_boundary(text, 0).ok()? {
        return None;
    }
    let start = cursor().prev_boundary(text, 0).ok()??;
    let end = cursor().next_boundary(text, 0).ok()??;
    Some((start, end))
}

/// The word within which `at` lies; none if it parts two.
///
/// A word is cut between two letters and between two digits, where Unicode's rules for words (UAX #29) see no end of
/// one: there is none between Chinese characters, nor in Thai, which write no spaces. Korean is not judged, for a
/// particle joins the name before it.
pub(crate) fn cut_word(text: &str, at: usize) -> Option<&str> {
    let (left, right) = text.split_at_checked(at)?;
    let before = left.chars().next_back()?;
    let after = right.chars().next()?;
    let alike =
        (before.is_alphabetic() && after.is_alphabetic()) || (before.is_numeric() && after.is_numeric());
    if !alike || is_hangul(before) || is_hangul(after) {
        return None;
    }
    if !(before.is_ascii() && after.is_ascii()) {
        let pair = text.get(at - before.len_utf8()..at + after.len_utf8())?;
        pair.split_word_bounds().nth(1).map_or(Some(()), |_| None)?;
    }
    let start = left.trim_end_matches(char::is_alphanumeric).len();
    let end = text.len() - right.trim_start_matches(char::is_alphanumeric).len();
    text.get(start..end)
}

fn is_hangul(c: char) -> bool {
    matches!(c, '\u{1100}'..='\u{11ff}' | '\u{3130}'..='\u{318f}' | '\u{a960}'..='\u{a97f}' | '\u{ac00}'..='\u{d7ff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_of_several_code_points_are_whole() {
        // An e with an accent of its own, a family, a flag, a line break.
        for (text, at, whole) in
            [("ae\u{301}b", 2, (1, 4)), ("a👩‍👩‍👧b", 5, (1, 19)), ("🇩🇪🇫🇷", 4, (0, 8)), ("a\r\nb", 2, (1, 3))]
        {
            assert_eq!(cut_character(text, at), Some(whole), "{text:?}");
            assert_eq!((cut_character(text, whole.0), cut_character(text, whole.1)), (None, None));
        }
        assert_eq!([0, 1, 2, 3].map(|at| cut_character("abc", at)), [None; 4]);
        assert_eq!(cut_character("aä", 1), None);
    }

    #[test]
    fn words_are_cut_between_letters_and_between_digits() {
        assert_eq!(cut_word("to Anna, at 10kg", 4), Some("Anna"));
        assert_eq!(cut_word("Jürgen", 2), None, "within a code point");
        assert_eq!(cut_word("Jürgen", 3), Some("Jürgen"));
        assert_eq!(cut_word("Анна", 4), Some("Анна"));
        assert_eq!(cut_word("in 2024", 5), Some("2024"));
        for (text, at) in
            [("Anna Lee", 4), ("Anna", 0), ("Anna", 4), ("10kg", 2), ("Anna's", 4), ("re-do", 2)]
        {
            assert_eq!(cut_word(text, at), None, "{text}");
        }
    }

    #[test]
    fn scripts_without_spaces_are_not_judged() {
        for text in ["北京市", "สวัสดี", "서울에", "ひらがな"] {
            let at = text.chars().next().map_or(0, char::len_utf8);
            assert_eq!(cut_word(text, at), None, "{text}");
        }
    }
}

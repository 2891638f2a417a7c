use std::borrow::Cow;

/// `text` with typographic quotation marks, apostrophes and dashes as ASCII writes them. What comes of it composes with
/// no accent, so a normal form stays one.
pub(crate) fn to_ascii(text: &str) -> Cow<'_, str> {
    let mut plain = String::new();
    let mut copied = 0;
    // All of them begin with this byte, which begins characters only.
    let mut from = 0;
    while let Some(found) = text.as_bytes()[from..].iter().position(|byte| *byte == LEAD) {
        let at = from + found;
        let Some(c) = text[at..].chars().next() else { break };
        from = at + c.len_utf8();
        if let Some(mark) = ascii(c) {
            plain.push_str(&text[copied..at]);
            plain.push(mark);
            copied = from;
        }
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    plain.push_str(&text[copied..]);
    Cow::Owned(plain)
}

/// The first byte of U+2000 to U+2FFF in UTF-8.
const LEAD: u8 = 0xe2;

fn ascii(c: char) -> Option<char> {
    match c {
        // Single quotation marks, of which the right one is the apostrophe.
        '\u{2018}'..='\u{201b}' => Some('\''),
        '\u{201c}'..='\u{201f}' => Some('"'),
        // Hyphens, dashes of all lengths, the bar before a quotation, the minus sign.
        '\u{2010}'..='\u{2015}' | '\u{2212}' => Some('-'),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_and_dashes_are_those_of_a_keyboard() {
        let folded = to_ascii("“I’m „here‟” – she said—2010‒12, −3 ‐ ‑ ―");
        assert_eq!(folded, "\"I'm \"here\"\" - she said-2010-12, -3 - - -");
        for text in ["", "it's", "«déjà vu» 5′ 3″ … • ™ 中 🙂 €"] {
            assert!(matches!(to_ascii(text), Cow::Borrowed(_)), "{text}");
        }
    }

    #[test]
    fn whatever_is_replaced_begins_with_the_byte_that_is_looked_for() {
        for c in ('\0'..=char::MAX).filter(|c| ascii(*c).is_some()) {
            assert_eq!(c.to_string().as_bytes()[0], LEAD, "{c:?}");
        }
    }
}

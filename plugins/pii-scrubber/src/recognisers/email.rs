//! Email addresses: a local part of at most 64 bytes (ASCII letters, digits and `.%'+_-`, and Latin letters with
//! accents; not the other signs that RFC 5322 allows, because `email=bob@example.com` is common and they are not),
//! `@`, and a domain of two labels or more whose last is two letters or more, or `xn--` and so on. A dot or quotation
//! mark at the address's start or end is not part of it.

use super::Span;

/// RFC 5321, sections 4.5.3.1.1 and 4.5.3.1.2.
const LOCAL: usize = 64;
const DOMAIN: usize = 255;
/// RFC 1035, section 2.3.4.
const LABEL: usize = 63;

/// The address around the `@` at `at`.
pub(crate) fn around(text: &[u8], floor: usize, at: usize) -> Option<Span> {
    let start = local(text, floor, at)?;
    let end = domain(text, at + 1)?;
    Some(start..end)
}

/// The address that begins where, or before, a find begins that ends at `end`: `5551234567@example.com`.
pub(crate) fn over(text: &[u8], floor: usize, end: usize) -> Option<Span> {
    let rest = text[end..].iter().take(LOCAL).take_while(|byte| is_local(**byte)).count();
    let at = end + rest;
    if text.get(at) != Some(&b'@') {
        return None;
    }
    around(text, floor, at).filter(|span| span.start < end)
}

fn local(text: &[u8], floor: usize, at: usize) -> Option<usize> {
    let before = &text[floor..at];
    let len = before.iter().rev().take(LOCAL + 1).take_while(|byte| is_local(**byte)).count();
    if len > LOCAL {
        return None;
    }
    let mut start = at - len;
    // Two dots end a sentence rather than stand in an address.
    if let Some(dots) = text[start..at].windows(2).rposition(|pair| pair == b"..") {
        start += dots + 2;
    }
    let begins = |byte: u8| byte == b'_' || (is_letter(byte) && !matches!(byte, 0x80..=0xbf));
    start += text[start..at].iter().take_while(|byte| !begins(**byte)).count();
    let sound = start < at && text[at - 1] != b'.' && text[at - 1] != b'\'';
    sound.then_some(start)
}

/// The domain's end. What follows the last label that can be a top-level domain is not part of it.
fn domain(text: &[u8], start: usize) -> Option<usize> {
    let limit = text.len().min(start + DOMAIN);
    // `icon@2x.png` is an image for a fine screen.
    if matches!(&text[start..limit], [b'2' | b'3', b'x', b'.', ..]) {
        return None;
    }
    let mut end = None;
    let mut place = start;
    for label in 0.. {
        let len = text[place..limit].iter().take_while(|byte| is_letter(**byte) || **byte == b'-').count();
        if len == 0 || len > LABEL || text[place] == b'-' {
            break;
        }
        let label_text = &text[place..place + len];
        if label > 0
            && let Some(len) = top_level(label_text)
        {
            end = Some(place + len);
        }
        place += len;
        if label_text.ends_with(b"-") || text[..limit].get(place) != Some(&b'.') {
            break;
        }
        place += 1;
    }
    end
}

/// How much of a label can be a top-level domain.
fn top_level(label: &[u8]) -> Option<usize> {
    if label.len() > 4 && label[..4].eq_ignore_ascii_case(b"xn--") {
        return Some(label.len());
    }
    let letters = label.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
    // A hyphen behind it is the sentence's dash.
    let whole = letters == label.len() || label[letters] == b'-';
    (whole && (2..=24).contains(&letters)).then_some(letters)
}

fn is_local(byte: u8) -> bool {
    is_letter(byte) || matches!(byte, b'.' | b'%' | b'\'' | b'+' | b'_' | b'-')
}

/// ASCII, or a byte of U+00C0 to U+024F. Continuation bytes of other characters are not told apart from those of
/// these, but their first bytes are.
fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, 0x80..=0xbf | 0xc3..=0xc9)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn finds(text: &str, expected: Option<&str>) {
        let at = text.find('@').unwrap();
        assert_eq!(around(text.as_bytes(), 0, at).map(|span| &text[span]), expected, "{text}");
    }

    #[test]
    fn addresses() {
        for address in [
            "a@b.co",
            "john.doe+tag@mail.example.co.uk",
            "o'neil_99@ex-ample.museum",
            "jürgen@müller.de",
            "x@xn--bcher-kva.xn--p1ai",
            "1234567890@qq.com",
            "USER%local@EXAMPLE.ORG",
        ] {
            finds(address, Some(address));
        }
    }

    #[test]
    fn only_the_address_is_taken() {
        finds("write to <bob@example.com>.", Some("bob@example.com"));
        finds("mailto:bob@example.com?subject=x", Some("bob@example.com"));
        finds("'bob@example.com'", Some("bob@example.com"));
        finds("see...bob@example.com...", Some("bob@example.com"));
        finds("bob@example.com-or call", Some("bob@example.com"));
        finds("bob@example.com.5 items", Some("bob@example.com"));
        finds("联系bob@example.com谢谢", Some("bob@example.com"));
        finds("“bob@example.com”", Some("bob@example.com"));
        finds("EMAIL='bob@example.com'", Some("bob@example.com"));
        finds("=bob@example.com,al@example.com", Some("bob@example.com"));
    }

    #[test]
    fn what_is_none() {
        for text in [
            "@handle",
            "meet @ noon",
            "a@b",
            "a@b.c",
            "bob.@example.com",
            "user@localhost",
            "2 items @ $4.50",
            "lodash@4.17.21",
            "icon@2x.png",
            "bob@-example.com",
            "bob@.com",
            "bob@10.0.0.1",
            "@",
        ] {
            finds(text, None);
        }
        finds(&format!("{}@example.com", "a".repeat(65)), None);
        finds(&format!("{}@example.com", "a".repeat(64)), Some(&format!("{}@example.com", "a".repeat(64))));
    }

    #[test]
    fn digits_may_turn_out_to_be_an_address() {
        let text = b"tel.555-123-4567@example.com";
        assert_eq!(over(text, 0, 16), Some(0..28));
        assert_eq!(over(text, 4, 16), Some(4..28));
        assert_eq!(over(b"555 bob@example.com", 0, 3), None);
    }
}

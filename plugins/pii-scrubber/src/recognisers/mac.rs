//! MAC addresses: six pairs of hexadecimal digits, with colons or with hyphens between.

use super::{Span, before, is_word};

const PAIRS: usize = 6;

/// The address that has the byte at `place`.
pub(crate) fn around(text: &[u8], floor: usize, place: usize) -> Option<Span> {
    let mut start = place;
    while start > floor && place - start < 3 * PAIRS && is_part(text[start - 1]) {
        start -= 1;
    }
    at(text, start)
}

fn at(text: &[u8], start: usize) -> Option<Span> {
    let end = start + 3 * PAIRS - 1;
    let address = text.get(start..end)?;
    let separator = address[2];
    let sound = (0..).zip(address).all(|(place, byte)| match place % 3 {
        2 => *byte == separator,
        _ => byte.is_ascii_hexdigit(),
    });
    let is_separator = matches!(separator, b':' | b'-');
    let alone = |byte: Option<&u8>| !is_word(byte) && byte != Some(&separator);
    // No find for a time range such as 10-20-30-40-50-60: a network card's has letters, nearly always.
    let has_letter = address.iter().any(u8::is_ascii_alphabetic);
    (is_separator && sound && has_letter && alone(before(text, start)) && alone(text.get(end)))
        .then_some(start..end)
}

fn is_part(byte: u8) -> bool {
    byte.is_ascii_hexdigit() || matches!(byte, b':' | b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn six_pairs() {
        assert_eq!(around(b"00:1A:2b:3c:4d:5e", 0, 0), Some(0..17));
        assert_eq!(around(b"at aa-bb-cc-dd-ee-f1.", 0, 19), Some(3..20));
        for text in [
            "00:1a:2b:3c:4d",
            "00:1a:2b:3c:4d:5e:6f",
            "00:1a-2b:3c:4d:5e",
            "x00:1a:2b:3c:4d:5e",
            "10-20-30-40-50-60",
        ] {
            assert_eq!(around(text.as_bytes(), 0, 0), None, "{text}");
        }
    }
}

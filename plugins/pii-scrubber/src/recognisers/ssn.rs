//! US social security numbers: three, two and four digits with hyphens between, none of them all noughts, the first
//! not 666 or above 899, which are never given.

use super::{Span, before, is_word};
use crate::digits::{Chain, Separator};

/// The number whose first digit stands at `start`.
pub(crate) fn at(text: &[u8], start: usize) -> Option<Span> {
    let chain = Chain::at(text, start, 4);
    let hyphens = chain.separators().get(..2)?.iter().all(|separator| *separator == Separator::Hyphen);
    if !hyphens || !chain.begins(&[3, 2, 4]) {
        return None;
    }
    let [area, group, serial] = [0, 1, 2].map(|place| {
        let group = chain.groups()[place];
        &text[group.start..group.end]
    });
    let given = area != b"000" && area != b"666" && area[0] != b'9' && group != b"00" && serial != b"0000";
    let end = chain.groups()[2].end;
    let alone = |byte: Option<&u8>| !is_word(byte) && byte != Some(&b'-');
    (given && alone(before(text, start)) && alone(text.get(end))).then_some(start..end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_two_four() {
        assert_eq!(at(b"123-45-6789", 0), Some(0..11));
        assert_eq!(at(b"(123-45-6789).", 1), Some(1..12));
        for text in [
            "000-45-6789",
            "666-45-6789",
            "900-45-6789",
            "123-00-6789",
            "123-45-0000",
            "123-45-67890",
            "123-45-6789-1",
            "123 45 6789",
        ] {
            assert_eq!(at(text.as_bytes(), 0), None, "{text}");
        }
    }
}

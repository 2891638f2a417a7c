//! Payment cards: 13 to 19 digits that begin like those of an issuer who gives numbers of this length, with the right
//! check digit (Luhn); in one piece, or in groups as they are printed, with one kind of separator, a space or a
//! hyphen. Not part of a longer number or identifier.

use super::{Span, before, is_word};
use crate::digits::{Chain, Separator};

const LONGEST: usize = 19;
const SHORTEST: usize = 13;

/// Groups as they are printed; the longest first where one begins like another.
const GROUPINGS: [&[usize]; 10] = [
    &[4, 4, 4, 4, 3],
    &[4, 4, 4, 4, 2],
    &[4, 4, 4, 4],
    &[4, 4, 4, 3],
    &[4, 4, 4, 2],
    &[4, 4, 4, 1],
    &[4, 6, 5],
    &[4, 6, 4],
    &[6, 13],
    &[8, 8],
];

/// The card whose first digit stands at `start`.
pub(crate) fn at(text: &[u8], start: usize) -> Option<Span> {
    if !begins_alone(text, start) {
        return None;
    }
    let chain = Chain::at(text, start, LONGEST);
    let first = chain.groups()[0];
    if (SHORTEST..=LONGEST).contains(&first.len()) {
        return (ends_alone(text, first.end) && is_card(&text[start..first.end])).then_some(start..first.end);
    }
    let separator = *chain.separators().first()?;
    if !matches!(separator, Separator::Space | Separator::Hyphen) {
        return None;
    }
    GROUPINGS.iter().find_map(|grouping| {
        let same = chain.separators().iter().take(grouping.len() - 1).all(|other| *other == separator);
        if !same || !chain.begins(grouping) {
            return None;
        }
        let end = chain.groups()[grouping.len() - 1].end;
        (ends_alone(text, end) && is_card(&text[start..end])).then_some(start..end)
    })
}

fn begins_alone(text: &[u8], start: usize) -> bool {
    match before(text, start) {
        Some(b'-' | b'.' | b',') => !is_word(start.checked_sub(2).and_then(|at| text.get(at))),
        other => !is_word(other),
    }
}

fn ends_alone(text: &[u8], end: usize) -> bool {
    match text.get(end) {
        Some(b'.' | b',') => !text.get(end + 1).is_some_and(u8::is_ascii_digit),
        other => !is_word(other),
    }
}

/// Whether the digits of `text` are a card's.
fn is_card(text: &[u8]) -> bool {
    let mut digits = [0; LONGEST];
    let mut len = 0;
    for byte in text.iter().filter(|byte| byte.is_ascii_digit()) {
        let Some(place) = digits.get_mut(len) else { return false };
        *place = byte - b'0';
        len += 1;
    }
    let digits = &digits[..len];
    len >= SHORTEST && issued(digits) && luhn(digits)
}

/// Whether an issuer's numbers begin so and are that long (ISO/IEC 7812; the networks' published ranges).
fn issued(digits: &[u8]) -> bool {
    let prefix =
        |len: usize| digits[..len].iter().fold(0_u32, |number, digit| number * 10 + u32::from(*digit));
    let (two, three, four) = (prefix(2), prefix(3), prefix(4));
    match digits.len() {
        // Visa, also of old.
        13 => two / 10 == 4,
        // Diners Club.
        14 => matches!(three, 300..=305 | 309) || matches!(two, 36 | 38 | 39),
        // American Express.
        15 => matches!(two, 34 | 37),
        16 => {
            // Visa, Mastercard, Discover and RuPay, JCB, Diners Club, UnionPay, Mir, Troy, Maestro.
            two / 10 == 4
                || matches!(two, 51..=55 | 36 | 38 | 39 | 62 | 65 | 81 | 82)
                || matches!(four, 2221..=2720 | 3528..=3589 | 2200..=2204 | 9792 | 6011 | 6069 | 6070)
                || matches!(three, 644..=649 | 508 | 600..=601)
                || maestro(two, four)
        }
        17 | 18 => two == 62 || maestro(two, four),
        19 => two / 10 == 4 || matches!(two, 62 | 65) || four == 6011 || maestro(two, four),
        _ => false,
    }
}

fn maestro(two: u32, four: u32) -> bool {
    matches!(two, 50 | 56..=58 | 67) || matches!(four, 6304 | 6390 | 6759..=6763)
}

/// The check digit of ISO/IEC 7812-1, annex B.
fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = (0..)
        .zip(digits.iter().rev())
        .map(|(place, digit)| {
            let value = u32::from(*digit) << (place & 1);
            if value > 9 { value - 9 } else { value }
        })
        .sum();
    // A card of noughts has the right check digit too, but no issuer.
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn finds(text: &str, expected: Option<&str>) {
        let start = text.find(|c: char| c.is_ascii_digit()).unwrap();
        assert_eq!(at(text.as_bytes(), start).map(|span| &text[span]), expected, "{text}");
    }

    #[test]
    fn the_networks_test_numbers() {
        for card in [
            "4111111111111111",
            "4111 1111 1111 1111",
            "4111-1111-1111-1111",
            "4222222222222",
            "5555555555554444",
            "2223003122003222",
            "378282246310005",
            "3782 822463 10005",
            "30569309025904",
            "3056 930902 5904",
            "6011111111111117",
            "3530111333300000",
            "6200000000000005",
            "6304000000000000",
            "2200 0000 0000 0004",
        ] {
            finds(card, Some(card));
        }
    }

    #[test]
    fn only_the_card_is_taken() {
        finds("card 4111 1111 1111 1111 12/26 cvc 123", Some("4111 1111 1111 1111"));
        finds("4111111111111111 123", Some("4111111111111111"));
        finds("(4111111111111111).", Some("4111111111111111"));
        finds("card:4111111111111111,", Some("4111111111111111"));
    }

    #[test]
    fn what_is_none() {
        for text in [
            "4111111111111112",
            "4111 1111 1111 1112",
            "4111 1111-1111 1111",
            "4111.1111.1111.1111",
            "41111111 11111111 ",
            "411111111111111",
            "1234567890123456",
            "0000000000000000",
            "9999999999999995",
            "a4111111111111111",
            "4111111111111111b",
            "ORD-4111111111111111",
            "4111111111111111.5",
            "41111111111111111111111111",
            "1700000000000",
            "411 111 111 111 111 1",
            // An IMEI: its check digit is the same.
            "490154203237518",
        ] {
            if text.starts_with("41111111 ") {
                // Two groups of eight are how some print it.
                finds(text, Some("41111111 11111111"));
            } else {
                finds(text, None);
            }
        }
    }
}

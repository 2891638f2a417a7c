//! IBANs: a country's letters, two check digits, and as many letters and digits as that country's have, in one piece
//! or in groups of four with a space or hyphen between; the remainder modulo 97 is 1 (ISO 13616).

use super::{Span, before, is_word};

/// The length of each country's, from the IBAN registry; sorted.
const LENGTHS: [([u8; 2], usize); 89] = [
    (*b"AD", 24),
    (*b"AE", 23),
    (*b"AL", 28),
    (*b"AT", 20),
    (*b"AZ", 28),
    (*b"BA", 20),
    (*b"BE", 16),
    (*b"BG", 22),
    (*b"BH", 22),
    (*b"BI", 27),
    (*b"BR", 29),
    (*b"BY", 28),
    (*b"CH", 21),
    (*b"CR", 22),
    (*b"CY", 28),
    (*b"CZ", 24),
    (*b"DE", 22),
    (*b"DJ", 27),
    (*b"DK", 18),
    (*b"DO", 28),
    (*b"EE", 20),
    (*b"EG", 29),
    (*b"ES", 24),
    (*b"FI", 18),
    (*b"FK", 18),
    (*b"FO", 18),
    (*b"FR", 27),
    (*b"GB", 22),
    (*b"GE", 22),
    (*b"GI", 23),
    (*b"GL", 18),
    (*b"GR", 27),
    (*b"GT", 28),
    (*b"HN", 28),
    (*b"HR", 21),
    (*b"HU", 28),
    (*b"IE", 22),
    (*b"IL", 23),
    (*b"IQ", 23),
    (*b"IS", 26),
    (*b"IT", 27),
    (*b"JO", 30),
    (*b"KW", 30),
    (*b"KZ", 20),
    (*b"LB", 28),
    (*b"LC", 32),
    (*b"LI", 21),
    (*b"LT", 20),
    (*b"LU", 20),
    (*b"LV", 21),
    (*b"LY", 25),
    (*b"MC", 27),
    (*b"MD", 24),
    (*b"ME", 22),
    (*b"MK", 19),
    (*b"MN", 20),
    (*b"MR", 27),
    (*b"MT", 31),
    (*b"MU", 30),
    (*b"NI", 28),
    (*b"NL", 18),
    (*b"NO", 15),
    (*b"OM", 23),
    (*b"PK", 24),
    (*b"PL", 28),
    (*b"PS", 29),
    (*b"PT", 25),
    (*b"QA", 29),
    (*b"RO", 24),
    (*b"RS", 22),
    (*b"RU", 33),
    (*b"SA", 24),
    (*b"SC", 31),
    (*b"SD", 18),
    (*b"SE", 24),
    (*b"SI", 19),
    (*b"SK", 24),
    (*b"SM", 27),
    (*b"SO", 23),
    (*b"ST", 25),
    (*b"SV", 28),
    (*b"TL", 23),
    (*b"TN", 24),
    (*b"TR", 26),
    (*b"UA", 29),
    (*b"VA", 22),
    (*b"VG", 24),
    (*b"XK", 20),
    (*b"YE", 30),
];

/// The IBAN whose country stands at `start`, in capitals or small letters.
pub(crate) fn at(text: &[u8], start: usize) -> Option<Span> {
    if is_word(before(text, start)) {
        return None;
    }
    let [first, second, third, fourth, ..] = text[start..] else { return None };
    if !third.is_ascii_digit() || !fourth.is_ascii_digit() {
        return None;
    }
    let country = [first.to_ascii_uppercase(), second.to_ascii_uppercase()];
    let place = LENGTHS.binary_search_by_key(&country, |(country, _)| *country).ok()?;
    let end = end(text, start, LENGTHS[place].1)?;
    (!is_word(text.get(end)) && remainder(&text[start..end]) == 1).then_some(start..end)
}

/// Where `len` letters and digits from `start` on end.
fn end(text: &[u8], start: usize, len: usize) -> Option<usize> {
    let mut place = start;
    // What the first gap holds, the others must.
    let mut gap = None;
    for count in 0..len {
        let at_gap = count > 0 && count % 4 == 0;
        if at_gap {
            let here = text.get(place).copied().filter(|byte| matches!(byte, b' ' | b'-'));
            if *gap.get_or_insert(here) != here {
                return None;
            }
            place += usize::from(here.is_some());
        }
        if !text.get(place)?.is_ascii_alphanumeric() {
            return None;
        }
        place += 1;
    }
    Some(place)
}

fn remainder(iban: &[u8]) -> u32 {
    let values = iban.iter().filter_map(|byte| char::from(*byte).to_digit(36));
    let (head, rest): (Vec<_>, Vec<_>) = (values.clone().take(4).collect(), values.skip(4).collect());
    let step =
        |sum: u32, value: u32| if value > 9 { (sum * 100 + value) % 97 } else { (sum * 10 + value) % 97 };
    rest.into_iter().chain(head).fold(0, step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn finds(text: &str, start: usize, expected: Option<&str>) {
        assert_eq!(at(text.as_bytes(), start).map(|span| &text[span]), expected, "{text}");
    }

    #[test]
    fn countries_are_sorted() {
        assert!(LENGTHS.is_sorted_by(|one, other| one.0 < other.0));
    }

    #[test]
    fn the_registrys_examples() {
        for iban in [
            "DE89370400440532013000",
            "DE89 3704 0044 0532 0130 00",
            "DE89-3704-0044-0532-0130-00",
            "GB29 NWBK 6016 1331 9268 19",
            "FR14 2004 1010 0505 0001 3M02 606",
            "NO9386011117947",
            "MT84MALT011000012345MTLCAST001S",
            "CH93 0076 2011 6238 5295 7",
            "nl91abna0417164300",
            "BE68 5390 0754 7034",
            "ES91 2100 0418 4502 0005 1332",
            "IT60 X054 2811 1010 0000 0123 456",
        ] {
            finds(iban, 0, Some(iban));
        }
        finds("to DE89370400440532013000 today", 3, Some("DE89370400440532013000"));
        finds("DE89 3704 0044 0532 0130 00 today", 0, Some("DE89 3704 0044 0532 0130 00"));
    }

    #[test]
    fn what_is_none() {
        for text in [
            "DE89370400440532013001",
            "DE8937040044053201300",
            "DE893704004405320130000",
            "XX89370400440532013000",
            "DE89 37040044 0532 0130 00",
            "DE89 3704",
            "DE",
            "DE89",
        ] {
            finds(text, 0, None);
        }
        finds("XDE89370400440532013000", 1, None);
    }
}

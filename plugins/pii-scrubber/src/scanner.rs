use crate::digits::digits;
use crate::kind::{Kind, Kinds};
use crate::recognisers::{Span, card, email, iban, ip, mac, phone, ssn, url};
use crate::triggers;

/// Something that looks like personal data.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Find {
    pub kind: Kind,
    pub span: Span,
}

/// The finds of a text, from left to right; none overlaps another.
#[derive(Debug)]
pub(crate) struct Scanner<'a> {
    text: &'a str,
    kinds: Kinds,
    /// Where the last find ended.
    floor: usize,
    /// Where the next trigger is looked for.
    at: usize,
}

impl<'a> Scanner<'a> {
    pub fn new(text: &'a str, kinds: Kinds) -> Self {
        Self { text, kinds, floor: 0, at: 0 }
    }

    fn around(&self, place: usize) -> Option<Find> {
        match self.text.as_bytes()[place] {
            b'@' => self.ask(Kind::Email, |text| email::around(text, self.floor, place)),
            b':' => self
                .ask(Kind::Url, |text| url::around(text, self.floor, place))
                .or_else(|| self.hexadecimal(place)),
            _ => self.number(place),
        }
    }

    /// A digit that has none before it.
    fn number(&self, place: usize) -> Option<Find> {
        let word = self.word(place);
        let alone = word == place;
        let find = self.hexadecimal(place).or_else(|| {
            if place - word == 2 {
                return self.ask(Kind::Iban, |text| iban::at(text, word));
            }
            if !alone {
                return None;
            }
            self.ask(Kind::Ip, |_| ip::v4(self.text, place))
                .or_else(|| self.ask(Kind::Ssn, |text| ssn::at(text, place)))
                .or_else(|| self.ask(Kind::Card, |text| card::at(text, place)))
                .or_else(|| self.ask(Kind::Phone, |_| phone::at(self.text, self.floor, place)))
        })?;
        // Digits can be the beginning of an address, be it looked for or not.
        match email::over(self.text.as_bytes(), self.floor, find.span.end) {
            Some(span) => Some(Find { kind: Kind::Email, span }),
            None => Some(find),
        }
    }

    /// Around a digit or colon.
    fn hexadecimal(&self, place: usize) -> Option<Find> {
        let bytes = self.text.as_bytes();
        let start = self.word(place);
        let end = place + usize::from(bytes[place] != b':') * hexadecimals(&bytes[place..]);
        let address = || {
            let colons = bytes.get(end) == Some(&b':');
            if colons { self.ask(Kind::Ip, |_| ip::v6(self.text, start)) } else { None }
        };
        address().or_else(|| self.ask(Kind::Mac, |text| mac::around(text, self.floor, place)))
    }

    /// The start of the letters and digits that end before `place`; five of them at most, which is more than any
    /// recogniser wants.
    fn word(&self, place: usize) -> usize {
        let before = &self.text.as_bytes()[self.floor..place];
        place - before.iter().rev().take(5).take_while(|byte| byte.is_ascii_alphanumeric()).count()
    }

    fn ask(&self, kind: Kind, recogniser: impl FnOnce(&[u8]) -> Option<Span>) -> Option<Find> {
        if !self.kinds.has(kind) {
            return None;
        }
        recogniser(self.text.as_bytes()).map(|span| Find { kind, span })
    }
}

impl Iterator for Scanner<'_> {
    type Item = Find;

    fn next(&mut self) -> Option<Find> {
        let bytes = self.text.as_bytes();
        loop {
            let place = triggers::next(bytes, self.at);
            if place == bytes.len() {
                self.at = place;
                return None;
            }
            let Some(find) = self.around(place) else {
                // The digits after a digit tell nothing new.
                self.at = place + digits(&bytes[place..], usize::MAX).max(1);
                continue;
            };
            self.at = find.span.end;
            self.floor = find.span.end;
            if self.kinds.has(find.kind) {
                return Some(find);
            }
        }
    }
}

fn hexadecimals(text: &[u8]) -> usize {
    text.iter().take(5).take_while(|byte| byte.is_ascii_hexdigit()).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    const USUAL: [Kind; 5] = [Kind::Email, Kind::Phone, Kind::Card, Kind::Iban, Kind::Ip];

    #[track_caller]
    fn finds(text: &str, expected: &[(Kind, &str)]) {
        finds_of(&USUAL, text, expected);
    }

    #[track_caller]
    fn finds_of(kinds: &[Kind], text: &str, expected: &[(Kind, &str)]) {
        let found: Vec<_> =
            Scanner::new(text, Kinds::of(kinds)).map(|find| (find.kind, &text[find.span])).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn every_kind_in_a_sentence() {
        finds(
            "Mail bob5@example.com or call +49 170 1234567; card 4111 1111 1111 1111, \
             IBAN DE89 3704 0044 0532 0130 00, from 192.168.0.1 or fe80::1 or dead:beef::1.",
            &[
                (Kind::Email, "bob5@example.com"),
                (Kind::Phone, "+49 170 1234567"),
                (Kind::Card, "4111 1111 1111 1111"),
                (Kind::Iban, "DE89 3704 0044 0532 0130 00"),
                (Kind::Ip, "192.168.0.1"),
                (Kind::Ip, "fe80::1"),
                (Kind::Ip, "dead:beef::1"),
            ],
        );
        finds_of(
            &Kind::ALL,
            "postgres://a:b@db/x 00:1a:2b:3c:4d:5e aa-bb-cc-dd-ee-f1 123-45-6789 https://example.com:8080/",
            &[
                (Kind::Url, "postgres://a:b@db/x"),
                (Kind::Mac, "00:1a:2b:3c:4d:5e"),
                (Kind::Mac, "aa-bb-cc-dd-ee-f1"),
                (Kind::Ssn, "123-45-6789"),
            ],
        );
    }

    #[test]
    fn kinds_that_are_not_chosen_stay() {
        finds_of(&[Kind::Phone], "5551234567@example.com, call 555-234-4567@example.com", &[]);
        finds_of(&[Kind::Card], "bob@example.com 10.0.0.1 +49 170 1234567", &[]);
    }

    #[test]
    fn digits_of_an_address_are_part_of_it() {
        finds("555-234-4567@example.com", &[(Kind::Email, "555-234-4567@example.com")]);
        finds("+15551234567@example.com", &[(Kind::Email, "15551234567@example.com")]);
    }

    #[test]
    fn neighbours_do_not_melt() {
        finds("a@b.com,c@d.com", &[(Kind::Email, "a@b.com"), (Kind::Email, "c@d.com")]);
        finds("10.0.0.1 10.0.0.2", &[(Kind::Ip, "10.0.0.1"), (Kind::Ip, "10.0.0.2")]);
        finds("555-234-4567/555-234-4568", &[(Kind::Phone, "555-234-4567"), (Kind::Phone, "555-234-4568")]);
        finds("1234 4111 1111 1111 1111", &[(Kind::Card, "4111 1111 1111 1111")]);
    }

    #[test]
    fn hard_negatives() {
        for text in [
            "It costs $1,234.56 (or 1.234,56 €), was 1 234 567.",
            "On 2024-01-15 at 12:30, not 15/01/2024 12:30:59 or 01.02.2024 08:00.",
            "Order 123-4567890-1234567, invoice INV-2024-000123, case 00123456.",
            "version 10.0.0.1, v1.2.3, 1.2.3.4.5, Chrome/120.0.6099.109",
            "ZIP 02134-1234, 90210, SW1A 1AA, 75008 Paris",
            "4111111111111112 and 1234567890123456 fail Luhn; 1700000000000 is a time",
            "std::fmt::Debug, a::b, face::cafe, 12:30::45, x@y, @handle, 2 @ $5",
            "ISBN 978-3-16-148410-0, UUID 550e8400-e29b-41d4-a716-446655440000",
            "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "score 3-2, 50/50, 24/7, 1/2, 3.14159265358979, 6.022e23, 1e-10",
            "DE89 3704 0044 0532 0130 01 is wrong, GB00 too",
            "react@18.2.0, icon@2x.png, 10:30-11:45, 5.000.000, 100 000 000",
            "Q4 2023: 12 345 678 users (+12.5%), +1000 points, 2020 2021 2022 2023",
            "room 0123, bus 404, 007, 1984, 90-60-90, 36-24-36, 4:20, 7-11, 9/11",
        ] {
            finds(text, &[]);
        }
    }

    #[test]
    fn spans_are_whole_characters_and_never_overlap() {
        let alphabet: Vec<char> = "019+-.:@ (aé中/xD8F₤\u{a0}~".chars().collect();
        let mut random = 0x9e37_79b9_7f4a_7c15_u64;
        for _ in 0..20_000 {
            let text: String = (0..24)
                .map(|_| {
                    random ^= random << 13;
                    random ^= random >> 7;
                    random ^= random << 17;
                    alphabet[(random % alphabet.len() as u64) as usize]
                })
                .collect();
            let mut floor = 0;
            for find in Scanner::new(&text, Kinds::of(&Kind::ALL)) {
                assert!(find.span.start >= floor && !text[find.span.clone()].is_empty(), "{text:?} {find:?}");
                floor = find.span.end;
            }
        }
    }

    #[test]
    fn time_is_linear_in_the_length() {
        let long = 300_000;
        for piece in [
            "1",
            "1 ",
            "1.",
            "1a",
            "@",
            "a@",
            "a.",
            ":",
            "a:",
            "a://",
            "::",
            "1:",
            "+1",
            "(1)",
            "a@b.",
            "DE89",
            "00-",
            "4111 1111 ",
        ] {
            // Would take minutes if it were quadratic.
            Scanner::new(&piece.repeat(long / piece.len()), Kinds::of(&Kind::ALL)).for_each(drop);
        }
    }
}

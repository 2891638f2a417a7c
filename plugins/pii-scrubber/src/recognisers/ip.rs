//! Addresses of IPv4 (four numbers of 0 to 255 without leading noughts, not five) and IPv6 (RFC 4291, section 2.2).
//!
//! What could be either counts as a version or section where a word says so: `version 10.0.0.1`, `v1.2.3.4`, `section
//! 1.2.3.4`; otherwise it is an address. `a::b` is code more often than an address: a short form needs a group of
//! three hexadecimal digits or more, and a digit. `::1` is nobody's.

use std::net::Ipv6Addr;

use super::{Span, before, is_word};
use crate::context::{self, Context};
use crate::digits::digits;

/// The longest of IPv6, with an IPv4 address in it.
const LONGEST: usize = 45;

/// The IPv4 address whose first digit stands at `start`.
pub(crate) fn v4(text: &str, start: usize) -> Option<Span> {
    let bytes = text.as_bytes();
    let mut place = start;
    for octet in 0..4 {
        if octet > 0 {
            if bytes.get(place) != Some(&b'.') {
                return None;
            }
            place += 1;
        }
        let len = digits(&bytes[place..], 4);
        let number = &bytes[place..place + len];
        let value = number.iter().fold(0, |value, digit| value * 10 + u32::from(digit - b'0'));
        if !(1..=3).contains(&len) || value > 255 || (len > 1 && number[0] == b'0') {
            return None;
        }
        place += len;
    }
    let goes_on =
        matches!(bytes.get(place), Some(b'.' | b'-')) && bytes.get(place + 1).is_some_and(u8::is_ascii_digit);
    let alone = !is_word(bytes.get(place)) && !goes_on && !continues(bytes, start);
    (alone && context::before(text, start) != Context::Other).then_some(start..place)
}

/// Whether what stands before `start` makes it the middle of something.
fn continues(text: &[u8], start: usize) -> bool {
    match before(text, start) {
        Some(b'.' | b'-' | b',') => is_word(start.checked_sub(2).and_then(|at| text.get(at))),
        other => is_word(other),
    }
}

/// The IPv6 address whose first hexadecimal digit or colon stands at `start`.
pub(crate) fn v6(text: &str, start: usize) -> Option<Span> {
    let bytes = text.as_bytes();
    if is_word(before(bytes, start)) || matches!(before(bytes, start), Some(b':' | b'.')) {
        return None;
    }
    let run = bytes[start..]
        .iter()
        .take(LONGEST + 1)
        .take_while(|byte| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.'))
        .count();
    let mut len = run;
    // A full stop or colon behind it is the sentence's.
    while len > 0 && (bytes[start + len - 1] == b'.' || bytes[start..start + len].ends_with(b":")) {
        if bytes[start..start + len].ends_with(b"::") && run == len {
            break;
        }
        len -= 1;
    }
    let address = text.get(start..start + len)?;
    let short = address.contains("::");
    if len > LONGEST || is_word(bytes.get(start + run)) || (!short && address.matches(':').count() < 6) {
        return None;
    }
    address.parse::<Ipv6Addr>().ok()?;
    let sure = address.split([':', '.']).any(|group| group.len() >= 3)
        && address.contains(|c: char| c.is_ascii_digit());
    (!short || sure).then_some(start..start + len)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn finds_v4(text: &str, expected: Option<&str>) {
        let start = text.find(|c: char| c.is_ascii_digit()).unwrap();
        assert_eq!(v4(text, start).map(|span| &text[span]), expected, "{text}");
    }

    #[test]
    fn four_octets() {
        finds_v4("192.168.0.1", Some("192.168.0.1"));
        finds_v4("from 10.0.0.255:8080/x", Some("10.0.0.255"));
        finds_v4("http://203.0.113.7/24.", Some("203.0.113.7"));
        finds_v4("It is 8.8.8.8.", Some("8.8.8.8"));
        finds_v4("10.0.0.1, 10.0.0.2", Some("10.0.0.1"));
    }

    #[test]
    fn versions_and_other_numbers_are_none() {
        for text in [
            "1.2.3",
            "1.2.3.4.5",
            "256.1.1.1",
            "1.1.1.1000",
            "01.02.03.04",
            "version 10.0.0.1",
            "v10.0.0.1",
            "see section 1.2.3.4",
            "1.2.3.4-5",
            "1.2.3.4b",
            "x1.2.3.4",
            "1.2.3.",
            "1.234.567,89",
        ] {
            finds_v4(text, None);
        }
    }

    #[test]
    fn groups_of_hexadecimal_digits() {
        for address in [
            "2001:db8::1",
            "2001:0db8:0000:0000:0000:ff00:0042:8329",
            "fe80::1",
            "::ffff:192.0.2.128",
            "2001:db8::",
            "1:2:3:4:5:6:7:8",
        ] {
            assert_eq!(v6(address, 0), Some(0..address.len()), "{address}");
            let sentence = format!("{address}, then");
            assert_eq!(v6(&sentence, 0), Some(0..address.len()), "{address}");
        }
        assert_eq!(v6("2001:db8::1.", 0), Some(0..11));
        assert_eq!(v6("fe80::1: no route", 0), Some(0..7));
        assert_eq!(v6("fe80::1%eth0", 0), Some(0..7));
    }

    #[test]
    fn times_and_paths_are_none() {
        for text in [
            "12:30",
            "12:30:45",
            "a::b",
            "std::fmt",
            "::1",
            "::",
            "face::cafe",
            "aa:bb:cc:dd:ee:ff",
            "1::2::3",
            "fe80::1g",
        ] {
            assert_eq!(v6(text, 0), None, "{text}");
        }
        assert_eq!(v6("xfe80::1", 1), None);
        assert_eq!(v6(&"1:".repeat(100), 0), None);
    }
}

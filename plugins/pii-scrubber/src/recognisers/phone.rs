//! Phone numbers.
//!
//! - International: `+` and a country code (ITU-T E.164), 8 to 15 digits in all, no more than the country has; one
//!   separator at most between two digits. Also `00` in place of `+`, if there are separators.
//! - North America: `(555) 123-4567`, `555-123-4567`, also with dots or spaces, and with `1` in front; area and exchange
//!   do not begin with 0 or 1.
//! - With the trunk prefix: a nought and then another digit, 9 to 12 digits in groups: `020 7946 0958`, `0171/123456`.
//! - With an area code in brackets, 8 to 12 digits: `(11) 91234-5678`.
//! - Mobile numbers of China (`138 1234 5678`), India (`98765 43210`) and Spain (`612 34 56 78`) as they are grouped.
//! - After a word for it (`call me at 5551234567`, `Tel.: 1234567`): 7 to 15 digits, with separators or without.
//!
//! No phone number, except after `+`: what follows a word for something else (`order no. 555-123-4567`), `#`, a sign of
//! currency, a slash or another part of an identifier; what is followed by a currency or a percent sign; a date; and
//! digits without separators, such as order numbers. An extension (`x12`, `ext. 12`) belongs to the number.

use super::{Span, before, is_word};
use crate::context::{self, Context};
use crate::digits::{Chain, Group, Separator, digits};

/// E.164, section 6.1: the longest number with its country code.
const LONGEST: usize = 15;

/// The phone number whose first digit stands at `first`; a plus sign or bracket before it belongs to it.
pub(crate) fn at(text: &str, floor: usize, first: usize) -> Option<Span> {
    let bytes = text.as_bytes();
    let chain = Chain::at(bytes, first, LONGEST);
    let sign = (first > floor).then(|| bytes[first - 1]);
    let bracket = sign == Some(b'(') && chain.separators().first() == Some(&Separator::Bracket);
    let start = first - usize::from(bracket || sign == Some(b'+'));
    let groups = if sign == Some(b'+') {
        if is_word(before(bytes, start)) || before(bytes, start) == Some(&b'+') {
            return None;
        }
        international(bytes, &chain, 0)?
    } else {
        national(text, &chain, floor, start)?
    };
    let end = chain.groups()[groups - 1].end;
    let end = end + extension(&bytes[end..]);
    ends_alone(bytes, end).then_some(start..end)
}

/// How many groups of the chain are the number, whose country code follows `prefix` digits.
fn international(text: &[u8], chain: &Chain, prefix: usize) -> Option<usize> {
    let first = chain.groups()[0];
    let code = &text[first.start + prefix..first.end];
    let longest = prefix + longest_with(code)?;
    let mut total = 0;
    let mut groups = 0;
    for group in chain.groups() {
        // `+44 (0)20`: the nought is dialled at home only.
        let home = group.len() == 1 && text[group.start] == b'0' && text.get(group.end) == Some(&b')');
        if total + group.len() > longest + usize::from(home) {
            break;
        }
        total += if home { 0 } else { group.len() };
        groups += 1;
    }
    let digits = || chain.groups()[..groups].iter().flat_map(|group| &text[group.start..group.end]);
    // +20 000 000 is a sum.
    let round = digits().rev().take_while(|digit| **digit == b'0').count() + 4 >= total;
    (total >= prefix + 8 && !round).then_some(groups)
}

/// How many digits numbers have at most that begin with a country code and these digits; `None` if no country does.
fn longest_with(code: &[u8]) -> Option<usize> {
    let digit = |place: usize| code.get(place).map(|byte| byte - b'0');
    match (digit(0)?, digit(1), digit(2)) {
        (1 | 7, _, _) => Some(11),
        (0, _, _) => None,
        (first, Some(second), third) => {
            let third = || third.filter(|third| assigned(first * 10 + second, *third)).map(|_| LONGEST);
            Some(match (first, second) {
                (3, 1 | 3 | 4) => 11,
                (3, 2) | (4, 1 | 8) | (6, 1) => 12,
                (4, 5 | 7) | (6, 5) => 10,
                (9, 1) | (5, 2) | (8, 1) | (4, 4) => 12,
                (5, 5) | (8, 6) => 13,
                (2, 0 | 7) | (3, 0 | 6 | 9) | (4, 0 | 3 | 6 | 9) | (5, 1 | 3 | 4 | 6..=8) => LONGEST,
                (6, 0 | 2..=4 | 6) | (8, 2 | 4) | (9, 0 | 2..=5 | 8) => LONGEST,
                _ => return third(),
            })
        }
        _ => None,
    }
}

/// Whether the country codes of three digits that begin with `two` have `third`.
fn assigned(two: u8, third: u8) -> bool {
    match two {
        21 => matches!(third, 1..=3 | 6 | 8),
        22..=24 | 26 | 35 | 37 | 42 | 50 | 59 | 67 | 85 | 96 => true,
        25 => third != 9,
        29 => matches!(third, 0 | 1 | 7..=9),
        38 => third != 8 && third != 4,
        68 => third != 4,
        69 => third <= 2,
        80 | 88 => matches!(third, 0 | 1 | 2 | 3 | 6 | 8),
        87 => matches!(third, 0 | 8),
        97 => third != 8,
        99 => matches!(third, 2..=6 | 8),
        _ => false,
    }
}

/// How many groups of the chain are a number as it is written in its own country.
fn national(text: &str, chain: &Chain, floor: usize, start: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    if chain.groups().iter().map(|group| group.len()).sum::<usize>() < 7 || !begins_alone(bytes, floor, start)
    {
        return None;
    }
    let groups = grouped(bytes, chain, start);
    let context = context::before(text, start);
    let groups = match (context, groups) {
        (Context::Other, _) => None,
        (Context::Phone, None) => named(chain),
        (_, groups) => groups,
    }?;
    let end = chain.groups()[groups - 1].end;
    (!is_amount(&text[end..])).then_some(groups)
}

fn grouped(text: &[u8], chain: &Chain, start: usize) -> Option<usize> {
    let groups = chain.groups();
    let first = groups[0];
    let separators = chain.separators();
    let front = *separators.first()?;
    // The bracket before the digits.
    if start < first.start {
        return if (2..=5).contains(&first.len()) { greedy(groups, 8, 12) } else { None };
    }
    if let Some(groups) = north_american(text, chain, start) {
        return Some(groups);
    }
    // One number more, and it is a table.
    if follows_digit(text, start) {
        return None;
    }
    if text[first.start..first.end].starts_with(b"00") && first.len() > 2 {
        return international(text, chain, 2).filter(|groups| *groups > 1);
    }
    let leading = |place: usize| text[first.start + place];
    if leading(0) == b'0' && first.len() >= 2 && leading(1) != b'0' {
        let code_and_zip = chain.begins(&[5, 4]) && front == Separator::Hyphen;
        let few_dots = front == Separator::Dot && groups.len() < 3;
        if code_and_zip || few_dots || is_date(chain) {
            return None;
        }
        return greedy(groups, 9, 12).filter(|groups| *groups > 1);
    }
    let same = |count: usize| {
        separators.get(..count - 1).is_some_and(|some| some.iter().all(|other| *other == front))
    };
    let mobile = match first.len() {
        3 if chain.begins(&[3, 4, 4]) => (leading(0) == b'1' && leading(1) >= b'3').then_some(3),
        5 if chain.begins(&[5, 5]) => (leading(0) >= b'6').then_some(2),
        3 if chain.begins(&[3, 2, 2, 2]) => matches!(leading(0), b'6'..=b'9').then_some(4),
        _ => None,
    }?;
    let plain = matches!(front, Separator::Space | Separator::Hyphen);
    (plain && same(mobile) && groups.len() == mobile).then_some(mobile)
}

fn north_american(text: &[u8], chain: &Chain, start: usize) -> Option<usize> {
    let groups = chain.groups();
    let skip = usize::from(groups[0].len() == 1 && text[groups[0].start] == b'1');
    let [area, exchange, line, ..] = groups.get(skip..)? else { return None };
    let shape = area.len() == 3 && exchange.len() == 3 && line.len() == 4;
    if !shape || text[area.start] < b'2' || text[exchange.start] < b'2' {
        return None;
    }
    let [first, second, ..] = chain.separators().get(skip..)? else { return None };
    let same = first == second || *first == Separator::Bracket;
    let spaces = *first == Separator::Space;
    let in_table = spaces && (groups.len() > skip + 3 || follows_digit(text, start));
    (same && !in_table).then_some(skip + 3)
}

/// After a word that calls it so: all the groups that fit.
fn named(chain: &Chain) -> Option<usize> {
    if is_date(chain) { None } else { greedy(chain.groups(), 7, LONGEST) }
}

/// As many groups as `most` digits allow, if these are `least` or more.
fn greedy(groups: &[Group], least: usize, most: usize) -> Option<usize> {
    let mut total = 0;
    let fitting = groups.iter().take_while(|group| {
        total += group.len();
        total <= most
    });
    let count = fitting.count();
    (groups[..count].iter().map(|group| group.len()).sum::<usize>() >= least).then_some(count)
}

/// A day, a month and a year, or the other way round, and not one more group with the same separator.
fn is_date(chain: &Chain) -> bool {
    let separators = chain.separators();
    let [first, second, rest @ ..] = separators else { return false };
    let lengths = [0, 1, 2].map(|place| chain.groups()[place].len());
    let shape = matches!(lengths, [1 | 2, 1 | 2, 2 | 4] | [4, 2, 2]);
    shape && *first != Separator::Space && first == second && rest.first() != Some(first)
}

/// Where nothing makes it a part of something else.
fn begins_alone(text: &[u8], floor: usize, start: usize) -> bool {
    match before(text, start) {
        // `555-234-4567/555-234-4568`
        Some(b'/') => floor > 0 && start == floor + 1,
        Some(b'\\' | b'=' | b'&' | b'#' | b'$' | b'@' | b'%' | b'*' | b'^' | b'~' | b'+') => false,
        // £, ¥, ¢, and the last byte of €, ₹ and others.
        Some(0xa2..=0xa5)
            if text[..start].ends_with("£".as_bytes()) || text[..start].ends_with("¥".as_bytes()) =>
        {
            false
        }
        Some(0x80..=0xbf)
            if text[..start].ends_with("€".as_bytes()) || text[..start].ends_with("₹".as_bytes()) =>
        {
            false
        }
        Some(b'-' | b'.' | b',' | b':' | b')') => {
            !is_word(start.checked_sub(2).and_then(|at| text.get(at))) || is_label(text, start)
        }
        Some(b' ') => !text[..start - 1].ends_with(b"$") && !text[..start - 1].ends_with("€".as_bytes()),
        other => !is_word(other),
    }
}

/// A word and a colon or full stop: `tel:555-123-4567`.
fn is_label(text: &[u8], start: usize) -> bool {
    matches!(text[start - 1], b':' | b'.') && text[..start - 1].last().is_some_and(u8::is_ascii_alphabetic)
}

fn follows_digit(text: &[u8], start: usize) -> bool {
    start > 1 && matches!(text[start - 1], b' ' | b'-') && text[start - 2].is_ascii_digit()
}

fn ends_alone(text: &[u8], end: usize) -> bool {
    match text.get(end) {
        Some(b':' | b',' | b'.' | b'-') => !text.get(end + 1).is_some_and(u8::is_ascii_digit),
        Some(b'@' | b'=' | b'%') => false,
        other => !is_word(other),
    }
}

fn is_amount(rest: &str) -> bool {
    let rest = rest.strip_prefix([' ', '\u{a0}']).unwrap_or(rest);
    rest.starts_with(['%', '$', '€', '£', '¥', '₹', '°'])
        || ["USD", "EUR", "GBP", "CHF", "JPY", "INR"].iter().any(|code| rest.starts_with(code))
}

/// The length of `x12`, ` ext. 12` and the like.
fn extension(rest: &[u8]) -> usize {
    let spaces = usize::from(rest.first() == Some(&b' '));
    let after = &rest[spaces..];
    let word = ["extension", "ext.", "ext", "x"].into_iter().find(|word| {
        after.get(..word.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(word.as_bytes()))
    });
    let Some(word) = word else { return 0 };
    let gap = usize::from(after.get(word.len()) == Some(&b' '));
    match digits(&after[(word.len() + gap).min(after.len())..], 7) {
        len @ 1..=6 => spaces + word.len() + gap + len,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn finds(text: &str, expected: Option<&str>) {
        // As the scanner: at each first digit.
        let bytes = text.as_bytes();
        let first = |place: &usize| {
            bytes[*place].is_ascii_digit() && !before(bytes, *place).is_some_and(u8::is_ascii_digit)
        };
        let found = (0..bytes.len()).filter(first).find_map(|place| at(text, 0, place));
        assert_eq!(found.map(|span| &text[span]), expected, "{text}");
    }

    #[test]
    fn international_numbers() {
        for number in [
            "+1 555 123 4567",
            "+1 (555) 123-4567",
            "+15551234567",
            "+44 20 7946 0958",
            "+44 (0)20 7946 0958",
            "+49 (30) 123-456",
            "+49/170/1234567",
            "+33 6 12 34 56 78",
            "+91-98765-43210",
            "+86 138 1234 5678",
            "+353 1 234 5678",
            "+420 123 456 789",
            "+998 90 123 45 67",
            "0049 170 1234567",
            "+1.555.123.4567",
        ] {
            finds(number, Some(number));
            finds(&format!("It is {number}."), Some(number));
            finds(&format!("({number})"), Some(number));
        }
        finds("+1 555 123 4567 2024 was good", Some("+1 555 123 4567"));
        finds("order +1 555 123 4567", Some("+1 555 123 4567"));
        finds("+1 555-123-4567 ext. 89", Some("+1 555-123-4567 ext. 89"));
    }

    #[test]
    fn national_numbers() {
        for number in [
            "(555) 234-4567",
            "(555)234-4567",
            "555-234-4567",
            "555.234.4567",
            "555 234 4567",
            "1-800-234-5678",
            "1 (800) 234-5678",
            "555-234-4567 x89",
            "020 7946 0958",
            "01632 960123",
            "0171/1234567",
            "0170-1234567",
            "(030) 123456",
            "(030) 1234 5678",
            "06 12 34 56 78",
            "06.12.34.56.78",
            "0412 345 678",
            "(11) 91234-5678",
            "138 1234 5678",
            "98765 43210",
            "612 34 56 78",
        ] {
            finds(number, Some(number));
            finds(&format!("Here: {number}, he says"), Some(number));
            finds(&format!("tel:{number}"), Some(number));
        }
        finds("I have 2 555-234-4567", Some("555-234-4567"));
    }

    #[test]
    fn a_word_before_makes_digits_a_phone_number() {
        finds("please call me back on 5551234567", Some("5551234567"));
        finds("Phone: 1234567", Some("1234567"));
        finds("my mobile number is 07911123456", Some("07911123456"));
        finds("fax 555-1234", Some("555-1234"));
        finds("ring 07911 123456.", Some("07911 123456"));
    }

    #[test]
    fn what_is_none() {
        for text in [
            "$1,234.56",
            "1,234,567.89",
            "1.234.567,89 €",
            "2024-01-15",
            "2024-01-15 12:30:45",
            "01.02.2024 100 items",
            "01/02/2024",
            "15-01-2024",
            "05.06.2023 10:00-12:00",
            "12:30",
            "10:00-12:00",
            "5551234567",
            "07911123456",
            "order 12345678",
            "order no. 555-234-4567",
            "ticket #555-234-4567",
            "call about order 5551234567",
            "id=555-234-4567",
            "/item/555-234-4567",
            "1.2.3",
            "192.168.0.1",
            "02134-1234",
            "90210",
            "SW1A 1AA",
            "978-0-306-40615-7",
            "ISBN 0-306-40615-2",
            "550e8400-e29b-41d4-a716-446655440000",
            "+100",
            "+20 000 000",
            "+5%",
            "5+4912345678",
            "C++11 20142017",
            "0.123456789",
            "155-234-4567",
            "555-134-4567",
            "555 234 4567 8910",
            "12 555 234 4567",
            "12 020 7946 0958",
            "1 234 567 890",
            "123 456 789",
            "2023 2024 2025",
            "$ 555 234 4567",
            "555-234-4567%",
            "0123 456 789 €",
            "4111 1111 1111 1112",
            "123-45-6789",
            "1700000000",
            "20240115123045",
            "call on 01.02.2024",
            "call 911",
            "call me at 10:30",
            "the phone costs 1234567",
            "5-0",
            "x555-234-4567",
            "555-234-45678",
            "555-234-4567-8",
            "+999 123 456 789",
            "12345678901234567890",
        ] {
            finds(text, None);
        }
    }
}

//! Personal data that belongs to nobody: valid in form, from the ranges that are reserved for examples and fiction
//! where there are any (RFC 2606, RFC 5737, RFC 3849; telephone numbers as Ofcom, NANPA, the Bundesnetzagentur and
//! ARCEP reserve them for drama).

use pegbox_random::SplitMix64;

use super::names::{FIRST, LAST, ascii};
use super::random::{digits, pick};
use super::text::PiiKind;

pub fn value(kind: PiiKind, random: &mut SplitMix64) -> String {
    match kind {
        PiiKind::Email => email(random),
        PiiKind::Phone => phone(random),
        PiiKind::Card => card(random),
        PiiKind::Iban => iban(random),
        PiiKind::Ip => ip(random),
    }
}

fn email(random: &mut SplitMix64) -> String {
    const DOMAINS: [&str; 7] = [
        "example.com",
        "example.org",
        "example.net",
        "mail.example.com",
        "post.example.org",
        "office.example.net",
        "uk.example.com",
    ];
    let (first, last) = (ascii(pick(&FIRST, random)), ascii(pick(&LAST, random)));
    let local = match random.below(6) {
        0 => format!("{first}.{last}"),
        1 => format!("{first}{last}{}", random.below(90) + 10),
        2 => format!("{first}_{last}"),
        3 => format!("{}.{last}{}", &first[..1], random.below(2000)),
        4 => format!("{first}+bank{}", random.below(100)),
        _ => format!("{last}-{first}"),
    };
    format!("{local}@{}", pick(&DOMAINS, random))
}

fn phone(random: &mut SplitMix64) -> String {
    const AREAS: [&str; 8] = ["212", "312", "415", "503", "617", "702", "808", "919"];
    let area = pick(&AREAS, random);
    let line = format!("01{}", digits(2, random));
    let three = digits(3, random);
    let (one, two) = (digits(2, random), digits(2, random));
    match random.below(14) {
        0 => format!("({area}) 555-{line}"),
        1 => format!("{area}-555-{line}"),
        2 => format!("{area}.555.{line}"),
        3 => format!("+1 {area} 555 {line}"),
        4 => format!("+1{area}555{line}"),
        5 => format!("{area}555{line}"),
        6 => format!("020 7946 0{three}"),
        7 => format!("+44 20 7946 0{three}"),
        8 => format!("07700 900{three}"),
        9 => format!("+44 7700 900{three}"),
        10 => format!("+49 30 23125 {three}"),
        11 => format!("030 23125 {three}"),
        12 => format!("+33 6 39 98 {one} {two}"),
        _ => format!("06 39 98 {one} {two}"),
    }
}

/// A card's number with the right check digit, in one piece or as it is embossed.
fn card(random: &mut SplitMix64) -> String {
    let (prefix, groups): (&str, &[usize]) = match random.below(6) {
        0 | 1 => ("4", &[4, 4, 4, 4]),
        2 => ("51", &[4, 4, 4, 4]),
        3 => ("55", &[4, 4, 4, 4]),
        4 => ("6011", &[4, 4, 4, 4]),
        _ => ("37", &[4, 6, 5]),
    };
    let len: usize = groups.iter().sum();
    let mut number = format!("{prefix}{}", digits(len - prefix.len() - 1, random));
    number.push(luhn_digit(&number));
    match random.below(3) {
        0 => number,
        1 => grouped(&number, groups, " "),
        _ => grouped(&number, groups, "-"),
    }
}

/// ISO/IEC 7812-1, annex B.
fn luhn_digit(number: &str) -> char {
    let sum: u32 = (0..)
        .zip(number.bytes().rev())
        .map(|(place, digit)| {
            let value = u32::from(digit - b'0') << (1 - (place & 1));
            if value > 9 { value - 9 } else { value }
        })
        .sum();
    char::from(b'0' + ((10 - sum % 10) % 10) as u8)
}

fn iban(random: &mut SplitMix64) -> String {
    const LETTERS: [char; 8] = ['A', 'B', 'C', 'D', 'K', 'L', 'N', 'R'];
    let mut letters =
        |count: usize| -> String { (0..count).map(|_| pick(&LETTERS, random)).collect::<String>() };
    let bank = letters(4);
    let (country, account) = match random.below(7) {
        0 => ("DE", digits(18, random)),
        1 => ("GB", format!("{bank}{}", digits(14, random))),
        2 => ("NL", format!("{bank}{}", digits(10, random))),
        3 => ("FR", digits(23, random)),
        4 => ("ES", digits(20, random)),
        5 => ("AT", digits(16, random)),
        _ => ("IT", format!("{}{}", &bank[..1], digits(22, random))),
    };
    let check = 98 - remainder(&format!("{account}{country}00"));
    let number = format!("{country}{check:02}{account}");
    if random.below(2) == 0 {
        number
    } else {
        let groups = vec![4; number.len().div_ceil(4)];
        grouped(&number, &groups, " ")
    }
}

/// Modulo 97, letters as the numbers from 10 on (ISO 7064).
fn remainder(text: &str) -> u32 {
    let values = text.chars().filter_map(|character| character.to_digit(36));
    values.fold(0, |rest, value| (if value > 9 { rest * 100 + value } else { rest * 10 + value }) % 97)
}

fn ip(random: &mut SplitMix64) -> String {
    let last = random.below(254) + 1;
    let mut hex = || format!("{:x}", random.below(0xf000) + 0x1000);
    match last % 6 {
        0 => format!("192.0.2.{last}"),
        1 => format!("198.51.100.{last}"),
        2 => format!("203.0.113.{last}"),
        3 => format!("10.{}.{}.{last}", random.below(256), random.below(256)),
        4 => format!("2001:db8:{}::{}", hex(), hex()),
        _ => format!("2001:db8:{}:{}:{}:{}:{}:{}", hex(), hex(), hex(), hex(), hex(), hex()),
    }
}

fn grouped(number: &str, groups: &[usize], separator: &str) -> String {
    let mut rest = number;
    let mut parts = Vec::new();
    for group in groups {
        let (part, left) = rest.split_at((*group).min(rest.len()));
        parts.push(part);
        rest = left;
    }
    parts.join(separator)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_numbers_have_the_check_digits_that_are_made() {
        for card in ["4111111111111111", "5555555555554444", "378282246310005", "6011111111111117"] {
            let (number, check) = card.split_at(card.len() - 1);
            assert_eq!(luhn_digit(number).to_string(), check);
        }
        // The examples of the IBAN registry.
        for iban in ["DE89370400440532013000", "GB29NWBK60161331926819", "NL91ABNA0417164300"] {
            assert_eq!(remainder(&format!("{}{}", &iban[4..], &iban[..4])), 1);
        }
    }

    #[test]
    fn every_value_is_valid() {
        let mut random = SplitMix64::new(1);
        for _ in 0..2_000 {
            let card: String = card(&mut random).chars().filter(char::is_ascii_digit).collect();
            assert!(card.len() == 15 || card.len() == 16, "{card}");
            assert_eq!(luhn_digit(&card[..card.len() - 1]).to_string(), card[card.len() - 1..]);
            let iban = iban(&mut random).replace(' ', "");
            assert_eq!(remainder(&format!("{}{}", &iban[4..], &iban[..4])), 1, "{iban}");
            let address = ip(&mut random);
            assert!(address.parse::<std::net::IpAddr>().is_ok(), "{address}");
        }
    }
}

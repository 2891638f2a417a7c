//! Rows that are worth nothing: noise, missing values, lines that are no JSON.

use pegbox_random::SplitMix64;

use super::random::{digits, pick};

/// Words that say that there is none; `None` is a null.
pub const MISSING: [Option<&str>; 8] =
    [Some(""), Some("N/A"), None, Some("   "), Some("none"), Some("-"), Some("NaN"), Some("null")];

/// A text that no filter should let pass.
pub fn text(random: &mut SplitMix64) -> String {
    const SYMBOLS: &[u8] = b"!?#$%*+=~^&.;:-_/|";
    const LAUGHS: [&str; 6] = ["ha", "lol ", "blah ", "test ", "spam ", "no "];
    let length = random.below(60) + 20;
    match random.below(5) {
        0 => pick(&LAUGHS, random).repeat(length / 3 + 2),
        1 => (0..length).map(|_| char::from(pick(SYMBOLS, random))).collect(),
        2 => gibberish(length, random),
        3 => {
            let letter = char::from(b'a' + random.below(26) as u8);
            letter.to_string().repeat(length)
        }
        _ => digits(length, random)
            .as_bytes()
            .chunks(7)
            .map(String::from_utf8_lossy)
            .collect::<Vec<_>>()
            .join(" "),
    }
}

/// Words of random letters.
fn gibberish(length: usize, random: &mut SplitMix64) -> String {
    let mut text = String::new();
    while text.len() < length {
        if !text.is_empty() {
            text.push(' ');
        }
        text.extend((0..random.below(8) + 3).map(|_| char::from(b'a' + random.below(26) as u8)));
    }
    text
}

/// A line as it is when a program was killed, or a file was joined by hand.
pub fn malformed(line: &str, random: &mut SplitMix64) -> String {
    let half = line.floor_char_boundary(line.len() / 2);
    match random.below(4) {
        0 => line[..half].to_owned(),
        1 => line.replacen(':', " ", 1),
        2 => format!("{line}}}"),
        _ => line.replacen("\"label\"", "label", 1),
    }
}

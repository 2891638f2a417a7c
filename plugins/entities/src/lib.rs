//! HTML entities, as the first-party cleaners read them. Not a plugin.
//!
//! The names are those of the HTML standard; unlike a browser, this asks for the semicolon
//! (`?a=1&copy=2` is an address, not a copyright sign) and leaves alone what names no character.

/// The longest name, `&CounterClockwiseContourIntegral;`.
const LONGEST: usize = 33;

/// Characters that HTML reads where a number names a control of Windows-1252: U+0080 to U+009F.
const WINDOWS_1252: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', '\u{90}',
    '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

/// An entity that was understood.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Entity {
    /// One character or two.
    pub meaning: Meaning,
    /// Bytes that it takes in the text.
    pub len: usize,
}

/// What an entity stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Meaning {
    /// By number.
    One(char),
    /// By name.
    Named(&'static str),
}

/// The entity at the start of `text`, which starts with `&`.
pub fn decode(text: &str) -> Option<Entity> {
    match text.as_bytes() {
        [b'&', b'#', b'x' | b'X', ..] => numeric(text, 3, 16),
        [b'&', b'#', ..] => numeric(text, 2, 10),
        bytes => {
            let len = bytes.iter().take(LONGEST).position(|byte| *byte == b';')? + 1;
            let characters = htmlize::ENTITIES.get(bytes.get(..len)?)?;
            Some(Entity { meaning: Meaning::Named(std::str::from_utf8(characters).ok()?), len })
        }
    }
}

fn numeric(text: &str, start: usize, radix: u32) -> Option<Entity> {
    let mut code = 0u32;
    for (index, byte) in text.bytes().enumerate().skip(start) {
        if byte == b';' && index > start {
            return Some(Entity { meaning: Meaning::One(character(code)?), len: index + 1 });
        }
        // Too large a number stays too large.
        code = code.saturating_mul(radix).saturating_add(char::from(byte).to_digit(radix)?);
    }
    None
}

fn character(code: u32) -> Option<char> {
    match code {
        0 => None,
        0x80..=0x9f => WINDOWS_1252.get(code as usize - 0x80).copied(),
        _ => char::from_u32(code),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn means(text: &str, meaning: &str) {
        let entity = decode(text).unwrap();
        let found = match entity.meaning {
            Meaning::One(c) => c.to_string(),
            Meaning::Named(characters) => characters.to_owned(),
        };
        assert_eq!(found, meaning);
        assert_eq!(&text[entity.len - 1..entity.len], ";");
    }

    #[test]
    fn names_and_numbers_are_understood() {
        means("&amp;lt;", "&");
        means("&nbsp;x", "\u{a0}");
        means("&Eacute;", "É");
        means("&CounterClockwiseContourIntegral;", "∳");
        means("&NotEqualTilde;", "≂\u{338}");
        means("&#65;", "A");
        means("&#0000000000065;", "A");
        means("&#x1F642;", "🙂");
        means("&#X41;", "A");
        means("&#x10ffff;", "\u{10ffff}");
        means("&#146;", "’");
        means("&#128;", "€");
    }

    #[test]
    fn what_names_nothing_is_left_alone() {
        let unnamed = "&|&;|&unknown;|&copy|&copy=2;|&amp|& amp;|&AMp;|&é;|&\u{301};";
        let unnumbered =
            "&#;|&#x;|&#0;|&#x0;|&#x110000;|&#xD800;|&#99999999999999999999;|&#12|&#1 2;|&#xG;|&# 65;|&#+65;";
        for text in unnamed.split('|').chain(unnumbered.split('|')) {
            assert_eq!(decode(text), None, "{text}");
        }
    }

    #[test]
    fn the_longest_name_is_long_enough() {
        assert_eq!(htmlize::ENTITIES.keys().map(|name| name.len()).max(), Some(LONGEST));
    }
}

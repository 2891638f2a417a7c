/// What characters a text is made of.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Tally {
    /// All but white space.
    pub characters: usize,
    /// What white space separates.
    pub words: usize,
    pub digits: usize,
    /// Neither letters nor digits.
    pub symbols: usize,
    pub capitals: usize,
    pub small: usize,
}

const SPACE: u8 = 0;
const SYMBOL: u8 = 1;
const DIGIT: u8 = 2;
const CAPITAL: u8 = 3;
const SMALL: u8 = 4;
/// A letter without a letter case, or part of one.
const LETTER: u8 = 5;
const CLASSES: usize = 6;

/// The class of each byte of ASCII.
const ASCII: [u8; 128] = {
    let mut classes = [SYMBOL; 128];
    let mut byte = 0;
    while byte < 128 {
        classes[byte] = match byte as u8 {
            b'\t'..=b'\r' | b' ' | 0x1c..=0x1f => SPACE,
            b'0'..=b'9' => DIGIT,
            b'A'..=b'Z' => CAPITAL,
            b'a'..=b'z' => SMALL,
            _ => SYMBOL,
        };
        byte += 1;
    }
    classes
};

impl Tally {
    pub fn of(text: &str) -> Self {
        let mut counts = [0_usize; CLASSES];
        let mut words = 0;
        let mut before = SPACE;
        for c in text.chars() {
            let class = match ASCII.get(c as usize) {
                Some(class) => *class,
                None => class_beyond_ascii(c),
            };
            counts[usize::from(class)] += 1;
            words += usize::from(before == SPACE && class != SPACE);
            before = class;
        }
        let of = |class: u8| counts[usize::from(class)];
        Self {
            characters: counts.iter().sum::<usize>() - of(SPACE),
            words,
            digits: of(DIGIT),
            symbols: of(SYMBOL),
            capitals: of(CAPITAL),
            small: of(SMALL),
        }
    }
}

fn class_beyond_ascii(c: char) -> u8 {
    if c.is_lowercase() {
        SMALL
    } else if c.is_uppercase() {
        CAPITAL
    } else if c.is_alphabetic() || is_part_of_letter(c) {
        LETTER
    } else if c.is_numeric() {
        DIGIT
    } else if c.is_whitespace() {
        SPACE
    } else {
        SYMBOL
    }
}

/// Marks that no letter of their scripts does without, but that are not letters themselves: accents, signs that mute a
/// vowel in the scripts of South and South-East Asia, marks of tone; joiners.
fn is_part_of_letter(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{591}'..='\u{5c7}' | '\u{610}'..='\u{61a}' | '\u{64b}'..='\u{65f}'
        | '\u{93c}' | '\u{94d}' | '\u{9bc}' | '\u{9cd}' | '\u{a3c}' | '\u{a4d}' | '\u{abc}' | '\u{acd}' | '\u{b3c}'
        | '\u{b4d}' | '\u{bcd}' | '\u{c4d}' | '\u{cbc}' | '\u{ccd}' | '\u{d4d}' | '\u{dca}' | '\u{e47}'..='\u{e4e}'
        | '\u{ec8}'..='\u{ecd}' | '\u{1037}'..='\u{103a}' | '\u{17c9}'..='\u{17d3}' | '\u{200c}' | '\u{200d}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_character_counts_once() {
        let tally = Tally::of(" Où est\tma  CARTE n° 12？\u{a0}👍 ");
        assert_eq!(tally, Tally { characters: 18, words: 7, digits: 2, symbols: 3, capitals: 6, small: 7 });
        assert_eq!(Tally::of(" \n\u{3000}"), Tally::default());
    }

    #[test]
    fn words_of_any_script_are_letters() {
        for text in [
            "Здравствуйте",
            "你好",
            "नमस्ते",
            "สวัสดีครับ",
            "ជំរាបសួរ",
            "မင်္ဂလာပါ",
            "שָׁלוֹם",
            "مَرْحَبًا",
            "வணக்கம்",
            "안녕하세요",
        ] {
            assert_eq!(Tally::of(text).symbols, 0, "{text}");
        }
    }
}

/// A single-byte encoding that UTF-8 is misread as.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Page {
    Windows1252,
    Windows1251,
    MacRoman,
}

/// What stands at 0x80 to 0x9f; from 0xa0 on it is Latin-1. The five that stand for themselves are not assigned.
pub(crate) const WINDOWS_1252: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', '\u{90}',
    '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

#[rustfmt::skip]
pub(crate) const WINDOWS_1251: [char; 128] = [
    'Ђ', 'Ѓ', '‚', 'ѓ', '„', '…', '†', '‡', '€', '‰', 'Љ', '‹', 'Њ', 'Ќ', 'Ћ', 'Џ',
    'ђ', '‘', '’', '“', '”', '•', '–', '—', '\u{98}', '™', 'љ', '›', 'њ', 'ќ', 'ћ', 'џ',
    '\u{a0}', 'Ў', 'ў', 'Ј', '¤', 'Ґ', '¦', '§', 'Ё', '©', 'Є', '«', '¬', '\u{ad}', '®', 'Ї',
    '°', '±', 'І', 'і', 'ґ', 'µ', '¶', '·', 'ё', '№', 'є', '»', 'ј', 'Ѕ', 'ѕ', 'ї',
    'А', 'Б', 'В', 'Г', 'Д', 'Е', 'Ж', 'З', 'И', 'Й', 'К', 'Л', 'М', 'Н', 'О', 'П',
    'Р', 'С', 'Т', 'У', 'Ф', 'Х', 'Ц', 'Ч', 'Ш', 'Щ', 'Ъ', 'Ы', 'Ь', 'Э', 'Ю', 'Я',
    'а', 'б', 'в', 'г', 'д', 'е', 'ж', 'з', 'и', 'й', 'к', 'л', 'м', 'н', 'о', 'п',
    'р', 'с', 'т', 'у', 'ф', 'х', 'ц', 'ч', 'ш', 'щ', 'ъ', 'ы', 'ь', 'э', 'ю', 'я',
];

#[rustfmt::skip]
pub(crate) const MAC_ROMAN: [char; 128] = [
    'Ä', 'Å', 'Ç', 'É', 'Ñ', 'Ö', 'Ü', 'á', 'à', 'â', 'ä', 'ã', 'å', 'ç', 'é', 'è',
    'ê', 'ë', 'í', 'ì', 'î', 'ï', 'ñ', 'ó', 'ò', 'ô', 'ö', 'õ', 'ú', 'ù', 'û', 'ü',
    '†', '°', '¢', '£', '§', '•', '¶', 'ß', '®', '©', '™', '´', '¨', '≠', 'Æ', 'Ø',
    '∞', '±', '≤', '≥', '¥', 'µ', '∂', '∑', '∏', 'π', '∫', 'ª', 'º', 'Ω', 'æ', 'ø',
    '¿', '¡', '¬', '√', 'ƒ', '≈', '∆', '«', '»', '…', '\u{a0}', 'À', 'Ã', 'Õ', 'Œ', 'œ',
    '–', '—', '“', '”', '‘', '’', '÷', '◊', 'ÿ', 'Ÿ', '⁄', '€', '‹', '›', 'ﬁ', 'ﬂ',
    '‡', '·', '‚', '„', '‰', 'Â', 'Ê', 'Á', 'Ë', 'È', 'Í', 'Î', 'Ï', 'Ì', 'Ó', 'Ô',
    '\u{f8ff}', 'Ò', 'Ú', 'Û', 'Ù', 'ı', 'ˆ', '˜', '¯', '˘', '˙', '˚', '¸', '˝', '˛', 'ˇ',
];

const SORTED_1251: [(char, u8); 128] = sorted(&WINDOWS_1251);
const SORTED_MAC: [(char, u8); 128] = sorted(&MAC_ROMAN);

impl Page {
    /// The byte, from 0x80 on, that this encoding reads as `c`. Windows-1252 is Latin-1 as well: the controls from
    /// U+0080 to U+009F are bytes of it.
    pub(crate) fn byte(self, c: char) -> Option<u8> {
        match self {
            Self::Windows1252 => match c {
                '\u{80}'..='\u{ff}' => Some(c as u8),
                '\u{100}'.. => {
                    let place = WINDOWS_1252.iter().position(|other| *other == c)?;
                    Some(0x80 | place as u8)
                }
                _ => None,
            },
            Self::Windows1251 => find(&SORTED_1251, c),
            Self::MacRoman => find(&SORTED_MAC, c),
        }
    }

    /// Whether a misread piece begins with this byte. Of Mac OS Roman these are the few that good text hardly puts
    /// before an accented letter.
    pub(crate) const fn is_lead(self, byte: u8) -> bool {
        match self {
            Self::Windows1252 | Self::Windows1251 => matches!(byte, 0xc2..=0xf4),
            Self::MacRoman => matches!(byte, 0xc2..=0xc5 | 0xe2 | 0xf0),
        }
    }
}

fn find(sorted: &[(char, u8); 128], c: char) -> Option<u8> {
    let place = sorted.binary_search_by_key(&c, |(other, _)| *other).ok()?;
    Some(sorted[place].1)
}

const fn sorted(page: &[char; 128]) -> [(char, u8); 128] {
    let mut pairs = [('\0', 0); 128];
    let mut count = 0;
    while count < 128 {
        let pair = (page[count], 0x80 | count as u8);
        let mut place = count;
        while place > 0 && pairs[place - 1].0 > pair.0 {
            pairs[place] = pairs[place - 1];
            place -= 1;
        }
        pairs[place] = pair;
        count += 1;
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;
    use encoding_rs::{Encoding, MACINTOSH, WINDOWS_1251 as CYRILLIC, WINDOWS_1252 as WESTERN};

    #[track_caller]
    fn agrees(page: Page, standard: &'static Encoding) {
        for byte in 0x80..=0xff {
            let bytes = [byte];
            let (text, _) = standard.decode_without_bom_handling(&bytes);
            let c = text.chars().next().unwrap();
            assert_eq!(page.byte(c), Some(byte), "{c:?}");
        }
        for c in ['a', '\0', '中', '\u{ffff}'] {
            assert_eq!(page.byte(c), None);
        }
    }

    #[test]
    fn the_tables_are_those_of_the_encoding_standard() {
        agrees(Page::Windows1252, WESTERN);
        agrees(Page::Windows1251, CYRILLIC);
        agrees(Page::MacRoman, MACINTOSH);
    }

    #[test]
    fn latin_1_is_understood_too() {
        for byte in 0x80..=0xff {
            assert_eq!(Page::Windows1252.byte(char::from(byte)), Some(byte));
        }
    }
}

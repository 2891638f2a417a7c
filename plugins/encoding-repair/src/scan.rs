use crate::pages::{MAC_ROMAN, Page, WINDOWS_1251, WINDOWS_1252};

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// Something is to be seen to, whatever stands beside it: a C1 control, a mark, or a letter (Â, Ã) whose piece may
/// have been cut.
const ODD: u8 = 1 << 6;

/// What characters may be: bits 0 to 2 say of each encoding that a misread piece may begin with it, bits 3 to 5 that
/// one may go on with it.
static LOW: [u8; 0x500] = roles(0);
static SIGNS: [u8; 0x300] = roles(0x2000);

/// Whether `text` may hold anything to repair. ASCII is looked at eight bytes at a time, by integer arithmetic, not
/// SIMD, so that a component is much as fast as a native build.
pub(crate) fn needs_a_look(text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut at = 0;
    loop {
        at += clean_ascii(&bytes[at..]);
        // The characters up to the next that is ASCII.
        let mut before = 0;
        loop {
            match bytes.get(at) {
                None => return false,
                Some(b' '..0x7f | b'\t' | b'\n' | b'\r') => break,
                Some(..0x80) => return true,
                Some(0x80..) => {}
            }
            let Some(c) = text[at..].chars().next() else { return false };
            let role = role(c);
            if role & ODD != 0 || before & role >> 3 != 0 {
                return true;
            }
            before = role & 7;
            at += c.len_utf8();
        }
    }
}

/// How many bytes, from the first on, are ASCII.
pub(crate) fn ascii(bytes: &[u8]) -> usize {
    let (blocks, rest) = bytes.as_chunks::<8>();
    for (place, block) in blocks.iter().enumerate() {
        let beyond = u64::from_le_bytes(*block) & HIGH;
        if beyond != 0 {
            return 8 * place + beyond.trailing_zeros() as usize / 8;
        }
    }
    bytes.len() - rest.len() + rest.iter().take_while(|byte| byte.is_ascii()).count()
}

/// How many bytes, from the first on, are visible ASCII, a space, a tab or a line break.
pub(crate) fn clean_ascii(bytes: &[u8]) -> usize {
    let (blocks, rest) = bytes.as_chunks::<8>();
    let mut place = 0;
    for block in blocks {
        let faults = faults(u64::from_le_bytes(*block));
        if faults != 0 {
            return place + faults.trailing_zeros() as usize / 8;
        }
        place += 8;
    }
    place + rest.iter().take_while(|byte| matches!(byte, b' '..0x7f | b'\t' | b'\n' | b'\r')).count()
}

/// Flags, right up to and including the first: the high bits of bytes that are no clean ASCII. No carry leaves a
/// byte below 0x80.
fn faults(bytes: u64) -> u64 {
    let visible_or_space = bytes.wrapping_add(0x60 * ONES);
    let delete = bytes.wrapping_add(ONES);
    let faults = (bytes | !visible_or_space | delete) & HIGH;
    if faults == 0 {
        return 0;
    }
    faults & !(equal(bytes, b'\t') | equal(bytes, b'\n') | equal(bytes, b'\r'))
}

/// Where `bytes` has `wanted`, exactly so for bytes below 0x80 before the first that is not.
fn equal(bytes: u64, wanted: u8) -> u64 {
    let differing = bytes ^ (u64::from(wanted) * ONES);
    !(differing.wrapping_add(0x7f * ONES) | bytes) & HIGH
}

fn role(c: char) -> u8 {
    match c as u32 {
        code @ ..0x500 => LOW[code as usize],
        code @ 0x2000..0x2300 => SIGNS[code as usize - 0x2000],
        // The apple of Mac OS Roman, which stands where an emoji begins.
        0xf8ff => 1 << Page::MacRoman as u8,
        0xfeff | 0xfffd..=0xffff => ODD,
        _ => 0,
    }
}

/// The roles of the characters from `first` on.
const fn roles<const N: usize>(first: u32) -> [u8; N] {
    let mut roles = [0; N];
    let mut byte = 0x80;
    while byte <= 0xff {
        let western = if byte < 0xa0 { WINDOWS_1252[byte - 0x80] } else { byte as u8 as char };
        mark(&mut roles, first, western, byte, Page::Windows1252);
        mark(&mut roles, first, byte as u8 as char, byte, Page::Windows1252);
        mark(&mut roles, first, WINDOWS_1251[byte - 0x80], byte, Page::Windows1251);
        mark(&mut roles, first, MAC_ROMAN[byte - 0x80], byte, Page::MacRoman);
        byte += 1;
    }
    let mut code = first as usize;
    while code < first as usize + N {
        if matches!(code, 0x80..0xa0 | 0xc2 | 0xc3) {
            roles[code - first as usize] |= ODD;
        }
        code += 1;
    }
    roles
}

const fn mark(roles: &mut [u8], first: u32, c: char, byte: usize, page: Page) {
    let place = (c as u32).wrapping_sub(first) as usize;
    if place < roles.len() {
        if page.is_lead(byte as u8) {
            roles[place] |= 1 << page as u8;
        } else if byte < 0xc0 {
            roles[place] |= 8 << page as u8;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pieces::pieces;

    #[test]
    fn clean_texts_of_many_scripts_need_none() {
        for text in [
            "",
            "plain ASCII\tand\r\nlines",
            "São Paulo, naïve café, Übergröße",
            "Żółć, příliš žluťoučký kůň",
            "Привет, мир! Ёлка",
            "नमस्ते 你好 こんにちは 안녕 שלום مرحبا",
            "emoji 🙂🏽 and “quotes” – dashes…",
        ] {
            assert!(!needs_a_look(text), "{text}");
        }
    }

    #[test]
    fn every_ascii_byte_is_judged_rightly_wherever_it_stands() {
        for byte in 0..0x80_u8 {
            for place in 0..19 {
                let mut bytes = *b"abc\tefg ij\nlmno\rqrs";
                bytes[place] = byte;
                let control = byte < b' ' && !b"\t\n\r".contains(&byte) || byte == 0x7f;
                assert_eq!(needs_a_look(str::from_utf8(&bytes).unwrap()), control, "{byte} at {place}");
            }
        }
    }

    #[test]
    fn runs_of_ascii_end_where_they_end() {
        for length in 0..40 {
            let mut bytes = vec![0x7f; length];
            assert_eq!(ascii(&bytes), length);
            for place in 0..length {
                bytes[place] = 0x80 | place as u8;
                assert_eq!(ascii(&bytes), place);
                bytes[place] = b'a';
            }
        }
    }

    #[test]
    fn no_piece_is_overlooked() {
        let all = (0x80..0xff).map(char::from).chain(WINDOWS_1252).chain(WINDOWS_1251).chain(MAC_ROMAN);
        let all: Vec<char> = all.collect();
        for first in &all {
            for second in &all {
                let text = format!("abc {first}{second}{second}{second} xyz");
                let some = [Page::Windows1252, Page::Windows1251, Page::MacRoman]
                    .iter()
                    .any(|page| !pieces(&text, *page).is_empty());
                assert!(!some || needs_a_look(&text), "{text}");
            }
        }
        for text in ["a\u{feff}b", "\u{92}", "x\u{fffd}", "lÃ ", "Â ", "\u{ffff}", "é\u{1}", "é\u{7f}"] {
            assert!(needs_a_look(text), "{text:?}");
        }
    }
}

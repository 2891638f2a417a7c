use std::borrow::Cow;

use crate::pages::WINDOWS_1252;
use crate::scan::clean_ascii;

/// `text` without controls, byte order marks and noncharacters; controls from U+0080 to U+009F become what
/// Windows-1252 has in their places, if it has anything there.
pub(crate) fn tidy(text: &str) -> Cow<'_, str> {
    let Some(first) = stray(text) else { return Cow::Borrowed(text) };
    let (clean, mut rest) = text.split_at(first);
    let mut tidy = String::with_capacity(text.len());
    tidy.push_str(clean);
    while let Some(c) = rest.chars().next() {
        rest = match c {
            '\u{1b}' => &rest[escape_sequence(rest)..],
            '\u{80}'..='\u{9f}' => {
                let meant = WINDOWS_1252[c as usize - 0x80];
                if meant != c {
                    tidy.push(meant);
                }
                &rest[c.len_utf8()..]
            }
            // A page or a column ends, and with it a line.
            '\u{b}' | '\u{c}' => {
                tidy.push('\n');
                &rest[1..]
            }
            c if is_stray(c) => &rest[c.len_utf8()..],
            _ => {
                let (clean, after) = rest.split_at(stray(rest).unwrap_or(rest.len()));
                tidy.push_str(clean);
                after
            }
        };
    }
    Cow::Owned(tidy)
}

/// Where the first character is that does not stay.
fn stray(text: &str) -> Option<usize> {
    let mut at = 0;
    loop {
        at += clean_ascii(&text.as_bytes()[at..]);
        let c = text[at..].chars().next()?;
        if is_stray(c) {
            return Some(at);
        }
        at += c.len_utf8();
    }
}

fn is_stray(c: char) -> bool {
    match c {
        '\t' | '\n' | '\r' => false,
        '\0'..' ' | '\u{7f}'..='\u{9f}' | '\u{feff}' | '\u{fdd0}'..='\u{fdef}' => true,
        c => c as u32 & 0xfffe == 0xfffe,
    }
}

/// The length of the escape sequence, such as ESC [ 31 m, that `text` starts with; of ESC alone if it is none.
fn escape_sequence(text: &str) -> usize {
    let bytes = text.as_bytes();
    if bytes.get(1) != Some(&b'[') {
        return 1;
    }
    let parameters = bytes[2..].iter().take_while(|byte| matches!(byte, b' '..=b'?')).count();
    match bytes.get(2 + parameters) {
        Some(b'@'..=b'~') => 3 + parameters,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controls_become_what_they_were_meant_to_be_or_go() {
        for (text, clean) in [
            ("it\u{92}s \u{93}fine\u{94}\u{85}", "it’s “fine”…"),
            ("a\0b\u{7f}c\u{81}d\u{8}", "abcd"),
            ("\u{1b}[1;31mred\u{1b}[0m, \u{1b}, \u{1b}[31", "red, , [31"),
            ("\u{feff}a\u{feff}b\u{fffe}\u{1ffff}\u{fdd0}", "ab"),
            ("one\u{c}two\u{b}three", "one\ntwo\nthree"),
            ("\u{1b}[é", "[é"),
        ] {
            assert_eq!(tidy(text), clean);
        }
    }

    #[test]
    fn other_text_is_not_copied() {
        assert!(matches!(tidy("a\tb\r\nc é 中 🙂 \u{fffd}\u{200d}"), Cow::Borrowed(_)));
    }
}

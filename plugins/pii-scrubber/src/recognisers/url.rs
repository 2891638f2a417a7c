//! URLs with a secret before the `@`: `scheme://user:password@host`, or a token of 20 characters or more alone. The
//! whole URL goes, up to white space, a quotation mark or an angle bracket.

use super::Span;

/// The longest scheme and the longest secret that are looked for.
const SCHEME: usize = 20;
const SECRET: usize = 512;
const TOKEN: usize = 20;

/// The URL whose scheme ends at `colon`.
pub(crate) fn around(text: &[u8], floor: usize, colon: usize) -> Option<Span> {
    if !text[colon..].starts_with(b"://") {
        return None;
    }
    let scheme = text[floor..colon].iter().rev().take(SCHEME).take_while(|byte| is_scheme(**byte)).count();
    let start = colon - scheme;
    let authority = &text[colon + 3..];
    let len = authority.iter().take(SECRET).take_while(|byte| !ends_authority(**byte)).count();
    let secret = &authority[..authority[..len].iter().rposition(|byte| *byte == b'@')?];
    let password = secret.iter().position(|byte| *byte == b':').is_some_and(|at| at + 1 < secret.len());
    if scheme < 2 || (!password && secret.len() < TOKEN) {
        return None;
    }
    let rest = authority.iter().take_while(|byte| !ends_url(**byte)).count();
    let mut end = colon + 3 + rest;
    while matches!(text[end - 1], b'.' | b',' | b';' | b':' | b'!' | b'?' | b')' | b']' | b'}') {
        end -= 1;
    }
    Some(start..end)
}

fn is_scheme(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.')
}

fn ends_authority(byte: u8) -> bool {
    ends_url(byte) || matches!(byte, b'/' | b'?' | b'#')
}

fn ends_url(byte: u8) -> bool {
    byte <= b' ' || matches!(byte, b'"' | b'<' | b'>' | b'`' | 0x7f)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn finds(text: &str, expected: Option<&str>) {
        let colon = text.find("://").unwrap();
        assert_eq!(around(text.as_bytes(), 0, colon).map(|span| &text[span]), expected, "{text}");
    }

    #[test]
    fn secrets() {
        finds("see https://bob:s3cret@example.com/a?b=c.", Some("https://bob:s3cret@example.com/a?b=c"));
        finds("postgres://app:p%40ss@db:5432/x", Some("postgres://app:p%40ss@db:5432/x"));
        finds(
            "<https://ghp_abcdefghijklmnopqrstuv@github.com/x>",
            Some("https://ghp_abcdefghijklmnopqrstuv@github.com/x"),
        );
    }

    #[test]
    fn no_secrets() {
        for text in [
            "https://example.com/",
            "ssh://git@example.com/x",
            "https://example.com/@bob:x",
            "://a:b@c",
            "https://a:@b",
        ] {
            finds(text, None);
        }
    }
}

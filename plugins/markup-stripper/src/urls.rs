use std::borrow::Cow;

/// `text` with `by` for each address in it; without, the address goes and so does one of the spaces around it.
/// Borrowed where there is none.
pub(crate) fn replace<'a>(text: &'a str, by: &str) -> Cow<'a, str> {
    let Some(first) = next_url(text, 0) else { return Cow::Borrowed(text) };
    let mut replaced = String::with_capacity(text.len());
    let mut done = 0;
    let mut next = Some(first);
    while let Some((start, end)) = next {
        replaced.push_str(&text[done..start]);
        replaced.push_str(by);
        done = end;
        if by.is_empty() && text[end..].starts_with(' ') && (replaced.is_empty() || replaced.ends_with(' ')) {
            done += 1;
        }
        next = next_url(text, end);
    }
    replaced.push_str(&text[done..]);
    if by.is_empty() {
        replaced.truncate(replaced.trim_end().len());
    }
    Cow::Owned(replaced)
}

/// Where the first address from `from` on starts and ends.
fn next_url(text: &str, from: usize) -> Option<(usize, usize)> {
    let bytes = text.as_bytes();
    let mut at = from;
    loop {
        at = crate::find::find(bytes, at, b':', b'.')?;
        let start = match bytes[at] {
            b':' if bytes[at..].starts_with(b"://") => scheme(text, from, at),
            b'.' => prefix(text, from, at, &["www"]),
            _ => None,
        };
        let inner = if bytes[at] == b':' { at + 3 } else { at + 1 };
        if let Some(start) = start {
            let end = end(text, inner);
            if end > inner {
                return Some((start, end));
            }
        }
        at += 1;
    }
}

fn scheme(text: &str, from: usize, colon: usize) -> Option<usize> {
    prefix(text, from, colon, &["https", "http", "ftps", "ftp"])
}

/// Where one of `words` starts that ends at `end` and is not part of a longer word.
fn prefix(text: &str, from: usize, end: usize, words: &[&str]) -> Option<usize> {
    words.iter().find_map(|word| {
        let start = end.checked_sub(word.len()).filter(|start| *start >= from)?;
        let same = text.as_bytes()[start..end].eq_ignore_ascii_case(word.as_bytes());
        let apart = same && !text[..start].ends_with(char::is_alphanumeric);
        apart.then_some(start)
    })
}

/// Where an address ends of which `inner` is already within: before white space, quotation marks or angle brackets,
/// without the punctuation of the sentence around it.
fn end(text: &str, inner: usize) -> usize {
    let stops = |c: char| {
        c.is_whitespace()
            || c.is_control()
            || matches!(c, '<' | '>' | '"' | '“' | '”' | '„' | '«' | '»' | '`' | '{' | '}' | '|' | '\\' | '^')
    };
    let address = &text[inner..];
    let mut address = &address[..address.find(stops).unwrap_or(address.len())];
    let opened = address.matches(['(', '[']).count();
    let mut closed = address.matches([')', ']']).count();
    while let Some(last) = address.chars().next_back() {
        match last {
            '.' | ',' | ';' | ':' | '!' | '?' | '\'' | '’' | '…' | '*' | '_' | '~' => {}
            // One that was opened within belongs to it.
            ')' | ']' if closed > opened => closed -= 1,
            _ => break,
        }
        address = &address[..address.len() - last.len_utf8()];
    }
    inner + address.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_replaced_and_punctuation_stays() {
        for (text, replaced) in [
            ("see https://x.y/a?b=1&c=(2)#d.", "see U."),
            ("(HTTP://X.Y), www.x.org! ftp://a/b", "(U), U! U"),
            ("“https://x.y” <https://x.y>", "“U” <U>"),
            ("https://en.wikipedia.org/wiki/Card_(x)", "U"),
        ] {
            assert_eq!(replace(text, "U"), replaced);
        }
    }

    #[test]
    fn what_goes_leaves_one_space() {
        assert_eq!(replace("see https://x.y now", ""), "see now");
        assert_eq!(replace("https://x.y now https://x.y", ""), "now");
        assert_eq!(replace("https://x.y", ""), "");
    }

    #[test]
    fn other_text_stays() {
        for text in
            ["a://b", "http:/x", "https://", "xhttp://y", "www. x", "awww.x", "10:30, a.b", "x:http://"]
        {
            assert!(matches!(replace(text, "U"), Cow::Borrowed(_)), "{text}");
        }
    }

    #[test]
    fn time_is_linear_in_the_length() {
        for piece in ["http://", "www.", "http://)", ":", "http://x(", "http://a "] {
            replace(&piece.repeat(1_000_000 / piece.len()), "");
        }
    }
}

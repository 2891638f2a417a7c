use crate::elements::{Element, element};

/// A tag of an element that is known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Tag<'a> {
    pub element: Element,
    pub name: &'a str,
    /// `</name>`.
    pub closes: bool,
    pub has_attributes: bool,
    /// The value of the attribute `alt`, as it is written.
    pub alternative: Option<&'a str>,
    /// Where the tag ends.
    pub end: usize,
}

/// Attributes that say all by being there.
const BOOLEAN: [&str; 28] = [
    "allowfullscreen",
    "async",
    "autofocus",
    "autoplay",
    "checked",
    "compact",
    "contenteditable",
    "controls",
    "default",
    "defer",
    "disabled",
    "download",
    "hidden",
    "inert",
    "ismap",
    "itemscope",
    "loop",
    "multiple",
    "muted",
    "nomodule",
    "noshade",
    "novalidate",
    "nowrap",
    "open",
    "playsinline",
    "readonly",
    "required",
    "selected",
];

/// How far a tag was read: `Err` has the place where it turned out to be none.
pub(crate) fn tag(text: &str, start: usize) -> Result<Tag<'_>, usize> {
    let bytes = text.as_bytes();
    let mut at = start + 1;
    let closes = bytes.get(at) == Some(&b'/');
    at += usize::from(closes);
    let name = &text[at..at + count(bytes, at, |byte| byte.is_ascii_alphanumeric() || byte == b':')];
    at += name.len();
    let element = element(name.as_bytes()).ok_or(at)?;
    if !matches!(bytes.get(at), Some(b'>' | b'/') | Some(b' ' | b'\t' | b'\n' | b'\r' | b'\x0c')) {
        return Err(at);
    }
    let mut tag = Tag { element, name, closes, has_attributes: false, alternative: None, end: 0 };
    loop {
        at += count(bytes, at, |byte| byte.is_ascii_whitespace() || byte == b'/');
        if bytes.get(at) == Some(&b'>') {
            tag.end = at + 1;
            return Ok(tag);
        }
        let attribute = attribute(text, at)?;
        if attribute.name.eq_ignore_ascii_case("alt") {
            tag.alternative = attribute.value;
        }
        tag.has_attributes = true;
        at = attribute.end;
    }
}

struct Attribute<'a> {
    name: &'a str,
    value: Option<&'a str>,
    end: usize,
}

/// One without a value must be known: in `a <b and c> d` stands no tag.
fn attribute(text: &str, start: usize) -> Result<Attribute<'_>, usize> {
    let bytes = text.as_bytes();
    let length = count(bytes, start, |byte| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b':' | b'.' | b'@')
    });
    let name = &text[start..start + length];
    let mut at = start + length;
    if !name.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '_' | ':' | '@')) {
        return Err(at);
    }
    let equals = at + count(bytes, at, |byte| byte.is_ascii_whitespace());
    if bytes.get(equals) != Some(&b'=') {
        let known = BOOLEAN.iter().any(|known| known.eq_ignore_ascii_case(name)) || name.starts_with("data-");
        return if known { Ok(Attribute { name, value: None, end: at }) } else { Err(at) };
    }
    at = equals + 1;
    at += count(bytes, at, |byte| byte.is_ascii_whitespace());
    let (value, end) = match bytes.get(at) {
        Some(quote @ (b'"' | b'\'')) => {
            let length = count(bytes, at + 1, |byte| byte != *quote);
            (&text[at + 1..at + 1 + length], at + length + 2)
        }
        _ => {
            let plain = |byte: u8| !byte.is_ascii_whitespace() && !matches!(byte, b'>' | b'<');
            let length = count(bytes, at, plain);
            (&text[at..at + length], at + length)
        }
    };
    if end > bytes.len() { Err(bytes.len()) } else { Ok(Attribute { name, value: Some(value), end }) }
}

/// How many bytes from `at` on pass `test`.
pub(crate) fn count(bytes: &[u8], at: usize, test: impl Fn(u8) -> bool) -> usize {
    bytes.get(at..).unwrap_or_default().iter().take_while(|byte| test(**byte)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_end_where_they_end() {
        for text in [
            "<b>",
            "</b>",
            "</B >",
            "<br/>",
            "<br />",
            "<P\nclass=x>",
            "<a href='x>y' title = \"a 'b' > c\">",
            "<input disabled value=1>",
            "<img src=a.png alt=>",
            "<div data-x @click=\"y\">",
            "<o:p>",
        ] {
            assert_eq!(tag(text, 0).map(|tag| tag.end), Ok(text.len()), "{text}");
        }
        let image = tag(r#"<img alt="My > card" src=x>"#, 0).unwrap();
        assert_eq!(image.alternative, Some("My > card"));
        assert!(image.has_attributes);
    }

    #[test]
    fn what_is_no_tag_is_none() {
        for text in [
            "<",
            "<3",
            "< b>",
            "<b",
            "<string>",
            "<T>",
            "<b,c>",
            "<a@b.org>",
            "<b and c> d",
            "<i && j>",
            "<a href=\"x>",
            "<a href=x <b>",
            "<b é>",
            "<br>"[..2].as_ref(),
            "<http://a.b>",
            "<-",
            "<p\"x\">",
        ] {
            assert!(tag(text, 0).is_err(), "{text}");
        }
    }
}

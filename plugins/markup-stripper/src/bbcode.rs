use std::borrow::Cow;

use crate::find::find;
use crate::lines::Lines;
use crate::tag::count;

/// What a tag of BBCode does to the text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Effect {
    Inline,
    Block,
    Item,
    /// What stands in it is no text, but an address.
    Hidden,
}

/// Names that forums know, in lower case, and whether a tag needs its end tag to be one.
const TAGS: [(&str, Effect); 37] = {
    use Effect::*;
    [
        ("*", Item),
        ("align", Block),
        ("attach", Hidden),
        ("b", Inline),
        ("center", Block),
        ("code", Block),
        ("color", Inline),
        ("colour", Inline),
        ("email", Inline),
        ("font", Inline),
        ("hr", Block),
        ("i", Inline),
        ("img", Hidden),
        ("indent", Block),
        ("justify", Block),
        ("left", Block),
        ("li", Item),
        ("list", Block),
        ("media", Hidden),
        ("mention", Inline),
        ("ol", Block),
        ("quote", Block),
        ("right", Block),
        ("s", Inline),
        ("size", Inline),
        ("spoiler", Inline),
        ("strike", Inline),
        ("sub", Inline),
        ("sup", Inline),
        ("table", Block),
        ("td", Inline),
        ("th", Inline),
        ("tr", Block),
        ("u", Inline),
        ("ul", Block),
        ("url", Inline),
        ("youtube", Hidden),
    ]
};

/// The number of `[*]` in the list: it ends with its line.
const STAR: usize = 0;
const LIST: usize = 17;
const RULE: usize = 10;

struct Tag {
    number: usize,
    closes: bool,
    end: usize,
}

/// `text` without its BBCode; borrowed where there is none. A tag counts only where the text has its other half,
/// too: in `a[i]` stands none.
pub(crate) fn strip(text: &str) -> Cow<'_, str> {
    let Some(first) = find(text.as_bytes(), 0, b'[', b'[') else { return Cow::Borrowed(text) };
    let pairs = pairs(text, first);
    if pairs == 0 {
        return Cow::Borrowed(text);
    }
    let mut lines = Lines::with_capacity(text.len());
    let mut done = 0;
    let mut next = Some(first);
    // Where the end tag that was looked for stands at the earliest, so that no text is read again and again.
    let mut hidden_from = [0; TAGS.len()];
    while let Some(place) = next {
        next = find(text.as_bytes(), place + 1, b'[', b'[');
        let Some(tag) = tag(text, place).filter(|tag| pairs >> tag.number & 1 != 0) else { continue };
        let effect = TAGS[tag.number].1;
        let mut end = tag.end;
        if effect == Effect::Hidden && !tag.closes {
            match end_of_hidden(text, tag.end.max(hidden_from[tag.number]), tag.number) {
                Some(closing) => end = closing,
                None => {
                    hidden_from[tag.number] = text.len();
                    continue;
                }
            }
        }
        lines.push(&text[done..place]);
        match (effect, tag.closes) {
            (Effect::Block, _) => lines.line(),
            (Effect::Item, false) => lines.item(),
            (Effect::Item, true) => lines.end_item(),
            (Effect::Hidden, _) => lines.space(),
            (Effect::Inline, _) => {}
        }
        done = end;
        next = find(text.as_bytes(), end, b'[', b'[');
    }
    if done == 0 {
        return Cow::Borrowed(text);
    }
    lines.push(&text[done..]);
    Cow::Owned(lines.finish())
}

/// The tags, by number, of which `text` has both halves.
fn pairs(text: &str, first: usize) -> u64 {
    let (mut opened, mut closed) = (0_u64, 0_u64);
    let mut next = Some(first);
    while let Some(place) = next {
        if let Some(tag) = tag(text, place) {
            let halves = if tag.closes { &mut closed } else { &mut opened };
            *halves |= 1 << tag.number;
        }
        next = find(text.as_bytes(), place + 1, b'[', b'[');
    }
    let mut pairs = opened & closed;
    if pairs >> LIST & 1 != 0 {
        pairs |= 1 << STAR;
    }
    if pairs != 0 {
        pairs |= opened & 1 << RULE;
    }
    pairs
}

/// The tag at `place`: `[name]`, `[/name]`, `[name=value]` or `[name key=value]`, on one line.
fn tag(text: &str, place: usize) -> Option<Tag> {
    /// More than any address in a tag.
    const LONGEST: usize = 2048;
    let bytes = text.as_bytes();
    let closes = bytes.get(place + 1) == Some(&b'/');
    let start = place + 1 + usize::from(closes);
    let length = count(bytes, start, |byte| byte.is_ascii_alphabetic() || byte == b'*');
    let name = bytes.get(start..start + length)?;
    let number = TAGS.iter().position(|(known, _)| known.as_bytes().eq_ignore_ascii_case(name))?;
    let after = start + length;
    match bytes.get(after)? {
        b']' => Some(Tag { number, closes, end: after + 1 }),
        b'=' | b' ' if !closes => {
            let window = &bytes[after..bytes.len().min(after + LONGEST)];
            let end = window.iter().position(|byte| matches!(byte, b']' | b'[' | b'\n'))?;
            let value = &window[..end];
            (window[end] == b']' && value.contains(&b'=')).then_some(Tag {
                number,
                closes,
                end: after + end + 1,
            })
        }
        _ => None,
    }
}

fn end_of_hidden(text: &str, from: usize, number: usize) -> Option<usize> {
    let mut next = find(text.as_bytes(), from, b'[', b'[');
    while let Some(place) = next {
        if let Some(tag) = tag(text, place)
            && tag.closes
            && tag.number == number
        {
            return Some(tag.end);
        }
        next = find(text.as_bytes(), place + 1, b'[', b'[');
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_are_where_the_numbers_say() {
        assert_eq!((TAGS[STAR].0, TAGS[LIST].0, TAGS[RULE].0), ("*", "list", "hr"));
    }

    #[test]
    fn tags_go_and_text_stays() {
        for (text, stripped) in [
            ("my [b]new[/b] [url=https://x.y/?a=1]card[/URL]", "my new card"),
            ("[quote=\"Ann\"]where?[/quote] here", "where?\nhere"),
            ("see [img]https://x.y/a.png[/img] this", "see  this"),
            ("[list][*]one\n[*]two[/list]", "- one\n- two"),
            ("[size=3]big[/size] [i]x[/i]", "big x"),
        ] {
            assert_eq!(strip(text), stripped);
        }
    }

    #[test]
    fn other_brackets_stay() {
        for text in [
            "a[i] = b[s][u]",
            "[1] [citation needed] [MISSING]",
            "[b]",
            "[/b]",
            "[b [c] [url=",
            "[*] x",
            "[hr]",
        ] {
            assert!(matches!(strip(text), Cow::Borrowed(_)), "{text}");
        }
    }

    #[test]
    fn time_is_linear_in_the_length() {
        for piece in ["[", "[b", "[b]", "[img]", "[url=", "[img=x", "[/img]"] {
            strip(&format!("{}[/b]", piece.repeat(1_000_000 / piece.len())));
            strip(&format!("[/img]{}", piece.repeat(1_000_000 / piece.len())));
        }
    }
}

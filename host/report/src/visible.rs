//! Texts that hide nothing: escaped, and with a mark for every sign that cannot be seen or that turns the direction
//! of writing.

use std::borrow::Cow;

use maud::{Markup, Render, html};

/// A text from outside.
pub struct Visible<'a>(pub &'a str);

impl Render for Visible<'_> {
    fn render_to(&self, page: &mut String) {
        for piece in pieces(self.0) {
            match piece {
                Piece::Plain(text) => text.render_to(page),
                Piece::Break => html! { span.break title="line break" { "\u{21b5}" } "\n" }.render_to(page),
                Piece::Hidden(sign) => {
                    html! { span.ctl title=(title(sign)) { (label(sign)) } }.render_to(page);
                }
            }
        }
    }
}

/// The same for where there can be no markup: attributes and titles.
pub fn plain(text: &str) -> String {
    pieces(text)
        .map(|piece| match piece {
            Piece::Plain(text) => Cow::Borrowed(text),
            Piece::Break => Cow::Borrowed(" "),
            Piece::Hidden(sign) => Cow::Owned(format!("\u{27e8}{}\u{27e9}", label(sign))),
        })
        .collect()
}

/// The beginning of a long text, and how much more there is.
pub fn excerpt(text: &str, most: usize) -> Markup {
    let (shown, rest) = cut(text, most);
    html! {
        span.text dir="auto" { (Visible(shown)) }
        @if rest > 0 { span.muted { " \u{2026} " (crate::format::counted(rest, "more character", "more characters")) } }
    }
}

/// The first `most` characters, and how many follow. A few more than that are not worth a cut.
pub fn cut(text: &str, most: usize) -> (&str, u64) {
    match text.char_indices().nth(most + most / 8) {
        None => (text, 0),
        Some(_) => {
            let end = text.char_indices().nth(most).map_or(text.len(), |(end, _)| end);
            let (shown, rest) = text.split_at(end);
            (shown, rest.chars().count() as u64)
        }
    }
}

enum Piece<'a> {
    Plain(&'a str),
    /// `\n` or `\r\n`.
    Break,
    Hidden(char),
}

fn pieces(text: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = text;
    let mut before = None;
    std::iter::from_fn(move || {
        let mut signs = rest.char_indices().peekable();
        let mut end = 0;
        while let Some((start, sign)) = signs.next() {
            let after = signs.peek().map(|(_, sign)| *sign);
            if is_break(sign, after) || is_hidden(sign, before, after) {
                break;
            }
            end = start + sign.len_utf8();
            before = Some(sign);
        }
        let (head, tail) = rest.split_at(end);
        if !head.is_empty() {
            rest = tail;
            return Some(Piece::Plain(head));
        }
        let sign = tail.chars().next()?;
        before = Some(sign);
        if let Some(after) = tail.strip_prefix("\r\n").or_else(|| tail.strip_prefix('\n')) {
            rest = after;
            return Some(Piece::Break);
        }
        rest = tail.get(sign.len_utf8()..).unwrap_or_default();
        Some(Piece::Hidden(sign))
    })
}

fn is_break(sign: char, after: Option<char>) -> bool {
    sign == '\n' || (sign == '\r' && after == Some('\n'))
}

fn is_hidden(sign: char, before: Option<char>, after: Option<char>) -> bool {
    match sign {
        // Between letters of other scripts, and between emoji, they have work to do.
        '\u{200c}' | '\u{200d}' => !(before.is_some_and(joins) && after.is_some_and(joins)),
        '\u{fe00}'..='\u{fe0f}' => !before.is_some_and(|sign| joins(sign) || sign.is_ascii_digit()),
        sign => sign.is_control() || name(sign).is_some() || has_no_look(sign),
    }
}

/// What a joiner can join.
fn joins(sign: char) -> bool {
    !sign.is_ascii()
        && !sign.is_whitespace()
        && !sign.is_control()
        && (is_selector(sign) || !has_no_look(sign))
}

fn is_selector(sign: char) -> bool {
    matches!(sign, '\u{fe00}'..='\u{fe0f}')
}

/// Signs without a glyph that are not control characters, and spaces that are not the usual one.
fn has_no_look(sign: char) -> bool {
    matches!(sign,
        '\u{a0}' | '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{1680}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{2000}'..='\u{200f}' | '\u{2028}'..='\u{202f}' | '\u{205f}'..='\u{206f}'
        | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
        | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// What stands in the sign's place.
fn label(sign: char) -> Cow<'static, str> {
    match name(sign) {
        Some((short, _)) => Cow::Borrowed(short),
        None => Cow::Owned(code(sign)),
    }
}

fn title(sign: char) -> String {
    match name(sign) {
        Some((_, long)) => format!("{} {long}", code(sign)),
        None => code(sign),
    }
}

fn code(sign: char) -> String {
    format!("U+{:04X}", u32::from(sign))
}

/// Unicode's abbreviation and name of those that occur.
fn name(sign: char) -> Option<(&'static str, &'static str)> {
    Some(match sign {
        '\0' => ("NUL", "null"),
        '\t' => ("TAB", "tabulation"),
        '\u{7}' => ("BEL", "bell"),
        '\u{8}' => ("BS", "backspace"),
        '\u{b}' => ("VT", "vertical tabulation"),
        '\u{c}' => ("FF", "form feed"),
        '\r' => ("CR", "carriage return"),
        '\u{1b}' => ("ESC", "escape"),
        '\u{7f}' => ("DEL", "delete"),
        '\u{85}' => ("NEL", "next line"),
        '\u{a0}' => ("NBSP", "no-break space"),
        '\u{ad}' => ("SHY", "soft hyphen"),
        '\u{61c}' => ("ALM", "Arabic letter mark"),
        '\u{200b}' => ("ZWSP", "zero width space"),
        '\u{200c}' => ("ZWNJ", "zero width non-joiner"),
        '\u{200d}' => ("ZWJ", "zero width joiner"),
        '\u{200e}' => ("LRM", "left-to-right mark"),
        '\u{200f}' => ("RLM", "right-to-left mark"),
        '\u{2028}' => ("LSEP", "line separator"),
        '\u{2029}' => ("PSEP", "paragraph separator"),
        '\u{202a}' => ("LRE", "left-to-right embedding"),
        '\u{202b}' => ("RLE", "right-to-left embedding"),
        '\u{202c}' => ("PDF", "pop directional formatting"),
        '\u{202d}' => ("LRO", "left-to-right override"),
        '\u{202e}' => ("RLO", "right-to-left override"),
        '\u{202f}' => ("NNBSP", "narrow no-break space"),
        '\u{2060}' => ("WJ", "word joiner"),
        '\u{2066}' => ("LRI", "left-to-right isolate"),
        '\u{2067}' => ("RLI", "right-to-left isolate"),
        '\u{2068}' => ("FSI", "first strong isolate"),
        '\u{2069}' => ("PDI", "pop directional isolate"),
        '\u{feff}' => ("BOM", "byte order mark"),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        Visible(text).render().into_string()
    }

    #[test]
    fn markup_is_text() {
        assert_eq!(
            shown("<script>alert(\"x\")</script> & co"),
            "&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt; &amp; co"
        );
    }

    #[test]
    fn what_turns_the_direction_of_writing_is_marked() {
        let marked = shown("a\u{202e}b\u{2066}c");
        assert_eq!(
            marked,
            "a<span class=\"ctl\" title=\"U+202E right-to-left override\">RLO</span>b\
             <span class=\"ctl\" title=\"U+2066 left-to-right isolate\">LRI</span>c"
        );
        assert_eq!(plain("a\u{202e}b\nc\u{1}"), "a\u{27e8}RLO\u{27e9}b c\u{27e8}U+0001\u{27e9}");
    }

    #[test]
    fn no_sign_that_cannot_be_seen_gets_through() {
        let hidden = (0_u32..=0x10_ffff).filter_map(char::from_u32).filter(|sign| {
            sign.is_control()
                || matches!(sign, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}')
                || matches!(sign, '\u{e0000}'..='\u{e01ef}' | '\u{fe00}'..='\u{fe0f}' | '\u{a0}' | '\u{feff}')
        });
        for sign in hidden {
            let marked = shown(&format!("a{sign}b"));
            let class = if sign == '\n' { "break" } else { "ctl" };
            assert!(marked.contains(&format!("<span class=\"{class}\"")), "U+{:04X}", u32::from(sign));
            assert!(sign == '\n' || !marked.contains(sign), "U+{:04X}", u32::from(sign));
        }
    }

    #[test]
    fn line_breaks_stay_and_are_marked() {
        let one = "<span class=\"break\" title=\"line break\">\u{21b5}</span>\n";
        assert_eq!(shown("a\nb\r\nc"), format!("a{one}b{one}c"));
        assert!(shown("a\rb").contains(">CR<"));
    }

    #[test]
    fn joiners_that_have_work_to_do_stay() {
        for text in ["می\u{200c}خواهم", "👩\u{200d}👩\u{200d}👧", "❤\u{fe0f}\u{200d}🔥", "1\u{fe0f}\u{20e3}"]
        {
            assert_eq!(shown(text), text);
        }
        assert!(shown("pass\u{200d}word").contains(">ZWJ<"));
    }

    #[test]
    fn long_texts_are_cut_and_say_so() {
        assert_eq!(cut("äöü", 3), ("äöü", 0));
        assert_eq!(cut("0123456789", 9), ("0123456789", 0));
        let long = "ä".repeat(100);
        let (shown, rest) = cut(&long, 40);
        assert_eq!((shown.chars().count(), rest), (40, 60));
        assert!(excerpt(&long, 40).into_string().contains("60 more characters"));
    }
}

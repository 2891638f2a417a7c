use std::borrow::Cow;

use crate::ascii::skip_clean;
use crate::characters::{Fate, fate, is_settled};
use crate::joiners;
use pegbox_entities::Meaning;

/// What a sweep leaves.
#[derive(PartialEq, Eq, Debug)]
pub(crate) struct Swept<'a> {
    /// Borrowed where nothing but white space at the ends went.
    pub text: Cow<'a, str>,
    /// Whether it is known that no normal form changes it, be it lower-cased or not.
    pub settled: bool,
}

/// Decodes entities if asked, removes invisible characters, and makes each run of white space one space,
/// none at the ends. One pass; text that stays is copied in whole spans, and only once something has gone.
pub(crate) fn sweep(text: &str, entities: bool) -> Swept<'_> {
    let mut sweep = Sweep { text, out: String::new(), copied: 0, after_space: true, settled: true };
    let bytes = text.as_bytes();
    let mut at = 0;
    loop {
        at = skip_clean(bytes, at, entities, &mut sweep.after_space);
        at = match bytes.get(at) {
            None => break,
            Some(b' ') => sweep.more_spaces(at),
            Some(b'&') => sweep.entity(at),
            Some(..0x80) => sweep.control(at),
            Some(_) => sweep.beyond_ascii(at),
        };
    }
    sweep.end()
}

/// A sweep under way. Each step takes the place of a character and returns the place after it.
struct Sweep<'a> {
    text: &'a str,
    /// What has been copied.
    out: String,
    /// Bytes of `text` that have been copied or have gone; those from here up to the current place stay, but
    /// are not copied yet.
    copied: usize,
    /// Whether what stays so far ends in a space, or is nothing.
    after_space: bool,
    settled: bool,
}

impl<'a> Sweep<'a> {
    /// A space after a space, and those that follow.
    fn more_spaces(&mut self, at: usize) -> usize {
        let spaces = self.text.as_bytes()[at..].iter().take_while(|byte| **byte == b' ').count();
        self.cut(at, at + spaces);
        self.after_space = true;
        at + spaces
    }

    fn control(&mut self, at: usize) -> usize {
        self.cut(at, at + 1);
        self.push_space_if(fate(char::from(self.text.as_bytes()[at])));
        at + 1
    }

    /// Characters up to the next one of ASCII.
    fn beyond_ascii(&mut self, at: usize) -> usize {
        let mut place = at;
        for c in self.text[at..].chars() {
            let end = place + c.len_utf8();
            if is_settled(c) {
                self.after_space = false;
            } else if c.is_ascii() {
                break;
            } else {
                match fate(c) {
                    Fate::Keep => {
                        self.settled = false;
                        self.after_space = false;
                    }
                    Fate::Tag if self.before(place) == Some(joiners::FLAG) => return self.flag(place),
                    judged => self.questionable(judged, place, end),
                }
            }
            place = end;
        }
        place
    }

    /// A tag after a black flag.
    fn flag(&mut self, at: usize) -> usize {
        let tags = joiners::flag_tags(&self.text[at..]);
        if tags > 0 {
            return at + tags;
        }
        let end = at + joiners::TAG_BYTES;
        self.cut(at, end);
        end
    }

    /// A character that goes, unless it joins its neighbours.
    fn questionable(&mut self, judged: Fate, at: usize, end: usize) {
        if !self.stays_between(judged, self.before(at), self.text[end..].chars().next()) {
            self.cut(at, end);
            self.push_space_if(judged);
        }
    }

    fn entity(&mut self, at: usize) -> usize {
        let Some(entity) = pegbox_entities::decode(&self.text[at..]) else {
            self.after_space = false;
            return at + 1;
        };
        let end = at + entity.len;
        self.cut(at, end);
        match entity.meaning {
            Meaning::One(c) => self.push(c, end),
            Meaning::Named(characters) => characters.chars().for_each(|c| self.push(c, end)),
        }
        end
    }

    /// Adds what an entity stands for; the text goes on at `end`.
    fn push(&mut self, c: char, end: usize) {
        let judged = fate(c);
        let after = self.text[end..].chars().next();
        if judged == Fate::Keep || self.stays_between(judged, self.out.chars().next_back(), after) {
            self.reserve();
            self.out.push(c);
            self.settled &= c.is_ascii() || is_settled(c);
            self.after_space = false;
        } else {
            self.push_space_if(judged);
        }
    }

    fn stays_between(&self, judged: Fate, before: Option<char>, after: Option<char>) -> bool {
        match judged {
            Fate::Joiner => joiners::joins(before, after),
            Fate::NonJoiner => joiners::separates(before, after),
            _ => false,
        }
    }

    fn push_space_if(&mut self, judged: Fate) {
        if judged == Fate::Space && !self.after_space {
            self.out.push(' ');
            self.after_space = true;
        }
    }

    /// The last character that stays before `at`.
    fn before(&self, at: usize) -> Option<char> {
        let waiting = self.text[self.copied..at].chars().next_back();
        waiting.or_else(|| self.out.chars().next_back())
    }

    /// `text[start..end]` goes; what waits before it is copied.
    fn cut(&mut self, start: usize, end: usize) {
        if start > self.copied {
            self.reserve();
            self.out.push_str(&self.text[self.copied..start]);
        }
        self.copied = end;
    }

    /// Before anything is copied: room for all of it.
    fn reserve(&mut self) {
        if self.out.is_empty() {
            self.out.reserve(self.text.len());
        }
    }

    fn end(mut self) -> Swept<'a> {
        let waiting = &self.text[self.copied..];
        let text = if self.out.is_empty() {
            let ends_in_space = self.after_space && !waiting.is_empty();
            Cow::Borrowed(&waiting[..waiting.len() - usize::from(ends_in_space)])
        } else {
            self.out.push_str(waiting);
            if self.after_space {
                self.out.pop();
            }
            Cow::Owned(self.out)
        };
        Swept { text, settled: self.settled }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn sweeps(text: &str, expected: &str) {
        let swept = sweep(text, true);
        assert_eq!(swept.text, expected);
        assert!(swept.settled || !swept.text.is_ascii());
    }

    #[test]
    fn clean_text_is_borrowed_and_so_is_trimmed_text() {
        for text in ["", "a", "a b", "Where is my card? It was sent to me.", "naïve 中文 🙂", "a & b"] {
            sweeps(text, text);
            assert!(matches!(sweep(text, true).text, Cow::Borrowed(_)));
        }
        assert!(matches!(sweep(" \n a b \t ", true).text, Cow::Owned(_)));
        assert!(matches!(sweep(" \n\u{feff} a b ", true).text, Cow::Borrowed("a b")));
        assert!(matches!(sweep(" \n \u{200b}", true).text, Cow::Borrowed("")));
    }

    #[test]
    fn white_space_becomes_one_space() {
        sweeps("a  b", "a b");
        sweeps("a\tb\r\nc", "a b c");
        sweeps("a \u{a0}\u{3000}\u{2028} b\u{85}c\u{1f}d", "a b c d");
        sweeps("  a  ", "a");
        sweeps("aaaaaaa  bbbbbbb  ccccccc   ", "aaaaaaa bbbbbbb ccccccc");
        sweeps("\u{200b} a \u{200b} b \u{200b}", "a b");
    }

    #[test]
    fn what_nobody_sees_goes() {
        sweeps("\u{feff}exa\u{ad}mp\u{200b}le\0\u{7f}\u{9b}", "example");
        sweeps("user\u{202e}gpj.exe\u{202c}", "usergpj.exe");
        sweeps("\u{2066}a\u{2069}\u{200e}b\u{200f}c\u{61c}d", "abcd");
        sweeps("a\u{200d}b\u{200c}c", "abc");
        sweeps("pay\u{e0070}\u{e0061}\u{e0079} me", "pay me");
    }

    #[test]
    fn entities_are_decoded_once() {
        sweeps("&amp;lt;", "&lt;");
        sweeps("a&nbsp;&nbsp;b&#10;c", "a b c");
        sweeps("&nbsp;a&nbsp;", "a");
        sweeps("x&#8203;y&shy;z", "xyz");
        sweeps("&lt;b&gt; &eacute;&#x1F642;", "<b> é🙂");
        sweeps("&#0;&#x110000;&unknown;&copy &", "&#0;&#x110000;&unknown;&copy &");
        assert_eq!(sweep("&amp;&nbsp;", false).text, "&amp;&nbsp;");
        assert!(sweep("&#65;&amp;&eacute;", true).settled);
        assert!(!sweep("&frac12;", true).settled);
    }

    #[test]
    fn emoji_stay_whole() {
        for text in [
            "👩‍👩‍👧‍👦",
            "🏳️‍🌈",
            "👩🏽‍⚕️",
            "❤️‍🔥",
            "🧑‍🤝‍🧑",
            "🐦‍⬛",
            "1️⃣",
            "🇩🇪",
            "🏴\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}",
            "🙂‍↔️",
        ] {
            sweeps(text, text);
        }
        sweeps("👩\u{200d}", "👩");
        sweeps("👩\u{200d}\u{200d}👧", "👩\u{200d}👧");
        sweeps("👩\u{200d} 👧", "👩 👧");
        sweeps("👩\u{200c}👧", "👩👧");
        sweeps("&#x1F469;&zwj;👧", "👩\u{200d}👧");
    }

    #[test]
    fn joiners_stay_where_they_choose_shapes() {
        for text in ["می‌خواهم", "ශ්‍රී", "क्‍ष", "അവന്‍ വന്നു", "അവന്‍"]
        {
            sweeps(text, text);
        }
        sweeps("خواهم\u{200c} می", "خواهم می");
        sweeps("\u{200d}क", "क");
        sweeps("ᠠ\u{180e}ᠠ", "ᠠ\u{180e}ᠠ");
        sweeps("a\u{180e}b", "ab");
    }
}

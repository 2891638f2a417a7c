use std::borrow::Cow;

use crate::elements::{Effect, element};
use crate::find::{find, find_text};
use crate::lines::Lines;
use crate::tag::{Tag, count, tag};
use pegbox_entities::{Meaning, decode};

/// What of HTML goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Html {
    pub tags: bool,
    pub entities: bool,
    pub alternative_text: bool,
}

impl Html {
    /// `text` without its HTML; borrowed where there is none.
    pub(crate) fn strip(self, text: &str) -> Cow<'_, str> {
        let (tag, entity) = match (self.tags, self.entities) {
            (true, true) => (b'<', b'&'),
            (true, false) => (b'<', b'<'),
            (false, true) => (b'&', b'&'),
            (false, false) => return Cow::Borrowed(text),
        };
        let Some(first) = find(text.as_bytes(), 0, tag, entity) else { return Cow::Borrowed(text) };
        let mut page = Page::new(text, self);
        let mut next = Some(first);
        while let Some(place) = next {
            match page.markup(place) {
                Some(end) => {
                    page.done = end;
                    next = find(text.as_bytes(), end, tag, entity);
                }
                None => next = find(text.as_bytes(), place + 1, tag, entity),
            }
        }
        page.finish()
    }
}

/// A text that is being read.
struct Page<'a> {
    text: &'a str,
    html: Html,
    lines: Lines,
    /// What stands before this place is in `lines`, or was markup.
    done: usize,
    tags: bool,
    /// Elements that an end tag names, once that was asked.
    closed: Option<u128>,
    /// How many bytes may still be read in vain, so that no text takes long.
    patience: usize,
}

impl<'a> Page<'a> {
    fn new(text: &'a str, html: Html) -> Self {
        let patience = text.len().saturating_mul(8).saturating_add(1024);
        Self { text, html, lines: Lines::default(), done: 0, tags: false, closed: None, patience }
    }

    /// Takes in the markup at `place`; where it ends, or none if it is none.
    fn markup(&mut self, place: usize) -> Option<usize> {
        let rest = &self.text.as_bytes()[place..];
        match rest {
            [b'&', ..] => self.entity(place),
            [b'<', b'!', b'-', b'-', ..] => self.comment(place),
            [b'<', b'!', b'[', ..] => self.character_data(place),
            [b'<', b'!', ..] => self.declaration(place),
            [b'<', b'?', letter, ..] if letter.is_ascii_alphabetic() => self.until(place, place + 2, "?>"),
            [b'<', letter, ..] if letter.is_ascii_alphabetic() => self.tag(place),
            [b'<', b'/', letter, ..] if letter.is_ascii_alphabetic() => self.tag(place),
            _ => None,
        }
    }

    fn entity(&mut self, place: usize) -> Option<usize> {
        let entity = decode(&self.text[place..])?;
        self.keep_until(place);
        match entity.meaning {
            Meaning::One(c) => self.lines.push(c.encode_utf8(&mut [0; 4])),
            Meaning::Named(characters) => self.lines.push(characters),
        }
        Some(place + entity.len)
    }

    fn comment(&mut self, place: usize) -> Option<usize> {
        // Browsers take `<!-->` for an empty one.
        self.until(place, place + 2, "-->")
    }

    fn declaration(&mut self, place: usize) -> Option<usize> {
        let word = self.text.as_bytes().get(place + 2..place + 9)?;
        if word.eq_ignore_ascii_case(b"doctype") { self.until(place, place + 9, ">") } else { None }
    }

    fn character_data(&mut self, place: usize) -> Option<usize> {
        const START: &str = "<![CDATA[";
        if !self.text[place..].starts_with(START) {
            // What word processors write for themselves: <![if !supportLists]>.
            return self.until(place, place + 3, "]>");
        }
        let inner = place + START.len();
        let end = self.until(place, inner, "]]>")?;
        self.lines.push(&self.text[inner..end - 3]);
        Some(end)
    }

    /// Markup from `place` up to and with `end`, which is looked for from `from` on.
    fn until(&mut self, place: usize, from: usize, end: &str) -> Option<usize> {
        if self.patience == 0 {
            return None;
        }
        match find_text(self.text, from, end) {
            Some(found) => {
                self.keep_until(place);
                self.tags = true;
                Some(found + end.len())
            }
            None => {
                self.in_vain(self.text.len() - place);
                None
            }
        }
    }

    fn tag(&mut self, place: usize) -> Option<usize> {
        if self.patience == 0 {
            return None;
        }
        let tag = match tag(self.text, place) {
            Ok(tag) => tag,
            Err(read) => {
                self.in_vain(read - place);
                return None;
            }
        };
        if self.is_type_parameter(place, &tag) {
            return None;
        }
        let mut end = tag.end;
        if tag.element.effect == Effect::Hidden && !tag.closes {
            end = self.end_of_hidden(&tag)?;
        }
        self.keep_until(place);
        self.tags = true;
        self.take(&tag);
        Some(end)
    }

    fn take(&mut self, tag: &Tag) {
        match (tag.element.effect, tag.closes) {
            (Effect::Item, false) => self.lines.item(),
            (Effect::Item, true) => self.lines.end_item(),
            (Effect::Block | Effect::Break, _) => self.lines.line(),
            (Effect::Cell | Effect::Hidden, _) => self.lines.space(),
            (Effect::Image, _) => {
                if let Some(alternative) = tag.alternative.filter(|_| self.html.alternative_text) {
                    self.lines.push(&entities(alternative));
                }
            }
            (Effect::Inline, _) => {}
        }
    }

    /// `Array<Map>` in a program names a type: a tag that follows a name, has no attributes, and that nothing ends.
    fn is_type_parameter(&mut self, place: usize, tag: &Tag) -> bool {
        let after_name = self.text[..place].ends_with(|c: char| c.is_alphanumeric() || c == '_');
        if !after_name || tag.closes || tag.has_attributes {
            return false;
        }
        let title_case = tag.name.len() > 2
            && tag.name.starts_with(|c: char| c.is_ascii_uppercase())
            && tag.name.ends_with(|c: char| c.is_ascii_lowercase());
        !self.is_closed(tag.element.number) && (title_case || !tag.element.stands_alone)
    }

    fn is_closed(&mut self, number: usize) -> bool {
        let text = self.text;
        let closed = *self.closed.get_or_insert_with(|| {
            let mut closed = 0;
            for (place, _) in text.match_indices("</") {
                let length = count(text.as_bytes(), place + 2, |byte| byte.is_ascii_alphanumeric());
                if let Some(element) = element(&text.as_bytes()[place + 2..place + 2 + length]) {
                    closed |= 1 << element.number;
                }
            }
            closed
        });
        closed >> number & 1 != 0
    }

    /// Where the end tag of `tag` ends. Without one this is no script but a text that speaks of one.
    fn end_of_hidden(&mut self, opening: &Tag) -> Option<usize> {
        if !self.is_closed(opening.element.number) {
            return None;
        }
        let mut at = opening.end;
        while let Some(place) = find_text(self.text, at, "</") {
            at = place + 2;
            if let Ok(closing) = tag(self.text, place)
                && closing.element == opening.element
            {
                return Some(closing.end);
            }
        }
        self.in_vain(self.text.len() - opening.end);
        None
    }

    fn in_vain(&mut self, bytes: usize) {
        self.patience = self.patience.saturating_sub(bytes);
    }

    fn keep_until(&mut self, place: usize) {
        if self.done == 0 {
            self.lines = Lines::with_capacity(self.text.len());
        }
        self.lines.push(&self.text[self.done..place]);
        // Markup is longer than nothing: this says from now on that there was some.
        self.done = place.max(1);
    }

    fn finish(mut self) -> Cow<'a, str> {
        if self.done == 0 {
            return Cow::Borrowed(self.text);
        }
        self.lines.push(&self.text[self.done..]);
        Cow::Owned(if self.tags { self.lines.finish() } else { self.lines.finish_untrimmed() })
    }
}

/// `text` with its entities decoded.
fn entities(text: &str) -> Cow<'_, str> {
    Html { tags: false, entities: true, alternative_text: false }.strip(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Html = Html { tags: true, entities: true, alternative_text: true };

    #[track_caller]
    fn becomes(html: &str, text: &str) {
        assert_eq!(ALL.strip(html), text);
    }

    #[test]
    fn tags_go_and_text_stays() {
        becomes("My <b>new</b> <a href=\"https://x.y/?a=1&b=2\">card</a>", "My new card");
        becomes("<span style='color:red'>red</span>", "red");
        becomes("a<!-- <b> -->b<!---->c<!-->d", "abcd");
        becomes("<!DOCTYPE html><?xml version='1.0'?>text", "text");
        becomes("<![CDATA[a < b && <i>]]>, <![if !x]>y<![endif]>", "a < b && <i>, y");
        becomes("<script>if (a < b) { x = \"</p>\" }</script>text<STYLE>p {}</style >", "text");
        becomes("see <svg viewBox='0 0 1 1'><title>x</title></svg> here", "see  here");
    }

    #[test]
    fn blocks_become_lines() {
        becomes("<p>One</p>\n\n<p>Two<br>three<br/><br>four</p>", "One\nTwo\nthree\nfour");
        becomes("<ul><li>a</li><li> <p>b</p></li><li></li></ul>end", "- a\n- b\nend");
        becomes("<table><tr><td>1</td><td>2</td></tr><tr><th>3<th>4</table>", "1 2\n3 4");
        becomes("<html><head><title>T</title></head><body><h1>H</h1>x</body></html>", "T\nH\nx");
    }

    #[test]
    fn entities_become_characters() {
        becomes("fish &amp; chips &lt;b&gt; &#8217;&copy;", "fish & chips <b> ’©");
        becomes("AT&T, ?a=1&copy=2, &unknown;", "AT&T, ?a=1&copy=2, &unknown;");
        becomes(" &amp;amp; ", " &amp; ");
    }

    #[test]
    fn images_leave_their_alternative_text() {
        becomes("<img src=x alt='A &quot;card&quot;'>!", "A \"card\"!");
        assert_eq!(Html { alternative_text: false, ..ALL }.strip("<img alt=x>!"), "!");
    }

    #[test]
    fn what_is_no_markup_stays() {
        for text in [
            "a < b and c > d",
            "List<String>, Map<String, Object>, Array<Map>, vector<object>, Optional<Time>",
            "I <3 you <-- look <= >",
            "a <b and c> d",
            "mail <me@example.org> or <https://example.org>",
            "a <b",
            "<!-- not ended",
            "<!important>",
            "how do I write <script> here?",
            "<a href=\"not ended>",
            "&",
            "<",
            "x<y>z",
        ] {
            assert!(matches!(ALL.strip(text), Cow::Borrowed(_)), "{text}");
        }
    }

    #[test]
    fn tags_after_a_name_go_if_something_ends_them() {
        becomes("im<b>por</b>tant<br>line<p>x", "important\nline\nx");
        becomes("x<Object data=y></Object>", "x");
    }

    #[test]
    fn each_can_be_turned_off() {
        let text = "<b>&amp;</b>";
        assert_eq!(Html { tags: false, ..ALL }.strip(text), "<b>&</b>");
        assert_eq!(Html { entities: false, ..ALL }.strip(text), "&amp;");
        assert_eq!(Html { tags: false, entities: false, ..ALL }.strip(text), text);
    }

    #[test]
    fn time_is_linear_in_the_length() {
        for piece in [
            "<",
            "<b",
            "<b ",
            "<!--",
            "<a x=\"",
            "<a x='\" ",
            "<script>",
            "</",
            "</script",
            "<![CDATA[",
            "<?x",
            "&",
            "&#1",
            "<a b=\"<a c='\" ",
            "x<b>",
            "<p>",
            "<li>",
            "<!doctype",
        ] {
            // Would take minutes if it were quadratic.
            ALL.strip(&piece.repeat(1_000_000 / piece.len()));
            ALL.strip(&format!("{}</script", piece.repeat(1_000_000 / piece.len())));
        }
    }
}

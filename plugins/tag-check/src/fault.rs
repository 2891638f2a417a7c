use pegbox_findings::{Names, counted, quoted};

use crate::configuration::Configuration;
use crate::scheme::{Breach, Letter, Scheme};
use crate::tag::Tag;

/// Something that is wrong with the tags of a row; a tag is given by its number, from 0.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fault {
    /// There is a space too many.
    Spacing,
    /// Numbers of tokens and of tags.
    Length(u64, u64),
    /// It is no tag.
    Unknown(usize),
    Spelling(usize),
    /// And the type that it may mean.
    UnknownType(usize, Option<usize>),
    Breach(usize, Breach),
}

/// What a message says of a row.
pub(crate) struct Row<'a> {
    pub tokens: &'a str,
    pub tags: &'a str,
    pub configuration: &'a Configuration,
    pub types: Option<&'a Names>,
}

/// The words of a value that should have one space between them.
pub(crate) fn words(value: &str) -> impl Iterator<Item = &str> {
    value.split(' ').filter(|word| !word.is_empty())
}

/// How many words there are, and whether they have one space between them and none at the ends.
pub(crate) fn counted_words(value: &str) -> (u64, bool) {
    let mut words = 0;
    let mut spaced = true;
    let mut before = b' ';
    for byte in value.bytes() {
        match (before, byte) {
            (b' ', b' ') => spaced = false,
            (b' ', _) => words += 1,
            _ => {}
        }
        before = byte;
    }
    (words, spaced && (value.is_empty() || before != b' '))
}

impl Row<'_> {
    /// That there is a space too many.
    pub fn spacing(field: &str) -> String {
        format!("`{field}` has a space too many: there should be one between any two, and none at the ends")
    }

    /// What is wrong, with what there is and what was expected.
    pub fn told(&self, fault: &Fault) -> String {
        let scheme = self.configuration.scheme;
        match fault {
            Fault::Spacing => Self::spacing("tags"),
            Fault::Length(tokens, tags) => {
                format!(
                    "there are {} and {}: each token has one tag",
                    counted(*tokens, "token"),
                    counted(*tags, "tag")
                )
            }
            Fault::Unknown(number) | Fault::Breach(number, Breach::Letter) => {
                let letters: Vec<String> =
                    scheme.letters().iter().map(|letter| letter.as_char().to_string()).collect();
                format!(
                    "{} is no tag of {scheme}: that is `O`, or one of {}, then {} and a type",
                    self.tag(*number),
                    letters.join(", "),
                    quoted(&self.configuration.separator)
                )
            }
            Fault::Spelling(number) => {
                let tag = self.read(*number);
                let letter = tag.and_then(|tag| tag.letter).unwrap_or(Letter::O);
                let written = self.written(letter, tag.map_or("", |tag| tag.kind));
                format!("{} should be written {}", self.tag(*number), quoted(&written))
            }
            Fault::UnknownType(number, near) => {
                let near = near.and_then(|near| self.types.map(|types| types.name(near)));
                let near = near.map(|near| format!("; did you mean {}?", quoted(near))).unwrap_or_default();
                format!("{} has a type that is not one of `types`{near}", self.tag(*number))
            }
            Fault::Breach(number, Breach::NoBegin) => match number.checked_sub(1) {
                None => format!("{} goes on with an entity, and is the first", self.tag(*number)),
                Some(before) => {
                    let before = quoted(self.tag_text(before));
                    format!("{} goes on with an entity, and none is open after {before}", self.tag(*number))
                }
            },
            Fault::Breach(number, Breach::TypeChange) => {
                let before = quoted(self.tag_text(number.saturating_sub(1)));
                format!("{} goes on with an entity of another type, {before}", self.tag(*number))
            }
            Fault::Breach(number, Breach::Unclosed) => {
                let kind = self.read(*number).map_or("", |tag| tag.kind);
                let [last, single] = match scheme {
                    Scheme::Bilou => [Letter::L, Letter::U],
                    Scheme::Iob1 | Scheme::Iob2 | Scheme::Iobes => [Letter::E, Letter::S],
                };
                format!(
                    "{} leaves its entity open: its last token has {}, one that is alone {}",
                    self.tag(*number),
                    quoted(&self.written(last, kind)),
                    quoted(&self.written(single, kind))
                )
            }
            Fault::Breach(number, Breach::NeedlessBegin) => {
                let kind = self.read(*number).map_or("", |tag| tag.kind);
                let inside = quoted(&self.written(Letter::I, kind));
                format!(
                    "{} has no entity of its type right before it: {scheme} begins it with {inside}",
                    self.tag(*number)
                )
            }
        }
    }

    /// ``tag 3 (`I-PER` at `Lee`)``; people count from 1.
    fn tag(&self, number: usize) -> String {
        let at = words(self.tokens).nth(number).map(|token| format!(" at {}", quoted(token)));
        format!("tag {} ({}{})", number + 1, quoted(self.tag_text(number)), at.unwrap_or_default())
    }

    fn tag_text(&self, number: usize) -> &str {
        words(self.tags).nth(number).unwrap_or_default()
    }

    fn read(&self, number: usize) -> Option<Tag<'_>> {
        words(self.tags).nth(number).map(|tag| Tag::read(tag, &self.configuration.separator))
    }

    fn written(&self, letter: Letter, kind: &str) -> String {
        match letter {
            Letter::O => "O".to_owned(),
            letter => format!("{}{}{kind}", letter.as_char(), self.configuration.separator),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_counted_and_their_spaces_seen() {
        for (value, expected) in [
            ("", (0, true)),
            ("a", (1, true)),
            ("ä b c", (3, true)),
            ("a  b", (2, false)),
            (" a", (1, false)),
            ("a ", (1, false)),
            (" ", (0, false)),
        ] {
            assert_eq!(counted_words(value), expected, "{value:?}");
            assert_eq!(words(value).count() as u64, expected.0);
        }
    }
}

use pegbox_findings::{Names, quoted};
use unicode_segmentation::UnicodeSegmentation;

use crate::edges::cut_word;
use crate::offsets::{Unit, slice};
use crate::spans::Span;

/// Something that is wrong with a span, given by its number, from 0.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Fault {
    Unreadable(String),
    /// It is no part of the text.
    NoPart(usize),
    /// It holds nothing but white space.
    Blank(usize),
    /// One of its ends, the start if so, is within a character; the bytes that it covers without that.
    CutCharacter(usize, (usize, usize), bool),
    /// It does not say what stands there.
    Text(usize),
    WhiteSpace(usize),
    /// The bytes that it covers, and which of its ends is within a word.
    CutWord(usize, (usize, usize), usize),
    NoLabel(usize),
    /// And the label that it may mean.
    UnknownLabel(usize, Option<usize>),
    /// And the one that it repeats.
    Repeated(usize, usize),
    /// And the one that it overlaps.
    Overlapping(usize, usize),
    /// And the one within which it lies.
    Nested(usize, usize),
}

/// What a message says of a row.
pub(crate) struct Row<'a> {
    pub text: &'a str,
    pub spans: &'a [Span<'a>],
    pub unit: Unit,
    /// Units that the text has.
    pub units: usize,
    pub labels: Option<&'a Names>,
}

impl Row<'_> {
    /// What is wrong, with what there is and what was expected.
    pub fn told(&self, fault: &Fault) -> String {
        match fault {
            Fault::Unreadable(why) => format!("the spans cannot be read: {why}"),
            Fault::NoPart(number) => self.no_part(*number),
            Fault::Blank(number) => format!("{} holds nothing but white space", self.span(*number)),
            Fault::CutCharacter(number, (start, end), at_start) => {
                let covered = self.text.get(*start..*end).unwrap_or_default();
                let (end, whole) =
                    if *at_start { ("begins", first(covered)) } else { ("ends", last(covered)) };
                format!("{} {end} within the character {}", self.span(*number), quoted(whole))
            }
            Fault::Text(number) => self.text(*number),
            Fault::WhiteSpace(number) => {
                let here = self.here(*number, self.unit).unwrap_or_default();
                format!("{} begins or ends with white space: {}", self.span(*number), quoted(here))
            }
            Fault::CutWord(number, (start, end), at) => {
                let covered = self.text.get(*start..*end).unwrap_or_default();
                let word = cut_word(self.text, *at).unwrap_or_default();
                format!("{} is {}, which cuts the word {}", self.span(*number), quoted(covered), quoted(word))
            }
            Fault::NoLabel(number) => format!("{} has no label", self.span(*number)),
            Fault::UnknownLabel(number, near) => {
                let near = near.and_then(|near| self.labels.map(|names| names.name(near)));
                let near = near.map(|near| format!("; did you mean {}?", quoted(near))).unwrap_or_default();
                format!("{} has a label that is not one of `labels`{near}", self.span(*number))
            }
            Fault::Repeated(number, other) => {
                format!("{} repeats span {}", self.span(*number), other + 1)
            }
            Fault::Overlapping(number, other) => {
                format!("{} overlaps {}", self.span(*number), self.span(*other))
            }
            Fault::Nested(number, other) => {
                format!("{} lies within {}", self.span(*number), self.span(*other))
            }
        }
    }

    fn no_part(&self, number: usize) -> String {
        let span = self.span(number);
        let Some(Span { start, end, .. }) = self.spans.get(number) else { return span };
        if start.max(end) > &(self.units as u64) {
            let hint = self.other_unit(number);
            return format!("{span} is out of the text, which has {} {}{hint}", self.units, self.unit);
        }
        if start == end { format!("{span} is empty") } else { format!("{span} ends before it begins") }
    }

    fn text(&self, number: usize) -> String {
        let stated = self.spans.get(number).and_then(|span| span.text.as_deref()).unwrap_or_default();
        let here = match self.here(number, self.unit) {
            Some(here) => format!("there stands {}", quoted(here)),
            None => "there stands a part of a character".to_owned(),
        };
        format!("{} should be {}, and {here}{}", self.span(number), quoted(stated), self.other_unit(number))
    }

    /// That the span would be right if it counted something else.
    fn other_unit(&self, number: usize) -> String {
        let stated = self.spans.get(number).and_then(|span| span.text.as_deref());
        let right =
            |unit: &Unit| *unit != self.unit && stated.is_some() && self.here(number, *unit) == stated;
        match Unit::ALL.into_iter().find(right) {
            Some(unit) => format!("; counted in {unit} it would be right, so look at `unit`"),
            None => String::new(),
        }
    }

    /// What stands where the span is.
    fn here(&self, number: usize, unit: Unit) -> Option<&str> {
        let span = self.spans.get(number)?;
        slice(self.text, unit, span.start, span.end)
    }

    /// ``span 2 (`PER`, 0 to 4)``; people count from 1.
    fn span(&self, number: usize) -> String {
        let Some(Span { start, end, label, .. }) = self.spans.get(number) else { return String::new() };
        let label = label.as_deref().filter(|label| !label.trim().is_empty());
        let label = label.map(|label| format!("{}, ", quoted(label))).unwrap_or_default();
        format!("span {} ({label}{start} to {end})", number + 1)
    }
}

/// The first character of `text`, as readers count them.
fn first(text: &str) -> &str {
    text.graphemes(true).next().unwrap_or_default()
}

/// The last character of `text`, as readers count them.
fn last(text: &str) -> &str {
    text.graphemes(true).next_back().unwrap_or_default()
}

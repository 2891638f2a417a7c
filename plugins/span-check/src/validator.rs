use std::cmp::Reverse;

use pegbox_findings::{
    Levels, Listed, Listing, Names, RowFaults, broken, column, counted, decode, encode, quoted,
};
use pegbox_plugin::{Error, Finding, Plugin, RowBatch, Validator, parse_configuration};
use serde::{Deserialize, Serialize};

use crate::codes;
use crate::configuration::{self, Configuration, Overlaps};
use crate::edges::{cut_character, cut_word};
use crate::fault::{Fault, Row};
use crate::mend::{Mend, mended};
use crate::offsets::Offsets;
use crate::spans::{Span, read};

/// The role of the text.
const TEXT: &str = "text";
/// The role of its spans.
const SPANS: &str = "spans";
/// Spans of one record whose text is looked for elsewhere: each look goes through the whole text.
const LOOKED_FOR: usize = 64;
/// Unused labels that are named one by one.
const LISTED: usize = 100;

/// The validator, configured, with what it has gathered so far.
pub struct SpanCheck {
    configuration: Configuration,
    labels: Option<Names>,
    listing: Listing,
    seen: Seen,
    /// What is known of the row that is looked at; kept for its room.
    offsets: Offsets,
    faults: RowFaults<Fault>,
    looked: Vec<Looked>,
    /// Places in `looked`.
    order: Vec<usize>,
    open: Vec<usize>,
}

/// A span as it would be once it is mended.
#[derive(Clone, Copy, Debug, Default)]
struct Looked {
    /// The bytes that it covers; none if it is no part of the text.
    bytes: Option<(usize, usize)>,
    /// Another label than it has.
    label: Option<usize>,
    drop: bool,
}

/// What is counted.
#[derive(Clone, Default, Debug, Serialize, Deserialize)]
struct Seen {
    records: u64,
    spans: u64,
    /// Spans of each label that the recipe names.
    of_label: Vec<u64>,
}

/// What travels to another instance.
#[derive(Serialize, Deserialize)]
struct State<L, S> {
    listed: L,
    seen: S,
}

impl SpanCheck {
    /// # Errors
    /// `levels` names a code that there is not.
    pub fn new(configuration: Configuration) -> Result<Self, Error> {
        let levels = Levels::new(&configuration.levels, &codes::ALL)?;
        let names = configuration.labels.clone();
        let seen = Seen { of_label: vec![0; names.as_ref().map_or(0, Vec::len)], ..Seen::default() };
        Ok(Self {
            listing: Listing::new(&codes::ALL, levels, configuration.max_findings),
            labels: names.map(Names::new),
            configuration,
            seen,
            offsets: Offsets::default(),
            faults: RowFaults::default(),
            looked: Vec::new(),
            order: Vec::new(),
            open: Vec::new(),
        })
    }

    /// Looks at one row; returns the spans that mend it, if anything can be mended.
    fn check(&mut self, text: &str, json: &str, spans: &[Span<'_>]) -> Option<String> {
        self.seen.spans += spans.len() as u64;
        self.offsets.measure(text, self.configuration.unit);
        self.looked.clear();
        let mut looks = LOOKED_FOR;
        for (number, span) in spans.iter().enumerate() {
            let bytes = self.place(text, number, span, &mut looks);
            let label = self.label(number, span);
            self.looked.push(Looked { bytes, label, drop: false });
        }
        self.sort(spans);
        self.repeated(spans);
        if self.configuration.overlaps != Overlaps::Allow {
            self.overlaps();
        }
        if !self.faults.mended() {
            return None;
        }
        let mends: Vec<Mend<'_>> =
            spans.iter().zip(&self.looked).map(|(span, looked)| self.mend(text, span, *looked)).collect();
        mended(json, &self.configuration.keys, &mends)
    }

    /// The bytes that the span covers, or should.
    fn place(
        &mut self,
        text: &str,
        number: usize,
        span: &Span<'_>,
        looks: &mut usize,
    ) -> Option<(usize, usize)> {
        let len = self.offsets.len() as u64;
        if span.start >= span.end || span.end > len {
            let code = if span.start.max(span.end) > len { codes::OUT_OF_BOUNDS } else { codes::EMPTY };
            let found = self.elsewhere(text, span, None, looks).filter(|_| self.listing.wants(code));
            self.faults.add(code, found.is_some(), Fault::NoPart(number));
            return found;
        }

        // Within the text, so a `usize`.
        let (start, part_at_start) = self.offsets.floor(span.start as usize);
        let (end, part_at_end) = self.offsets.ceil(span.end as usize);
        let mut bytes = (start, end);
        let (cut_at_start, cut_at_end) = (cut_character(text, start), cut_character(text, end));
        if part_at_start || part_at_end || cut_at_start.is_some() || cut_at_end.is_some() {
            let wide =
                (cut_at_start.map_or(start, |(start, _)| start), cut_at_end.map_or(end, |(_, end)| end));
            let mends = self.listing.wants(codes::CUT_CHARACTER);
            let at_start = part_at_start || cut_at_start.is_some();
            self.faults.add(codes::CUT_CHARACTER, mends, Fault::CutCharacter(number, wide, at_start));
            if mends {
                bytes = wide;
            }
        }

        let here = text.get(start..end).unwrap_or_default();
        if let Some(stated) = span.text.as_deref().filter(|stated| *stated != here) {
            let trimmed = here.trim() == stated && self.listing.wants(codes::WHITE_SPACE);
            if !trimmed {
                let found = self
                    .elsewhere(text, span, Some(bytes), looks)
                    .filter(|_| self.listing.wants(codes::TEXT));
                self.faults.add(codes::TEXT, found.is_some(), Fault::Text(number));
                bytes = found.unwrap_or(bytes);
            }
        }

        let covered = text.get(bytes.0..bytes.1).unwrap_or_default();
        let trimmed = covered.trim();
        if trimmed.is_empty() {
            self.faults.add(codes::EMPTY, false, Fault::Blank(number));
            return None;
        }
        if trimmed.len() < covered.len() {
            let mends = self.listing.wants(codes::WHITE_SPACE);
            self.faults.add(codes::WHITE_SPACE, mends, Fault::WhiteSpace(number));
            if mends {
                let start = bytes.0 + covered.len() - covered.trim_start().len();
                bytes = (start, start + trimmed.len());
            }
        }
        for at in [bytes.0, bytes.1] {
            if cut_word(text, at).is_some() {
                self.faults.add(codes::CUT_WORD, false, Fault::CutWord(number, bytes, at));
                break;
            }
        }
        Some(bytes)
    }

    /// Where else in the text stands what the span should say: there is one such place, or one that meets `here`.
    fn elsewhere(
        &self,
        text: &str,
        span: &Span<'_>,
        here: Option<(usize, usize)>,
        looks: &mut usize,
    ) -> Option<(usize, usize)> {
        let stated = span.text.as_deref().filter(|stated| !stated.trim().is_empty())?;
        *looks = looks.checked_sub(1)?;
        let places = || text.match_indices(stated).map(|(at, _)| (at, at + stated.len()));
        only(places()).or_else(|| {
            let (start, end) = here?;
            only(places().filter(|place| place.0 < end && start < place.1))
        })
    }

    /// The label that the span should have, if it has another.
    fn label(&mut self, number: usize, span: &Span<'_>) -> Option<usize> {
        let Some(label) = span.label.as_deref().filter(|label| !label.trim().is_empty()) else {
            self.faults.add(codes::NO_LABEL, false, Fault::NoLabel(number));
            return None;
        };
        let names = self.labels.as_mut()?;
        if let Some(known) = names.place(label) {
            if let Some(spans) = self.seen.of_label.get_mut(known) {
                *spans += 1;
            }
            return None;
        }
        let near = names.nearest(label).map(|near| near.meaning);
        let near = near.filter(|_| self.listing.wants(codes::UNKNOWN_LABEL));
        self.faults.add(codes::UNKNOWN_LABEL, near.is_some(), Fault::UnknownLabel(number, near));
        near
    }

    /// From left to right, the longer of two that begin together first.
    fn sort(&mut self, spans: &[Span<'_>]) {
        let Self { looked, order, labels, .. } = self;
        let (looked, labels) = (looked.as_slice(), labels.as_ref());
        order.clear();
        order.extend(
            (0..looked.len()).filter(|number| looked.get(*number).is_some_and(|it| it.bytes.is_some())),
        );
        let key = |number: &usize| {
            let (start, end) = looked.get(*number).and_then(|it| it.bytes).unwrap_or_default();
            (start, Reverse(end))
        };
        let label = |number: usize| label_of(labels, spans, looked, number);
        order.sort_by(|one, other| {
            key(one).cmp(&key(other)).then_with(|| label(*one).cmp(&label(*other)).then(one.cmp(other)))
        });
    }

    /// Spans that are there already, with the same label.
    fn repeated(&mut self, spans: &[Span<'_>]) {
        let mends = self.listing.wants(codes::REPEATED);
        let mut before: Option<usize> = None;
        let mut order = std::mem::take(&mut self.order);
        order.retain(|number| {
            let same = before.filter(|before| {
                let bytes = |number: usize| self.looked.get(number).and_then(|looked| looked.bytes);
                let label = |number| label_of(self.labels.as_ref(), spans, &self.looked, number);
                bytes(*before) == bytes(*number) && label(*before) == label(*number)
            });
            let Some(same) = same else {
                before = Some(*number);
                return true;
            };
            self.faults.add(codes::REPEATED, mends, Fault::Repeated(*number, same));
            if let Some(looked) = self.looked.get_mut(*number) {
                looked.drop = mends;
            }
            false
        });
        self.order = order;
    }

    /// Spans that share characters with another.
    fn overlaps(&mut self) {
        self.open.clear();
        let bytes = |looked: &[Looked], number: usize| {
            looked.get(number).and_then(|looked| looked.bytes).unwrap_or_default()
        };
        for number in &self.order {
            let (start, end) = bytes(&self.looked, *number);
            while self.open.last().is_some_and(|open| bytes(&self.looked, *open).1 <= start) {
                self.open.pop();
            }
            if let Some(open) = self.open.last() {
                if end > bytes(&self.looked, *open).1 {
                    self.faults.add(codes::OVERLAPPING, false, Fault::Overlapping(*number, *open));
                } else if self.configuration.overlaps == Overlaps::Forbid {
                    self.faults.add(codes::NESTED, false, Fault::Nested(*number, *open));
                }
            }
            self.open.push(*number);
        }
    }

    /// What is to change in a span.
    fn mend<'a>(&'a self, text: &'a str, span: &Span<'_>, looked: Looked) -> Mend<'a> {
        let place = looked.bytes.map(|(start, end)| (self.offsets.unit(start), self.offsets.unit(end)));
        let place = place.filter(|(start, end)| (*start as u64, *end as u64) != (span.start, span.end));
        let says = place.and(looked.bytes).and_then(|(start, end)| text.get(start..end));
        Mend {
            drop: looked.drop,
            place,
            label: looked.label.and_then(|label| self.labels.as_ref().map(|names| names.name(label))),
            text: says.filter(|says| span.text.as_deref().is_some_and(|stated| stated != *says)),
        }
    }

    /// What only the whole set shows.
    fn of_set(&self) -> Vec<Finding> {
        let Seen { records, spans, of_label } = &self.seen;
        if *spans == 0 && *records > 0 {
            let message = || {
                let records = if *records == 1 {
                    "the record has no span".to_owned()
                } else {
                    format!("none of the {records} records has a span")
                };
                format!("{records}; is `spans` the right field?")
            };
            return self.listing.of_set(codes::NO_SPANS, SPANS, message).into_iter().collect();
        }
        let names = self.labels.iter().flat_map(Names::iter).zip(of_label);
        let unused: Vec<&str> = names.filter(|(_, spans)| **spans == 0).map(|(name, _)| name).collect();
        let message = |name: &&str| format!("no span has the label {}", quoted(name));
        let named = unused.iter().take(LISTED);
        let mut findings: Vec<Finding> = named
            .filter_map(|name| self.listing.of_set(codes::UNUSED_LABEL, SPANS, || message(name)))
            .collect();
        if let Some(more) = unused.len().checked_sub(LISTED).filter(|more| *more > 0) {
            let message = || format!("not listed: {} that no span has", counted(more as u64, "more label"));
            findings.extend(self.listing.of_set(codes::UNUSED_LABEL, SPANS, message));
        }
        findings
    }
}

/// What comes, if nothing comes after it.
fn only<T>(mut values: impl Iterator<Item = T>) -> Option<T> {
    values.next().filter(|_| values.next().is_none())
}

/// The label that the span of this number has, once it is mended.
fn label_of<'a>(
    names: Option<&'a Names>,
    spans: &'a [Span<'_>],
    looked: &[Looked],
    number: usize,
) -> Option<&'a str> {
    let mended = looked.get(number).and_then(|looked| looked.label);
    match (mended, names) {
        (Some(label), Some(names)) => Some(names.name(label)),
        _ => spans.get(number)?.label.as_deref(),
    }
}

impl Plugin for SpanCheck {
    const NAME: &'static str = pegbox_plugin::manifest_name!();
    const CONFIGURATION_SCHEMA: &'static str = configuration::SCHEMA;

    fn configure(json: &str) -> Result<Self, Error> {
        Self::new(parse_configuration(json)?)
    }
}

impl Validator for SpanCheck {
    fn validate(&mut self, batch: RowBatch) -> Result<Vec<Finding>, Error> {
        let (text_at, spans_at) = (column(&batch, TEXT)?, column(&batch, SPANS)?);
        let mut findings = Vec::new();
        for row in &batch.rows {
            let value = |place: usize| row.values.get(place).and_then(Option::as_deref).unwrap_or_default();
            let (text, json) = (value(text_at), value(spans_at));
            self.seen.records += 1;
            if json.trim().is_empty() {
                continue;
            }
            self.faults.clear();
            let (spans, mended) = match read(json, &self.configuration.keys) {
                Ok(spans) => {
                    let mended = self.check(text, json, &spans);
                    (spans, mended)
                }
                Err(why) => {
                    self.faults.add(codes::UNREADABLE, false, Fault::Unreadable(why));
                    (Vec::new(), None)
                }
            };
            if self.faults.is_empty() {
                continue;
            }
            let seen = Row {
                text,
                spans: &spans,
                unit: self.configuration.unit,
                units: self.offsets.len(),
                labels: self.labels.as_ref(),
            };
            let place = (row.id, SPANS);
            self.listing
                .add_all(&mut findings, place, &self.faults, mended.as_deref(), |fault| seen.told(fault));
        }
        Ok(findings)
    }

    fn state(&self) -> Result<Vec<u8>, Error> {
        encode(&State { listed: self.listing.state(), seen: &self.seen })
    }

    fn merge(&mut self, state: &[u8]) -> Result<(), Error> {
        let State { listed, seen } = decode::<State<Vec<Listed>, Seen>>(state)?;
        if seen.of_label.len() != self.seen.of_label.len() {
            return Err(broken("it has another number of labels"));
        }
        self.listing.merge(listed)?;
        self.seen.records = self.seen.records.saturating_add(seen.records);
        self.seen.spans = self.seen.spans.saturating_add(seen.spans);
        for (ours, theirs) in self.seen.of_label.iter_mut().zip(seen.of_label) {
            *ours = ours.saturating_add(theirs);
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<Vec<Finding>, Error> {
        let mut findings = self.listing.finish();
        findings.extend(self.of_set());
        Ok(findings)
    }
}

#[cfg(test)]
mod tests;

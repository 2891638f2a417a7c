use std::collections::HashSet;

use pegbox_findings::{Levels, Listed, Listing, RowFaults, broken, column, counted, decode, encode, quoted};
use pegbox_plugin::{Error, Finding, Plugin, RowBatch, Validator, parse_configuration};
use serde::{Deserialize, Serialize};

use crate::codes;
use crate::configuration::{self, Configuration, Mode};
use crate::label_set::{LabelSet, Meaning};
use crate::value::Written;

/// The role of the label.
const LABEL: &str = "label";
/// Unused and rare labels that are named one by one.
const LISTED: usize = 100;

/// The validator, configured, with what it has gathered so far.
pub struct LabelSchema {
    configuration: Configuration,
    labels: LabelSet,
    listing: Listing,
    /// Records that each label occurs in.
    records: Vec<u64>,
    row: Row,
}

/// The row that is looked at; kept for its room.
#[derive(Default)]
struct Row {
    faults: RowFaults<Fault>,
    /// Its number, from 1, among all rows that this instance looks at.
    number: u64,
    /// By label: the number of the last row that had it.
    labels: Vec<u64>,
    /// By set of labels that exclude each other: the number of the last row that had one, and which.
    exclusive: Vec<(u64, usize)>,
    /// The row's different labels.
    present: Vec<usize>,
    /// What becomes of each label as it is written.
    becomes: Vec<Becomes>,
}

/// What becomes of a label as it is written, if the fix is applied.
#[derive(Clone, Copy)]
enum Becomes {
    /// It stays as it is written.
    Itself,
    Label(usize),
    Nothing,
}

/// Something that is wrong with one row.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Fault {
    Empty,
    Unreadable(String),
    Unknown(String),
    Close(String, usize),
    Slip(String, usize),
    Alias(String, usize),
    Blank,
    Deprecated(usize),
    Repeated(usize),
    Number(u64),
    Excluded(usize, usize),
    Required(usize, usize),
}

/// What travels to another instance.
#[derive(Serialize, Deserialize)]
struct State<L, R> {
    listed: L,
    records: R,
}

impl LabelSchema {
    /// # Errors
    /// A schema that contradicts itself.
    pub fn new(configuration: Configuration) -> Result<Self, Error> {
        let labels = LabelSet::new(&configuration)?;
        let levels = Levels::new(&configuration.levels, &codes::ALL)?;
        let listing = Listing::new(&codes::ALL, levels, configuration.max_findings);
        let count = labels.labels().len();
        let row =
            Row { labels: vec![0; count], exclusive: vec![(0, 0); labels.exclusive_sets], ..Row::default() };
        Ok(Self { configuration, labels, listing, records: vec![0; count], row })
    }

    /// Looks at one row with a value; returns the value that mends it, if there is one.
    fn check(&mut self, value: &str) -> Option<String> {
        let multi = self.configuration.mode == Mode::Multi;
        if !multi {
            self.label(value);
            self.count();
            return match self.row.becomes.first() {
                Some(Becomes::Label(label)) if self.row.faults.mended() => {
                    Some(self.labels.name(*label).to_owned())
                }
                _ => None,
            };
        }
        // Not a part of `self` while the labels are looked at.
        let separator = std::mem::take(&mut self.configuration.separator);
        let written = Written::read(value, self.configuration.form, &separator);
        let mended = match &written {
            Ok(written) => {
                written.labels.iter().for_each(|label| self.label(label));
                self.check_number(written);
                self.check_rules();
                self.count();
                self.row.faults.mended().then(|| written.written(self.mended(written)))
            }
            Err(why) => {
                self.row.faults.add(codes::UNREADABLE, false, Fault::Unreadable(why.clone()));
                None
            }
        };
        drop(written);
        self.configuration.separator = separator;
        mended
    }

    /// One label of the row, as it is written.
    fn label(&mut self, written: &str) {
        let meaning = if written.trim().is_empty() { None } else { Some(self.labels.meaning(written)) };
        let (code, fault) = match meaning {
            None => (codes::SPELLING, Some(Fault::Blank)),
            Some(Meaning::Label(_)) => (codes::SPELLING, None),
            Some(Meaning::Alias(label)) => (codes::ALIAS, Some(Fault::Alias(written.to_owned(), label))),
            Some(Meaning::Slip(label)) => (codes::SPELLING, Some(Fault::Slip(written.to_owned(), label))),
            Some(Meaning::Close(label)) => (codes::UNKNOWN, Some(Fault::Close(written.to_owned(), label))),
            Some(Meaning::Nothing) => (codes::UNKNOWN, Some(Fault::Unknown(written.to_owned()))),
        };
        let mends = fault.is_some() && meaning != Some(Meaning::Nothing) && self.listing.wants(code);
        if let Some(fault) = fault {
            self.row.faults.add(code, mends, fault);
        }
        let becomes = match meaning {
            None if mends => Becomes::Nothing,
            Some(Meaning::Label(label)) => Becomes::Label(label),
            Some(Meaning::Alias(label) | Meaning::Slip(label) | Meaning::Close(label)) if mends => {
                Becomes::Label(label)
            }
            _ => Becomes::Itself,
        };
        self.row.becomes.push(becomes);
        // What is merely close may be something else: it does not count as the label.
        if let Some(Meaning::Label(label) | Meaning::Alias(label) | Meaning::Slip(label)) = meaning {
            self.meet(label);
        }
    }

    /// The row has `label`, which is the last that was read.
    fn meet(&mut self, label: usize) {
        let row = self.row.number;
        let Some(last) = self.row.labels.get_mut(label) else { return };
        if std::mem::replace(last, row) == row {
            let mends = self.listing.wants(codes::REPEATED);
            self.row.faults.add(codes::REPEATED, mends, Fault::Repeated(label));
            if let Some(becomes) = self.row.becomes.last_mut().filter(|_| mends) {
                *becomes = Becomes::Nothing;
            }
            return;
        }
        self.row.present.push(label);
        if self.labels.is_deprecated(label) {
            let replacement =
                self.labels.replacement(label).filter(|_| self.listing.wants(codes::DEPRECATED));
            let fault = Fault::Deprecated(label);
            self.row.faults.add(codes::DEPRECATED, replacement.is_some(), fault);
            if let (Some(replacement), Some(becomes)) = (replacement, self.row.becomes.last_mut()) {
                *becomes = Becomes::Label(replacement);
            }
        }
    }

    /// Whether the row, of several labels, has too few or too many, once it is mended.
    fn check_number(&mut self, written: &Written<'_>) {
        let labels = match self.row.faults.is_empty() {
            true => self.row.becomes.len(),
            false => self.mended(written).count(),
        };
        let labels = labels as u64;
        if labels < u64::from(self.configuration.min_labels) {
            self.row.faults.add(codes::TOO_FEW, false, Fault::Number(labels));
        }
        if self.configuration.max_labels.is_some_and(|most| labels > u64::from(most)) {
            self.row.faults.add(codes::TOO_MANY, false, Fault::Number(labels));
        }
    }

    /// Whether the row's labels go together.
    fn check_rules(&mut self) {
        let row = self.row.number;
        let present = std::mem::take(&mut self.row.present);
        for label in &present {
            for set in self.labels.exclusions(*label) {
                let Some((last, other)) = self.row.exclusive.get_mut(*set) else { continue };
                if *last == row {
                    let other = *other;
                    self.row.faults.add(codes::EXCLUDED, false, Fault::Excluded(other, *label));
                } else {
                    (*last, *other) = (row, *label);
                }
            }
            for required in self.labels.requirements(*label) {
                if self.row.labels.get(*required) != Some(&row) {
                    self.row.faults.add(codes::REQUIRED, false, Fault::Required(*label, *required));
                }
            }
        }
        self.row.present = present;
    }

    /// The row's labels occur in one record more.
    fn count(&mut self) {
        for label in &self.row.present {
            if let Some(records) = self.records.get_mut(*label) {
                *records += 1;
            }
        }
    }

    /// The labels of the mended row, each once.
    fn mended<'a>(&'a self, written: &'a Written<'_>) -> impl Iterator<Item = &'a str> {
        let mut seen = HashSet::new();
        written.labels.iter().zip(&self.row.becomes).filter_map(move |(label, becomes)| match becomes {
            Becomes::Itself => Some(label.as_ref()),
            Becomes::Label(label) => seen.insert(*label).then(|| self.labels.name(*label)),
            Becomes::Nothing => None,
        })
    }

    /// Labels that nobody uses, and those that hardly anybody does.
    fn seldom(&self) -> Vec<Finding> {
        let needed = u64::from(self.configuration.min_per_label);
        let numbered = || self.records.iter().copied().enumerate();
        let current = |(label, _): &(usize, u64)| !self.labels.is_deprecated(*label);
        let unused: Vec<(usize, u64)> =
            numbered().filter(|(_, records)| *records == 0).filter(current).collect();
        let rare: Vec<(usize, u64)> =
            numbered().filter(|(_, records)| (1..needed).contains(records)).filter(current).collect();

        let mut findings = Vec::new();
        let mut list = |code, labels: &[(usize, u64)], message: &dyn Fn(usize, u64) -> String, what: &str| {
            let named = labels.iter().take(LISTED);
            findings.extend(
                named.filter_map(|(label, n)| self.listing.of_set(code, LABEL, || message(*label, *n))),
            );
            if let Some(more) = labels.len().checked_sub(LISTED).filter(|more| *more > 0) {
                let message = || format!("not listed: {} {what}", counted(more as u64, "more label"));
                findings.extend(self.listing.of_set(code, LABEL, message));
            }
        };
        let message = |label: usize, _: u64| format!("no record has the label {}", self.labels.told(label));
        list(codes::UNUSED, &unused, &message, "that no record has");
        let what = format!("of fewer records than `min-per-label` = {needed}");
        let message = |label: usize, records: u64| {
            let label = self.labels.told(label);
            format!("{} the label {label}, fewer than `min-per-label` = {needed}", have(records))
        };
        list(codes::RARE, &rare, &message, &what);
        findings
    }
}

impl Plugin for LabelSchema {
    const NAME: &'static str = pegbox_plugin::manifest_name!();
    const CONFIGURATION_SCHEMA: &'static str = configuration::SCHEMA;

    fn configure(json: &str) -> Result<Self, Error> {
        Self::new(parse_configuration(json)?)
    }
}

impl Validator for LabelSchema {
    fn validate(&mut self, batch: RowBatch) -> Result<Vec<Finding>, Error> {
        let place = column(&batch, LABEL)?;
        let mut findings = Vec::new();
        for row in &batch.rows {
            let value = row.values.get(place).and_then(Option::as_deref).unwrap_or_default();
            self.row.begin();
            let mended = if value.trim().is_empty() {
                if self.configuration.mode == Mode::Single || self.configuration.min_labels > 0 {
                    self.row.faults.add(codes::EMPTY, false, Fault::Empty);
                }
                None
            } else {
                self.check(value)
            };
            if !self.row.faults.is_empty() {
                let told = |fault: &Fault| told(fault, &self.labels, &self.configuration);
                let (listing, row) = (&mut self.listing, (row.id, LABEL));
                listing.add_all(&mut findings, row, &self.row.faults, mended.as_deref(), told);
            }
        }
        Ok(findings)
    }

    fn state(&self) -> Result<Vec<u8>, Error> {
        encode(&State { listed: self.listing.state(), records: self.records.as_slice() })
    }

    fn merge(&mut self, state: &[u8]) -> Result<(), Error> {
        let State { listed, records } = decode::<State<Vec<Listed>, Vec<u64>>>(state)?;
        if records.len() != self.records.len() {
            return Err(broken("it has another number of labels"));
        }
        self.listing.merge(listed)?;
        for (ours, theirs) in self.records.iter_mut().zip(records) {
            *ours = ours.saturating_add(theirs);
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<Vec<Finding>, Error> {
        let mut findings = self.listing.finish();
        findings.extend(self.seldom());
        Ok(findings)
    }
}

impl Row {
    fn begin(&mut self) {
        self.faults.clear();
        self.number += 1;
        self.present.clear();
        self.becomes.clear();
    }
}

fn told(fault: &Fault, labels: &LabelSet, configuration: &Configuration) -> String {
    let number = labels.labels().len() as u64;
    match fault {
        Fault::Empty => "there is no label".to_owned(),
        Fault::Unreadable(why) => format!("the labels should be a JSON list of texts: {why}"),
        Fault::Unknown(written) => {
            format!("{} is none of the {} of the schema", quoted(written), counted(number, "label"))
        }
        Fault::Close(written, label) => {
            format!("{} is not in the schema; did you mean {}?", quoted(written), labels.told(*label))
        }
        Fault::Slip(written, label) => {
            format!("{} should be written {}", quoted(written), quoted(labels.name(*label)))
        }
        Fault::Alias(written, label) => {
            format!("{} is an alias; the label is {}", quoted(written), labels.told(*label))
        }
        Fault::Blank => "a label is blank".to_owned(),
        Fault::Deprecated(label) => match labels.replacement(*label) {
            Some(replacement) => {
                format!("{} is deprecated; use {}", quoted(labels.name(*label)), labels.told(replacement))
            }
            None => format!("{} is deprecated, and nothing replaces it", quoted(labels.name(*label))),
        },
        Fault::Repeated(label) => format!("{} is there more than once", quoted(labels.name(*label))),
        Fault::Number(number) => {
            let number = counted(*number, "label");
            let Configuration { min_labels, max_labels, .. } = configuration;
            match max_labels {
                Some(most) => format!("the record has {number}; the schema wants {min_labels} to {most}"),
                None => format!("the record has {number}; the schema wants {min_labels} or more"),
            }
        }
        Fault::Excluded(one, other) => format!(
            "{} and {} exclude each other: one of them is wrong",
            labels.told(*one),
            labels.told(*other)
        ),
        Fault::Required(label, required) => {
            format!("{} requires {}, which is not there", quoted(labels.name(*label)), labels.told(*required))
        }
    }
}

/// `1 record has`, `2 records have`.
fn have(records: u64) -> String {
    format!("{} {}", counted(records, "record"), if records == 1 { "has" } else { "have" })
}

#[cfg(test)]
mod tests;

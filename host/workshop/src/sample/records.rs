//! A cleaner and a validator on records.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use pegbox_runtime::{Cleaner, Finding, Outcome, Validator};

use super::Records;
use crate::error::WorkshopError;

/// What a cleaner made of a sample.
#[derive(Clone, PartialEq, Debug)]
pub struct CleanSample {
    pub kept: usize,
    pub replaced: usize,
    pub split: usize,
    /// By reason.
    pub dropped: BTreeMap<String, usize>,
    /// Every record that did not stay as it was.
    pub changes: Vec<Change>,
    pub took: Duration,
}

/// One record that changed.
#[derive(Clone, PartialEq, Debug)]
pub struct Change {
    /// `train.jsonl:8811`.
    pub origin: String,
    pub before: Vec<Option<String>>,
    pub after: Outcome,
}

/// Cleans the sample.
///
/// # Errors
/// The plugin's.
pub fn clean(records: &Records, cleaner: &mut dyn Cleaner) -> Result<CleanSample, WorkshopError> {
    let mut sample = CleanSample {
        kept: 0,
        replaced: 0,
        split: 0,
        dropped: BTreeMap::new(),
        changes: Vec::new(),
        took: Duration::ZERO,
    };
    let mut rows = records.rows.iter();
    for batch in records.batches() {
        let started = Instant::now();
        let outcomes = cleaner.clean(&batch)?;
        sample.took += started.elapsed();
        // The outcomes first: `zip` takes one row too many where it is the rows that go on.
        for (after, row) in outcomes.into_iter().zip(rows.by_ref()) {
            match &after {
                Outcome::Keep => sample.kept += 1,
                // What is replaced by itself is kept.
                Outcome::Replace(values) if *values == row.values => sample.kept += 1,
                Outcome::Replace(_) => sample.replaced += 1,
                Outcome::Split(_) => sample.split += 1,
                Outcome::Drop(reason) => *sample.dropped.entry(reason.clone()).or_default() += 1,
            }
            let unchanged = after == Outcome::Keep || after == Outcome::Replace(row.values.clone());
            if !unchanged {
                let (origin, before) = (row.origin.clone(), row.values.clone());
                sample.changes.push(Change { origin, before, after });
            }
        }
    }
    Ok(sample)
}

/// What a validator found in a sample.
#[derive(Clone, PartialEq, Debug)]
pub struct ValidateSample {
    /// By `validate`, then by `finish`, each with the place of its record.
    pub findings: Vec<(Option<String>, Finding)>,
    pub took: Duration,
}

/// Validates the sample.
///
/// # Errors
/// The plugin's.
pub fn validate(records: &Records, validator: &mut dyn Validator) -> Result<ValidateSample, WorkshopError> {
    let started = Instant::now();
    let mut findings = Vec::new();
    for batch in records.batches() {
        findings.extend(validator.validate(&batch)?);
    }
    findings.extend(validator.finish()?);
    let took = started.elapsed();
    let origin = |finding: &Finding| {
        let place = usize::try_from(finding.row?).ok()?;
        records.rows.get(place).map(|row| row.origin.clone())
    };
    let findings = findings.into_iter().map(|finding| (origin(&finding), finding)).collect();
    Ok(ValidateSample { findings, took })
}

//! What happened on the way from the files to the dataset, for people (the CLI prints it) and as JSON.

use std::collections::BTreeMap;

use pegbox_runtime::Severity;
use serde::{Deserialize, Serialize};

use crate::stage::StageIdentity;
use crate::validate::LocatedFinding;
use pegbox_records::Part;
use pegbox_sampling::batches::PaddingReport;

/// Examples of each code that a report keeps; all findings stand in `findings.jsonl` of the dataset.
const EXAMPLES: usize = 5;

/// The whole preparation.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct PrepareReport {
    pub files: Vec<FileReport>,
    /// One a cleaner, in the order of the recipe.
    pub stages: Vec<StageReport>,
    /// By validator and code, in order.
    pub findings: Vec<CodeCount>,
    /// In the order of the class ids.
    pub classes: Vec<ClassCount>,
    /// Tokens of the training rows before truncation, special tokens included.
    pub lengths: LengthReport,
    pub truncation: TruncationReport,
    /// Rows of each part.
    pub rows: BTreeMap<Part, u64>,
    /// Tokens of each part.
    pub tokens: BTreeMap<Part, u64>,
    /// Validation and test rows whose exact text is in the training rows too. Only files of their own can
    /// bring them; the split never does.
    pub leaked: BTreeMap<Part, u64>,
    /// Of the training rows.
    pub padding: PaddingReport,
    /// `(stage, seconds)` in order.
    pub seconds: Vec<(String, f64)>,
}

/// One file that was read.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct FileReport {
    pub name: String,
    pub part: Part,
    pub rows: u64,
}

/// What one cleaner did.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct StageReport {
    pub plugin: String,
    pub version: String,
    pub rows_in: u64,
    pub rows_out: u64,
    /// Left as they were.
    pub kept: u64,
    pub changed: u64,
    pub split: u64,
    /// By reason.
    pub dropped: BTreeMap<String, u64>,
    pub examples: Vec<ChangeExample>,
    /// Why the stage was left out, if it failed and the recipe lets that pass.
    #[serde(default)]
    pub disabled: Option<String>,
}

impl StageReport {
    pub(crate) fn new(identity: &StageIdentity, rows: usize) -> Self {
        Self {
            plugin: identity.plugin.clone(),
            version: identity.version.clone(),
            rows_in: rows as u64,
            rows_out: 0,
            kept: 0,
            changed: 0,
            split: 0,
            dropped: BTreeMap::new(),
            examples: Vec::new(),
            disabled: None,
        }
    }
}

/// A record before and after a cleaner: the fields that crossed to it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ChangeExample {
    pub origin: String,
    /// `changed`, `split` or `dropped: ` with the reason.
    pub what: String,
    pub before: Vec<Option<String>>,
    /// None if dropped, several if split.
    pub after: Vec<Vec<Option<String>>>,
}

/// How often a validator found something.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct CodeCount {
    pub plugin: String,
    pub code: String,
    /// The highest of its findings.
    pub level: Severity,
    pub count: u64,
    /// The first few.
    pub examples: Vec<LocatedFinding>,
}

impl CodeCount {
    /// Counts by validator and code, sorted by both.
    pub fn count(findings: &[LocatedFinding]) -> Vec<Self> {
        let mut counts: BTreeMap<(&str, &str), Self> = BTreeMap::new();
        for finding in findings {
            let count = counts.entry((&finding.plugin, &finding.code)).or_insert_with(|| Self {
                plugin: finding.plugin.clone(),
                code: finding.code.clone(),
                level: finding.level,
                count: 0,
                examples: Vec::new(),
            });
            count.count += 1;
            count.level = count.level.max(finding.level);
            if count.examples.len() < EXAMPLES {
                count.examples.push(finding.clone());
            }
        }
        counts.into_values().collect()
    }
}

/// Rows of one class in each part.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ClassCount {
    pub label: String,
    pub train: u64,
    pub validation: u64,
    pub test: u64,
}

/// Lengths in tokens; percentiles by the nearest rank.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct LengthReport {
    pub min: usize,
    pub p50: usize,
    pub p90: usize,
    pub p95: usize,
    pub p99: usize,
    pub max: usize,
    pub mean: f64,
}

impl LengthReport {
    pub fn of(mut lengths: Vec<usize>) -> Self {
        lengths.sort_unstable();
        let rank = |percent: usize| {
            let place = (lengths.len() * percent).div_ceil(100).saturating_sub(1);
            lengths.get(place).copied().unwrap_or(0)
        };
        Self {
            min: lengths.first().copied().unwrap_or(0),
            p50: rank(50),
            p90: rank(90),
            p95: rank(95),
            p99: rank(99),
            max: lengths.last().copied().unwrap_or(0),
            mean: lengths.iter().sum::<usize>() as f64 / lengths.len().max(1) as f64,
        }
    }
}

/// What `max-length` cost.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct TruncationReport {
    /// Rows that were cut.
    pub rows: u64,
    /// Tokens that were cut off.
    pub tokens: u64,
    /// Training rows that were dropped for their length.
    pub dropped: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_by_the_nearest_rank() {
        let report = LengthReport::of((1..=200).rev().collect());
        assert_eq!((report.min, report.p50, report.p90, report.p95), (1, 100, 180, 190));
        assert_eq!((report.p99, report.max, report.mean), (198, 200, 100.5));
        assert_eq!(LengthReport::of(vec![]), LengthReport::default());
    }
}

//! What happened on the way from the files to the dataset, for people (the CLI prints it, `pegbox-report` draws it)
//! and as JSON.

use std::collections::BTreeMap;

use pegbox_annotations::adjudicate::Doubtful;
use pegbox_annotations::agreement::Agreement;
use pegbox_annotations::reliability::Annotator;
use pegbox_records::{Part, Quarantined};
use pegbox_runtime::Severity;
use pegbox_sampling::batches::PaddingReport;
use pegbox_sampling::lengths::{Candidate, Lengths};
use serde::{Deserialize, Serialize};

use crate::stage::CleanStage;
use crate::validate::LocatedFinding;

/// Examples of each kind that a report keeps; everything stands in the files of the dataset.
pub(crate) const EXAMPLES: usize = 5;

/// The whole preparation. A part that the recipe does not ask for is none, or empty.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct PrepareReport {
    /// In the order in which they were read.
    pub files: Vec<FileReport>,
    /// Rows that could not be read and were put aside; all of them in `quarantined.jsonl`.
    pub quarantined: u64,
    /// The first few of them.
    pub quarantine: Vec<Quarantined>,
    /// One a cleaner, in the order of the recipe.
    pub stages: Vec<StageReport>,
    pub annotations: Option<AnnotationReport>,
    pub duplicates: Option<DuplicateReport>,
    /// By validator and code, in order.
    pub findings: Vec<CodeCount>,
    /// Equal and near-equal texts that carry different labels.
    pub conflicts: Option<ConflictReport>,
    pub suspects: Option<SuspectReport>,
    pub split: SplitReport,
    pub leakage: Option<LeakageReport>,
    pub balance: BalanceReport,
    /// In the order of the class ids.
    pub classes: Vec<ClassCount>,
    /// Tokens of the training rows before truncation, special tokens included.
    pub lengths: LengthReport,
    pub truncation: TruncationReport,
    /// Rows of each part.
    pub rows: BTreeMap<Part, u64>,
    /// Tokens of each part.
    pub tokens: BTreeMap<Part, u64>,
    /// Of the training rows.
    pub padding: PaddingReport,
    /// `(step, seconds)` in order; next to none where the step's result was there already.
    pub seconds: Vec<(String, f64)>,
}

/// One file that was read.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct FileReport {
    pub name: String,
    pub part: Part,
    pub rows: u64,
    #[serde(default)]
    pub quarantined: u64,
    /// `jsonl`, `csv` and so on.
    #[serde(default)]
    pub format: String,
    /// `fields`, `alpaca` and so on: given or detected.
    #[serde(default)]
    pub layout: String,
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
    /// The fields that crossed to it; the values of examples come in this order.
    #[serde(default)]
    pub fields: Vec<String>,
    pub examples: Vec<ChangeExample>,
    /// Why the stage was left out, if it failed and the recipe lets that pass.
    #[serde(default)]
    pub disabled: Option<String>,
}

impl StageReport {
    pub(crate) fn new(stage: &CleanStage) -> Self {
        Self {
            plugin: stage.identity.plugin.clone(),
            version: stage.identity.version.clone(),
            rows_in: 0,
            rows_out: 0,
            kept: 0,
            changed: 0,
            split: 0,
            dropped: BTreeMap::new(),
            fields: stage.roles.clone(),
            examples: Vec::new(),
            disabled: None,
        }
    }

    /// Adds what the same cleaner did to the rows that follow.
    pub(crate) fn add(&mut self, later: Self) {
        self.rows_in += later.rows_in;
        self.rows_out += later.rows_out;
        self.kept += later.kept;
        self.changed += later.changed;
        self.split += later.split;
        for (reason, rows) in later.dropped {
            *self.dropped.entry(reason).or_default() += rows;
        }
        for example in later.examples {
            let known = self.examples.iter().filter(|other| other.what == example.what).count();
            if known < EXAMPLES {
                self.examples.push(example);
            }
        }
    }
}

/// A record before and after a cleaner: the fields that crossed to it, in the order of [`StageReport::fields`].
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ChangeExample {
    pub origin: String,
    /// `changed`, `split` or `dropped: ` with the reason.
    pub what: String,
    pub before: Vec<Option<String>>,
    /// None if dropped, several if split.
    pub after: Vec<Vec<Option<String>>>,
}

/// What several annotators said, and what was made of it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct AnnotationReport {
    /// `majority` or `dawid-skene`.
    pub aggregate: String,
    pub items: u64,
    pub ratings: u64,
    /// Items that lost their row because no value won, as the recipe asks.
    pub dropped: u64,
    /// On the values as the annotators gave them.
    pub agreement: Agreement,
    /// On the labels that the values become, where the recipe says so.
    #[serde(default)]
    pub agreement_of_labels: Option<Agreement>,
    /// The least reliable first.
    pub annotators: Vec<Annotator>,
    /// Items on which the annotators differ; all of them in `adjudicate.jsonl`.
    pub disputed: u64,
    pub ties: u64,
    /// Items of which Dawid and Skene's likeliest class is not the majority's.
    pub overruled: u64,
    /// The most doubtful ones.
    pub examples: Vec<Doubtful>,
}

/// What was removed because it was there already.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct DuplicateReport {
    pub rows_in: u64,
    /// The Jaccard index from which texts count as near; none if only equal texts were looked for.
    pub threshold: Option<f64>,
    /// `first`, `last` or `longest`.
    pub keep: String,
    pub exact_removed: u64,
    pub near_removed: u64,
    /// Rows of given validation and test files are never removed; so many have a duplicate that stays.
    pub held_out_kept: u64,
    pub clusters: u64,
    /// How many clusters there are of each size from two on.
    pub sizes: BTreeMap<u32, u32>,
    pub examples: Vec<DuplicateExample>,
}

/// A removed row, and the one that is there instead.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct DuplicateExample {
    pub origin: String,
    pub text: String,
    pub of: String,
    pub of_text: String,
    pub jaccard: f64,
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
        let mut counts = CodeCounts::default();
        findings.iter().for_each(|finding| counts.add(finding));
        counts.finish()
    }
}

/// Counts by validator and code, under way.
#[derive(Clone, Debug, Default)]
pub(crate) struct CodeCounts(BTreeMap<(String, String), CodeCount>);

impl CodeCounts {
    pub fn add(&mut self, finding: &LocatedFinding) {
        let key = (finding.plugin.clone(), finding.code.clone());
        let count = self.0.entry(key).or_insert_with(|| CodeCount {
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

    pub fn finish(self) -> Vec<CodeCount> {
        self.0.into_values().collect()
    }
}

/// Texts that are labelled in more than one way.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct ConflictReport {
    /// Texts, or clusters of near-equal texts, with more than one label.
    pub conflicts: u64,
    /// Rows that these have.
    pub rows: u64,
    /// Rows with another label than most of their text.
    pub minority: u64,
    /// Whether near-equal texts count, too.
    pub near: bool,
    pub examples: Vec<ConflictExample>,
}

/// A text with its labels.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ConflictExample {
    pub text: String,
    /// Label and how many rows have it, the most frequent first.
    pub labels: Vec<(String, u64)>,
    /// The first of them.
    pub origins: Vec<String>,
}

/// Labels that are likely wrong, by confident learning.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct SuspectReport {
    /// Labels that were looked at: those of the training rows.
    pub rows: u64,
    /// How many of them are suspect; the worst of them in `suspects.jsonl`.
    pub suspects: u64,
    /// Whether they left the dataset.
    pub dropped: bool,
    /// The share of rows whose label the quick model gives as well, from rows that it was not trained on.
    pub accuracy: f64,
    pub examples: Vec<SuspectExample>,
    /// Label, likely label, rows: the largest first.
    pub confusions: Vec<(String, String, u64)>,
}

/// A label that is likely wrong.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct SuspectExample {
    pub origin: String,
    pub text: String,
    pub label: String,
    pub likely: String,
    /// The quick model's probability of the given label.
    pub given: f64,
    /// The quick model's probability of the likely label.
    pub probability: f64,
}

/// How the rows came into their parts.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct SplitReport {
    /// `stratified`, `iterative` (by sets of labels), `random`, `group`, `time`, or `given` where no part takes rows of the training files.
    pub method: String,
    pub seed: u64,
    /// Sets of rows that had to stay together, with more than one row.
    pub units: u64,
    /// Rows that were left out because a validation or test row says the same.
    pub left_out: u64,
    /// Sets of rows that stand in more than one part all the same: 0, or the split is at fault.
    pub straddling: u64,
}

/// Whether training knows what it will be tested on.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct LeakageReport {
    /// Words in a row that are compared.
    pub ngram: usize,
    /// The share of a text's runs of words from which it counts as leaked.
    pub share: f64,
    pub benchmarks: Vec<BenchmarkLeakage>,
    /// Whether the rows left the training part.
    pub dropped: bool,
    pub examples: Vec<LeakageExample>,
}

/// Overlap with one benchmark, or with the test part.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct BenchmarkLeakage {
    pub name: String,
    /// Its texts.
    pub texts: u64,
    /// Training rows of which at least the share stands in it.
    pub rows: u64,
}

/// A training row that stands in a benchmark.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct LeakageExample {
    pub origin: String,
    pub text: String,
    pub benchmark: String,
    /// The share of its runs of words.
    pub share: f64,
    /// The most words in a row.
    pub longest: usize,
}

/// How even the training rows are, and what was done about it.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct BalanceReport {
    /// Rows of the largest class over rows of the smallest.
    pub ratio: f64,
    /// As many classes of equal size would be as uneven.
    pub effective_classes: f64,
    /// `none`, `weights`, `over-sample`, `under-sample`.
    pub method: String,
    /// Training rows before and after repeating or leaving out.
    pub rows_before: u64,
    pub rows_after: u64,
    pub groups: Vec<GroupReport>,
}

/// The training rows by class, or by a field that the recipe names, such as `source`.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct GroupReport {
    /// The role of the field.
    pub field: String,
    /// The largest groups first; at most 200.
    pub groups: Vec<GroupCount>,
    /// Groups that are not listed.
    pub more: u64,
}

/// One group of training rows.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct GroupCount {
    pub name: String,
    pub rows: u64,
    /// Mean characters of a text.
    pub mean_length: f64,
    /// Different words over all words, of the group's first 10,000 words: lexical diversity (type-token ratio).
    pub diversity: f64,
    /// The weight of a row, where the recipe asks for weights.
    pub weight: Option<f64>,
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
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct LengthReport {
    pub min: usize,
    pub p50: usize,
    pub p90: usize,
    pub p95: usize,
    pub p99: usize,
    pub max: usize,
    pub mean: f64,
    /// `(from, to, rows)`, both ends included.
    pub histogram: Vec<(u32, u32, u64)>,
    /// What each maximum length would cost.
    pub candidates: Vec<LengthCandidate>,
    /// The smallest maximum length that cuts next to nothing, and why.
    pub recommended: Option<(u32, String)>,
    /// The recipe's.
    pub max_length: u32,
}

/// What one maximum length costs.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct LengthCandidate {
    pub max_length: u32,
    pub rows_cut: u64,
    pub tokens_cut: u64,
    /// The share of positions that are padding, if all rows are padded to it.
    pub padding: f64,
}

impl From<Candidate> for LengthCandidate {
    fn from(candidate: Candidate) -> Self {
        Self {
            max_length: candidate.max_length,
            rows_cut: candidate.rows_cut,
            tokens_cut: candidate.tokens_cut,
            padding: candidate.waste(),
        }
    }
}

/// Bars of the histogram of lengths.
const BARS: usize = 24;

impl LengthReport {
    pub(crate) fn of(lengths: &Lengths, max_length: u32) -> Self {
        use pegbox_sampling::lengths::{Tolerance, candidates, recommend};
        let rank = |percentage| lengths.percentile(percentage) as usize;
        Self {
            min: lengths.shortest() as usize,
            p50: rank(50.0),
            p90: rank(90.0),
            p95: rank(95.0),
            p99: rank(99.0),
            max: lengths.longest() as usize,
            mean: lengths.mean(),
            histogram: lengths.histogram(BARS).into_iter().map(|bin| (bin.from, bin.to, bin.rows)).collect(),
            candidates: candidates(lengths, None).into_iter().map(LengthCandidate::from).collect(),
            recommended: recommend(lengths, None, Tolerance::default())
                .map(|found| (found.candidate.max_length, found.reason)),
            max_length,
        }
    }
}

/// What `max-length` cost.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct TruncationReport {
    /// Rows that were cut.
    pub rows: u64,
    /// Tokens that were cut off.
    pub tokens: u64,
    /// Training rows that were dropped for their length.
    pub dropped: u64,
    /// Training rows that became several.
    pub split: u64,
    /// What these became.
    pub pieces: u64,
}

impl TruncationReport {
    pub(crate) fn add(&mut self, other: Self) {
        self.rows += other.rows;
        self.tokens += other.tokens;
        self.dropped += other.dropped;
        self.split += other.split;
        self.pieces += other.pieces;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_by_the_nearest_rank() {
        let mut lengths = Lengths::default();
        (1..=200).rev().for_each(|length| lengths.add(length));
        let report = LengthReport::of(&lengths, 128);
        assert_eq!((report.min, report.p50, report.p90, report.p95), (1, 100, 180, 190));
        assert_eq!((report.p99, report.max, report.mean), (198, 200, 100.5));
        assert_eq!(report.histogram.iter().map(|(_, _, rows)| rows).sum::<u64>(), 200);
    }
}

//! What is to be prepared, and how.

use std::path::PathBuf;

use pegbox_duplicates::Shingle;
use pegbox_records::{Format, Layout, Part, ReadSettings, Schema};
use pegbox_sampling::balance::{Target, Weighting};
use pegbox_sampling::batches::BatchSettings;
use serde::{Deserialize, Serialize};

use crate::split::SplitSettings;
use crate::stage::{CleanStage, ValidateStage};
use crate::task::Task;
use crate::tokenize::TokenSettings;

/// What to prepare.
pub struct PrepareJob {
    pub task: Task,
    /// At least one for training.
    pub sources: Vec<SourceFile>,
    pub schema: Schema,
    pub reading: Reading,
    pub cleaners: Vec<CleanStage>,
    pub annotations: Option<AnnotationSettings>,
    /// None: equal texts stay, in one part.
    pub duplicates: Option<DuplicateSettings>,
    /// They see the rows of all parts, cleaned.
    pub validators: Vec<ValidateStage>,
    pub suspects: Option<SuspectAction>,
    /// The share of a part that has a file of its own does not count.
    pub split: SplitSettings,
    pub leakage: Option<LeakageSettings>,
    pub balance: BalanceSettings,
    /// The bytes of the model's tokenizer.json.
    pub tokenizer: Vec<u8>,
    pub tokens: TokenSettings,
    /// For what the report says about padding; the dataset does not depend on it.
    pub batching: BatchSettings,
    /// 0: one a core. The dataset does not depend on it.
    pub threads: usize,
}

/// A file of records and the part that they are for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SourceFile {
    pub part: Part,
    pub path: PathBuf,
}

/// How the files are read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Reading {
    /// Told by the files' names where it is not given.
    pub format: Option<Format>,
    /// Every role is a field of its own where it is not given and the schema has texts or tokens; else detected.
    pub layout: Option<Layout>,
    pub on_error: OnError,
    /// Of each file only so many rows, for a look at the data.
    pub limit: Option<u64>,
}

impl Reading {
    /// The settings of the readers.
    pub fn settings(&self, schema: &Schema) -> ReadSettings {
        // The conventions of chat data have no texts and tokens: a field that is called `messages` or `prompt` is
        // a field like any other then.
        let plain = ["text", "tokens"].iter().any(|role| schema.role(role).is_some());
        let layout = self.layout.or(plain.then_some(Layout::Fields));
        ReadSettings { format: self.format, layout, ..ReadSettings::new(schema.clone()) }
    }
}

/// What becomes of a row that cannot be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnError {
    /// The preparation ends.
    #[default]
    Fail,
    /// It is put aside, with the reason.
    Quarantine,
}

/// Several annotators' labels made one. The role `annotations` holds a JSON object of annotators and values; or the
/// roles `item`, `annotator` and `label` hold one rating a row, and the rows of an item become one.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct AnnotationSettings {
    pub aggregate: Aggregate,
    /// The values in their order, the least first; for the ordinal statistics.
    pub scale: Vec<String>,
    /// Values that become other labels; others stay as they are.
    pub labels: Vec<(String, String)>,
    pub ties: Ties,
    pub seed: u64,
}

/// How several labels become one.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Aggregate {
    #[default]
    Majority,
    /// By the estimated confusion of each annotator.
    DawidSkene,
}

/// What becomes of an item of which several values have as many votes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ties {
    /// It leaves the dataset, and is listed for adjudication.
    #[default]
    Drop,
    /// The value that comes first in the scale.
    First,
}

/// What counts as a duplicate, and which row stays.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct DuplicateSettings {
    /// The Jaccard index from which texts are near-duplicates; none: only equal ones count.
    pub near: Option<f64>,
    pub shingle: Shingle,
    /// Roles whose values are compared, one after the other.
    pub fields: Vec<String>,
    pub keep: KeepRow,
    pub seed: u64,
}

/// The row of several duplicates that stays. Rows of given validation and test files always do.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeepRow {
    #[default]
    First,
    Last,
    /// The one with the longest text, in characters.
    Longest,
}

impl KeepRow {
    /// As the recipe writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Last => "last",
            Self::Longest => "longest",
        }
    }
}

/// What becomes of training rows whose label is likely wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SuspectAction {
    /// They are listed.
    Report,
    /// They are listed and leave.
    Drop,
}

/// Training rows that stand in the test part, or in a benchmark.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct LeakageSettings {
    /// Files of texts, read with the same schema as the data.
    #[serde(skip)]
    pub benchmarks: Vec<PathBuf>,
    /// Words in a row that are compared.
    pub ngram: usize,
    /// The share of a text's runs of words from which it counts as leaked, 0 to 1.
    pub share: f64,
    /// Whether leaked rows leave the training part.
    pub drop: bool,
}

/// What is done about uneven classes or groups. Of the training part only.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct BalanceSettings {
    /// Roles whose values the report counts, beside the label.
    pub report: Vec<String>,
    pub method: Option<Balancing>,
    pub seed: u64,
}

/// How it is evened out.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Balancing {
    Weights(Weighting),
    OverSample(Target),
    UnderSample(Target),
}

impl Balancing {
    /// As the recipe writes it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Weights(_) => "weights",
            Self::OverSample(_) => "over-sample",
            Self::UnderSample(_) => "under-sample",
        }
    }
}

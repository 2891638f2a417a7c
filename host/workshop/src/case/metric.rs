//! A case of a metric: batches, and the scores after them.

use std::collections::BTreeMap;

use pegbox_manifest::Kind;
use serde::Deserialize;
use serde_json::Value;
use toml::Spanned;

use super::batch::Batch;
use super::{Fault, no_configuration};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MetricCase {
    #[serde(rename = "kind")]
    _kind: Option<Kind>,
    pub summary: Option<String>,
    #[serde(default = "no_configuration")]
    pub config: Value,
    pub error: Option<String>,
    #[serde(default)]
    pub batches: Vec<Spanned<Batch>>,
    /// By name; all of them.
    pub scores: Option<BTreeMap<String, Spanned<Expected>>>,
    /// By name; those that are to be compared.
    #[serde(default)]
    pub details: BTreeMap<String, Spanned<String>>,
    #[serde(default = "super::loss::tolerance")]
    pub tolerance: f64,
}

/// A number, or a number and its direction.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "a number, or { value = number, higher-is-better = true or false }")]
pub enum Expected {
    Value(f64),
    Score(Score),
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Score {
    pub value: f64,
    pub higher_is_better: bool,
}

impl MetricCase {
    pub(super) fn check(&self) -> Result<(), Fault> {
        self.batches.iter().try_for_each(|batch| batch.as_ref().arrays(&batch.span()).map(drop))
    }
}

impl Expected {
    pub fn value(&self) -> f64 {
        match self {
            Self::Value(value) | Self::Score(Score { value, .. }) => *value,
        }
    }

    pub fn higher_is_better(&self) -> Option<bool> {
        match self {
            Self::Value(_) => None,
            Self::Score(score) => Some(score.higher_is_better),
        }
    }
}

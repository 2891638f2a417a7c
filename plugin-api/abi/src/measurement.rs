//! Mirrors `wit/measurement.wit`.

use serde::{Deserialize, Serialize};

/// One number of a metric.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Score {
    /// kebab-case, such as `macro-f1`.
    pub name: String,
    pub value: f64,
    pub higher_is_better: bool,
}

/// Something for the report that is not one number, such as a confusion matrix.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Detail {
    /// A file name without folders.
    pub name: String,
    pub media_type: String,
    pub content: String,
}

/// What a metric made of the batches that it saw.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Report {
    pub scores: Vec<Score>,
    pub details: Vec<Detail>,
}

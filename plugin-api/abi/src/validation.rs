//! Mirrors `wit/validation.wit`.

use serde::{Deserialize, Serialize};

/// How bad a finding is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Worth knowing; never stops a run.
    Info,
    /// Probably wrong.
    Warning,
    /// Wrong; stops a run whose recipe says so.
    Error,
}

/// A new value for one field of the record.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Fix {
    pub field: String,
    pub value: String,
}

/// One fault found.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Finding {
    pub level: Severity,
    /// The record that it is about; none for the dataset as a whole.
    pub row: Option<u64>,
    /// The field that it is about, if one.
    pub field: Option<String>,
    /// A short kebab-case code; findings are counted by it.
    pub code: String,
    pub message: String,
    /// What would mend it.
    pub proposed_fix: Option<Fix>,
}

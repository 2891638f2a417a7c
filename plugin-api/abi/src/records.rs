//! Mirrors `wit/records.wit` and `wit/cleaning.wit`.

use serde::{Deserialize, Serialize};

/// One record: its number in this run, and one value a field of the batch, none where it lacks the field.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Row {
    pub id: u64,
    pub values: Vec<Option<String>>,
}

/// Some records with the fields that the plugin's manifest names.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct RowBatch {
    pub fields: Vec<String>,
    pub rows: Vec<Row>,
}

/// What a cleaner makes of one record.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Outcome {
    /// It stays as it is.
    Keep,
    /// Its fields get these values.
    Replace(Vec<Option<String>>),
    /// It leaves the dataset, for this kebab-case reason.
    Drop(String),
    /// It becomes several records; at least one.
    Split(Vec<Vec<Option<String>>>),
}

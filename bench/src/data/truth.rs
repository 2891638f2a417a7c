//! What is known of each row of the corpus: one JSON object a line, in the order of the corpus.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::text::PiiKind;

/// The Jaccard index from which two texts are near-duplicates, here and in the recipe.
pub const THRESHOLD: f64 = 0.8;

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Truth {
    pub kind: RowKind,
    /// Rows with the same number come from one text.
    pub cluster: u64,
    /// The right label; none where the row has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// The corpus has another label.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub flipped: bool,
    /// What cleaning has to undo.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub corruptions: Vec<Corruption>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pii: Vec<Planted>,
    /// The rows of the cluster that come before this one, with the Jaccard index of their clean texts and this one's: 1
    /// where these are equal but for case and white space.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pairs: Vec<Pair>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RowKind {
    /// A row to keep, unless it is a duplicate.
    Text,
    Noise,
    /// Without a text or label.
    Missing,
    /// No JSON.
    Malformed,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Corruption {
    Case,
    Spaces,
    Html,
    Mojibake,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Planted {
    pub kind: PiiKind,
    pub value: String,
}

#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Pair {
    /// From 1.
    pub line: u64,
    pub jaccard: f64,
}

impl Pair {
    pub fn is_duplicate(&self) -> bool {
        self.jaccard >= THRESHOLD
    }
}

/// One a row, in order.
pub fn read(path: &Path) -> Result<Vec<Truth>> {
    let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    let rows = BufReader::new(file).lines().enumerate().map(|(place, line)| {
        serde_json::from_str(&line?).with_context(|| format!("{}:{}", path.display(), place + 1))
    });
    rows.collect()
}

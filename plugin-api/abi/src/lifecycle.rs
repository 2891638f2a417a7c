//! Mirrors `wit/lifecycle.wit`.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The kinds of plugin.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    Cleaner,
    Validator,
    Loss,
    Metric,
    Exporter,
}

impl Kind {
    /// All of them, in the order in which a run meets them.
    pub const ALL: [Self; 5] = [Self::Cleaner, Self::Validator, Self::Loss, Self::Metric, Self::Exporter];

    /// As manifests and recipes write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cleaner => "cleaner",
            Self::Validator => "validator",
            Self::Loss => "loss",
            Self::Metric => "metric",
            Self::Exporter => "exporter",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a plugin says of itself; it must agree with the manifest.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Description {
    /// `team/name`.
    pub name: String,
    /// Semantic version.
    pub version: String,
    pub kinds: Vec<Kind>,
    /// JSON Schema, draft 2020-12.
    pub configuration_schema: String,
}

/// The contract's `error`: a failure that the plugin foresaw. The instance stays usable.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Refusal {
    /// One sentence for the user.
    pub message: String,
    /// How to mend it, if the plugin knows.
    pub help: Option<String>,
}

//! The languages that `pegbox plugin new` has templates for and `pegbox plugin build` can build.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A language that plugins are written in. Any other that compiles to a component works as well; these are the
/// ones whose tools Pegbox finds or fetches by itself.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    Rust,
    Python,
    /// Also TypeScript: the source file's ending says which.
    JavaScript,
    /// Also C++: the source file's ending says which.
    C,
    Zig,
}

impl Language {
    pub const ALL: [Self; 5] = [Self::Rust, Self::Python, Self::JavaScript, Self::C, Self::Zig];

    /// As manifests and the command line write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::Python => "python",
            Self::JavaScript => "javascript",
            Self::C => "c",
            Self::Zig => "zig",
        }
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

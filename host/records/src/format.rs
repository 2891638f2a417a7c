//! How the bytes of a file are packed.

use std::fmt;
use std::path::Path;

use serde::{Deserialize, Serialize};

/// The format of a file of records.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// One JSON object a line.
    Jsonl,
    /// One JSON array of objects; or one object a line, because such files often bear the same name.
    Json,
    /// Comma-separated values with a header, quoted as in RFC 4180.
    Csv,
    /// Tab-separated values with a header; a quote is a character like any other unless asked for otherwise.
    Tsv,
    /// Apache Parquet.
    Parquet,
    /// One token a line with its tag, a blank line after each sentence.
    Conll,
    /// One record a line.
    Text,
}

/// How a file is compressed as a whole.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Compression {
    None,
    Gzip,
    Zstd,
}

impl Format {
    pub const ALL: [Self; 7] =
        [Self::Jsonl, Self::Json, Self::Csv, Self::Tsv, Self::Parquet, Self::Conll, Self::Text];

    /// What files of this format are called, the usual ending first.
    pub fn extensions(self) -> &'static [&'static str] {
        match self {
            Self::Jsonl => &["jsonl", "ndjson"],
            Self::Json => &["json"],
            Self::Csv => &["csv"],
            Self::Tsv => &["tsv", "tab"],
            Self::Parquet => &["parquet"],
            Self::Conll => &["conll", "bio", "iob", "iob2"],
            Self::Text => &["txt"],
        }
    }

    /// The format and the compression that a file's name tells, none where it tells no known format.
    pub fn of_name(path: &Path) -> Option<(Self, Compression)> {
        let name = path.file_name()?.to_str()?.to_lowercase();
        let (inner, compression) = Compression::of_name(&name);
        let (_, extension) = inner.rsplit_once('.')?;
        let format = Self::ALL.into_iter().find(|format| format.extensions().contains(&extension))?;
        Some((format, compression))
    }

    /// As the recipe writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Jsonl => "jsonl",
            Self::Json => "json",
            Self::Csv => "csv",
            Self::Tsv => "tsv",
            Self::Parquet => "parquet",
            Self::Conll => "conll",
            Self::Text => "text",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Compression {
    /// A file's name without the ending of its compression, and that compression.
    pub(crate) fn of_name(name: &str) -> (&str, Self) {
        let endings = [(".gz", Self::Gzip), (".zst", Self::Zstd), (".zstd", Self::Zstd)];
        endings
            .into_iter()
            .find_map(|(ending, compression)| Some((name.strip_suffix(ending)?, compression)))
            .unwrap_or((name, Self::None))
    }

    /// What the first bytes of a file tell.
    pub(crate) fn of_magic(start: &[u8]) -> Self {
        match start {
            [0x1f, 0x8b, 8, ..] => Self::Gzip,
            // A frame, or one that is to be skipped, with which parallel packers begin.
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Self::Zstd,
            _ => Self::None,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::None => "plain",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_the_format() {
        let of = |name: &str| Format::of_name(Path::new(name));
        assert_eq!(of("a/b.JSONL"), Some((Format::Jsonl, Compression::None)));
        assert_eq!(of("b.tsv.gz"), Some((Format::Tsv, Compression::Gzip)));
        assert_eq!(of("b.v2.conll.zst"), Some((Format::Conll, Compression::Zstd)));
        assert_eq!(of("jsonl"), None);
        assert_eq!(of("a.xlsx"), None);
        assert_eq!(of("a.gz"), None);
    }
}

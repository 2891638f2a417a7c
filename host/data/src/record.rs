//! Records, their fields and where they come from.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::DataError;

/// What a row is for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    Train,
    Validation,
    Test,
}

impl Part {
    pub const ALL: [Self; 3] = [Self::Train, Self::Validation, Self::Test];

    /// `train`, `validation` or `test`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Validation => "validation",
            Self::Test => "test",
        }
    }

    pub(crate) fn index(self) -> usize {
        self as usize
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A field that is read: its role for Pegbox and its plugins, and its name in the files.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Field {
    /// `text` or `label`, or a role of the plugins' own.
    pub role: String,
    /// The name that the recipe's `[data].fields` gives.
    pub name: String,
}

/// The fields of a record, in the order of [`Record::values`].
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Schema {
    fields: Vec<Field>,
    text: usize,
    label: usize,
}

impl Schema {
    /// Fields as `(role, name)`. The roles `text` and `label` must be among them, each role once.
    pub fn new<R: Into<String>, N: Into<String>>(
        fields: impl IntoIterator<Item = (R, N)>,
    ) -> Result<Self, DataError> {
        let fields: Vec<Field> =
            fields.into_iter().map(|(role, name)| Field { role: role.into(), name: name.into() }).collect();
        let mut roles = BTreeSet::new();
        if let Some(twice) = fields.iter().find(|field| !roles.insert(field.role.as_str())) {
            return Err(DataError::Schema { what: format!("the role `{}` is named twice", twice.role) });
        }
        let place = |role: &str| {
            fields
                .iter()
                .position(|field| field.role == role)
                .ok_or_else(|| DataError::Schema { what: format!("no field has the role `{role}`") })
        };
        let (text, label) = (place("text")?, place("label")?);
        Ok(Self { fields, text, label })
    }

    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// The place of `role` in [`Record::values`].
    pub fn role(&self, role: &str) -> Option<usize> {
        self.fields.iter().position(|field| field.role == role)
    }

    /// What the files call the field with this role; the role itself if there is none.
    pub fn name_of<'a>(&'a self, role: &'a str) -> &'a str {
        self.fields.iter().find(|field| field.role == role).map_or(role, |field| &field.name)
    }

    /// The record's text, none where it lacks one.
    pub fn text<'a>(&self, record: &'a Record) -> Option<&'a str> {
        record.values.get(self.text)?.as_deref()
    }

    /// The record's label, none where it lacks one.
    pub fn label<'a>(&self, record: &'a Record) -> Option<&'a str> {
        record.values.get(self.label)?.as_deref()
    }

    pub(crate) fn text_name(&self) -> &str {
        self.fields.get(self.text).map_or("text", |field| &field.name)
    }

    pub(crate) fn label_name(&self) -> &str {
        self.fields.get(self.label).map_or("label", |field| &field.name)
    }
}

/// One record: one value a field of the [`Schema`], none where it lacks the field.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record {
    /// Unique across all files of a preparation, and rising in the order of the rows.
    pub id: u64,
    /// The number of the file it comes from.
    pub source: u32,
    /// The line on which it begins, from 1.
    pub line: u64,
    pub values: Vec<Option<String>>,
}

/// Where a record comes from; shown as `train.jsonl:8811`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Origin {
    pub file: String,
    pub line: u64,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// The names of the files, for origins: the bare file name where it is unique, else the whole path.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Origins {
    files: Vec<String>,
}

impl Origins {
    pub fn new<P: AsRef<Path>>(paths: &[P]) -> Self {
        let bare = |path: &Path| path.file_name().map(PathBuf::from).unwrap_or_else(|| path.to_owned());
        let files = paths
            .iter()
            .map(|path| {
                let name = bare(path.as_ref());
                let namesakes = paths.iter().filter(|other| bare(other.as_ref()) == name).count();
                let shown = if namesakes > 1 { path.as_ref().to_owned() } else { name };
                shown.display().to_string()
            })
            .collect();
        Self { files }
    }

    pub fn files(&self) -> &[String] {
        &self.files
    }

    pub fn of(&self, record: &Record) -> Origin {
        let file = self.files.get(record.source as usize).cloned();
        Origin { file: file.unwrap_or_else(|| format!("file {}", record.source)), line: record.line }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_with_the_same_name_are_told_apart() {
        let origins = Origins::new(&["a/train.jsonl", "b/train.jsonl", "b/test.csv"]);
        assert_eq!(origins.files(), ["a/train.jsonl", "b/train.jsonl", "test.csv"]);
        let record = Record { id: 0, source: 2, line: 8811, values: vec![] };
        assert_eq!(origins.of(&record).to_string(), "test.csv:8811");
    }

    #[test]
    fn a_schema_needs_text_and_label_once_each() {
        assert!(Schema::new([("text", "body"), ("label", "intent")]).is_ok());
        assert!(Schema::new([("text", "body")]).is_err());
        assert!(Schema::new([("text", "a"), ("text", "b"), ("label", "c")]).is_err());
    }
}

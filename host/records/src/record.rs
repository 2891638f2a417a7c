//! Records, their fields and where they come from.

use std::collections::{BTreeSet, HashMap};
use std::ffi::OsStr;
use std::fmt;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::format::Format;

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

    /// Its place in [`Part::ALL`].
    pub fn index(self) -> usize {
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
    /// `text`, `label`, `prompt`, `completion`, or a role of the plugins' own.
    pub role: String,
    /// The name that the recipe's `[data].fields` gives.
    pub name: String,
}

/// The fields of a record, in the order of [`Record::values`].
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Schema {
    fields: Vec<Field>,
}

/// Fields that make no schema.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SchemaError {
    #[error("the role `{role}` is named twice")]
    Twice { role: String },
    #[error("no field is named")]
    Empty,
}

impl SchemaError {
    /// How to mend it.
    pub fn help(&self) -> Option<String> {
        Some(match self {
            Self::Twice { .. } => "give each role one field".to_owned(),
            Self::Empty => "write for example fields = { text = \"text\", label = \"label\" }".to_owned(),
        })
    }
}

impl Schema {
    /// Fields as `(role, name)`.
    ///
    /// # Errors
    /// If there is none, or a role is there twice.
    pub fn new<R: Into<String>, N: Into<String>>(
        fields: impl IntoIterator<Item = (R, N)>,
    ) -> Result<Self, SchemaError> {
        let fields: Vec<Field> =
            fields.into_iter().map(|(role, name)| Field { role: role.into(), name: name.into() }).collect();
        if fields.is_empty() {
            return Err(SchemaError::Empty);
        }
        let mut roles = BTreeSet::new();
        if let Some(twice) = fields.iter().find(|field| !roles.insert(field.role.as_str())) {
            return Err(SchemaError::Twice { role: twice.role.clone() });
        }
        Ok(Self { fields })
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

    /// The record's value for `role`, none where it lacks one or the schema has no such role.
    pub fn value<'a>(&self, record: &'a Record, role: &str) -> Option<&'a str> {
        record.values.get(self.role(role)?)?.as_deref()
    }

    /// The record's text, none where it lacks one.
    pub fn text<'a>(&self, record: &'a Record) -> Option<&'a str> {
        self.value(record, "text")
    }

    /// The record's label, none where it lacks one.
    pub fn label<'a>(&self, record: &'a Record) -> Option<&'a str> {
        self.value(record, "label")
    }
}

/// One record: one value a field of the [`Schema`], none where it lacks the field.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record {
    /// Unique across all files of a preparation, and rising in the order of the rows.
    pub id: u64,
    /// The number of the file it comes from.
    pub source: u32,
    /// The line on which it begins, from 1; in a Parquet file, the row, from 1.
    pub line: u64,
    pub values: Vec<Option<String>>,
}

/// Where a record comes from; shown as `train.jsonl:8811`. Parquet files have no lines, so there it is the
/// row: `train.parquet:row 8811`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Origin {
    pub file: String,
    pub line: u64,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}{}", self.file, counted(Path::new(&self.file)), self.line)
    }
}

/// What stands before a record's number: `row ` in a Parquet file.
pub(crate) fn counted(file: &Path) -> &'static str {
    if Format::of_name(file).is_some_and(|(format, _)| format == Format::Parquet) { "row " } else { "" }
}

/// The names of the files, for origins: the bare file name where it is unique, else the whole path.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Origins {
    files: Vec<String>,
}

impl Origins {
    pub fn new<P: AsRef<Path>>(paths: &[P]) -> Self {
        fn bare<P: AsRef<Path>>(path: &P) -> &OsStr {
            path.as_ref().file_name().unwrap_or(path.as_ref().as_os_str())
        }
        let mut namesakes: HashMap<&OsStr, usize> = HashMap::new();
        for path in paths {
            *namesakes.entry(bare(path)).or_default() += 1;
        }
        let shown = |path: &P| {
            let name = bare(path);
            let unique = namesakes.get(name) == Some(&1);
            let shown = if unique { Path::new(name) } else { path.as_ref() };
            shown.display().to_string()
        };
        Self { files: paths.iter().map(shown).collect() }
    }

    pub fn files(&self) -> &[String] {
        &self.files
    }

    pub fn of(&self, record: &Record) -> Origin {
        self.at(record.source, record.line)
    }

    /// The origin of line `line` of file `source`.
    pub fn at(&self, source: u32, line: u64) -> Origin {
        let file = self.files.get(source as usize).cloned();
        Origin { file: file.unwrap_or_else(|| format!("file {source}")), line }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_with_the_same_name_are_told_apart() {
        let origins = Origins::new(&["a/train.jsonl", "b/train.jsonl", "b/test.csv", "b/all.parquet"]);
        assert_eq!(origins.files(), ["a/train.jsonl", "b/train.jsonl", "test.csv", "all.parquet"]);
        let record = Record { id: 0, source: 2, line: 8811, values: vec![] };
        assert_eq!(origins.of(&record).to_string(), "test.csv:8811");
        assert_eq!(origins.at(3, 17).to_string(), "all.parquet:row 17");
        assert_eq!(origins.at(4, 17).to_string(), "file 4:17");
    }

    #[test]
    fn a_schema_has_each_role_once() {
        let twice = Schema::new([("text", "a"), ("text", "b"), ("label", "c")]).unwrap_err();
        assert_eq!(twice.to_string(), "the role `text` is named twice");
        assert_eq!(Schema::new([] as [(&str, &str); 0]).unwrap_err(), SchemaError::Empty);
        let schema = Schema::new([("prompt", "question"), ("text", "body")]).unwrap();
        let record = Record { id: 0, source: 0, line: 1, values: vec![Some("why".to_owned()), None] };
        assert_eq!(schema.value(&record, "prompt"), Some("why"));
        assert_eq!((schema.text(&record), schema.label(&record)), (None, None));
        assert_eq!((schema.name_of("prompt"), schema.name_of("label")), ("question", "label"));
    }
}

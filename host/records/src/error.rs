//! What can be wrong with a file of records, and how to mend it.

use std::fmt;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::layout::Layout;
use crate::record::counted;
use crate::sources::known_endings;

/// A file of records that cannot be read. `Display` is `file:line:column: what`, for a Parquet file
/// `file:row number: what`.
#[derive(Debug)]
pub struct ReadError {
    pub path: Box<Path>,
    /// From 1; none where the file as a whole is meant. In a Parquet file, the row.
    pub line: Option<u64>,
    /// In bytes, from 1; none where it is not known.
    pub column: Option<u64>,
    pub fault: ReadFault,
    /// The row as it stands in the file, at most [`ReadError::RAW`] characters of it; none where there is no
    /// such text.
    pub raw: Option<Box<str>>,
    pub(crate) of_row: bool,
}

/// What is wrong with the file.
#[derive(Debug, thiserror::Error)]
pub enum ReadFault {
    #[error("cannot open the file: {0}")]
    Open(io::Error),
    #[error("cannot read the file: {0}")]
    Io(io::Error),
    #[error("the {compression} stream is damaged: {error}")]
    Packed { compression: &'static str, error: io::Error },
    #[error("{}the Parquet file is damaged: {what}", in_group(*row_group))]
    Parquet {
        /// From 0, as other tools count them.
        row_group: Option<usize>,
        what: String,
    },
    #[error("the Parquet file is packed with {codec}, which Pegbox cannot unpack")]
    Codec { codec: &'static str },
    #[error("`{}` cannot separate fields", char::from(*separator).escape_default())]
    Separator { separator: u8 },
    #[error("`{extension}` is no format that Pegbox reads")]
    Format { extension: String },
    #[error("a Parquet file that is packed with {compression} as a whole")]
    PackedParquet { compression: &'static str },
    #[error("this is not JSON: {what}")]
    Json { what: String },
    #[error("expected a JSON object, found {found}")]
    NotAnObject { found: &'static str },
    #[error("the record has no field `{}`; it has {}", .0.name, listed(&.0.present))]
    FieldMissing(Box<MissingField>),
    #[error("the field `{name}` is {found}, expected {expected}")]
    WrongType { name: Box<str>, found: &'static str, expected: Expected },
    #[error("the column `{name}` has the type {found}, which cannot become text")]
    ColumnType { name: Box<str>, found: Box<str> },
    /// Tokens and tags are kept with one space between them.
    #[error("the field `{name}`, entry {entry}: {what}")]
    Token { name: Box<str>, entry: usize, what: &'static str },
    /// A row that does not fit its layout.
    #[error("the field `{name}` does not fit the layout {layout}: {what}")]
    Layout { layout: Layout, name: Box<str>, what: Box<str> },
    #[error("the bytes are not valid UTF-8")]
    Utf8,
    #[error("a NUL byte: this is no text, or text in UTF-16 or UTF-32")]
    Nul,
    #[error("the {what} is longer than {} MiB", limit >> 20)]
    TooLong { what: &'static str, limit: usize },
    #[error("the row has {found} columns, the header has {expected}")]
    Columns { found: usize, expected: usize, lines: u64, separator: &'static str },
    #[error("the line has {found} column(s), the tag or token is in column {expected}")]
    TokenColumns { found: usize, expected: usize },
    #[error("a quote is opened here and never closed")]
    OpenQuote,
    #[error("text after a closing quote")]
    AfterQuote,
    #[error("the header names the column `{name}` twice")]
    HeaderTwice { name: String },
    #[error("the file is empty; it should begin with a header")]
    NoHeader,
}

/// What a role takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Expected {
    Text,
    Words,
    Label,
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text => "a string",
            Self::Words => "a string or a list of strings",
            Self::Label => "a string, a number or a boolean",
        })
    }
}

/// A field that a record or a header lacks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MissingField {
    pub name: String,
    /// The role that asks for it; none if the layout does.
    pub role: Option<String>,
    pub layout: Layout,
    /// The fields that are there.
    pub present: Vec<String>,
}

impl ReadError {
    /// The characters of a row that are kept in [`ReadError::raw`].
    pub const RAW: usize = 2000;

    /// Whether the fault is one of a row alone: then the reader goes on with the next one. Otherwise the file
    /// cannot be read on, and the reader has ended.
    pub fn is_of_row(&self) -> bool {
        self.of_row
    }

    /// How to mend it.
    pub fn help(&self) -> Option<String> {
        Some(match &self.fault {
            ReadFault::FieldMissing(missing) => missing.help(),
            ReadFault::Format { .. } => {
                format!(
                    "use a file that ends in {}; or say in the recipe which format it has",
                    known_endings()
                )
            }
            ReadFault::PackedParquet { .. } => {
                "unpack it: a Parquet file is read from several places at once, and compressed inside"
                    .to_owned()
            }
            ReadFault::Codec { .. } => "write it with zstd, snappy, gzip or lz4".to_owned(),
            ReadFault::Separator { .. } => {
                "a separator is one ASCII character, and neither a quote nor a line break".to_owned()
            }
            ReadFault::Packed { .. } | ReadFault::Parquet { .. } => {
                "the file may be cut short; fetch or pack it again".to_owned()
            }
            ReadFault::Json { .. } => {
                "JSONL holds one whole JSON object on each line; a .json file one array of objects".to_owned()
            }
            ReadFault::NotAnObject { .. } => {
                "each record is an object such as {\"text\": \"...\", \"label\": \"...\"}".to_owned()
            }
            ReadFault::Utf8 | ReadFault::Nul => "save the file as UTF-8".to_owned(),
            ReadFault::TooLong { .. } => "is a line break or a closing quote missing?".to_owned(),
            ReadFault::Columns { lines: 2.., .. } => {
                "the row runs over several lines; is a closing quote missing?".to_owned()
            }
            ReadFault::Columns { separator: "tab", .. } => {
                "fields are separated by tabs; if quoted fields hold tabs or line breaks, set quotes = true"
                    .to_owned()
            }
            ReadFault::Columns { .. } => {
                "put a field that holds a comma into double quotes; fields are separated by commas".to_owned()
            }
            ReadFault::TokenColumns { .. } => {
                "each line is a token, white space and its tag; a blank line ends a sentence".to_owned()
            }
            ReadFault::OpenQuote | ReadFault::AfterQuote => {
                "inside a quoted field a double quote is written twice: \"\"".to_owned()
            }
            ReadFault::HeaderTwice { .. } => "give each column a name of its own".to_owned(),
            ReadFault::Token { .. } => {
                "tokens and tags are kept with one space between them, so none may be empty or hold a space"
                    .to_owned()
            }
            ReadFault::ColumnType { .. } => {
                "columns may hold strings, numbers, booleans, dates, and lists and structs of these"
                    .to_owned()
            }
            ReadFault::Layout { layout, .. } => {
                format!("mend the row; or name another layout than {layout} if these files have another")
            }
            ReadFault::WrongType { .. } | ReadFault::Open(_) | ReadFault::Io(_) | ReadFault::NoHeader => {
                return None;
            }
        })
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Place { file: &self.path, line: self.line, column: self.column })?;
        write!(f, ": {}", self.fault)
    }
}

impl std::error::Error for ReadError {}

/// `file:line:column`.
struct Place<'a> {
    file: &'a Path,
    line: Option<u64>,
    column: Option<u64>,
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some(line) = self.line {
            write!(f, ":{}{line}", counted(self.file))?;
            if let Some(column) = self.column {
                write!(f, ":{column}")?;
            }
        }
        Ok(())
    }
}

impl MissingField {
    fn help(&self) -> String {
        let Self { name, role, layout, present } = self;
        let wants = match role {
            Some(role) => format!("the recipe's [data].fields.{role} names `{name}`"),
            None => format!("the layout {layout} reads the field `{name}`"),
        };
        match pegbox_manifest::suggest::nearest(name, present.iter().map(String::as_str)) {
            Some(nearest) => format!("{wants}; did you mean `{nearest}`?"),
            None if role.is_some() => format!("{wants}; name a field that the records have"),
            None => format!("{wants}; name another layout, or layout = \"fields\""),
        }
    }
}

/// A row that was set aside, as it is written to the file of such rows.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Quarantined {
    /// `file:line:column`, or as much of it as is known.
    pub origin: String,
    /// What is wrong with it.
    pub reason: String,
    /// The row as it stands in the file, cut to [`ReadError::RAW`] characters.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub raw: Option<String>,
}

impl From<&ReadError> for Quarantined {
    fn from(error: &ReadError) -> Self {
        let place = Place { file: &error.path, line: error.line, column: error.column };
        Self {
            origin: place.to_string(),
            reason: error.fault.to_string(),
            raw: error.raw.as_deref().map(str::to_owned),
        }
    }
}

/// `a`, `b`, `c`: at most twelve.
fn listed(names: &[String]) -> String {
    if names.is_empty() {
        return "none".to_owned();
    }
    let mut shown: Vec<String> = names.iter().take(12).map(|name| format!("`{name}`")).collect();
    if names.len() > shown.len() {
        shown.push(format!("and {} more", names.len() - shown.len()));
    }
    shown.join(", ")
}

fn in_group(row_group: Option<usize>) -> String {
    row_group.map(|group| format!("row group {group}: ")).unwrap_or_default()
}

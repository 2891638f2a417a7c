//! What can go wrong, where, and how to mend it.

use std::io;
use std::path::{Path, PathBuf};

use pegbox_runtime::{PluginError, Severity};

use crate::report::PrepareReport;
use pegbox_records::{Part, ReadError, SchemaError};

/// A preparation that failed. `Display` is one line that says what and where; [`DataError::help`] says how
/// to mend it.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// A file of records that cannot be read.
    #[error(transparent)]
    Read(#[from] Box<ReadError>),
    /// The recipe's `[data].fields` cannot be used.
    #[error("[data].fields: {what}")]
    Schema { what: String },
    /// A plugin's call that failed, with the origins of the records that it was about.
    #[error("{error}")]
    Plugin {
        #[source]
        error: PluginError,
        origins: Vec<String>,
    },
    /// A plugin that returned something of the wrong size.
    #[error("plugin {plugin} returned {found} for {expected}")]
    Contract { plugin: String, expected: String, found: String, origins: Vec<String> },
    /// A stage that asks for a role which the recipe does not name.
    #[error("plugin {plugin} reads the field `{role}`, which the recipe's [data].fields does not name")]
    Role { plugin: String, role: String, known: Vec<String> },
    /// Findings that stop the run.
    #[error("{}", findings_line(.plugin, *.level, *.count, .examples))]
    Findings {
        plugin: String,
        /// The recipe's `fail-on`.
        level: Severity,
        /// Findings at this level or above.
        count: u64,
        examples: Vec<String>,
        report: Box<PrepareReport>,
    },
    /// Records that cannot be trained on.
    #[error("{origin}: the record has no `{field}` ({count} such records after cleaning)")]
    Missing { field: String, origin: String, count: usize },
    /// A label that training lacks.
    #[error(
        "{origin}: the label `{label}` is in the {part} rows but not in the training rows ({count} such rows)"
    )]
    UnknownLabel { label: String, part: Part, origin: String, count: usize, nearest: Option<String> },
    /// Too few labels to tell apart.
    #[error("the training rows have {count} label(s); a classifier needs at least 2")]
    TooFewLabels { count: usize },
    /// No rows.
    #[error("the {part} part has no rows{}", .why)]
    Empty { part: Part, why: &'static str },
    /// A setting of `[data]` that names a role which no field has.
    #[error("[data].{setting} names the role `{role}`, which [data].fields does not have")]
    Named { setting: &'static str, role: String, known: Vec<String> },
    /// Ratings that cannot be used.
    #[error("[data.annotations]: {what}")]
    Annotations { what: String },
    /// A time that is none.
    #[error("{origin}: `{value}` is no time")]
    Time { origin: String, value: String },
    /// The settings for duplicates or leakage cannot be used, or the disk fails them.
    #[error(transparent)]
    Duplicates(#[from] pegbox_duplicates::Error),
    /// The settings of the balance cannot be used.
    #[error("[data.balance]: {what}")]
    Balance { what: String },
    /// A row whose tokens and tags are not equally many.
    #[error("{origin}: {tokens} tokens have {tags} tags")]
    Tags { origin: String, tokens: usize, tags: usize },
    /// A row whose label should be a number.
    #[error("{origin}: the label `{value}` is no number")]
    Number { origin: String, value: String },
    /// More rows than row numbers can count.
    #[error("there are more than 4,294,967,294 rows")]
    TooManyRows,
    /// Records between the steps.
    #[error(transparent)]
    Shard(#[from] pegbox_records::shard::ShardError),
    /// A table of the dataset.
    #[error(transparent)]
    Table(#[from] pegbox_records::parquet_out::TableError),
    /// A thread of ours that ended before its work did: a fault in Pegbox.
    #[error("a thread ended before it could {doing}")]
    Thread { doing: &'static str },
    /// The settings of the split cannot be used.
    #[error("[data].split: {what}")]
    Split { what: String },
    /// The file of the tokenizer cannot be used.
    #[error("the tokenizer {name}: {what}")]
    Tokenizer { name: String, what: String },
    /// The chat template cannot be used.
    #[error("[model].chat-template: {what}")]
    ChatTemplate { what: String },
    /// A text that could not be tokenized.
    #[error("{origin}: the text could not be tokenized: {what}")]
    Tokenize { origin: String, what: String },
    /// Texts that are too long where the recipe says that they may not be.
    #[error("{origin}: the text has {tokens} tokens, max-length is {max_length} ({count} such rows)")]
    OverLong { origin: String, tokens: usize, max_length: usize, count: usize },
    /// A file of a prepared dataset that is not as it was written.
    #[error("{}: {what}", file.display())]
    Damaged { file: PathBuf, what: String },
    /// The disk.
    #[error("cannot {doing} {}: {source}", path.display())]
    Io { doing: &'static str, path: PathBuf, source: io::Error },
}

impl From<SchemaError> for DataError {
    fn from(error: SchemaError) -> Self {
        Self::Schema { what: error.to_string() }
    }
}

/// Of the crate for annotations: settings that make no sense, or an error of ours while it read the rows.
impl From<pegbox_annotations::AnnotationError> for DataError {
    fn from(error: pegbox_annotations::AnnotationError) -> Self {
        match error {
            pegbox_annotations::AnnotationError::Rows(error) => match error.downcast::<Self>() {
                Ok(error) => *error,
                Err(error) => Self::Annotations { what: error.to_string() },
            },
            error => Self::Annotations { what: error.to_string() },
        }
    }
}

impl From<ReadError> for DataError {
    fn from(error: ReadError) -> Self {
        Self::Read(Box::new(error))
    }
}

impl DataError {
    /// How to mend it.
    pub fn help(&self) -> Option<String> {
        if self.is_full_disk() {
            return Some(
                "free some space and run the same command again: what is finished is kept".to_owned(),
            );
        }
        Some(match self {
            Self::Read(error) => return error.help(),
            Self::Plugin { error, .. } => return error.help(),
            Self::Schema { .. } => "write for example fields = { text = \"text\", label = \"label\" }".to_owned(),
            Self::Contract { plugin, .. } => {
                format!("this is a mistake in the plugin; report it to the authors of {plugin} with this message")
            }
            Self::Role { role, known, .. } => format!(
                "add {role} = \"...\" to [data].fields, which has {}; or take the plugin out of the recipe",
                listed(known)
            ),
            Self::Findings { .. } => {
                "mend the records, or let a cleaner drop them, or set the validator's `fail-on` to a higher level or to \"never\"".to_owned()
            }
            Self::Missing { field, .. } => {
                format!("give these records a `{field}`, or let a cleaner drop them")
            }
            Self::UnknownLabel { label, nearest: Some(nearest), .. } => format!(
                "did you mean `{nearest}`? Otherwise add training rows with the label `{label}`, or take these rows out"
            ),
            Self::UnknownLabel { label, .. } => {
                format!("add training rows with the label `{label}`, or take these rows out")
            }
            Self::TooFewLabels { .. } => "check which field [data].fields names as `label`".to_owned(),
            Self::Empty { .. } => "check the files and what the cleaners dropped".to_owned(),
            Self::Split { .. } => {
                "shares are at least 0 and together below 1; give more rows, a larger share, or a file of its own".to_owned()
            }
            Self::Tokenizer { .. } => {
                "the model's folder must hold the tokenizer.json of the Hugging Face library `tokenizers`".to_owned()
            }
            Self::ChatTemplate { .. } => {
                "name a file with a template, or \"model\" for that of an instruct or chat model".to_owned()
            }
            Self::OverLong { .. } => {
                "raise max-length (the model sets a ceiling), or set over-long to \"truncate\", \"split\" or \"drop\"".to_owned()
            }
            Self::Damaged { file, .. } => match file.parent() {
                Some(folder) => format!("delete the folder {} and run `pegbox prepare` again", folder.display()),
                None => "run `pegbox prepare` again".to_owned(),
            },
            Self::Named { role, known, .. } => format!(
                "add {role} = \"...\" to [data].fields, which has {}",
                listed(known)
            ),
            Self::Annotations { .. } => {
                "the role `annotations` holds a JSON object of annotators and values; or name the roles `item`, `annotator` and `label`".to_owned()
            }
            Self::Time { .. } => "a time is a number of seconds, or a date such as 2026-11-28T10:00:00Z".to_owned(),
            Self::Duplicates(error) => return error.help(),
            Self::Shard(error) => return error.help(),
            Self::Table(error) => return error.help(),
            Self::Tags { .. } => "give each token a tag, `O` where it is in no entity".to_owned(),
            Self::Number { .. } => {
                "regression needs a finite number in each row's `label`; leave out rows that have none".to_owned()
            }
            Self::TooManyRows => "prepare the data in several datasets".to_owned(),
            Self::Thread { .. } => "run the same command again, and report this if it comes back".to_owned(),
            Self::Balance { .. } | Self::Tokenize { .. } | Self::Io { .. } => return None,
        })
    }

    /// Whether the cause of it all is a disk that is full.
    fn is_full_disk(&self) -> bool {
        let mut next: Option<&(dyn std::error::Error + 'static)> = Some(self);
        while let Some(error) = next {
            let io = error.downcast_ref::<io::Error>();
            if io.is_some_and(|error| error.kind() == io::ErrorKind::StorageFull) {
                return true;
            }
            next = error.source();
        }
        false
    }

    /// The records that a plugin was working on, as `file:line`.
    pub fn record_origins(&self) -> &[String] {
        match self {
            Self::Plugin { origins, .. } | Self::Contract { origins, .. } => origins,
            _ => &[],
        }
    }

    /// The plugin's error, if it is one.
    pub fn plugin(&self) -> Option<&PluginError> {
        match self {
            Self::Plugin { error, .. } => Some(error),
            _ => None,
        }
    }

    /// What had happened until findings stopped the run.
    pub fn report(&self) -> Option<&PrepareReport> {
        match self {
            Self::Findings { report, .. } => Some(report),
            _ => None,
        }
    }

    pub(crate) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { doing, path, source }
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

fn findings_line(plugin: &str, level: Severity, count: u64, examples: &[String]) -> String {
    let level = match level {
        Severity::Info => "info",
        Severity::Warning => "warning",
        Severity::Error => "error",
    };
    let first = examples.first().map(|example| format!("; the first: {example}")).unwrap_or_default();
    format!("plugin {plugin} found {count} fault(s) at or above fail-on = \"{level}\"{first}")
}

//! What can go wrong, and how to mend it.

use std::io;
use std::path::PathBuf;

use pegbox_records::sources::SourceError;
use pegbox_records::{ReadError, ReadFault};

/// `Display` is one line; [`VocabularyError::help`] says how to mend it.
#[derive(Debug, thiserror::Error)]
pub enum VocabularyError {
    #[error(transparent)]
    Sources(#[from] SourceError),
    #[error(transparent)]
    Read(Box<ReadError>),
    #[error("the field `{field}` is named twice")]
    FieldTwice { field: String },
    #[error("the texts hold no words")]
    NoWords,
    #[error("{}: {what}", path.display())]
    Tokenizer { path: PathBuf, what: String },
    #[error("{}: this tokenizer cannot be extended: {what}", path.display())]
    Unextendable { path: PathBuf, what: String },
    #[error("{}: {what}", path.display())]
    Extension { path: PathBuf, what: String, help: &'static str },
    #[error("a vocabulary of {size} tokens is too small: {needed} are needed for {what}")]
    TooSmall { size: usize, needed: usize, what: &'static str },
    #[error("the special token `{token}` {what}")]
    Special { token: String, what: &'static str },
    #[error("the Unigram trainer failed: {what}")]
    Unigram { what: String },
    #[error("{} holds `{file}`, which is no file of a tokenizer", to.display())]
    Foreign { to: PathBuf, file: String },
    #[error("cannot {doing} {}: {source}", path.display())]
    Io { path: PathBuf, doing: &'static str, source: io::Error },
}

impl From<ReadError> for VocabularyError {
    fn from(error: ReadError) -> Self {
        Self::Read(Box::new(error))
    }
}

impl VocabularyError {
    /// What the user can do about it.
    pub fn help(&self) -> Option<String> {
        Some(match self {
            Self::Sources(error) => return error.help(),
            Self::Read(error) => match error.fault {
                ReadFault::FieldMissing(_) => "name the fields that hold the texts with --field".to_owned(),
                _ => return error.help(),
            },
            Self::FieldTwice { .. } => "name each field once".to_owned(),
            Self::NoWords => "are these the right files, and is --field the right field?".to_owned(),
            Self::Tokenizer { .. } => {
                "expected a tokenizer.json as Hugging Face `tokenizers` writes it, or a folder that holds one"
                    .to_owned()
            }
            Self::Unextendable { .. } => {
                "WordPiece tokenizers such as BERT's and byte-level BPE such as GPT-2's can be extended"
                    .to_owned()
            }
            Self::Extension { help, .. } => (*help).to_owned(),
            Self::TooSmall { .. } => {
                "ask for a larger --size; --alphabet keeps only the most frequent characters".to_owned()
            }
            Self::Special { .. } => "name each special token once, and not empty".to_owned(),
            Self::Foreign { .. } => {
                "name another folder with --to; only folders of tokenizers are replaced".to_owned()
            }
            Self::Io { source, .. } if source.kind() == io::ErrorKind::StorageFull => {
                "the disk is full; nothing was written under the final name".to_owned()
            }
            Self::Unigram { .. } | Self::Io { .. } => return None,
        })
    }

    pub(crate) fn io(path: impl Into<PathBuf>, doing: &'static str) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { path, doing, source }
    }
}

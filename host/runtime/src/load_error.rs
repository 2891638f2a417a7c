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
    /// What it asks for and the recipe does not grant; `missing` as the recipe would write it.
    #[error("plugin {plugin} asks for permissions that the recipe does not grant: {}", missing.join(", "))]
    NotGranted { plugin: String, name: String, missing: Vec<String> },
    #[error("plugin {plugin} {fault}: {key} is {limit}")]
    Compile { plugin: String, fault: &'static str, key: &'static str, limit: u64 },
    /// A source tree without a component.
    #[error("plugin {plugin} is not built: {} is missing", file.display())]
    NotBuilt { plugin: String, folder: PathBuf, file: PathBuf },
    /// A component or library that is a link to elsewhere, a pipe, a device.
    #[error("plugin {plugin}: {} is not a file inside the plugin's folder", file.display())]
    Outside { plugin: String, file: PathBuf },
    #[error("plugin {plugin}: {source}")]
    Limit { plugin: String, source: LimitError },
    #[error("{}: the file is {mib} MiB, the most is {limit_mib}", file.display())]
    TooLarge { file: PathBuf, mib: u64, limit_mib: u64 },
    /// The file is not the one that somebody vouched for.
    #[error("{}: its digest is {found}, but {by} says {expected}", file.display())]
    Tampered { file: PathBuf, by: &'static str, expected: String, found: String },
    #[error("{}: not a WebAssembly component: {fault}", file.display())]
    NotAComponent { file: PathBuf, fault: String, help: Option<String> },
    #[error("plugin {plugin} imports `{import}`, which {}", import_fault(kinds, *permission))]
    Import { plugin: String, import: String, kinds: String, permission: Option<&'static str> },
    #[error("plugin {plugin} says it is a {kind}, but does not export `{interface}`")]
    MissingExport { plugin: String, kind: &'static str, interface: String },
    #[error("plugin {plugin} does not fit the contract: {fault}")]
    Link { plugin: String, fault: String, help: Option<String> },
    /// No instance of it could be made, whatever the recipe says.
    #[error("plugin {plugin} is larger than any plugin may be: {fault}")]
    DoesNotFit { plugin: String, fault: String },
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
            Self::NotGranted { name, missing, .. } => format!(
                "if you trust it with that, add to the recipe\n[grants.\"{name}\"]\n{}",
                missing.join("\n")
            ),
            Self::Compile { key, limit, .. } => format!(
                "raise `limits.{key}` (now {limit}) where the recipe names the plugin, if you know why it is so large"
            ),
            Self::NotBuilt { folder, .. } => format!("run `pegbox plugin build {}`", folder.display()),
            Self::DoesNotFit { .. } => "a plugin consists of at most 64 instances, memories and tables, one memory and 8 tables a module, 200000 elements a table".to_owned(),
            Self::Outside { .. } => "put the file itself there, in place of a symbolic link".to_owned(),
            Self::TooLarge { .. } => "raise `limits.module-mib` where the recipe names the plugin, if you know why it is so large".to_owned(),
            Self::Limit { .. } => "set `limits` where the recipe names the plugin".to_owned(),
            Self::Tampered { by, .. } => format!(
                "the file was changed or exchanged after {by} was written: fetch or build the plugin again, and change the digest only if you know why it differs"
            ),
            Self::Import { permission: Some("read"), .. } => "its plugin.toml must ask for it, for example: [permissions] read = [\"lexicons\"]".to_owned(),
            Self::Import { permission: Some("environment"), .. } => "its plugin.toml must ask for it, for example: [permissions] environment = [\"LANG\"]".to_owned(),
            Self::Import { permission: Some("network"), .. } => "its plugin.toml must ask for it, for example: [permissions] network = [\"example.org\"]".to_owned(),
            Self::Import { permission: Some(name), .. } => format!("its plugin.toml must ask for it: [permissions] {name} = true"),
            Self::Import { .. } => "a plugin imports the contract's interfaces and what its permissions give, and nothing else; `pegbox plugin build` makes such components".to_owned(),
            Self::NoBuild { wanted: "WebAssembly", .. } => "a native plugin needs `trust = \"native\"` and its `digest` in the recipe".to_owned(),
            Self::NoBuild { .. } => "leave `trust = \"native\"` out to run the component".to_owned(),
            _ => return None,
        })
    }
}

fn import_fault(kinds: &str, permission: Option<&str>) -> String {
    match permission {
        Some(_) => "its manifest does not ask for".to_owned(),
        None => format!("a {kinds} may not"),
    }
}

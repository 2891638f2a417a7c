//! What can be wrong with a manifest.

use std::path::PathBuf;

use semver::Version;

use crate::manifest::CONTRACT;

/// A manifest that cannot be used, and why.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    #[error("{}: {fault}", file.display())]
    Read { file: PathBuf, fault: std::io::Error },
    /// It cannot be understood. `line` counts from 1.
    #[error("{}{}: {fault}", file.display(), line.map(|line| format!(":{line}")).unwrap_or_default())]
    Wrong { file: PathBuf, line: Option<usize>, fault: String, help: Option<String> },
    #[error("`{reference}` does not name a plugin: {fault}")]
    Reference { reference: String, fault: String },
    #[error("plugin {plugin} is built for contract {built_for}, this host serves {CONTRACT}")]
    Contract { plugin: String, built_for: Version },
}

impl ManifestError {
    /// How to mend it.
    pub fn help(&self) -> Option<String> {
        Some(match self {
            Self::Read { .. } => return None,
            Self::Wrong { help, .. } => return help.clone(),
            Self::Reference { .. } => {
                "write `team/name` or `team/name@requirement`, such as `pegbox/focal-loss@^0.1`".to_owned()
            }
            Self::Contract { built_for, .. } if newer(built_for) => {
                "use a newer Pegbox, or an older version of the plugin".to_owned()
            }
            Self::Contract { .. } => "use a newer version of the plugin, or an older Pegbox".to_owned(),
        })
    }
}

fn newer(built_for: &Version) -> bool {
    Version::parse(CONTRACT).is_ok_and(|ours| *built_for > ours)
}

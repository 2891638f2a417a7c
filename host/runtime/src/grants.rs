//! What a recipe lets a plugin do.

use std::path::PathBuf;

use pegbox_manifest::Permissions;

/// The table `[grants."team/name"]` of a recipe, and where its folders are.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Grants {
    pub permissions: Permissions,
    /// What the folders in `permissions.read` are relative to: the recipe's folder.
    pub root: PathBuf,
}

//! Loading a plugin to try it: its author is at the keyboard, so it gets the permissions that it asks for.

use std::path::Path;

use pegbox_manifest::{Manifest, digest};
use pegbox_runtime::{Grants, LoadError, LoadOptions, Plugin, Resolved, Runtime, TrustLevel};

use crate::error::WorkshopError;

/// Loads the plugin in `folder`.
///
/// # Errors
/// There is no manifest, or the plugin is unfit to run.
pub fn open_folder(runtime: &Runtime, folder: &Path, native: bool) -> Result<Plugin, WorkshopError> {
    let manifest = Manifest::read(folder).map_err(LoadError::from)?;
    open(runtime, &Resolved { manifest, folder: folder.to_owned() }, native)
}

/// Loads a plugin that was found; as a shared library if `native`. Folders that it may read are relative to its
/// own.
///
/// # Errors
/// The plugin is unfit to run, or has no native build.
pub fn open(runtime: &Runtime, found: &Resolved, native: bool) -> Result<Plugin, WorkshopError> {
    let trust =
        if native { TrustLevel::Native { digest: native_digest(found)? } } else { TrustLevel::Sandboxed };
    let grants = Grants { permissions: found.manifest.permissions.clone(), root: found.folder.clone() };
    Ok(runtime.load(found, &LoadOptions { trust, grants, ..LoadOptions::default() })?)
}

/// Whoever tries a library vouches for the one that lies there.
fn native_digest(found: &Resolved) -> Result<String, WorkshopError> {
    let Some(library) = &found.manifest.native else {
        return Err(LoadError::NoBuild { plugin: found.manifest.to_string(), wanted: "native" }.into());
    };
    let file = found.folder.join(&library.path);
    let bytes = std::fs::read(&file).map_err(WorkshopError::io("read", file))?;
    Ok(digest::of(&bytes))
}

//! One build, as a language sees it.

use std::path::{Path, PathBuf};

use pegbox_manifest::Manifest;

use crate::tools::Tools;

/// Everything that a language needs to make a component.
pub struct Job<'a> {
    /// The plugin's source folder, absolute.
    pub folder: &'a Path,
    pub manifest: &'a Manifest,
    /// The file that the author edits.
    pub source: PathBuf,
    /// A folder with the package `pegbox:build`: its world `plugin` is what this plugin exports and may import. Below,
    /// `deps/` holds the contract, and WASI where the manifest asks for some of it.
    pub wit: PathBuf,
    /// For scratch files: `target/pegbox` in the plugin's folder.
    pub work: PathBuf,
    /// The unpacked SDKs: `python`, `javascript`, `c`, `zig`, `rust`, and `wit`.
    pub sdk: PathBuf,
    pub tools: &'a Tools,
}

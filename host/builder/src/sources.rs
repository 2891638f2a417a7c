//! What a build depends on: as long as none of it changes, nor does the component.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use pegbox_manifest::{Language, Manifest, digest};

use crate::embedded::{BUILDER_DIGEST, SDK_DIGEST};
use crate::error::BuildError;

/// Folders and files that no component is built from.
const LEFT_OUT: [&str; 9] = [
    "target",
    "tests",
    "node_modules",
    "__pycache__",
    "README.md",
    ".git",
    ".venv",
    ".zig-cache",
    "zig-cache",
];

/// A digest of the plugin's sources, the SDK, this program and the language's tools.
pub(crate) fn key(
    folder: &Path,
    manifest: &Manifest,
    language: Language,
    versions: &str,
) -> Result<String, BuildError> {
    let mut text = format!("sdk {SDK_DIGEST}\nbuilder {BUILDER_DIGEST}\nlanguage {language}\n{versions}\n");
    let mut files = BTreeMap::new();
    collect(folder, folder, manifest, &mut files)?;
    for (name, path) in files {
        let content = fs::read(&path).map_err(BuildError::file("read", &path))?;
        text += &format!("{} {name}\n", digest::of(&content));
    }
    Ok(digest::of(text.as_bytes()))
}

fn collect(
    root: &Path,
    folder: &Path,
    manifest: &Manifest,
    files: &mut BTreeMap<String, PathBuf>,
) -> Result<(), BuildError> {
    let made = [&manifest.component, &manifest.native].into_iter().flatten();
    let made: Vec<PathBuf> = made.map(|binary| root.join(&binary.path)).collect();
    for entry in fs::read_dir(folder).map_err(BuildError::file("read", folder))? {
        let entry = entry.map_err(BuildError::file("read", folder))?;
        let (path, name) = (entry.path(), entry.file_name());
        if LEFT_OUT.iter().any(|left_out| name == *left_out) || made.contains(&path) {
            continue;
        }
        if path.is_dir() {
            collect(root, &path, manifest, files)?;
        } else if !is_ours(&path) {
            let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().replace('\\', "/");
            files.insert(name, path);
        }
    }
    Ok(())
}

/// A file that this program writes into the author's folder.
fn is_ours(path: &Path) -> bool {
    path.ends_with(".cargo/config.toml")
        && fs::read_to_string(path).is_ok_and(|text| text.starts_with(crate::languages::rust::WRITTEN_BY))
}

//! Folders of this language's scratch files.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;

use crate::error::BuildError;

/// Makes `to` a copy of `from`, and nothing else: without the entries that `is_wanted` refuses by name, and with the
/// files' contents as `changed` gives them.
pub(super) fn copy(
    from: &Path,
    to: &Path,
    is_wanted: fn(&OsStr) -> bool,
    changed: fn(Vec<u8>) -> Vec<u8>,
) -> Result<(), BuildError> {
    empty(to)?;
    add(from, to, is_wanted, changed)
}

/// As [`copy`], beside what there is in `to`.
pub(super) fn add(
    from: &Path,
    to: &Path,
    is_wanted: fn(&OsStr) -> bool,
    changed: fn(Vec<u8>) -> Vec<u8>,
) -> Result<(), BuildError> {
    fs::create_dir_all(to).map_err(BuildError::file("made", to))?;
    for entry in fs::read_dir(from).map_err(BuildError::file("read", from))? {
        let entry = entry.map_err(BuildError::file("read", from))?;
        if !is_wanted(&entry.file_name()) {
            continue;
        }
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        // A link to a folder is not followed: it may lead round in a circle.
        if entry.file_type().map_err(BuildError::file("read", &source))?.is_dir() {
            add(&source, &target, is_wanted, changed)?;
        } else if source.is_file() {
            let content = fs::read(&source).map_err(BuildError::file("read", &source))?;
            fs::write(&target, changed(content)).map_err(BuildError::file("written", &target))?;
        }
    }
    Ok(())
}

/// Makes `folder` an empty folder.
pub(super) fn empty(folder: &Path) -> Result<(), BuildError> {
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(BuildError::file("removed", folder))?;
    }
    fs::create_dir_all(folder).map_err(BuildError::file("made", folder))
}

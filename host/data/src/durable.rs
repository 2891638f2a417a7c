//! Files that are there whole or not at all: written in a folder beside, synced, renamed.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use tempfile::TempDir;

use crate::error::DataError;

/// A folder that is being written; it vanishes unless published.
pub struct Draft(TempDir);

impl Draft {
    /// Beside where it will be published, so that the rename stays on one disk.
    pub fn new(parent: &Path) -> Result<Self, DataError> {
        fs::create_dir_all(parent).map_err(DataError::io("create the folder", parent))?;
        let folder = tempfile::Builder::new()
            .prefix(".preparing-")
            .tempdir_in(parent);
        Ok(Self(
            folder.map_err(DataError::io("create a folder in", parent))?,
        ))
    }

    /// Writes a file and syncs it.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<(), DataError> {
        let path = self.0.path().join(name);
        let write = || {
            let mut file = File::create(&path)?;
            file.write_all(bytes)?;
            file.sync_all()
        };
        write().map_err(DataError::io("write", &path))
    }

    /// Renames the folder to `target`. What stands there is replaced.
    pub fn publish(self, target: &Path) -> Result<(), DataError> {
        sync(self.0.path())?;
        let parent = target.parent().unwrap_or(Path::new("."));
        // A folder cannot be renamed onto one that has files, so the old one steps aside first; the place
        // it steps to vanishes with its contents.
        let aside = tempfile::Builder::new()
            .prefix(".replaced-")
            .tempdir_in(parent);
        let aside = aside.map_err(DataError::io("create a folder in", parent))?;
        if target.exists() {
            fs::rename(target, aside.path().join("old"))
                .map_err(DataError::io("move aside", target))?;
        }
        fs::rename(self.0.path(), target).map_err(DataError::io("create", target))?;
        // It has moved, so there is nothing left to clear.
        let _moved = self.0.keep();
        // A temporary folder is for its owner alone; a dataset is as readable as what is beside it.
        widen(target)?;
        sync(parent)
    }
}

/// Syncs the entries of a folder.
fn sync(folder: &Path) -> Result<(), DataError> {
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(DataError::io("sync the folder", folder))
}

#[cfg(unix)]
fn widen(folder: &Path) -> Result<(), DataError> {
    use std::os::unix::fs::PermissionsExt;
    let permissions = fs::Permissions::from_mode(0o755);
    fs::set_permissions(folder, permissions)
        .map_err(DataError::io("set the permissions of", folder))
}

#[cfg(not(unix))]
fn widen(_: &Path) -> Result<(), DataError> {
    Ok(())
}

//! Files and folders that are there whole or not at all, also after a power cut: written under a temporary
//! name beside their place, synced, renamed, and the folder's entries synced.

use std::fs::{self, File};
use std::io::{self, BufWriter, IntoInnerError, Write};
use std::path::{Path, PathBuf};

use tempfile::{NamedTempFile, TempDir};

/// Temporary names begin like this; what bears one after a crash may be deleted.
pub const TEMPORARY: &str = ".writing-";

/// Writes `content` to `path`, and makes its folder if there is none. What stood there is replaced.
///
/// # Errors
/// The disk's; what stood at `path` is untouched then.
pub fn write_file(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut draft = FileDraft::new(path)?;
    draft.write_all(content)?;
    draft.publish()
}

/// A file that is being written piece by piece. It vanishes unless [`FileDraft::publish`] puts it in its place.
#[derive(Debug)]
pub struct FileDraft {
    file: BufWriter<NamedTempFile>,
    path: PathBuf,
}

impl FileDraft {
    /// Makes the folder of `path`, if there is none. What stands at `path` stays until the draft is published.
    ///
    /// # Errors
    /// The disk's.
    pub fn new(path: &Path) -> io::Result<Self> {
        let folder = parent(path);
        fs::create_dir_all(folder)?;
        let file = tempfile::Builder::new().prefix(TEMPORARY).tempfile_in(folder)?;
        Ok(Self { file: BufWriter::with_capacity(1 << 20, file), path: path.to_owned() })
    }

    /// Puts the file in its place. What stood there is replaced.
    ///
    /// # Errors
    /// The disk's; what stood there is untouched then.
    pub fn publish(self) -> io::Result<()> {
        let file = self.file.into_inner().map_err(IntoInnerError::into_error)?;
        keep(file, &self.path)?;
        sync_folder(parent(&self.path))
    }
}

impl Write for FileDraft {
    fn write(&mut self, content: &[u8]) -> io::Result<usize> {
        self.file.write(content)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// A folder that is being written. It vanishes unless [`Draft::publish`] puts it in its place.
#[derive(Debug)]
pub struct Draft(TempDir);

impl Draft {
    /// In `parent`, where it will be published, so that the rename stays on one disk.
    ///
    /// # Errors
    /// The disk's.
    pub fn new(parent: &Path) -> io::Result<Self> {
        fs::create_dir_all(parent)?;
        Ok(Self(tempfile::Builder::new().prefix(TEMPORARY).tempdir_in(parent)?))
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes a file of the folder and syncs it.
    ///
    /// # Errors
    /// The disk's.
    pub fn write(&self, name: &str, content: &[u8]) -> io::Result<()> {
        let mut file = File::create(self.0.path().join(name))?;
        file.write_all(content)?;
        file.sync_all()
    }

    /// Renames the folder to `target`, a sibling. What stands there is replaced.
    ///
    /// # Errors
    /// The disk's.
    pub fn publish(self, target: &Path) -> io::Result<()> {
        // A temporary folder is for its owner alone; a published one is as readable as what is beside it.
        widen(self.0.path())?;
        sync_folder(self.0.path())?;
        let parent = parent(target);
        // A folder cannot be renamed onto one that has files, so the old one steps aside first; the place
        // that it steps to vanishes with its contents.
        let aside = tempfile::Builder::new().prefix(TEMPORARY).tempdir_in(parent)?;
        if target.exists() {
            fs::rename(target, aside.path().join("old"))?;
        }
        fs::rename(self.0.path(), target)?;
        // It has moved, so there is nothing left to clear.
        let _moved = self.0.keep();
        sync_folder(parent)
    }
}

/// Deletes what a killed process left half-written in `folder`.
///
/// # Errors
/// The disk's.
pub fn clear_temporaries(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(TEMPORARY)) {
            if path.is_dir() { fs::remove_dir_all(&path)? } else { fs::remove_file(&path)? }
        }
    }
    Ok(())
}

/// Syncs the entries of a folder.
///
/// # Errors
/// The disk's.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

fn keep(file: NamedTempFile, path: &Path) -> io::Result<PathBuf> {
    readable(file.as_file())?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(path.to_owned())
}

fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(unix)]
fn readable(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn readable(_: &File) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn widen(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755))
}

#[cfg(not(unix))]
fn widen(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_nothing_else_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("made/for/it/state.json");
        write_file(&path, b"one").unwrap();
        write_file(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_in_pieces_is_there_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("weights");
        write_file(&path, b"old").unwrap();
        let mut draft = FileDraft::new(&path).unwrap();
        draft.write_all(b"ne").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"old");
        draft.write_all(b"w").unwrap();
        draft.publish().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        FileDraft::new(&path).unwrap().write_all(b"never").unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_folder_is_replaced_whole_and_a_draft_vanishes() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("step-1");
        for content in ["one", "two"] {
            let draft = Draft::new(folder.path()).unwrap();
            draft.write("file", content.as_bytes()).unwrap();
            draft.publish(&target).unwrap();
            assert_eq!(fs::read_to_string(target.join("file")).unwrap(), content);
        }
        drop(Draft::new(folder.path()).unwrap());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_a_crash_left_is_cleared() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join(".writing-abc")).unwrap();
        fs::write(folder.path().join(".writing-def"), "half").unwrap();
        fs::write(folder.path().join("whole"), "whole").unwrap();
        clear_temporaries(folder.path()).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}

//! The folder that an exporter writes into, until it takes its place.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use pegbox_runtime::artifact::BundlePaths;
use pegbox_runtime::{ArtifactError, Bundle};
use rustix::fs::{CWD, RenameFlags, renameat_with};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::error::ExportError;

/// Lies in every artifact: what Pegbox wrote, and may therefore replace.
const LIST: &str = ".pegbox-export.json";

#[derive(Debug, Serialize, Deserialize)]
struct List {
    written_by: String,
    /// Relative path to `sha256:...`.
    files: BTreeMap<String, String>,
}

/// A file of a finished bundle.
#[derive(Debug, Clone)]
pub(super) struct BundleFile {
    pub path: String,
    pub bytes: u64,
    digest: String,
}

/// A temporary folder beside the artifact's place: on the same disk, so that a rename suffices.
pub(super) struct FolderBundle {
    folder: TempDir,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    paths: BundlePaths,
    created: Vec<String>,
    /// The file that grew last, kept open.
    open: Option<(String, File)>,
}

impl FolderBundle {
    pub(super) fn beside(to: &Path) -> Result<Self, ExportError> {
        let parent = parent_of(to);
        fs::create_dir_all(parent).map_err(ExportError::io(parent, "make the folder"))?;
        let folder = tempfile::Builder::new()
            .prefix(".pegbox-export-")
            .tempdir_in(parent)
            .map_err(ExportError::io(parent, "make a folder in"))?;
        Ok(Self { folder, state: Mutex::default() })
    }

    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Closes and syncs every file.
    pub(super) fn finish(&self) -> Result<Vec<BundleFile>, ExportError> {
        let mut state = self.state();
        state.open = None;
        let mut files = Vec::new();
        for path in &state.created {
            let at = self.path().join(path);
            let (bytes, digest) = sync_and_digest(&at).map_err(ExportError::io(&at, "write"))?;
            files.push(BundleFile { path: path.clone(), bytes, digest });
        }
        Ok(files)
    }

    /// Puts the folder in its place; an earlier artifact leaves it in the same step where the system can.
    pub(super) fn commit(&self, to: &Path, files: &[BundleFile]) -> Result<(), ExportError> {
        self.write_list(files)?;
        sync_folders(self.path()).map_err(ExportError::io(self.path(), "write"))?;
        check_target(to)?;
        if to.exists() {
            swap(self.path(), to).map_err(ExportError::io(to, "replace"))?;
            // The temporary folder now holds the earlier artifact and goes with it when it is dropped.
        } else {
            fs::rename(self.path(), to).map_err(ExportError::io(to, "write"))?;
        }
        let parent = parent_of(to);
        File::open(parent).and_then(|folder| folder.sync_all()).map_err(ExportError::io(parent, "sync"))
    }

    fn write_list(&self, files: &[BundleFile]) -> Result<(), ExportError> {
        let list = List {
            written_by: concat!("pegbox ", env!("CARGO_PKG_VERSION")).into(),
            files: files.iter().map(|file| (file.path.clone(), file.digest.clone())).collect(),
        };
        let path = self.path().join(LIST);
        let text = serde_json::to_vec_pretty(&list).map_err(|error| ExportError::Io {
            path: path.clone(),
            doing: "write",
            source: io::Error::other(error),
        })?;
        let mut file = File::create(&path).map_err(ExportError::io(&path, "write"))?;
        file.write_all(&text).and_then(|()| file.sync_all()).map_err(ExportError::io(&path, "write"))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Every change under the lock is complete before anything can panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Bundle for FolderBundle {
    fn create(&self, path: &str) -> Result<(), ArtifactError> {
        let mut state = self.state();
        state.paths.create(path)?;
        let fail = |error: io::Error| failed("bundle.create", path, &error);
        if path.eq_ignore_ascii_case(LIST) {
            return Err(failed("bundle.create", path, &"this name is Pegbox's own"));
        }
        let at = self.path().join(path);
        if let Some(parent) = at.parent() {
            fs::create_dir_all(parent).map_err(fail)?;
        }
        let file = OpenOptions::new().write(true).create_new(true).open(&at).map_err(fail)?;
        state.created.push(path.to_string());
        state.open = Some((path.to_string(), file));
        Ok(())
    }

    fn append(&self, path: &str, content: &[u8]) -> Result<(), ArtifactError> {
        let mut state = self.state();
        state.paths.append(path)?;
        let fail = |error: io::Error| failed("bundle.append", path, &error);
        if let Some((open, file)) = &mut state.open
            && open == path
        {
            return file.write_all(content).map_err(fail);
        }
        let mut file = OpenOptions::new().append(true).open(self.path().join(path)).map_err(fail)?;
        file.write_all(content).map_err(fail)?;
        state.open = Some((path.to_string(), file));
        Ok(())
    }
}

/// Whether `to` is free, or holds nothing but what an earlier export wrote.
pub(super) fn check_target(to: &Path) -> Result<(), ExportError> {
    match fs::symlink_metadata(to) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(ExportError::io(to, "read")(error)),
        Ok(meta) if !meta.is_dir() => return Err(ExportError::NotAFolder { to: to.to_path_buf() }),
        Ok(_) => {}
    }
    let list: Option<List> = fs::read(to.join(LIST)).ok().and_then(|text| serde_json::from_slice(&text).ok());
    let ours = |path: &str| list.as_ref().is_some_and(|list| path == LIST || list.files.contains_key(path));
    let mut found = Vec::new();
    walk(to, to, &mut found).map_err(ExportError::io(to, "read"))?;
    match found.into_iter().find(|path| !ours(path)) {
        Some(file) => Err(ExportError::Foreign { to: to.to_path_buf(), file }),
        None => Ok(()),
    }
}

/// Every file below `folder`, relative to `root`; links count as files and are not followed.
fn walk(root: &Path, folder: &Path, found: &mut Vec<String>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            walk(root, &entry.path(), found)?;
        } else {
            let path = entry.path();
            found.push(path.strip_prefix(root).unwrap_or(&path).to_string_lossy().into_owned());
        }
    }
    found.sort();
    Ok(())
}

fn swap(new: &Path, to: &Path) -> io::Result<()> {
    match renameat_with(CWD, new, CWD, to, RenameFlags::EXCHANGE) {
        Ok(()) => Ok(()),
        // File systems that cannot exchange two folders: between the two renames `to` is missing for a moment.
        Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS) => {
            let aside = new.with_extension("replaced");
            fs::rename(to, &aside)?;
            if let Err(error) = fs::rename(new, to) {
                fs::rename(&aside, to)?;
                return Err(error);
            }
            fs::remove_dir_all(aside)
        }
        Err(error) => Err(error.into()),
    }
}

fn sync_and_digest(path: &Path) -> io::Result<(u64, String)> {
    let mut file = OpenOptions::new().read(true).write(true).open(path)?;
    file.sync_all()?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    let mut bytes = 0;
    loop {
        let count = file.read(&mut buffer)?;
        if count == 0 {
            return Ok((bytes, format!("sha256:{:x}", hasher.finalize())));
        }
        bytes += count as u64;
        hasher.update(&buffer[..count]);
    }
}

fn sync_folders(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            sync_folders(&entry.path())?;
        }
    }
    File::open(folder)?.sync_all()
}

fn parent_of(to: &Path) -> &Path {
    to.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn failed(operation: &'static str, path: &str, error: &dyn std::fmt::Display) -> ArtifactError {
    ArtifactError { operation, what: format!("{path}: {error}"), help: None }
}

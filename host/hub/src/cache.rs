//! The folder on this machine that keeps what was fetched.
//!
//! ```text
//! <root>/models/<key>/{config.json, model.safetensors, ...}   one base model
//! <root>/models/<key>.json                                    its files' digests, its licence, its source
//! <root>/sources/pypi/<name>/<version>.json                   which model that is
//! <root>/sources/hf/<org>--<name>/<commit>.json               which model that is
//! <root>/sources/hf/<org>--<name>/revisions.json              the commits that branches and tags stood at
//! <root>/downloads/<digest>.part                              a download under way
//! <root>/downloads/<digest>                                   a file that waits for the rest of its model
//! <root>/digests/<key>.json                                   the digest of a file that has not changed since
//! ```
//! A key is 64 hex digits: the SHA-256 of the wheel, archive or single file that the model came in, or, for a
//! repository, of the names and digests of its files. A model folder appears whole, by a rename.

use std::collections::BTreeMap;
use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::HubError;

/// Everything that Pegbox may throw away and fetch or compute again.
#[derive(Debug, Clone)]
pub struct Cache {
    root: PathBuf,
}

/// What the cache knows of a model.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Note {
    /// File name to SHA-256.
    pub files: BTreeMap<String, String>,
    pub licence: Option<String>,
    /// As a recipe would name it.
    #[serde(default)]
    pub source: Option<String>,
    /// The commit of a repository.
    #[serde(default)]
    pub revision: Option<String>,
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

    pub(crate) fn digests(&self) -> PathBuf {
        self.root.join("digests")
    }

    pub(crate) fn package_note(&self, name: &str, version: &str) -> PathBuf {
        self.root.join("sources/pypi").join(name).join(format!("{version}.json"))
    }

    /// `variant` is the one file that was asked for, where one was.
    pub(crate) fn commit_note(&self, repository: &str, commit: &str, variant: Option<&str>) -> PathBuf {
        let variant = variant.map_or(String::new(), |file| format!("@{}", file.replace('/', "--")));
        self.repository(repository).join(format!("{commit}{variant}.json"))
    }

    /// The commit that a branch or tag of a repository was last seen at.
    pub(crate) fn revision(&self, repository: &str, revision: &str) -> Option<String> {
        let known: BTreeMap<String, String> = read_json(&self.repository(repository).join("revisions.json"))?;
        known.get(revision).cloned()
    }

    pub(crate) fn note_revision(
        &self,
        repository: &str,
        revision: &str,
        commit: &str,
    ) -> Result<(), HubError> {
        let path = self.repository(repository).join("revisions.json");
        let mut known: BTreeMap<String, String> = read_json(&path).unwrap_or_default();
        if known.insert(revision.into(), commit.into()).as_deref() == Some(commit) {
            return Ok(());
        }
        write_json(&path, &known)
    }

    /// Every model that is here whole, with its key.
    pub(crate) fn notes(&self) -> Vec<(String, Note)> {
        let Ok(entries) = fs::read_dir(self.root.join("models")) else { return Vec::new() };
        let mut notes: Vec<(String, Note)> = entries
            .flatten()
            .filter_map(|entry| {
                let path = entry.path();
                let key = path.file_name()?.to_str()?.strip_suffix(".json")?.to_string();
                path.with_extension("").is_dir().then_some(())?;
                Some((key, read_json(&path)?))
            })
            .collect();
        notes.sort_by(|a, b| a.0.cmp(&b.0));
        notes
    }

    /// Another process that brings the same thing is waited for, until the returned file is dropped.
    pub(crate) fn lock(&self, key: &str) -> Result<File, HubError> {
        let path = self.downloads()?.join(format!("{key}.lock"));
        let file = File::create(&path).map_err(HubError::io(&path, "write"))?;
        file.lock().map_err(HubError::io(&path, "lock"))?;
        Ok(file)
    }

    fn repository(&self, name: &str) -> PathBuf {
        self.root.join("sources/hf").join(name.replace('/', "--"))
    }

    fn folder(&self, name: &str) -> Result<PathBuf, HubError> {
        let path = self.root.join(name);
        fs::create_dir_all(&path).map_err(HubError::io(&path, "make the folder"))?;
        Ok(path)
    }
}

/// None where it is missing or damaged: then it is made anew.
pub(crate) fn read_json<T: serde::de::DeserializeOwned>(path: &Path) -> Option<T> {
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}

pub(crate) fn write_json<T: Serialize>(path: &Path, value: &T) -> Result<(), HubError> {
    let text = serde_json::to_vec_pretty(value).map_err(|error| HubError::Io {
        path: path.into(),
        doing: "write",
        source: error.into(),
    })?;
    pegbox_durable::write_file(path, &text).map_err(HubError::io(path, "write"))
}

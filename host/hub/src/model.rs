//! A base model on disk, verified.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::card;
use crate::digest::{Remembered, joint, sha256_of};
use crate::error::HubError;
use crate::gguf;
use crate::layout::{self, Content};

/// A base model at hand.
#[derive(Debug, Clone)]
pub struct BaseModel {
    /// Holds config.json, weights, a tokenizer and whatever else came with the model; or the GGUF file.
    pub folder: PathBuf,
    /// What reads the weights takes: the folder, or the GGUF file.
    pub weights: PathBuf,
    /// `sha256:` and 64 hex digits, over the names and digests of all files.
    pub digest: String,
    /// As SPDX writes it: what the model's card, its package or its GGUF file states.
    pub licence: Option<String>,
    /// The commit of a repository.
    pub revision: Option<String>,
    pub obtained: Obtained,
}

/// How the model came here.
#[derive(Debug, Clone, PartialEq)]
pub enum Obtained {
    /// It was in the cache, and undamaged.
    Cached,
    /// It was in the cache of Hugging Face's own tools.
    Shared,
    /// Fetched from `url`.
    Downloaded { url: String, bytes: u64, seconds: f64 },
    /// It is a folder or a file of the user's.
    Local,
}

impl BaseModel {
    /// Whether it is one GGUF file.
    pub fn is_gguf(&self) -> bool {
        self.weights != self.folder
    }

    /// Bytes of all its files.
    pub fn bytes(&self) -> u64 {
        if self.is_gguf() { length(&self.weights) } else { bytes_of(&self.folder) }
    }
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

/// The model in a folder, whatever brought it there.
pub(crate) fn open(folder: &Path, digests: &Remembered) -> Result<BaseModel, HubError> {
    if !folder.is_dir() {
        return Err(HubError::NoFolder { path: folder.into() });
    }
    let content = content(folder)?;
    if let Content::Gguf(file) = &content {
        return open_gguf(file, digests);
    }
    Ok(described(folder, content, &self::digests(folder, digests)?))
}

/// The same of a folder that may lack weights.
pub(crate) fn open_weightless(folder: &Path, digests: &Remembered) -> Result<BaseModel, HubError> {
    match open(folder, digests) {
        Err(HubError::Incomplete { missing, .. }) if layout::is_only_weights(&missing) => {
            Ok(described(folder, Content::Transformers, &self::digests(folder, digests)?))
        }
        model => model,
    }
}

/// The model in a folder whose files were hashed already.
pub(crate) fn of_files(folder: &Path, files: &BTreeMap<String, String>) -> Result<BaseModel, HubError> {
    Ok(described(folder, content(folder)?, files))
}

fn content(folder: &Path) -> Result<Content, HubError> {
    layout::content(folder).map_err(|missing| HubError::Incomplete { path: folder.into(), missing })
}

fn described(folder: &Path, content: Content, files: &BTreeMap<String, String>) -> BaseModel {
    let card = card::licence_of_folder(folder);
    let (weights, licence) = match content {
        Content::Transformers => (folder.into(), card),
        Content::Gguf(file) => {
            let stated = gguf::licence(&file);
            (file, stated.or(card))
        }
    };
    BaseModel {
        folder: folder.into(),
        weights,
        digest: joint(files),
        licence,
        revision: None,
        obtained: Obtained::Local,
    }
}

/// The model that one GGUF file is.
pub(crate) fn open_gguf(file: &Path, digests: &Remembered) -> Result<BaseModel, HubError> {
    if !file.is_file() {
        return Err(HubError::NoFolder { path: file.into() });
    }
    let folder = file.parent().unwrap_or(Path::new(".")).to_path_buf();
    let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let files = BTreeMap::from([(name, digests.sha256_of(file)?)]);
    Ok(described(&folder, Content::Gguf(file.into()), &files))
}

/// File name to SHA-256, for the files in `folder` that make up the model.
pub(crate) fn digests(folder: &Path, digests: &Remembered) -> Result<BTreeMap<String, String>, HubError> {
    let digested = |name: String| Ok((name.clone(), digests.sha256_of(&folder.join(name))?));
    parts(folder).into_iter().map(digested).collect()
}

/// The same, of a folder that will have another name: nothing about it is remembered.
pub(crate) fn fresh_digests(folder: &Path) -> Result<BTreeMap<String, String>, HubError> {
    parts(folder).into_iter().map(|name| Ok((name.clone(), sha256_of(&folder.join(name))?))).collect()
}

fn parts(folder: &Path) -> Vec<String> {
    let mut names = layout::files(folder);
    names.retain(|name| layout::is_part_of_model(name));
    if folder.join(layout::POOLING).is_file() {
        names.push(layout::POOLING.into());
    }
    names
}

pub(crate) fn bytes_of(folder: &Path) -> u64 {
    layout::files(folder).iter().map(|name| length(&folder.join(name))).sum()
}

fn length(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |meta| meta.len())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_folder_is_used_where_it_is_and_its_digest_follows_its_content() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        let digests = Remembered::new(path.join("digests"), false);
        fs::write(path.join("config.json"), "{}").unwrap();
        fs::write(path.join("tokenizer.json"), "{}").unwrap();
        let error = open(path, &digests).unwrap_err();
        assert!(error.to_string().ends_with("lacks model.safetensors"), "{error}");
        assert!(open_weightless(path, &digests).unwrap().digest.starts_with("sha256:"));

        fs::write(path.join("model.safetensors"), "a").unwrap();
        fs::write(path.join("README.md"), "---\nlicense: mit\n---\n").unwrap();
        let first = open(path, &digests).unwrap();
        assert_eq!(first.licence.as_deref(), Some("MIT"));
        assert_eq!((&first.obtained, first.is_gguf(), first.bytes()), (&Obtained::Local, false, 26));
        fs::write(path.join("model.safetensors"), "b").unwrap();
        let second = open(path, &digests).unwrap();
        assert_ne!(first.digest, second.digest);
        fs::remove_file(path.join("tokenizer.json")).unwrap();
        let error = open_weightless(path, &digests).unwrap_err();
        assert!(error.to_string().ends_with("lacks tokenizer.json"), "{error}");
        let error = open(&path.join("elsewhere"), &digests).unwrap_err();
        assert!(error.to_string().starts_with("there is no base model"), "{error}");
    }

    #[test]
    fn a_gguf_file_is_a_model_by_itself() {
        let folder = tempfile::tempdir().unwrap();
        let digests = Remembered::new(folder.path().join("digests"), false);
        let file = folder.path().join("a.gguf");
        fs::write(&file, "GGUF").unwrap();
        let model = open_gguf(&file, &digests).unwrap();
        assert_eq!((model.weights.clone(), model.is_gguf(), model.bytes()), (file, true, 4));
        assert_eq!(open(folder.path(), &digests).unwrap().digest, model.digest);
        assert!(open_gguf(&folder.path().join("b.gguf"), &digests).is_err());
    }
}

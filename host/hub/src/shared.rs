//! The cache that Hugging Face's own tools keep. Pegbox reads it, and never writes into it.
//!
//! ```text
//! <root>/models--org--name/refs/main                 the commit that a branch or tag was last seen at
//! <root>/models--org--name/snapshots/<commit>/...    links to blobs, under the files' names
//! <root>/models--org--name/blobs/<digest>            contents
//! ```

use std::fs;
use std::path::{Path, PathBuf};

use crate::hub::is_commit;
use crate::layout;

pub(crate) struct SharedCache<'a>(pub Option<&'a Path>);

impl SharedCache<'_> {
    /// The commit that a branch or tag stood at when it was last asked for.
    pub(crate) fn revision(&self, repository: &str, revision: &str) -> Option<String> {
        let text = fs::read_to_string(self.repository(repository)?.join("refs").join(revision)).ok()?;
        Some(text.trim().to_string()).filter(|commit| is_commit(commit))
    }

    /// The folder with the model at `commit`, if it is there whole. Of a GGUF file, the folder that holds it.
    pub(crate) fn snapshot(&self, repository: &str, commit: &str, file: Option<&str>) -> Option<PathBuf> {
        let folder = self.repository(repository)?.join("snapshots").join(commit);
        match file {
            Some(file) => folder.join(file).is_file().then_some(folder),
            None => layout::content(&folder).is_ok().then_some(folder),
        }
    }

    /// Every model that is here whole: `org/name`, commit, folder.
    pub(crate) fn models(&self) -> Vec<(String, String, PathBuf)> {
        let mut models = Vec::new();
        for (entry, repository) in folders(self.0) {
            let Some(name) = entry.strip_prefix("models--") else { continue };
            for (commit, folder) in folders(Some(&repository.join("snapshots"))) {
                if is_commit(&commit) && layout::content(&folder).is_ok() {
                    models.push((name.replacen("--", "/", 1), commit, folder));
                }
            }
        }
        models
    }

    fn repository(&self, name: &str) -> Option<PathBuf> {
        Some(self.0?.join(format!("models--{}", name.replace('/', "--"))))
    }
}

/// The folders in a folder, by name.
fn folders(parent: Option<&Path>) -> Vec<(String, PathBuf)> {
    let entries = parent.and_then(|parent| fs::read_dir(parent).ok()).into_iter().flatten().flatten();
    let mut found: Vec<(String, PathBuf)> = entries
        .filter(|entry| entry.path().is_dir())
        .map(|entry| (entry.file_name().to_string_lossy().into_owned(), entry.path()))
        .collect();
    found.sort();
    found
}

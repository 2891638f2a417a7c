//! The steps' folders in the cache: what a step has finished stays, shard by shard, so that an interrupted
//! preparation goes on where it was, and a step whose inputs are as they were is not done again.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use pegbox_durable::{clear_temporaries, write_file};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::cache::digest;
use crate::error::DataError;

/// Beside the datasets of the cache.
const STEPS: &str = "steps";
const LOCK: &str = ".lock";
const DONE: &str = "done";
/// A step that was of no use for so long is forgotten.
const FORGOTTEN: Duration = Duration::from_secs(14 * 24 * 60 * 60);
/// Of a digest, as many digits name a folder.
const SHORT: usize = 16;
/// Between a sealed file's content and its digest.
const SEAL: &str = "\nsealed ";

/// The folder of all steps, which one preparation at a time works in.
#[derive(Debug)]
pub(crate) struct Workshop {
    folder: PathBuf,
    /// Unlocks when it is dropped, however the process ends.
    _lock: File,
}

impl Workshop {
    /// Waits for another preparation in the same cache to end.
    pub fn open(cache: &Path) -> Result<Self, DataError> {
        let folder = cache.join(STEPS);
        fs::create_dir_all(&folder).map_err(DataError::io("create", &folder))?;
        let path = folder.join(LOCK);
        let lock = File::options().create(true).truncate(false).write(true).open(&path);
        let lock = lock.map_err(DataError::io("open", &path))?;
        lock.lock().map_err(DataError::io("lock", &path))?;
        clear_temporaries(cache).map_err(DataError::io("clear", cache))?;
        Ok(Self { folder, _lock: lock })
    }

    /// The step that makes its results of `inputs`, which is everything that they depend on.
    pub fn step(&self, name: &str, inputs: &impl Serialize) -> Result<Step, DataError> {
        let json = serde_json::to_vec(&(name, inputs));
        let key = digest(&json.map_err(|error| DataError::Schema { what: error.to_string() })?);
        let folder = self.folder.join(format!("{name}-{}", short(&key)));
        fs::create_dir_all(&folder).map_err(DataError::io("create", &folder))?;
        clear_temporaries(&folder).map_err(DataError::io("clear", &folder))?;
        // The folder's time says when it was last of use. Where it cannot be set, it is forgotten too early: no harm.
        let _ = File::open(&folder).and_then(|folder| folder.set_modified(SystemTime::now()));
        Ok(Step { folder, key })
    }

    /// Deletes the folders of steps that no preparation has used for two weeks.
    pub fn forget_unused(&self) -> Result<(), DataError> {
        let entries = fs::read_dir(&self.folder).map_err(DataError::io("read", &self.folder))?;
        for path in entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| path.is_dir()) {
            let unused = fs::metadata(&path).and_then(|data| data.modified()).ok();
            let unused = unused.and_then(|used| used.elapsed().ok());
            if unused.is_some_and(|unused| unused > FORGOTTEN) {
                fs::remove_dir_all(&path).map_err(DataError::io("remove", &path))?;
            }
        }
        Ok(())
    }
}

/// The first digits of a `sha256:` digest, for names of folders.
pub(crate) fn short(key: &str) -> String {
    key.trim_start_matches("sha256:").chars().take(SHORT).collect()
}

/// A step and its folder.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    folder: PathBuf,
    key: String,
}

impl Step {
    /// `sha256:` of the step's inputs: an input of the step that follows.
    pub fn key(&self) -> &str {
        &self.key
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What the step came to, if it came to an end.
    pub fn finished<T: DeserializeOwned>(&self) -> Option<T> {
        self.get(DONE)
    }

    /// Nothing is left to do. Everything else of the step was written before.
    pub fn finish(&self, result: &impl Serialize) -> Result<(), DataError> {
        self.put(DONE, result)
    }

    /// Where shard `number` of a kind of file is.
    pub fn shard(&self, number: usize, kind: &str) -> PathBuf {
        self.folder.join(format!("{number:05}.{kind}"))
    }

    /// The name of shard `number` for [`Step::put`] and [`Step::get`].
    pub fn name(number: usize) -> String {
        format!("{number:05}.done")
    }

    /// Writes a value with a seal.
    pub fn put(&self, name: &str, value: &impl Serialize) -> Result<(), DataError> {
        let path = self.folder.join(name);
        let mut bytes = serde_json::to_vec(value)
            .map_err(|error| DataError::Damaged { file: path.clone(), what: error.to_string() })?;
        let seal = digest(&bytes);
        bytes.extend_from_slice(SEAL.as_bytes());
        bytes.extend_from_slice(seal.as_bytes());
        write_file(&path, &bytes).map_err(DataError::io("write", &path))
    }

    /// A value that [`Step::put`] wrote; none if there is none, or it is not as it was written: then it is made again.
    pub fn get<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        let bytes = fs::read(self.folder.join(name)).ok()?;
        let place = bytes.len().checked_sub(SEAL.len() + digest(&[]).len())?;
        let (content, seal) = bytes.split_at(place);
        let sealed = seal.strip_prefix(SEAL.as_bytes())? == digest(content).as_bytes();
        if sealed { serde_json::from_slice(content).ok() } else { None }
    }

    /// Empties the folder: the step begins anew.
    pub fn clear(&self) -> Result<(), DataError> {
        fs::remove_dir_all(&self.folder).map_err(DataError::io("clear", &self.folder))?;
        fs::create_dir_all(&self.folder).map_err(DataError::io("create", &self.folder))
    }

    /// The folder goes: its results stand elsewhere now.
    pub fn remove(self) -> Result<(), DataError> {
        fs::remove_dir_all(&self.folder).map_err(DataError::io("remove", &self.folder))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_was_changed_counts_as_missing() {
        let cache = tempfile::tempdir().unwrap();
        let workshop = Workshop::open(cache.path()).unwrap();
        let step = workshop.step("clean", &("inputs", 1)).unwrap();
        assert_eq!(step.finished::<Vec<u32>>(), None);
        step.finish(&vec![1_u32, 2]).unwrap();
        assert_eq!(step.finished(), Some(vec![1_u32, 2]));
        assert_ne!(workshop.step("clean", &("inputs", 2)).unwrap().key(), step.key());
        assert_ne!(workshop.step("read", &("inputs", 1)).unwrap().key(), step.key());
        let path = step.folder().join(DONE);
        let changed = fs::read_to_string(&path).unwrap().replacen('1', "3", 1);
        fs::write(&path, changed).unwrap();
        assert_eq!(step.finished::<Vec<u32>>(), None);
        step.clear().unwrap();
        assert!(fs::read_dir(step.folder()).unwrap().next().is_none());
    }
}

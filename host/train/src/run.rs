//! The folder of one training.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::{Fault, TrainError};
use crate::settings::TrainSettings;

/// A run's folder: `run.json` (what is trained), `checkpoints/`, and what others keep in it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RunFolder(PathBuf);

/// Everything that the trained weights depend on beside the settings.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RunIdentity {
    /// The recipe's text, for people; two texts may ask for the same.
    pub recipe: String,
    /// `sha256:` of the prepared dataset.
    pub dataset_key: String,
    /// What else must be the same when the run is resumed, by name.
    pub fixed: BTreeMap<String, String>,
}

/// What `run.json` holds.
#[derive(Serialize, Deserialize)]
struct Description {
    format: u32,
    #[serde(flatten)]
    identity: RunIdentity,
    /// By name, as text.
    settings: BTreeMap<String, String>,
}

const DESCRIPTION: &str = "run.json";
const FORMAT: u32 = 1;

impl RunFolder {
    /// Makes the folder `runs/name`.
    ///
    /// # Errors
    /// It exists, or the disk's.
    pub fn create(runs: &Path, name: &str) -> Result<Self, TrainError> {
        let path = runs.join(name);
        if path.exists() {
            return Err(Fault::RunExists { path }.into());
        }
        let checkpoints = path.join("checkpoints");
        fs::create_dir_all(&checkpoints).map_err(TrainError::io("create the folder", &checkpoints))?;
        Ok(Self(path))
    }

    /// A run that was begun.
    ///
    /// # Errors
    /// `path` is none.
    pub fn open(path: &Path) -> Result<Self, TrainError> {
        if !path.is_dir() {
            return Err(Fault::NoRun { path: path.into(), what: "there is no such folder".into() }.into());
        }
        if !path.join("checkpoints").is_dir() {
            return Err(
                Fault::NoRun { path: path.into(), what: "it has no folder `checkpoints`".into() }.into()
            );
        }
        Ok(Self(path.into()))
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn checkpoints(&self) -> PathBuf {
        self.0.join("checkpoints")
    }

    /// Writes what is trained.
    pub(crate) fn describe(
        &self,
        identity: &RunIdentity,
        settings: &TrainSettings,
    ) -> Result<(), TrainError> {
        let path = self.0.join(DESCRIPTION);
        let description =
            Description { format: FORMAT, identity: identity.clone(), settings: flat(settings) };
        let text = serde_json::to_vec_pretty(&description)
            .map_err(|error| self.unreadable(format!("{DESCRIPTION} cannot be encoded: {error}")))?;
        pegbox_durable::write_file(&path, &text).map_err(TrainError::io("write", &path))
    }

    /// Checks that the run is of this training.
    pub(crate) fn check(&self, identity: &RunIdentity, settings: &TrainSettings) -> Result<(), TrainError> {
        let path = self.0.join(DESCRIPTION);
        let text = fs::read(&path).map_err(|error| self.unreadable(format!("{DESCRIPTION}: {error}")))?;
        let before: Description = serde_json::from_slice(&text)
            .map_err(|error| self.unreadable(format!("{DESCRIPTION} makes no sense: {error}")))?;
        let mut differences = Vec::new();
        if before.identity.dataset_key != identity.dataset_key {
            differences.push("the prepared data has changed".to_string());
        }
        differences.extend(changed(&before.identity.fixed, &identity.fixed));
        differences.extend(changed(&before.settings, &flat(settings)));
        if differences.is_empty() {
            return Ok(());
        }
        Err(Fault::Identity { run: self.0.clone(), differences }.into())
    }

    fn unreadable(&self, what: String) -> TrainError {
        Fault::NoRun { path: self.0.clone(), what }.into()
    }
}

fn changed(before: &BTreeMap<String, String>, now: &BTreeMap<String, String>) -> Vec<String> {
    let keys: std::collections::BTreeSet<&String> = before.keys().chain(now.keys()).collect();
    let shown = |value: Option<&String>| value.map_or("not set", String::as_str).to_string();
    keys.into_iter()
        .filter(|key| before.get(*key) != now.get(*key))
        .map(|key| format!("{key} was {} and is now {}", shown(before.get(key)), shown(now.get(key))))
        .collect()
}

/// The settings by name.
fn flat(settings: &TrainSettings) -> BTreeMap<String, String> {
    let value = serde_json::to_value(settings).unwrap_or_default();
    let entries = value.as_object().into_iter().flatten();
    entries.map(|(key, value)| (key.replace('_', "-"), value.to_string())).collect()
}

//! pegbox.lock: the digests of the plugins, the base model and the data that the recipe's last run used.
//! It lies beside the recipe, is written by `train` and `run`, and belongs under version control.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use pegbox_registry::{Pin, read_pins};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::runs::write_whole;
use super::training::Material;
use crate::report::Report;
use pegbox_recipe::Recipe;

const FILE_NAME: &str = "pegbox.lock";
const VERSION: u32 = 1;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lock {
    version: u32,
    model: LockedModel,
    dataset: LockedDataset,
    #[serde(default)]
    plugin: Vec<Pin>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct LockedModel {
    source: String,
    digest: String,
    licence: Option<String>,
    /// Of the tokenizer that the recipe names, where it names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tokenizer: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct LockedDataset {
    key: String,
    files: BTreeMap<String, String>,
}

/// Writes the lock file, and says what differs from the last one.
pub fn write(material: &Material<'_>) -> Result<(), Box<Report>> {
    let path = material.recipe.folder.join(FILE_NAME);
    let pinned = read_pins(&material.recipe.folder)?;
    let lock = lock(material, pinned);
    let before = fs::read_to_string(&path).ok().and_then(|text| toml::from_str::<Lock>(&text).ok());
    if before.as_ref() == Some(&lock) {
        return Ok(());
    }
    if let Some(before) = before {
        for difference in before.differences(&lock) {
            material.session.console.say(format!("{FILE_NAME}: {difference}"));
        }
    }
    let text = toml::to_string(&lock)
        .map_err(|error| Report::new(format!("cannot write {}: {error}", path.display())))?;
    let text = format!("# Written by Pegbox: what the last run used. Keep it under version control.\n{text}");
    write_whole(&path, text.as_bytes())
}

/// Relative path to `sha256:...` of every file of records.
pub fn dataset_files(material: &Material<'_>) -> BTreeMap<String, String> {
    let manifest = serde_json::to_value(material.dataset.manifest()).unwrap_or_default();
    let sources = manifest.pointer("/parts/sources").or(manifest.get("sources")).and_then(Value::as_array);
    let entry = |source: &Value| {
        let path = source.get("path").or(source.get("file"))?.as_str()?;
        let digest = source.get("digest").or(source.get("sha256"))?.as_str()?;
        Some((relative(material.recipe, path), digest.to_string()))
    };
    sources.into_iter().flatten().filter_map(entry).collect()
}

/// What this run used. A pin of a package stays as `pegbox plugin pull` wrote it, also while no stage uses it.
fn lock(material: &Material<'_>, pinned: Vec<Pin>) -> Lock {
    let used = material.plugins.used();
    let mut plugin: Vec<Pin> = used
        .iter()
        .filter_map(|plugin| {
            let identity = plugin.identity();
            let digest = identity.digest.clone()?;
            let same = |pin: &&Pin| {
                pin.name == identity.name && pin.version == identity.version && pin.digest == digest
            };
            Some(pinned.iter().find(same).cloned().unwrap_or_else(|| Pin {
                name: identity.name.clone(),
                version: identity.version.clone(),
                digest,
                manifest: None,
                registry: None,
                permissions: plugin.manifest().permissions.clone(),
            }))
        })
        .collect();
    let is_used = |pin: &Pin| used.iter().any(|plugin| plugin.identity().name == pin.name);
    plugin.extend(pinned.into_iter().filter(|pin| pin.manifest.is_some() && !is_used(pin)));
    plugin.sort_by(|a, b| (&a.name, &a.version, &a.digest).cmp(&(&b.name, &b.version, &b.digest)));
    plugin.dedup();
    let model = &material.base.model;
    Lock {
        version: VERSION,
        model: LockedModel {
            source: material.recipe.model.source.clone(),
            digest: model.digest.clone(),
            licence: model.licence.clone(),
            tokenizer: material.base.extension.as_ref().map(|extension| extension.digest.clone()),
        },
        dataset: LockedDataset { key: material.dataset.key().to_string(), files: dataset_files(material) },
        plugin,
    }
}

impl Lock {
    fn differences(&self, now: &Self) -> Vec<String> {
        let mut found = Vec::new();
        if self.model.tokenizer != now.model.tokenizer {
            found.push("the tokens that are added to the base model have changed".to_string());
        }
        if (&self.model.source, &self.model.digest) != (&now.model.source, &now.model.digest) {
            found.push(format!("the base model is now {} with {}", now.model.source, now.model.digest));
        }
        for (file, digest) in &now.dataset.files {
            if self.dataset.files.get(file).is_some_and(|before| before != digest) {
                found.push(format!("{file} has changed"));
            }
        }
        for plugin in &now.plugin {
            let before = self.plugin.iter().find(|before| before.name == plugin.name);
            if before.is_some_and(|before| before != plugin) {
                found
                    .push(format!("plugin {} is now {} with {}", plugin.name, plugin.version, plugin.digest));
            }
        }
        found
    }
}

fn relative(recipe: &Recipe, path: &str) -> String {
    let path = Path::new(path);
    path.strip_prefix(&recipe.folder).unwrap_or(path).display().to_string()
}

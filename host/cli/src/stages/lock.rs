//! pegbox.lock: the digests of the plugins, the base model and the data that the recipe's last run used.
//! It lies beside the recipe, is written by `train` and `run`, and belongs under version control.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use pegbox_hub::BaseModel;
use pegbox_registry::{Pin, read_pins};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::runs::write_whole;
use super::training::Material;
use crate::report::Report;
use pegbox_recipe::Recipe;

const FILE_NAME: &str = "pegbox.lock";
const HEAD: &str = "# Written by Pegbox: what the last run used. Keep it under version control.\n";
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
    /// The commit, where the source is a repository: later runs stay at it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    revision: Option<String>,
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
    write_whole(&path, format!("{HEAD}{text}").as_bytes())
}

/// The commit that the lock file pins the recipe's base model to, as long as the recipe names the same source.
pub fn pinned_revision(recipe: &Recipe) -> Result<Option<String>, Box<Report>> {
    let locked = read(recipe)?.remove("model").and_then(|model| model.try_into::<LockedModel>().ok());
    Ok(locked.filter(|locked| locked.source == recipe.model.source).and_then(|locked| locked.revision))
}

/// Pins the recipe's base model. What else stands in the lock file stays as it is.
pub fn pin_model(recipe: &Recipe, model: &BaseModel) -> Result<bool, Box<Report>> {
    let path = recipe.folder.join(FILE_NAME);
    let wrong = |what: String| Report::new(format!("cannot write {}: {what}", path.display()));
    let mut table = read(recipe)?;
    let before = table.get("model").cloned();
    let tokenizer = before.as_ref().and_then(|model| model.get("tokenizer")?.as_str().map(str::to_string));
    let locked = LockedModel {
        source: recipe.model.source.clone(),
        digest: model.digest.clone(),
        revision: model.revision.clone(),
        licence: model.licence.clone(),
        tokenizer,
    };
    let locked = toml::Value::try_from(&locked).map_err(|error| wrong(error.to_string()))?;
    if before.as_ref() == Some(&locked) {
        return Ok(false);
    }
    table.entry("version").or_insert(toml::Value::Integer(i64::from(VERSION)));
    table.insert("model".into(), locked);
    let text = toml::to_string(&table).map_err(|error| wrong(error.to_string()))?;
    write_whole(&path, format!("{HEAD}{text}").as_bytes())?;
    Ok(true)
}

fn read(recipe: &Recipe) -> Result<toml::Table, Box<Report>> {
    let path = recipe.folder.join(FILE_NAME);
    let wrong = |what: String| {
        Report::new(format!("cannot read {}: {what}", path.display()))
            .help("bring it back from version control, or delete it: the next run writes it anew")
    };
    match fs::read_to_string(&path) {
        Ok(text) => toml::from_str(&text).map_err(|error| wrong(error.message().to_string())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(toml::Table::new()),
        Err(error) => Err(wrong(error.to_string())),
    }
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
            revision: model.revision.clone(),
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

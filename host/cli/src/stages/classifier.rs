//! A trained classifier, from a run or from an exported folder.
//!
//! A run's `model/` folder holds what an exported Hugging Face folder holds, but for the weights: those lie in
//! the checkpoints.

use std::fs;
use std::path::{Path, PathBuf};

use pegbox_data::TextTokenizer;
use pegbox_deploy::tokenizer_files;
use pegbox_models::{Bert, BertConfig, Pooling, Weights, device};
use pegbox_train::{RunFolder, load_best};
use serde_json::{Map, Value, json};

use super::base::Base;
use super::runs::write_whole;
use super::settings;
use crate::report::Report;
use crate::session::Session;
use pegbox_recipe::Recipe;

/// Tokens of a text, where the folder does not say.
const DEFAULT_MAX_LENGTH: u64 = 128;

/// A classifier, ready for texts.
pub struct Classifier {
    pub bert: Bert,
    pub tokenizer: TextTokenizer,
    /// Index = class id.
    pub labels: Vec<String>,
    /// The file that the weights came from.
    pub weights: PathBuf,
}

/// config.json of the trained classifier. What Transformers has no name for stands under `pegbox`.
pub fn configuration(recipe: &Recipe, base: &Base, labels: &[String]) -> Map<String, Value> {
    let mut config = base.config.for_classification(labels);
    let pooling = match settings::pooling(recipe) {
        Pooling::Cls => "cls",
        Pooling::Mean => "mean",
        // It is a layer of the model, which config.json counts.
        Pooling::MeanLayer => "cls",
    };
    config.insert("pegbox".into(), json!({ "pooling": pooling, "max-length": recipe.model.max_length }));
    config
}

/// Writes the run's `model/` folder.
pub fn describe_run(run: &Path, recipe: &Recipe, base: &Base, labels: &[String]) -> Result<(), Box<Report>> {
    let folder = run.join("model");
    let config = Value::Object(configuration(recipe, base, labels));
    write_whole(&folder.join("config.json"), format!("{config:#}\n").as_bytes())?;
    for file in tokenizer_files(base.tokenizer_folder())? {
        write_whole(&folder.join(&file.path), &file.content)?;
    }
    Ok(())
}

/// Loads a run's best checkpoint, or an exported folder.
pub fn load(session: &Session, path: &Path) -> Result<Classifier, Box<Report>> {
    if !path.is_dir() {
        return Err(Report::usage(format!("there is no folder {}", path.display()))
            .help("name a run's folder or an exported Hugging Face folder"));
    }
    let (folder, weights) = match path.join("checkpoints").is_dir() {
        true => (path.join("model"), load_best(&RunFolder::open(path)?)?.weights),
        false => (path.to_path_buf(), path.join("model.safetensors")),
    };
    let config = BertConfig::read(&folder.join("config.json"))?;
    let labels = labels(&config.source).map_err(|what| {
        Report::new(format!("{}: {what}", folder.join("config.json").display()))
            .help("only a trained classifier can predict; a base model has no labels")
    })?;
    let own = config.source.get("pegbox");
    let setting = |name: &str| own.and_then(|own| own.get(name));
    let pooling = match setting("pooling").and_then(Value::as_str) {
        Some("mean") => Pooling::Mean,
        _ => Pooling::Cls,
    };
    let max_length = setting("max-length").and_then(Value::as_u64).unwrap_or(DEFAULT_MAX_LENGTH);
    let max_length = (max_length as usize).min(config.max_position_embeddings);

    let tokenizer_path = folder.join("tokenizer.json");
    let bytes = fs::read(&tokenizer_path)
        .map_err(|error| Report::new(format!("cannot read {}: {error}", tokenizer_path.display())))?;
    let tokenizer = TextTokenizer::from_bytes(&bytes, &tokenizer_path.display().to_string(), max_length)?;

    let device = device::parse(&session.global.device)?;
    let (bert, report) = Bert::load(config, pooling, labels.len(), Weights::read(&weights)?, 0, &device)?;
    if !report.initialised.is_empty() {
        return Err(Report::new(format!(
            "{} lacks {}: it is no trained classifier",
            weights.display(),
            report.initialised.join(", ")
        )));
    }
    Ok(Classifier { bert, tokenizer, labels, weights })
}

/// `id2label`, in the order of the ids, which must be 0, 1, 2 and so on.
pub fn labels(config: &Map<String, Value>) -> Result<Vec<String>, String> {
    let map = config.get("id2label").and_then(Value::as_object).ok_or("it names no labels (`id2label`)")?;
    (0..map.len())
        .map(|id| {
            let label = map.get(&id.to_string()).and_then(Value::as_str);
            label.map(str::to_string).ok_or_else(|| format!("`id2label` has no label for id {id}"))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_come_in_the_order_of_their_ids() {
        let map: Map<_, _> = (0..12).map(|id| (id.to_string(), format!("l{id}").into())).collect();
        let config = Map::from_iter([("id2label".to_string(), Value::Object(map))]);
        assert_eq!(labels(&config).unwrap()[10], "l10");
        let gap = json!({ "id2label": { "0": "a", "2": "b" } });
        assert!(labels(gap.as_object().unwrap()).unwrap_err().contains("id 1"));
    }
}

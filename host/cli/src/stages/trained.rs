//! A trained model, from a run or from an exported folder.
//!
//! A run's `model/` folder holds what an exported Hugging Face folder holds, but for the weights: those lie in
//! the checkpoints.

use std::fs;
use std::path::{Path, PathBuf};

use pegbox_data::TextTokenizer;
use pegbox_models::{Model, ModelConfig, Weights, device, model};
use pegbox_train::{RunFolder, load_best};
use serde_json::{Map, Value};

use super::base::Base;
use super::runs::write_whole;
use super::settings;
use crate::report::Report;
use crate::session::Session;
use pegbox_recipe::Recipe;

/// Tokens of a text, where the folder does not say.
const DEFAULT_MAX_LENGTH: u64 = 128;

/// A model, ready for texts.
pub struct Trained {
    pub model: Model,
    pub tokenizer: TextTokenizer,
    /// Names of its outputs, index = id.
    pub labels: Vec<String>,
    /// The file that the weights came from.
    pub weights: PathBuf,
}

/// config.json of the trained model. What Transformers has no name for stands under `pegbox`.
pub fn configuration(recipe: &Recipe, base: &Base, labels: &[String]) -> Map<String, Value> {
    let mut config = base.config.trained(settings::head(recipe, labels.len()), labels);
    if let Some(own) = config.get_mut("pegbox").and_then(Value::as_object_mut) {
        own.insert("max-length".into(), recipe.model.max_length.into());
    }
    config
}

/// Writes the run's `model/` folder.
pub fn describe_run(run: &Path, recipe: &Recipe, base: &Base, labels: &[String]) -> Result<(), Box<Report>> {
    let folder = run.join("model");
    let config = Value::Object(configuration(recipe, base, labels));
    write_whole(&folder.join("config.json"), format!("{config:#}\n").as_bytes())?;
    for file in base.tokenizer_files()? {
        write_whole(&folder.join(&file.path), &file.content)?;
    }
    Ok(())
}

/// Loads a run's best checkpoint, or an exported folder.
pub fn load(session: &Session, path: &Path) -> Result<Trained, Box<Report>> {
    if !path.is_dir() {
        return Err(Report::usage(format!("there is no folder {}", path.display()))
            .help("name a run's folder or an exported Hugging Face folder"));
    }
    let (folder, weights) = match path.join("checkpoints").is_dir() {
        true => (path.join("model"), load_best(&RunFolder::open(path)?)?.weights),
        false => (path.to_path_buf(), path.join("model.safetensors")),
    };
    let config = ModelConfig::read(&folder.join("config.json"))?;
    let untrained = |what: String| {
        Report::new(format!("{}: {what}", folder.join("config.json").display()))
            .help("only a trained model can predict; a base model has no head")
    };
    let head = config.trained_head().map_err(untrained)?;
    let labels = model::labels(config.source()).map_err(untrained)?;
    let max_length = config.source().get("pegbox").and_then(|own| own.get("max-length"));
    let max_length = max_length.and_then(Value::as_u64).unwrap_or(DEFAULT_MAX_LENGTH);
    let max_length = (max_length as usize).min(config.positions());

    let tokenizer_path = folder.join("tokenizer.json");
    let bytes = fs::read(&tokenizer_path)
        .map_err(|error| Report::new(format!("cannot read {}: {error}", tokenizer_path.display())))?;
    let tokenizer = TextTokenizer::from_bytes(&bytes, &tokenizer_path.display().to_string(), max_length)?;

    let device = device::parse(&session.global.device)?;
    let (model, report) = Model::load(config, head, Weights::read(&weights)?, 0, &device)?;
    if !report.initialised.is_empty() {
        return Err(Report::new(format!(
            "{} lacks {}: it is no trained model",
            weights.display(),
            report.initialised.join(", ")
        )));
    }
    Ok(Trained { model, tokenizer, labels, weights })
}

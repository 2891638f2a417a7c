//! A trained model, from a run or from an exported folder.
//!
//! A run's `model/` folder holds what an exported Hugging Face folder holds, but for the weights: those lie in
//! the checkpoints.

use std::fs;
use std::path::{Path, PathBuf};

use pegbox_data::TextTokenizer;
use pegbox_deploy::tokenizer_files;
use pegbox_models::adapter::{ADAPTER_CONFIG, ADAPTER_WEIGHTS};
use pegbox_models::{Model, ModelConfig, Weights, device, model};
use pegbox_train::{RunFolder, load_best};
use serde_json::{Map, Value};

use super::adapter;
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
    for file in tokenizer_files(base.tokenizer_folder())? {
        write_whole(&folder.join(&file.path), &file.content)?;
    }
    Ok(())
}

/// Loads a run's best checkpoint, an exported folder, or an adapter's, whose base model it names itself unless `base` does.
pub fn load(session: &Session, path: &Path, base: Option<&str>) -> Result<Trained, Box<Report>> {
    if !path.is_dir() {
        return Err(Report::usage(format!("there is no folder {}", path.display()))
            .help("name a run's folder or an exported Hugging Face folder"));
    }
    let (folder, weights) = match path.join("checkpoints").is_dir() {
        true => (path.join("model"), load_best(&RunFolder::open(path)?)?.weights),
        false if path.join(ADAPTER_CONFIG).is_file() => (path.to_path_buf(), path.join(ADAPTER_WEIGHTS)),
        false => (path.to_path_buf(), path.join("model.safetensors")),
    };
    let device = device::parse(&session.global.device)?;
    if folder.join(ADAPTER_CONFIG).is_file() {
        let adapter::FromFolder { model, config, base, labels } =
            adapter::load(session, &folder, &weights, base, &device)?;
        let beside = folder.join("tokenizer.json");
        let tokenizer = if beside.is_file() { beside } else { base.folder.join("tokenizer.json") };
        let tokenizer = self::tokenizer(&config, &tokenizer)?;
        return Ok(Trained { model, tokenizer, labels, weights });
    }
    if base.is_some() {
        return Err(Report::usage(format!("{} holds no adapter: it needs no --base", path.display())));
    }
    let config = ModelConfig::read(&folder.join("config.json"))?;
    let untrained = |what: String| {
        Report::new(format!("{}: {what}", folder.join("config.json").display()))
            .help("only a trained model can predict; a base model has no head")
    };
    let head = config.trained_head().map_err(untrained)?;
    let labels = model::labels(config.source()).map_err(untrained)?;
    let tokenizer = tokenizer(&config, &folder.join("tokenizer.json"))?;
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

/// The tokenizer in `path`, which cuts texts off where the model's training did.
fn tokenizer(config: &ModelConfig, path: &Path) -> Result<TextTokenizer, Box<Report>> {
    let max_length = config.source().get("pegbox").and_then(|own| own.get("max-length"));
    let max_length = max_length.and_then(Value::as_u64).unwrap_or(DEFAULT_MAX_LENGTH);
    let max_length = (max_length as usize).min(config.positions());
    let bytes =
        fs::read(path).map_err(|error| Report::new(format!("cannot read {}: {error}", path.display())))?;
    Ok(TextTokenizer::from_bytes(&bytes, &path.display().to_string(), max_length)?)
}

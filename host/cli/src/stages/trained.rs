//! A trained model, from a run or from an exported folder.
//!
//! A run's `model/` folder holds what an exported Hugging Face folder holds, but for the weights: those lie in
//! the checkpoints.

use std::fs;
use std::path::{Path, PathBuf};

use pegbox_data::TextTokenizer;
use pegbox_models::adapter::{ADAPTER_CONFIG, ADAPTER_WEIGHTS};
use pegbox_models::{Model, ModelConfig, Weights, device, model};
use pegbox_train::{RunFolder, Writing, load_best};
use serde_json::{Map, Value, json};

use super::base::Base;
use super::runs::write_whole;
use super::{adapter, language};
use crate::report::Report;
use crate::session::Session;
use pegbox_recipe::Recipe;

/// Tokens of a text, where the folder does not say.
const DEFAULT_MAX_LENGTH: usize = 128;

const CONFIG: &str = "config.json";
const TOKENIZER: &str = "tokenizer.json";

/// The key under `pegbox` in config.json that says that texts are what a user says, by the chat template.
const CONVERSES: &str = "chat-template";

/// A model, ready for texts.
pub struct Trained {
    pub model: Model,
    pub tokenizer: TextTokenizer,
    /// Names of its outputs, index = id.
    pub labels: Vec<String>,
    /// What answers are held to, where it writes texts.
    pub writing: Writing,
    /// The file that the weights came from.
    pub weights: PathBuf,
}

/// config.json of the trained model. What Transformers has no name for stands under `pegbox`.
fn configuration(
    recipe: &Recipe,
    base: &Base,
    model: &Model,
    labels: &[String],
) -> Result<Map<String, Value>, Box<Report>> {
    let mut config = model.config().trained(model.head(), labels);
    let writing = base.writing(recipe)?;
    if let Some(Writing { end, .. }) = &writing {
        // Whoever generates with the model stops where its training texts do.
        let end = if let [one] = &end[..] { json!(one) } else { json!(end) };
        config.insert("eos_token_id".into(), end);
    }
    if let Some(own) = config.get_mut("pegbox").and_then(Value::as_object_mut) {
        own.insert("max-length".into(), recipe.model.max_length.into());
        if base.chat.is_some() {
            own.insert(CONVERSES.into(), true.into());
        }
        own.extend(writing.map(|writing| ("max-new-tokens".into(), writing.max_tokens.into())));
    }
    Ok(config)
}

/// Writes the run's `model/` folder; `model` has the weights that training begins with.
pub fn describe_run(
    run: &Path,
    recipe: &Recipe,
    base: &Base,
    model: &Model,
    labels: &[String],
) -> Result<(), Box<Report>> {
    let folder = run.join("model");
    let config = Value::Object(configuration(recipe, base, model, labels)?);
    write_whole(&folder.join(CONFIG), format!("{config:#}\n").as_bytes())?;
    for file in base.tokenizer_files()? {
        write_whole(&folder.join(&file.path), &file.content)?;
    }
    Ok(())
}

/// config.json of a run's trained model.
pub fn configuration_of_run(run: &Path) -> Result<String, Box<Report>> {
    let path = run.join("model").join(CONFIG);
    fs::read_to_string(&path).map_err(|error| Report::new(format!("cannot read {}: {error}", path.display())))
}

/// Loads a run's best checkpoint, an exported folder, or an adapter's, whose base model it names itself unless `base`
/// does.
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
        let beside = folder.join(TOKENIZER);
        let path = if beside.is_file() { beside } else { base.folder.join(TOKENIZER) };
        let (tokenizer, writing) = tokenizer(&config, &path)?;
        return Ok(Trained { model, tokenizer, labels, writing, weights });
    }
    if base.is_some() {
        return Err(Report::usage(format!("{} holds no adapter: it needs no --base", path.display())));
    }
    let config = ModelConfig::read(&folder.join(CONFIG))?;
    let untrained = |what: String| {
        Report::new(format!("{}: {what}", folder.join(CONFIG).display()))
            .help("only a trained model can predict; a base model has no head")
    };
    let head = config.trained_head().map_err(untrained)?;
    let labels = model::labels(config.source()).map_err(untrained)?;
    let (tokenizer, writing) = tokenizer(&config, &folder.join(TOKENIZER))?;
    let (model, report) = Model::load(config, head, Weights::read(&weights)?, 0, &device)?;
    if !report.initialised.is_empty() {
        return Err(Report::new(format!(
            "{} lacks {}: it is no trained model",
            weights.display(),
            report.initialised.join(", ")
        )));
    }
    Ok(Trained { model, tokenizer, labels, writing, weights })
}

/// The tokenizer in `path`, which cuts texts off where the model's training did, and what answers are held to.
fn tokenizer(config: &ModelConfig, path: &Path) -> Result<(TextTokenizer, Writing), Box<Report>> {
    let own = |name: &str| config.source().get("pegbox")?.get(name)?.as_u64();
    let max_length = own("max-length").map_or(DEFAULT_MAX_LENGTH, |length| length as usize);
    let max_length = config.positions().map_or(max_length, |limit| max_length.min(limit));
    let max_tokens = own("max-new-tokens").map_or(max_length, |tokens| tokens as usize);
    let bytes =
        fs::read(path).map_err(|error| Report::new(format!("cannot read {}: {error}", path.display())))?;
    let tokenizer = TextTokenizer::from_bytes(&bytes, &path.display().to_string(), max_length)?;
    let converses = config.source().get("pegbox").and_then(|own| own.get(CONVERSES)?.as_bool());
    let tokenizer = match path.parent().filter(|_| converses == Some(true)) {
        Some(folder) => tokenizer.with_chat(&language::template_of_folder(folder, None)?)?,
        None => tokenizer,
    };
    let end = config.end_tokens();
    let end = if end.is_empty() { tokenizer.end_ids().to_vec() } else { end };
    let writing = Writing { max_tokens, end, unknown: tokenizer.unknown_id() };
    Ok((tokenizer, writing))
}

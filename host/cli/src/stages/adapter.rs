//! Adapters: the recipe's, and those in folders.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use pegbox_hub::{BaseModel, Request, Source};
use pegbox_models::adapter::{self, ADAPTER_CONFIG, ADAPTER_WEIGHTS};
use pegbox_models::device::Device;
use pegbox_models::weights::{LoadReport, NamedTensor, TensorHeader};
use pegbox_models::{
    AdapterSettings, Head, Model, ModelConfig, Parameters, PeftConfig, Pooling, Problem, SentencePooling,
    Weights,
};
use pegbox_recipe::{Adapter, Quantize, Recipe};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::base::{self, Base};
use super::settings;
use crate::console::megabytes;
use crate::report::Report;
use crate::session::Session;

/// The model of a recipe, with the adapter that it asks for.
pub struct Adapted {
    pub model: Model,
    /// What the adapter is like; none where the whole model is trained.
    pub adapter: Option<Described>,
}

/// An adapter beside its model.
pub struct Described {
    pub config: PeftConfig,
    /// The modules that have one.
    pub modules: Vec<String>,
}

/// The recipe's model with its pretrained weights, and the adapter as it begins.
pub fn begin(
    session: &Session,
    recipe: &Recipe,
    base: &Base,
    classes: usize,
    device: &Device,
) -> Result<Adapted, Box<Report>> {
    let (mut model, report) = base.model(recipe, classes, device)?;
    let Some(wanted) = &recipe.model.adapter else { return Ok(Adapted { model, adapter: None }) };
    let mut config = describe(recipe, base, wanted, &mut model, &report)?;
    quantise(session, &mut model, &config, device);
    let modules = match &wanted.from {
        Some(from) => {
            let folder = recipe.folder.join(from);
            adapter::load(&mut model, &config, &mut Weights::read(&folder.join(ADAPTER_WEIGHTS))?, device)?
        }
        None => {
            let saved = config.modules_to_save.clone();
            adapter::attach(&mut model, &config.settings, &saved, recipe.train.seed, device)?
        }
    };
    if config.settings.targets.is_empty() {
        config.settings.targets.clone_from(&modules);
    }
    Ok(Adapted { model, adapter: Some(Described { config, modules }) })
}

/// The recipe's model with the weights of a checkpoint, which of an adapter holds what was trained.
pub fn resume(
    session: &Session,
    recipe: &Recipe,
    base: &Base,
    classes: usize,
    checkpoint: &Path,
    device: &Device,
) -> Result<Adapted, Box<Report>> {
    let Some(wanted) = &recipe.model.adapter else {
        let head = settings::head(recipe, classes);
        let weights = Weights::read(checkpoint)?;
        let (model, _) = Model::load(base.config.clone(), head, weights, recipe.train.seed, device)?;
        return Ok(Adapted { model, adapter: None });
    };
    let (mut model, report) = base.model(recipe, classes, device)?;
    let config = describe(recipe, base, wanted, &mut model, &report)?;
    quantise(session, &mut model, &config, device);
    let modules = adapter::load(&mut model, &config, &mut Weights::read(checkpoint)?, device)?;
    Ok(Adapted { model, adapter: Some(Described { config, modules }) })
}

/// What the recipe's adapter is like, on the model as `report` says it was loaded.
fn describe(
    recipe: &Recipe,
    base: &Base,
    wanted: &Adapter,
    model: &mut Model,
    report: &LoadReport,
) -> Result<PeftConfig, Box<Report>> {
    if model.head() == Head::MaskedLm && !report.initialised.is_empty() {
        let what = format!(
            "{} has no head for hidden tokens, which an adapter's folder cannot hold",
            recipe.model.source
        );
        return Err(Report::new(what)
            .help("take a base model with its masked-language head, or train the whole model"));
    }
    let model_type = base.config.source().get("model_type").and_then(Value::as_str).unwrap_or("bert");
    let settings = match &wanted.from {
        Some(from) => {
            let before = PeftConfig::read(&recipe.folder.join(from))?;
            AdapterSettings { dropout: wanted.dropout, ..before.settings }
        }
        None => AdapterSettings {
            rank: wanted.rank as usize,
            alpha: wanted.alpha,
            dropout: wanted.dropout,
            targets: match &wanted.targets[..] {
                [] => adapter::usual_targets(model_type).unwrap_or_else(|| vec!["all-linear".into()]),
                targets => targets.to_vec(),
            },
            rank_stabilised: wanted.rank_stabilised,
            magnitudes: wanted.dora,
        },
    };
    let (name, revision) = recorded(&recipe.model.source, base.model.revision.as_deref());
    Ok(PeftConfig {
        settings,
        base: Some(name),
        revision,
        task_type: task_type(model.head()).map(str::to_owned),
        modules_to_save: adapter::modules_to_save(model, report),
        fan_in_fan_out: model_type == "gpt2",
        double_quantised: wanted.quantize.map(|quantize| quantize == Quantize::Nf4Double),
    })
}

fn quantise(session: &Session, model: &mut Model, config: &PeftConfig, device: &Device) {
    let Some(double) = config.double_quantised else { return };
    let done = adapter::quantise(model, double, &config.modules_to_save, device);
    let saved = match session.global.device.as_str() {
        "cpu" => {
            format!("{} instead of {}", megabytes(done.bytes as u64), megabytes(done.bytes_before as u64))
        }
        // The kernels for four bits are the CPU's.
        _ => {
            "rounded to what four bits hold, and held in 32 bits: this device has no kernels for four".into()
        }
    };
    session.console.say(format!("model: {} matrices of the base model in NF4, {saved}", done.matrices));
}

/// What trained weights depend on, as text; none where the whole model is trained.
pub fn identity(recipe: &Recipe) -> Result<Option<String>, Box<Report>> {
    let Some(wanted) = &recipe.model.adapter else { return Ok(None) };
    let from = match &wanted.from {
        None => "new".to_owned(),
        Some(from) => {
            let mut hasher = Sha256::new();
            for name in [ADAPTER_CONFIG, ADAPTER_WEIGHTS] {
                let path = recipe.folder.join(from).join(name);
                hasher.update(fs::read(&path).map_err(|error| {
                    Report::new(format!("cannot read {}: {error}", path.display()))
                        .help("`from` in [model.adapter] names a folder that PEFT or Pegbox wrote")
                })?);
            }
            format!("from sha256:{:x}", hasher.finalize())
        }
    };
    let Adapter { dora, rank, alpha, dropout, rank_stabilised, targets, quantize, from: _ } = wanted;
    let kind = if *dora { "dora" } else { "lora" };
    let base = match quantize {
        None => "float32",
        Some(Quantize::Nf4) => "nf4",
        Some(Quantize::Nf4Double) => "nf4-double",
    };
    let targets = targets.join(" ");
    Ok(Some(format!(
        "{kind}, rank {rank}, alpha {alpha}, dropout {dropout}, rank-stabilised {rank_stabilised}, targets [{targets}], base {base}, {from}"
    )))
}

/// As PEFT names the task.
fn task_type(head: Head) -> Option<&'static str> {
    match head {
        Head::Sequence { .. } => Some("SEQ_CLS"),
        Head::Tokens { .. } => Some("TOKEN_CLS"),
        Head::Embedding { .. } => Some("FEATURE_EXTRACTION"),
        Head::CausalLm => Some("CAUSAL_LM"),
        Head::Seq2Seq => Some("SEQ_2_SEQ_LM"),
        Head::MaskedLm => None,
    }
}

/// How a source stands in adapter_config.json: a repository of Hugging Face's hub by its own name and commit, so that
/// PEFT finds it.
fn recorded(source: &str, commit: Option<&str>) -> (String, Option<String>) {
    match source.strip_prefix("hf:").map(|name| name.split(['@', '#']).next().unwrap_or(name)) {
        Some(name) => (name.to_owned(), commit.map(str::to_owned)),
        None => (source.to_owned(), None),
    }
}

/// adapter_config.json of a run's best checkpoint. In the run's own folder a base on this machine stands with its whole
/// path; in what is exported as the recipe names it.
pub fn configuration(recipe: &Recipe, described: &Described, of_run: bool) -> Value {
    let mut config = described.config.clone();
    let local = Source::parse(&recipe.model.source, &recipe.folder).is_ok_and(|source| source.is_local());
    if of_run && local {
        let path = recipe.folder.join(&recipe.model.source);
        config.base = Some(fs::canonicalize(&path).unwrap_or(path).display().to_string());
    }
    config.to_json(&described.modules)
}

/// A model of an adapter's folder and its base model.
pub struct FromFolder {
    pub model: Model,
    pub config: ModelConfig,
    pub base: BaseModel,
    /// Names of the model's outputs; empty where nobody names them.
    pub labels: Vec<String>,
}

/// Loads the adapter whose description is in `folder` and whose tensors are in `weights`, on the base model that the
/// folder or `base` names.
pub fn load(
    session: &Session,
    folder: &Path,
    weights: &Path,
    base: Option<&str>,
    device: &Device,
) -> Result<FromFolder, Box<Report>> {
    let peft = PeftConfig::read(folder)?;
    let base = find_base(session, folder, &peft, base)?;
    let own = folder.join("config.json");
    let (config, head) = match own.is_file() {
        true => {
            let config = ModelConfig::read(&own)?;
            let head =
                config.trained_head().map_err(|what| Report::new(format!("{}: {what}", own.display())))?;
            (config, head)
        }
        false => {
            let config = ModelConfig::read(&base.folder.join("config.json"))?;
            let head = head(&peft, &config, &Weights::headers(weights)?)
                .map_err(|what| Report::new(format!("{}: {what}", folder.join(ADAPTER_CONFIG).display())))?;
            (config, head)
        }
    };
    let (mut model, report) = Model::load(config.clone(), head, Weights::read(&base.weights)?, 0, device)?;
    let saved = |name: &String| peft.modules_to_save.iter().any(|module| adapter::is_of(name, module));
    let lacking: Vec<String> = report.initialised.into_iter().filter(|name| !saved(name)).collect();
    if !lacking.is_empty() {
        return Err(Report::new(format!(
            "neither the adapter in {} nor its base model has {}",
            folder.display(),
            lacking.join(", ")
        ))
        .help(
            "the adapter was trained on another base model, or its head was not saved (`modules_to_save`)",
        ));
    }
    quantise(session, &mut model, &peft, device);
    adapter::load(&mut model, &peft, &mut Weights::read(weights)?, device)?;
    let labels = match head {
        Head::Sequence { .. } | Head::Tokens { .. } if own.is_file() => {
            pegbox_models::model::labels(config.source()).unwrap_or_default()
        }
        Head::Sequence { outputs, .. } | Head::Tokens { classes: outputs } => {
            (0..outputs).map(|id| format!("LABEL_{id}")).collect()
        }
        Head::MaskedLm | Head::Embedding { .. } | Head::CausalLm | Head::Seq2Seq => Vec::new(),
    };
    Ok(FromFolder { model, config, base, labels })
}

/// The base model that the user or the adapter names: a source as in a recipe, a folder, or a name at Hugging Face's hub.
fn find_base(
    session: &Session,
    folder: &Path,
    peft: &PeftConfig,
    named: Option<&str>,
) -> Result<BaseModel, Box<Report>> {
    let Some(source) = named.or(peft.base.as_deref()) else {
        return Err(Report::new(format!("{} names no base model", folder.join(ADAPTER_CONFIG).display()))
            .help("name it with --base"));
    };
    let is_here = Path::new(source).exists();
    let looks_like_a_repository =
        !source.contains(':') && !source.starts_with(['/', '.']) && source.split('/').count() <= 2;
    let source = match (is_here, looks_like_a_repository, &peft.revision) {
        (false, true, Some(revision)) => Cow::Owned(format!("hf:{source}@{revision}")),
        (false, true, None) => Cow::Owned(format!("hf:{source}@main")),
        _ => Cow::Borrowed(source),
    };
    base::fetch(session, &source, Path::new("."), &Request::default())
        .map_err(|report| report.help("--base names another place of the adapter's base model"))
}

/// The head of a model whose adapter's folder has no config.json, as PEFT leaves it.
fn head(peft: &PeftConfig, config: &ModelConfig, tensors: &[TensorHeader]) -> Result<Head, String> {
    let outputs = || {
        let ends = ["classifier.weight", "classifier.out_proj.weight"];
        let found = tensors.iter().find(|tensor| ends.iter().any(|end| tensor.name.ends_with(end)));
        let outputs = found.and_then(|tensor| tensor.shape.first().copied());
        outputs.ok_or_else(|| "the adapter holds no `classifier`, which the task needs".to_owned())
    };
    Ok(match peft.task_type.as_deref() {
        Some("SEQ_CLS") => {
            Head::Sequence { outputs: outputs()?, pooling: Pooling::Cls, problem: Problem::SingleLabel }
        }
        Some("TOKEN_CLS") => Head::Tokens { classes: outputs()? },
        Some("CAUSAL_LM") => Head::CausalLm,
        Some("SEQ_2_SEQ_LM") => Head::Seq2Seq,
        Some("FEATURE_EXTRACTION") => Head::Embedding { pooling: SentencePooling::Mean, normalise: true },
        _ => config.trained_head()?,
    })
}

/// The tensors of a model whose adapters are merged into its matrices.
pub fn merged(model: &mut Model, device: &Device) -> Vec<NamedTensor> {
    adapter::merge(model, device);
    let tensor = |(name, parameter): (String, pegbox_models::Parameter<'_>)| NamedTensor {
        shape: parameter.shape(),
        values: parameter.values(),
        name,
    };
    model.parameters().into_iter().map(tensor).collect()
}

/// The folder of a model as Hugging Face's tools have it: weights, config.json and the tokenizer's files.
pub fn write_folder(
    to: &Path,
    tensors: Vec<NamedTensor>,
    config: &Value,
    tokenizer: &[PathBuf],
) -> Result<(), Box<Report>> {
    if to.exists() {
        return Err(
            Report::usage(format!("{} exists already", to.display())).help("name another folder with --out")
        );
    }
    let failed = |error: std::io::Error| Report::new(format!("cannot write {}: {error}", to.display()));
    let parent = to.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(parent).map_err(failed)?;
    let draft = pegbox_durable::Draft::new(parent).map_err(failed)?;
    let shapes: Vec<(String, Vec<usize>)> =
        tensors.iter().map(|tensor| (tensor.name.clone(), tensor.shape.clone())).collect();
    let mut values: HashMap<String, Vec<f32>> =
        tensors.into_iter().map(|tensor| (tensor.name, tensor.values)).collect();
    pegbox_models::weights::write_model(
        draft.path(),
        &shapes,
        pegbox_models::weights::SHARD_LIMIT,
        |name| Cow::Owned(values.remove(name).unwrap_or_default()),
    )?;
    draft.write("config.json", format!("{config:#}\n").as_bytes()).map_err(failed)?;
    for folder in tokenizer {
        let files = pegbox_deploy::tokenizer_files(folder)?;
        if files.is_empty() {
            continue;
        }
        for file in files {
            draft.write(&file.path, &file.content).map_err(failed)?;
        }
        break;
    }
    draft.publish(to).map_err(failed)
}

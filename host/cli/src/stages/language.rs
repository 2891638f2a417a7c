//! Models that write text: from a run, a folder, a GGUF file or a source, with everything that generation needs.

use std::fs;
use std::path::{Path, PathBuf};

use pegbox_generation::GenerationSettings;
use pegbox_generation::chat::{ChatError, ChatTemplates, TemplateSource};
use pegbox_hub::{Request, Source};
use pegbox_models::vocabulary::end_tokens;
use pegbox_models::{Generator, Weights, device};
use pegbox_train::{RunFolder, load_best};
use pegbox_vocabulary::TokenizerFile;
use pegbox_vocabulary::stored::{StoredVocabulary, tokenizer_of};
use serde_json::{Map, Value};
use tokenizers::Tokenizer;

use super::gguf::GgufModel;
use super::{base, runs};
use crate::report::Report;
use crate::session::Session;
use pegbox_recipe::Recipe;

/// The file beside a tokenizer that holds its chat template.
pub const CHAT_TEMPLATE: &str = "chat_template.jinja";

/// A language model, ready to generate.
pub struct Language {
    /// As the user named it.
    pub name: String,
    pub generator: Generator,
    pub tokenizer: Tokenizer,
    /// Its chat templates, or why there are none.
    pub templates: Result<ChatTemplates, ChatError>,
    /// What its generation_config.json says. An answer ends with the tokens of that file, or else of config.json.
    pub settings: GenerationSettings,
    /// The tokenizer's token that ends a sequence, with which chat templates end a turn.
    pub end_of_turn: Option<u32>,
}

/// The template that a tokenizer's files in `folder` hold, or the one in `template` in their place.
pub fn template_of_folder(folder: &Path, template: Option<&str>) -> Result<TemplateSource, Box<Report>> {
    let (config, jinja) = template_files(folder, template)?;
    Ok(TemplateSource::from_files(config.as_deref(), jinja.as_deref())?)
}

/// The same of a GGUF file.
pub fn template_of_gguf(model: &GgufModel, template: Option<&str>) -> Result<TemplateSource, Box<Report>> {
    Ok(gguf_template(model, &model.vocabulary()?, template)?)
}

fn gguf_template(
    model: &GgufModel,
    vocabulary: &StoredVocabulary,
    template: Option<&str>,
) -> Result<TemplateSource, ChatError> {
    let template = template.or(model.chat_template()).ok_or(ChatError::NoTemplate)?.to_owned();
    Ok(TemplateSource { template, special_tokens: vocabulary.special_tokens().iter().copied().collect() })
}

/// Bytes of tokenizer_config.json, and a template that stands in a file of its own.
type TemplateFiles = (Option<Vec<u8>>, Option<String>);

/// What `folder` has of them; `template` takes the place of chat_template.jinja.
fn template_files(folder: &Path, template: Option<&str>) -> Result<TemplateFiles, Box<Report>> {
    let (config, beside) = (folder.join("tokenizer_config.json"), folder.join(CHAT_TEMPLATE));
    let config = config.is_file().then(|| read(&config)).transpose()?;
    let jinja = match template {
        Some(template) => Some(template.to_owned()),
        None => beside.is_file().then(|| text(&beside)).transpose()?,
    };
    Ok((config, jinja))
}

/// Where a model's parts are.
struct Parts {
    /// What errors about the configuration name.
    config_path: PathBuf,
    config: Map<String, Value>,
    weights: PathBuf,
    tokenizer: Vec<u8>,
    tokenizer_path: PathBuf,
    templates: Result<ChatTemplates, ChatError>,
    /// Bytes of generation_config.json.
    generation: Option<Vec<u8>>,
    /// The tokenizer's token that ends a sequence, as text.
    end: Option<String>,
}

/// Loads the model that `source` names: a run's folder, a folder in Hugging Face's form, a GGUF file, or a source as
/// recipes have it. `template` is a file with a chat template in place of the model's own.
pub fn load(session: &Session, source: &str, template: Option<&Path>) -> Result<Language, Box<Report>> {
    let template = template.map(text).transpose()?;
    let parts = find(session, source, template.as_deref())?;
    let tokenizer = TokenizerFile::from_bytes(&parts.tokenizer, &parts.tokenizer_path)?.into_tokenizer();
    let mut settings = settings(session, &parts)?;
    let device = device::parse(&session.global.device)?;
    let weights = Weights::read(&parts.weights)?;
    let (generator, report) = Generator::load(parts.config, &parts.config_path, weights, &device)?;
    if !report.unexpected.is_empty() {
        tracing::warn!(
            "{source} holds weights that its architecture has no place for: {}",
            report.unexpected.join(", ")
        );
    }
    if let (Generator::Causal(_), true) = (&generator, session.global.device != "cpu") {
        session.console.say("note: decoders generate on the CPU, whatever the device");
    }
    if let (Generator::Seq2Seq(model), true) = (&generator, settings.eos_token_id.is_empty()) {
        settings.eos_token_id.push(model.config.eos_token_id);
    }
    let end_of_turn = parts.end.and_then(|token| tokenizer.token_to_id(&token));
    let templates = parts.templates;
    Ok(Language { name: source.to_owned(), generator, tokenizer, templates, settings, end_of_turn })
}

fn find(session: &Session, source: &str, template: Option<&str>) -> Result<Parts, Box<Report>> {
    let path = match Source::parse(source, Path::new(""))? {
        Source::Folder(folder) if folder.join("checkpoints").is_dir() => {
            let weights = load_best(&RunFolder::open(&folder)?)?.weights;
            return of_folder(&folder.join("model"), weights, template);
        }
        // What is on this machine needs no digest to be looked at.
        Source::Folder(folder) if folder.join("config.json").is_file() => folder,
        Source::File(file) if file.is_file() => file,
        _ => base::fetch(session, source, Path::new(""), &Request::default())?.weights,
    };
    if path.is_dir() { of_folder(&path, path.clone(), template) } else { of_gguf(&path, template) }
}

fn of_folder(folder: &Path, weights: PathBuf, template: Option<&str>) -> Result<Parts, Box<Report>> {
    let config_path = folder.join("config.json");
    let config = object(&read(&config_path)?, &config_path)?;
    let optional = |name: &str| {
        let path = folder.join(name);
        path.is_file().then(|| read(&path)).transpose()
    };
    let (tokenizer_config, jinja) = template_files(folder, template)?;
    let end = tokenizer_config.as_deref().and_then(|bytes| {
        let config: Value = serde_json::from_slice(bytes).ok()?;
        let token = config.get("eos_token")?;
        Some(token.as_str().or_else(|| token.get("content")?.as_str())?.to_owned())
    });
    Ok(Parts {
        config,
        weights,
        tokenizer: tokenizer_of(folder)?,
        tokenizer_path: folder.join("tokenizer.json"),
        templates: ChatTemplates::from_files(tokenizer_config.as_deref(), jinja.as_deref()),
        generation: optional("generation_config.json")?,
        end,
        config_path,
    })
}

fn of_gguf(path: &Path, template: Option<&str>) -> Result<Parts, Box<Report>> {
    let model = GgufModel::open(path)?;
    let vocabulary = model.vocabulary()?;
    let templates = gguf_template(&model, &vocabulary, template)
        .and_then(|source| ChatTemplates::single(&source.template, source.special_tokens));
    Ok(Parts {
        config: model.config()?,
        config_path: path.to_path_buf(),
        weights: path.to_path_buf(),
        tokenizer: model.tokenizer()?,
        tokenizer_path: path.to_path_buf(),
        templates,
        generation: None,
        end: model.end_of_turn(&vocabulary),
    })
}

/// What generation_config.json says, and the ends of an answer.
fn settings(session: &Session, parts: &Parts) -> Result<GenerationSettings, Box<Report>> {
    let mut settings = GenerationSettings::default();
    if let Some(bytes) = &parts.generation {
        let (read, ignored) = GenerationSettings::from_json(bytes)?;
        settings = read;
        if !ignored.is_empty() {
            session.console.say(format!(
                "note: generation_config.json sets what has no effect here: {}",
                ignored.join(", ")
            ));
        }
    }
    if settings.eos_token_id.is_empty() {
        settings.eos_token_id = end_tokens(&parts.config);
    }
    Ok(settings)
}

pub fn read(path: &Path) -> Result<Vec<u8>, Box<Report>> {
    fs::read(path).map_err(|error| Report::usage(format!("cannot read {}: {error}", path.display())))
}

pub fn text(path: &Path) -> Result<String, Box<Report>> {
    String::from_utf8(read(path)?)
        .map_err(|error| Report::usage(format!("{} is no text: {error}", path.display())))
}

fn object(bytes: &[u8], path: &Path) -> Result<Map<String, Value>, Box<Report>> {
    serde_json::from_slice(bytes)
        .map_err(|error| Report::new(format!("{} is no JSON object: {error}", path.display())))
}

/// The model that the user named, or the latest run of the recipe.
pub fn named(model: Option<&str>, recipe: &Path) -> Result<String, Box<Report>> {
    if let Some(model) = model {
        return Ok(model.to_owned());
    }
    let recipe = Recipe::load(recipe)?;
    let run = runs::latest(&recipe.runs).ok_or_else(|| {
        Report::usage(format!("no model is named, and there is no run in {}", recipe.runs.display()))
            .help("name a folder, a GGUF file or a source; `pegbox train` makes a run")
    })?;
    Ok(run.display().to_string())
}

impl Language {
    /// The chat templates; `instead` is what the user can do without.
    pub fn chat_templates(&self, instead: &str) -> Result<&ChatTemplates, Box<Report>> {
        self.templates.as_ref().map_err(|error| {
            let report = Report::usage(format!("{}: {error}", self.name));
            match error {
                ChatError::NoTemplate => report
                    .help(format!("{instead}; or name a template of your own with --template"))
                    .help("base models have none: the model's instruct or chat version has one"),
                error => error.help().map(|help| report.clone().help(help)).unwrap_or(report),
            }
        })
    }
}

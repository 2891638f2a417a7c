//! The base model.

use std::path::{Path, PathBuf};

use pegbox_data::{TemplateSource, TextTokenizer};
use pegbox_deploy::tokenizer_files;
use pegbox_hub::{BaseModel, Licences, Obtained, Request, Source};
use pegbox_models::device::Device;
use pegbox_models::weights::LoadReport;
use pegbox_models::{Model, ModelConfig, ModelError, NewToken, Weights};
use pegbox_runtime::ModelFile;
use pegbox_train::{Masking, Writing};
use pegbox_vocabulary::stored::tokenizer_of;
use pegbox_vocabulary::{Extension, TokenizerFile};

use super::gguf::GgufModel;
use super::language::CHAT_TEMPLATE;
use super::{language, lock, settings};
use crate::console::megabytes;
use crate::report::Report;
use crate::session::Session;
use pegbox_recipe::{ChatTemplate, Init, Recipe, Task};

const TOKENIZER: &str = "tokenizer.json";

/// The base model at hand, and what can be known of it without its weights.
pub struct Base {
    pub model: BaseModel,
    /// With the recipe's dropout, where it names one.
    pub config: ModelConfig,
    /// Bytes of a tokenizer.json: the model's, or made of its vocabulary where that is in another format.
    pub tokenizer: Vec<u8>,
    /// The recipe's own tokenizer, and the tokens that it has more than the model.
    pub extension: Option<Extension>,
    /// The chat template, where the recipe asks for one.
    pub chat: Option<TemplateSource>,
}

/// What texts become token ids with.
pub struct TokenizerParts {
    /// Bytes of a tokenizer.json.
    pub tokenizer: Vec<u8>,
    pub chat: Option<TemplateSource>,
}

impl Base {
    /// The tokenizer's files, for whoever takes the trained model.
    pub fn tokenizer_files(&self) -> Result<Vec<ModelFile>, Box<Report>> {
        let mut files = match &self.extension {
            Some(extension) => tokenizer_files(&extension.folder)?,
            None if self.model.is_gguf() => {
                let config = GgufModel::open(&self.model.weights)?.tokenizer_config()?;
                let content = format!("{config:#}\n").into_bytes();
                vec![ModelFile { path: "tokenizer_config.json".into(), content }]
            }
            None => tokenizer_files(&self.model.folder)?,
        };
        if !files.iter().any(|file| file.path == TOKENIZER) {
            files.insert(0, ModelFile { path: TOKENIZER.into(), content: self.tokenizer.clone() });
        }
        if let Some(chat) = &self.chat {
            // It comes before what tokenizer_config.json may hold, and whoever converses with the model needs it.
            files.retain(|file| file.path != CHAT_TEMPLATE);
            files.push(ModelFile { path: CHAT_TEMPLATE.into(), content: chat.template.clone().into_bytes() });
        }
        Ok(files)
    }

    /// Where the tokenizer is, for errors.
    fn tokenizer_path(&self) -> PathBuf {
        match &self.extension {
            Some(extension) => extension.folder.join(TOKENIZER),
            None => tokenizer_path(&self.model),
        }
    }

    /// The model that training begins with: pretrained, with embeddings for the tokens that the recipe adds, or with new
    /// weights; and what it lacked.
    pub fn model(
        &self,
        recipe: &Recipe,
        labels: usize,
        device: &Device,
    ) -> Result<(Model, LoadReport), Box<Report>> {
        let (config, head, seed) = (self.config.clone(), settings::head(recipe, labels), recipe.train.seed);
        if recipe.model.init == Init::Random {
            return Ok((Model::random(config, head, seed, device)?, LoadReport::default()));
        }
        let mut weights = Weights::read(&self.model.weights)?;
        self.config.add_tokens(&mut weights, &self.new_tokens())?;
        let (model, report) = Model::load(config, head, weights, seed, device)?;
        tracing::debug!(
            loaded = report.loaded,
            initialised = ?report.initialised,
            unexpected = ?report.unexpected,
            "base model's weights"
        );
        Ok((model, report))
    }

    /// The tokenizer, as the recipe's data is prepared with it.
    fn text_tokenizer(&self, recipe: &Recipe) -> Result<TextTokenizer, Box<Report>> {
        let name = self.tokenizer_path().display().to_string();
        let tokenizer = TextTokenizer::from_bytes(&self.tokenizer, &name, recipe.model.max_length as usize)?;
        Ok(match &self.chat {
            Some(source) => tokenizer.with_chat(source)?,
            None => tokenizer,
        })
    }

    /// What answers are held to, where the model writes texts.
    pub fn writing(&self, recipe: &Recipe) -> Result<Option<Writing>, Box<Report>> {
        let tokens = settings::tokens(recipe);
        let max_tokens = match recipe.model.task {
            Task::Generation => tokens.max_length,
            Task::Seq2Seq => tokens.target.unwrap_or_default().max_length,
            _ => return Ok(None),
        };
        let tokenizer = self.text_tokenizer(recipe)?;
        Ok(Some(Writing { max_tokens, end: self.ends(&tokenizer), unknown: tokenizer.unknown_id() }))
    }

    /// What ends a text: in the data that is prepared, and for the model as it came.
    fn ends(&self, tokenizer: &TextTokenizer) -> Vec<u32> {
        let mut ends = tokenizer.end_ids().to_vec();
        let others = self.config.end_tokens().into_iter().filter(|id| !tokenizer.end_ids().contains(id));
        ends.extend(others);
        ends
    }

    /// How tokens are hidden, where the recipe's task is to find them again.
    pub fn masking(&self, recipe: &Recipe) -> Result<Option<Masking>, Box<Report>> {
        if recipe.model.task != Task::MaskedLm {
            return Ok(None);
        }
        let tokenizer = self.text_tokenizer(recipe)?;
        let name = self.tokenizer_path().display().to_string();
        let Some(mask) = tokenizer.mask_id() else {
            return Err(Report::new(format!("{name} has no token that stands for a hidden one"))
                .help("`masked-lm` needs a base model that was pretrained so, such as a BERT or a RoBERTa"));
        };
        let vocabulary = u32::try_from(tokenizer.vocabulary_size()).unwrap_or(u32::MAX);
        Ok(Some(Masking { mask, vocabulary, special: tokenizer.special_ids() }))
    }

    fn new_tokens(&self) -> Vec<NewToken> {
        new_tokens(self.extension.as_ref())
    }
}

/// Brings the recipe's base model here.
pub fn bring(session: &Session, recipe: &Recipe) -> Result<Base, Box<Report>> {
    of_model(session, recipe, locked(session, recipe)?)
}

fn of_model(session: &Session, recipe: &Recipe, model: BaseModel) -> Result<Base, Box<Report>> {
    let mut config = config(&model)?;
    if let Some(dropout) = recipe.model.dropout {
        config.set_dropout(dropout);
    }
    if settings::pools_by_a_layer(recipe) {
        config = config.with_another_layer();
    }
    config.check_head(settings::head(recipe, 0))?;
    if let Some(positions) = config.positions().filter(|limit| recipe.model.max_length as usize > *limit) {
        return Err(Report::usage(format!(
            "[model].max-length is {}, but {} has {positions} positions",
            recipe.model.max_length, recipe.model.source
        ))
        .help(format!("set max-length to at most {positions}")));
    }
    let (path, tokenizer) = (tokenizer_path(&model), tokenizer_bytes(&model)?);
    let chat = chat(recipe, &model)?;
    let Some(named) = &recipe.model.tokenizer else {
        return Ok(Base { model, config, tokenizer, extension: None, chat });
    };
    let extension =
        Extension::open(&recipe.folder.join(named), &TokenizerFile::from_bytes(&tokenizer, &path)?)?;
    session.console.say(format!("model: {} tokens are added from {named}", extension.tokens.len()));
    config = config.with_tokens(&new_tokens(Some(&extension)));
    Ok(Base { model, config, tokenizer: extension.tokenizer.clone(), extension: Some(extension), chat })
}

/// The chat template that the recipe asks for.
fn chat(recipe: &Recipe, model: &BaseModel) -> Result<Option<TemplateSource>, Box<Report>> {
    let own = template(recipe)?;
    let source = match &recipe.model.chat_template {
        None => return Ok(None),
        Some(_) if model.is_gguf() => {
            language::template_of_gguf(&GgufModel::open(&model.weights)?, own.as_deref())
        }
        Some(_) => language::template_of_folder(&model.folder, own.as_deref()),
    };
    source.map(Some)
}

/// The text of the recipe's own chat template.
fn template(recipe: &Recipe) -> Result<Option<String>, Box<Report>> {
    match &recipe.model.chat_template {
        Some(ChatTemplate::File(name)) => language::text(&recipe.folder.join(name)).map(Some),
        Some(ChatTemplate::Model) | None => Ok(None),
    }
}

/// What the model's config.json says, or its GGUF file.
fn config(model: &BaseModel) -> Result<ModelConfig, Box<Report>> {
    if !model.is_gguf() {
        return Ok(ModelConfig::read(&model.folder.join("config.json"))?);
    }
    let refuse = |what| ModelError::Config { path: model.weights.clone(), what };
    Ok(ModelConfig::from_json(GgufModel::open(&model.weights)?.config()?).map_err(refuse)?)
}

fn tokenizer_bytes(model: &BaseModel) -> Result<Vec<u8>, Box<Report>> {
    match model.is_gguf() {
        true => GgufModel::open(&model.weights)?.tokenizer(),
        false => Ok(tokenizer_of(&model.folder)?),
    }
}

fn tokenizer_path(model: &BaseModel) -> PathBuf {
    if model.is_gguf() { model.weights.clone() } else { model.folder.join(TOKENIZER) }
}

fn new_tokens(extension: Option<&Extension>) -> Vec<NewToken> {
    let added = extension.into_iter().flat_map(|extension| &extension.tokens);
    added.map(|token| NewToken { id: token.id, pieces: token.pieces.clone() }).collect()
}

/// Brings the tokenizer that the recipe's data is prepared with here.
pub fn tokenizer(session: &Session, recipe: &Recipe) -> Result<TokenizerParts, Box<Report>> {
    // Texts that are written may be prepared for other tools with nothing but a tokenizer.
    let folder = recipe.folder.join(&recipe.model.source);
    let alone = folder.join(TOKENIZER);
    let writes = matches!(recipe.model.task, Task::Generation | Task::Seq2Seq);
    if writes && alone.is_file() && recipe.policy.licences.is_none() {
        let chat = match recipe.model.chat_template {
            Some(_) => Some(language::template_of_folder(&folder, template(recipe)?.as_deref())?),
            None => None,
        };
        return Ok(TokenizerParts { tokenizer: language::read(&alone)?, chat });
    }
    let model = locked(session, recipe)?;
    // A length that the model does not have is told before the work begins.
    if !writes {
        let Base { tokenizer, chat, .. } = of_model(session, recipe, model)?;
        return Ok(TokenizerParts { tokenizer, chat });
    }
    Ok(TokenizerParts { tokenizer: tokenizer_bytes(&model)?, chat: chat(recipe, &model)? })
}

/// Brings the recipe's base model here, at the commit that pegbox.lock pins.
fn locked(session: &Session, recipe: &Recipe) -> Result<BaseModel, Box<Report>> {
    of_recipe(session, recipe, lock::pinned_revision(recipe)?.as_deref(), false)
}

/// Brings the recipe's base model here, under a licence that the recipe allows. `anew` asks where a branch stands now,
/// unless it is pinned, and computes every digest anew.
pub fn of_recipe(
    session: &Session,
    recipe: &Recipe,
    pinned: Option<&str>,
    anew: bool,
) -> Result<BaseModel, Box<Report>> {
    let licences = recipe.policy.licences.as_deref().map(Licences::parse).transpose();
    let licences =
        licences.map_err(|entry| Report::usage(format!("`{entry}` is not a licence in SPDX's list")))?;
    let request = Request {
        pinned,
        anew,
        licences: licences.as_ref(),
        stated_licence: recipe.model.licence.as_deref(),
        weightless: recipe.model.init == Init::Random,
    };
    fetch(session, &recipe.model.source, &recipe.folder, &request)
}

/// Brings any base model here, and says where it came from.
pub fn fetch(
    session: &Session,
    source: &str,
    folder: &Path,
    request: &Request<'_>,
) -> Result<BaseModel, Box<Report>> {
    let parsed = Source::parse(source, folder)?;
    let stage = session.console.stage("model");
    let model =
        session.models.obtain(&parsed, request, &|done, total| stage.bytes("fetched", done, total))?;
    let licence = model.licence.as_deref().unwrap_or("not stated");
    let commit =
        model.revision.as_ref().map_or(String::new(), |commit| format!(" at commit {}", short(commit)));
    match &model.obtained {
        Obtained::Cached => stage.unchanged(&format!("{parsed}{commit}, licence {licence}")),
        Obtained::Shared => {
            stage.unchanged(&format!("{parsed}{commit}, kept by Hugging Face's tools, licence {licence}"))
        }
        Obtained::Local => stage.finish(&format!("{parsed}, licence {licence}")),
        Obtained::Downloaded { url, bytes, .. } => stage.finish(&format!(
            "{parsed}{commit} fetched from {url}, {}, licence {licence}",
            megabytes(*bytes)
        )),
    };
    Ok(model)
}

/// As Git shows a commit in short.
pub fn short(commit: &str) -> &str {
    commit.get(..12).unwrap_or(commit)
}

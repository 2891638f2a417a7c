//! The base model.

use std::fs;
use std::path::Path;

use pegbox_hub::{BaseModel, Obtained, Source, obtain};
use pegbox_models::{BertConfig, Pooling};

use super::settings;
use crate::console::megabytes;
use crate::report::Report;
use crate::session::Session;
use pegbox_recipe::Recipe;

/// The base model at hand, and what can be known of it without its weights.
pub struct Base {
    pub model: BaseModel,
    /// With the recipe's dropout, where it names one.
    pub config: BertConfig,
    /// Bytes of tokenizer.json.
    pub tokenizer: Vec<u8>,
}

/// Brings the recipe's base model here.
pub fn bring(session: &Session, recipe: &Recipe) -> Result<Base, Box<Report>> {
    let model = fetch(session, &recipe.model.source, &recipe.folder)?;
    let mut config = BertConfig::read(&model.folder.join("config.json"))?;
    if let Some(dropout) = recipe.model.dropout {
        config.hidden_dropout_prob = dropout;
        config.attention_probs_dropout_prob = dropout;
        config.classifier_dropout = Some(dropout);
    }
    if settings::pooling(recipe) == Pooling::MeanLayer {
        config = config.with_another_layer();
    }
    let positions = config.max_position_embeddings;
    if recipe.model.max_length as usize > positions {
        return Err(Report::usage(format!(
            "[model].max-length is {}, but {} has {positions} positions",
            recipe.model.max_length, recipe.model.source
        ))
        .help(format!("set max-length to at most {positions}")));
    }
    let path = model.folder.join("tokenizer.json");
    let tokenizer =
        fs::read(&path).map_err(|error| Report::new(format!("cannot read {}: {error}", path.display())))?;
    Ok(Base { model, config, tokenizer })
}

/// Brings the tokenizer of the recipe's base model here, whatever the model: a folder may hold nothing else.
pub fn tokenizer(session: &Session, recipe: &Recipe) -> Result<Vec<u8>, Box<Report>> {
    let beside = recipe.folder.join(&recipe.model.source).join("tokenizer.json");
    let path = match beside.is_file() {
        true => beside,
        false => fetch(session, &recipe.model.source, &recipe.folder)?.folder.join("tokenizer.json"),
    };
    fs::read(&path).map_err(|error| Report::new(format!("cannot read {}: {error}", path.display())))
}

/// Brings any base model here, and says where it came from.
pub fn fetch(session: &Session, source: &str, folder: &Path) -> Result<BaseModel, Box<Report>> {
    let parsed = Source::parse(source, folder)?;
    let stage = session.console.stage("model");
    let model = obtain(&parsed, &session.cache, &|done, total| stage.bytes("fetched", done, total))?;
    let licence = model.licence.as_deref().unwrap_or("not stated");
    match &model.obtained {
        Obtained::Cached => stage.unchanged(&format!("{parsed}, licence {licence}")),
        Obtained::Local => stage.finish(&format!("{parsed}, licence {licence}")),
        Obtained::Downloaded { url, bytes, .. } => {
            stage.finish(&format!("{parsed} fetched from {url}, {}, licence {licence}", megabytes(*bytes)))
        }
    };
    Ok(model)
}

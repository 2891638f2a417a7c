//! A base model that is one GGUF file: what a folder says in small files is in its metadata.

use std::path::{Path, PathBuf};

use pegbox_hub::BaseModel;
use pegbox_models::ModelConfig;
use pegbox_models::weights::Gguf;
use pegbox_vocabulary::stored::{self, GgufMetadata};
use serde_json::{Map, Value};

use super::{Files, TOKENIZER};
use crate::report::Report;
use crate::session::Session;
use crate::stages::runs::write_whole;

/// Reads it, and puts its tokenizer, as Transformers would have it, into the cache.
pub fn files(session: &Session, model: &BaseModel) -> Result<Files, Box<Report>> {
    let path = &model.weights;
    let file = Gguf::open(path)?;
    let unfit = |what: String| Report::new(format!("{}: {what}", path.display()));
    let Value::Object(source) = file.config()? else {
        return Err(unfit("its metadata make no config.json".into()));
    };
    let config = ModelConfig::from_json(source).map_err(unfit)?;
    let vocabulary = stored::gguf(&Keys(&file), path)?;
    let tokenizer = vocabulary.tokenizer(path)?.to_bytes();
    let mut about = Map::from_iter([("tokenizer_class".to_owned(), "PreTrainedTokenizerFast".into())]);
    about
        .extend(vocabulary.special_tokens().into_iter().map(|(name, token)| (name.to_owned(), token.into())));
    if let Some(template) = file.metadata().str("tokenizer.chat_template") {
        about.insert("chat_template".into(), template.into());
    }
    let folder = folder(session, model);
    write_whole(&folder.join("tokenizer_config.json"), format!("{:#}\n", Value::Object(about)).as_bytes())?;
    write_whole(&folder.join(TOKENIZER), &tokenizer)?;
    Ok(Files { config, tokenizer, folder })
}

/// One for each model, whatever path it has.
fn folder(session: &Session, model: &BaseModel) -> PathBuf {
    let name = model.digest.rsplit(':').next().unwrap_or_default();
    session.cache.root().join("tokenizers").join(Path::new(name))
}

struct Keys<'a>(&'a Gguf);

impl GgufMetadata for Keys<'_> {
    fn text(&self, key: &str) -> Option<&str> {
        self.0.metadata().str(key)
    }

    fn texts(&self, key: &str) -> Option<&[String]> {
        self.0.metadata().strings(key)
    }

    fn flag(&self, key: &str) -> Option<bool> {
        self.0.metadata().bool(key)
    }

    fn number(&self, key: &str) -> Option<u64> {
        self.0.metadata().u64(key)
    }

    fn floats(&self, key: &str) -> Option<&[f32]> {
        self.0.metadata().f32s(key)
    }

    fn integers(&self, key: &str) -> Option<Vec<i64>> {
        self.0.metadata().i64s(key)
    }

    fn bytes(&self, key: &str) -> Option<&[u8]> {
        self.0.metadata().u8s(key)
    }
}

//! What a GGUF file holds besides weights, in the words of the crates that read it.

use std::path::Path;

use pegbox_vocabulary::stored::{self, GgufMetadata, StoredVocabulary};
use pegbox_weights::gguf::Metadata;
use pegbox_weights::{Gguf, WeightsError};
use serde_json::{Map, Value, json};

use crate::report::Report;

/// Where a file keeps its chat template.
const CHAT_TEMPLATE: &str = "tokenizer.chat_template";

/// A GGUF file's metadata.
struct Held<'a>(&'a Metadata);

impl GgufMetadata for Held<'_> {
    fn text(&self, key: &str) -> Option<&str> {
        self.0.str(key)
    }

    fn texts(&self, key: &str) -> Option<&[String]> {
        self.0.strings(key)
    }

    fn flag(&self, key: &str) -> Option<bool> {
        self.0.bool(key)
    }

    fn number(&self, key: &str) -> Option<u64> {
        self.0.u64(key)
    }

    fn floats(&self, key: &str) -> Option<&[f32]> {
        self.0.f32s(key)
    }

    fn integers(&self, key: &str) -> Option<Vec<i64>> {
        self.0.i64s(key)
    }

    fn bytes(&self, key: &str) -> Option<&[u8]> {
        self.0.u8s(key)
    }
}

/// A GGUF file as what stands in a model's folder.
pub struct GgufModel {
    file: Gguf,
}

impl GgufModel {
    pub fn open(path: &Path) -> Result<Self, WeightsError> {
        Ok(Self { file: Gguf::open(path)? })
    }

    /// What config.json would say.
    pub fn config(&self) -> Result<Map<String, Value>, WeightsError> {
        Ok(match self.file.config()? {
            Value::Object(config) => config,
            _ => Map::new(),
        })
    }

    pub fn vocabulary(&self) -> Result<StoredVocabulary, Box<Report>> {
        Ok(stored::gguf(&Held(self.file.metadata()), self.file.path())?)
    }

    /// The bytes of a tokenizer.json.
    pub fn tokenizer(&self) -> Result<Vec<u8>, Box<Report>> {
        Ok(self.vocabulary()?.tokenizer(self.file.path())?.to_bytes())
    }

    /// What tokenizer_config.json would say.
    pub fn tokenizer_config(&self) -> Result<Value, Box<Report>> {
        let vocabulary = self.vocabulary()?;
        let mut config = json!({ "tokenizer_class": "PreTrainedTokenizerFast" });
        for (name, token) in vocabulary.special_tokens() {
            config[name] = token.into();
        }
        if let Some(template) = self.chat_template() {
            config["chat_template"] = template.into();
        }
        Ok(config)
    }

    /// The token that ends a turn of a conversation, as text: that, or the one that ends a sequence.
    pub fn end_of_turn(&self, vocabulary: &StoredVocabulary) -> Option<String> {
        let id =
            self.file.metadata().u64("tokenizer.ggml.eot_token_id").and_then(|id| u32::try_from(id).ok());
        vocabulary.token(id.or(vocabulary.special.eos)).map(str::to_owned)
    }

    pub fn chat_template(&self) -> Option<&str> {
        self.file.metadata().str(CHAT_TEMPLATE)
    }
}

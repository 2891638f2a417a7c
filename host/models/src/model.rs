//! A model of any architecture, chosen by its config.json.
//!
//! To add one: a variant in [`ModelConfig`] and one in [`Model`], and an arm in each of their functions.

mod export;

use std::path::Path;

use burn::tensor::Device;
use serde_json::{Map, Value};

use crate::encoder::{Encoder, EncoderConfig, NewToken};
use crate::error::ModelError;
use crate::head::Head;
use crate::output::{Mode, Output};
use crate::parameters::{Parameter, Parameters};
use crate::tokens::TokenBatch;
use crate::weights::{LoadReport, Weights};

pub use export::{Labels, labels};

/// config.json of any architecture.
#[derive(Clone, Debug, PartialEq)]
pub enum ModelConfig {
    /// BERT, RoBERTa, XLM-R, DistilBERT.
    Encoder(EncoderConfig),
}

/// A model of any architecture.
#[derive(Clone, Debug)]
pub enum Model {
    /// BERT, RoBERTa, XLM-R, DistilBERT.
    Encoder(Encoder),
}

impl ModelConfig {
    /// Reads and checks config.json.
    ///
    /// # Errors
    /// The file, an architecture that is not known (the error lists those that are), sizes that cannot be.
    pub fn read(path: &Path) -> Result<Self, ModelError> {
        let refuse = |what: String| ModelError::Config { path: path.into(), what };
        Self::from_json(read_config(path)?).map_err(refuse)
    }

    /// From the parsed object; the error is one sentence.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn from_json(source: Map<String, Value>) -> Result<Self, String> {
        let model_type = source.get("model_type").and_then(Value::as_str).unwrap_or("bert");
        if EncoderConfig::known().any(|known| known == model_type) {
            return Ok(Self::Encoder(EncoderConfig::from_json(source)?));
        }
        let known = EncoderConfig::known().collect::<Vec<_>>().join(", ");
        Err(format!("model_type is `{model_type}`; this version knows: {known}"))
    }

    /// The whole of config.json.
    pub fn source(&self) -> &Map<String, Value> {
        match self {
            Self::Encoder(config) => &config.source,
        }
    }

    /// Tokens of a text at most, special tokens included.
    pub fn positions(&self) -> usize {
        match self {
            Self::Encoder(config) => config.positions(),
        }
    }

    /// The id that pads rows.
    pub fn pad_token_id(&self) -> u32 {
        match self {
            Self::Encoder(config) => config.pad_token_id,
        }
    }

    /// The same dropout everywhere.
    pub fn set_dropout(&mut self, probability: f64) {
        match self {
            Self::Encoder(config) => config.set_dropout(probability),
        }
    }

    /// The same with one more layer, for [`Pooling::MeanLayer`](crate::Pooling::MeanLayer).
    #[must_use]
    pub fn with_another_layer(self) -> Self {
        match self {
            Self::Encoder(config) => Self::Encoder(config.with_another_layer()),
        }
    }

    /// The same with room for `tokens`.
    #[must_use]
    pub fn with_tokens(self, tokens: &[NewToken]) -> Self {
        match self {
            Self::Encoder(config) => Self::Encoder(config.with_tokens(tokens)),
        }
    }

    /// Grows the word embeddings in `weights`, as they were pretrained, by `tokens`.
    ///
    /// # Errors
    /// The file has no word embeddings, or fewer than the tokens begin from.
    pub fn add_tokens(&self, weights: &mut Weights, tokens: &[NewToken]) -> Result<(), ModelError> {
        match self {
            Self::Encoder(config) => config.add_tokens(weights, tokens),
        }
    }
}

impl Model {
    /// Fits `weights` to a model of `config` with `head` on `device` (without autodiff). A head that the file lacks is
    /// new, from `seed`.
    ///
    /// # Errors
    /// The weights do not fit; the error lists what is missing or of another shape.
    pub fn load(
        config: ModelConfig,
        head: Head,
        weights: Weights,
        seed: u64,
        device: &Device,
    ) -> Result<(Self, LoadReport), ModelError> {
        match config {
            ModelConfig::Encoder(config) => {
                let (model, report) = Encoder::load(config, head, weights, seed, device)?;
                Ok((Self::Encoder(model), report))
            }
        }
    }

    /// A model of `config` with new weights from `seed`.
    pub fn random(config: ModelConfig, head: Head, seed: u64, device: &Device) -> Self {
        match config {
            ModelConfig::Encoder(config) => Self::Encoder(Encoder::random(config, head, seed, device)),
        }
    }

    /// `batch` must come from this model's tokenizer: ids and lengths are checked here.
    ///
    /// # Errors
    /// A token, type or length that the model does not have.
    pub fn forward(&self, batch: &TokenBatch, mode: Mode) -> Result<Output, ModelError> {
        match self {
            Self::Encoder(model) => model.forward(batch, mode),
        }
    }

    /// What it was made by.
    pub fn config(&self) -> ModelConfig {
        match self {
            Self::Encoder(model) => ModelConfig::Encoder(model.config().clone()),
        }
    }

    pub fn head(&self) -> Head {
        match self {
            Self::Encoder(model) => model.head(),
        }
    }

    /// The id that pads rows.
    pub fn pad_token_id(&self) -> u32 {
        match self {
            Self::Encoder(model) => model.config().pad_token_id,
        }
    }
}

impl Parameters for Model {
    fn parameters(&mut self) -> Vec<(String, Parameter<'_>)> {
        match self {
            Self::Encoder(model) => model.parameters(),
        }
    }
}

/// config.json as an object.
pub(crate) fn read_config(path: &Path) -> Result<Map<String, Value>, ModelError> {
    let refuse = |what: String| ModelError::Config { path: path.into(), what };
    let text = std::fs::read_to_string(path).map_err(|error| refuse(format!("cannot be read: {error}")))?;
    serde_json::from_str(&text).map_err(|error| refuse(format!("not a JSON object: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_architecture_is_told_the_known() {
        let config = serde_json::json!({ "model_type": "mamba" });
        let error = ModelConfig::from_json(config.as_object().cloned().unwrap_or_default()).unwrap_err();
        assert!(error.contains("`mamba`") && error.contains("distilbert"), "{error}");
    }
}

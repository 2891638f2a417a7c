//! A model of any architecture, chosen by its config.json.
//!
//! To add one: a variant in [`ModelConfig`] and one in [`Model`], and an arm in each of their functions.

mod export;

use std::path::Path;

use burn::tensor::Device;
use serde_json::{Map, Value};

use crate::adapter::Adaptable;
use crate::batch::Batch;
use crate::config_json;
use crate::encoder::{Encoder, EncoderConfig};
use crate::error::ModelError;
use crate::gpt2::{Gpt2, Gpt2Config};
use crate::head::Head;
use crate::kernels::Weight;
use crate::llama::{Llama, LlamaConfig};
use crate::output::{Logits, Mode, Output};
use crate::parameters::{Parameter, Parameters};
use crate::t5::{T5, T5Config};
use crate::vocabulary::{NewToken, size_with};
use crate::weights::{LoadReport, Weights};

pub use export::{Labels, labels};

/// config.json of any architecture.
#[derive(Clone, Debug, PartialEq)]
pub enum ModelConfig {
    /// BERT, RoBERTa, XLM-R, DistilBERT.
    Encoder(EncoderConfig),
    Gpt2(Gpt2Config),
    /// Llama, SmolLM2, Mistral, Qwen2, Qwen3.
    Llama(LlamaConfig),
    T5(T5Config),
}

/// A model of any architecture.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one at a time")]
pub enum Model {
    /// BERT, RoBERTa, XLM-R, DistilBERT.
    Encoder(Encoder),
    Gpt2(Gpt2),
    /// Llama, SmolLM2, Mistral, Qwen2, Qwen3.
    Llama(Llama),
    T5(T5),
}

impl ModelConfig {
    /// Reads and checks config.json.
    ///
    /// # Errors
    /// The file, an architecture that is not known (the error lists those that are), sizes that cannot be.
    pub fn read(path: &Path) -> Result<Self, ModelError> {
        config_json::read(path, Self::from_json)
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
        if LlamaConfig::known().any(|known| known == model_type) {
            return Ok(Self::Llama(LlamaConfig::from_json(source)?));
        }
        match model_type {
            GPT2_TYPE => Ok(Self::Gpt2(Gpt2Config::from_json(source)?)),
            T5_TYPE => Ok(Self::T5(T5Config::from_json(source)?)),
            _ => {
                let known =
                    EncoderConfig::known().chain([GPT2_TYPE]).chain(LlamaConfig::known()).chain([T5_TYPE]);
                let known = known.collect::<Vec<_>>().join(", ");
                Err(format!("model_type is `{model_type}`; this version knows: {known}"))
            }
        }
    }

    /// The whole of config.json.
    pub fn source(&self) -> &Map<String, Value> {
        match self {
            Self::Encoder(config) => &config.source,
            Self::Gpt2(config) => &config.source,
            Self::Llama(config) => &config.source,
            Self::T5(config) => &config.source,
        }
    }

    /// `model_type`
    pub fn model_type(&self) -> &'static str {
        match self {
            Self::Encoder(config) => config.architecture.model_type,
            Self::Gpt2(_) => GPT2_TYPE,
            Self::Llama(config) => config.family,
            Self::T5(_) => T5_TYPE,
        }
    }

    /// Tokens of a text at most, special tokens included; none where the architecture sets no limit.
    pub fn positions(&self) -> Option<usize> {
        match self {
            Self::Encoder(config) => Some(config.positions()),
            Self::Gpt2(config) => Some(config.n_positions),
            Self::Llama(config) => Some(config.max_position_embeddings),
            Self::T5(_) => None,
        }
    }

    /// The id that pads rows.
    pub fn pad_token_id(&self) -> u32 {
        match self {
            Self::Encoder(config) => config.pad_token_id,
            Self::Gpt2(config) => config.pad_token_id(),
            Self::Llama(config) => config.pad_token_id(),
            Self::T5(config) => config.pad_token_id,
        }
    }

    /// The ids that end a text; none of an encoder, which writes nothing.
    pub fn end_tokens(&self) -> Vec<u32> {
        match self {
            Self::Encoder(_) => Vec::new(),
            Self::Gpt2(config) => config.end_tokens(),
            Self::Llama(config) => config.end_tokens(),
            Self::T5(config) => vec![config.eos_token_id],
        }
    }

    /// The same dropout everywhere.
    pub fn set_dropout(&mut self, probability: f64) {
        match self {
            Self::Encoder(config) => config.set_dropout(probability),
            Self::Gpt2(config) => config.set_dropout(probability),
            Self::Llama(config) => config.set_dropout(probability),
            Self::T5(config) => config.set_dropout(probability),
        }
    }

    /// The same with one more layer, for [`Pooling::MeanLayer`](crate::Pooling::MeanLayer), which is an encoder's;
    /// others stay as they are.
    #[must_use]
    pub fn with_another_layer(self) -> Self {
        match self {
            Self::Encoder(config) => Self::Encoder(config.with_another_layer()),
            other => other,
        }
    }

    /// The same with room for `tokens`. A vocabulary that was padded to more keeps its size.
    #[must_use]
    pub fn with_tokens(mut self, tokens: &[NewToken]) -> Self {
        let (size, source) = match &mut self {
            Self::Encoder(config) => (&mut config.vocab_size, &mut config.source),
            Self::Gpt2(config) => (&mut config.vocab_size, &mut config.source),
            Self::Llama(config) => (&mut config.vocab_size, &mut config.source),
            Self::T5(config) => (&mut config.vocab_size, &mut config.source),
        };
        *size = size_with(*size, tokens);
        source.insert("vocab_size".into(), (*size).into());
        self
    }

    /// Grows what has a row for each token in `weights`, as they were pretrained, by `tokens`.
    ///
    /// # Errors
    /// The file has no word embeddings, or fewer than the tokens begin from.
    pub fn add_tokens(&self, weights: &mut Weights, tokens: &[NewToken]) -> Result<(), ModelError> {
        match self {
            Self::Encoder(config) => config.add_tokens(weights, tokens),
            Self::Gpt2(config) => config.add_tokens(weights, tokens),
            Self::Llama(config) => config.add_tokens(weights, tokens),
            Self::T5(config) => config.add_tokens(weights, tokens),
        }
    }

    /// That the architecture has this head.
    ///
    /// # Errors
    /// It has not; the error names the task, and those that the architecture serves.
    pub fn check_head(&self, head: Head) -> Result<(), ModelError> {
        let known: &[&str] = match (self, head) {
            (Self::Gpt2(_) | Self::Llama(_), Head::CausalLm) | (Self::T5(_), Head::Seq2Seq) => return Ok(()),
            (Self::Encoder(_), Head::CausalLm | Head::Seq2Seq) => &crate::encoder::TASKS,
            (Self::Encoder(_), _) => return Ok(()),
            (Self::Gpt2(_) | Self::Llama(_), _) => &["generation"],
            (Self::T5(_), _) => &["seq2seq"],
        };
        Err(ModelError::Head {
            model: self.model_type().to_owned(),
            task: head.task(),
            known: known.join(", "),
        })
    }
}

impl Model {
    /// Fits `weights` to a model of `config` with `head` on `device` (without autodiff). A head that the file lacks is
    /// new, from `seed`.
    ///
    /// # Errors
    /// The architecture lacks the head, or the weights do not fit; the error lists what is missing or of another
    /// shape.
    pub fn load(
        config: ModelConfig,
        head: Head,
        weights: Weights,
        seed: u64,
        device: &Device,
    ) -> Result<(Self, LoadReport), ModelError> {
        config.check_head(head)?;
        Ok(match config {
            ModelConfig::Encoder(config) => {
                let (model, report) = Encoder::load(config, head, weights, seed, device)?;
                (Self::Encoder(model), report)
            }
            ModelConfig::Gpt2(config) => {
                let (model, report) = Gpt2::load(config, weights, device)?;
                (Self::Gpt2(model), report)
            }
            ModelConfig::Llama(config) => {
                let (model, report) = Llama::load(config, weights, device)?;
                (Self::Llama(model), report)
            }
            ModelConfig::T5(config) => {
                let (model, report) = T5::load(config, weights, device)?;
                (Self::T5(model), report)
            }
        })
    }

    /// A model of `config` with new weights from `seed`.
    ///
    /// # Errors
    /// The architecture lacks the head.
    pub fn random(config: ModelConfig, head: Head, seed: u64, device: &Device) -> Result<Self, ModelError> {
        config.check_head(head)?;
        Ok(match config {
            ModelConfig::Encoder(config) => Self::Encoder(Encoder::random(config, head, seed, device)?),
            ModelConfig::Gpt2(config) => Self::Gpt2(Gpt2::random(config, seed, device)),
            ModelConfig::Llama(config) => Self::Llama(Llama::random(config, seed, device)),
            ModelConfig::T5(config) => Self::T5(T5::random(config, seed, device)),
        })
    }

    /// `batch` must come from this model's tokenizer: ids and lengths are checked here. The hidden states of an
    /// encoder-decoder are its decoder's.
    ///
    /// # Errors
    /// A token, type or length that the model does not have, or a batch of another kind than it reads.
    pub fn forward(&self, batch: &Batch, mode: Mode) -> Result<Output, ModelError> {
        match (self, batch) {
            (Self::Encoder(model), Batch::Tokens(batch)) => model.forward(batch, mode),
            (Self::Gpt2(model), Batch::Tokens(batch)) => model.forward(batch, mode),
            (Self::Gpt2(model), Batch::Places(batch, places)) => model.forward_at(batch, Some(places), mode),
            (Self::Llama(model), Batch::Tokens(batch)) => model.forward(batch, mode),
            (Self::Llama(model), Batch::Places(batch, places)) => model.forward_at(batch, Some(places), mode),
            (Self::T5(model), Batch::Pairs(batch)) => {
                let output = model.forward(batch, mode)?;
                let logits = Logits::Tokens(output.logits);
                Ok(Output { logits, hidden_states: output.decoder_hidden_states })
            }
            (Self::Encoder(_) | Self::T5(_), _) | (Self::Gpt2(_) | Self::Llama(_), Batch::Pairs(_)) => {
                Err(ModelError::Batch { model: self.config().model_type().to_owned(), given: batch.kind() })
            }
        }
    }

    pub fn head(&self) -> Head {
        match self {
            Self::Encoder(model) => model.head(),
            Self::Gpt2(_) | Self::Llama(_) => Head::CausalLm,
            Self::T5(_) => Head::Seq2Seq,
        }
    }

    /// The id that pads rows.
    pub fn pad_token_id(&self) -> u32 {
        match self {
            Self::Encoder(model) => model.config().pad_token_id,
            Self::Gpt2(model) => model.config.pad_token_id(),
            Self::Llama(model) => model.config.pad_token_id(),
            Self::T5(model) => model.config.pad_token_id,
        }
    }

    /// What the model is, as its weights have it.
    pub fn config(&self) -> ModelConfig {
        match self {
            Self::Encoder(model) => ModelConfig::Encoder(model.config().clone()),
            Self::Gpt2(model) => ModelConfig::Gpt2(model.config.clone()),
            Self::Llama(model) => ModelConfig::Llama(model.config.clone()),
            Self::T5(model) => ModelConfig::T5(model.config.clone()),
        }
    }
}

impl Parameters for Model {
    fn parameters(&mut self) -> Vec<(String, Parameter<'_>)> {
        match self {
            Self::Encoder(model) => model.parameters(),
            Self::Gpt2(model) => model.parameters(),
            Self::Llama(model) => model.parameters(),
            Self::T5(model) => model.parameters(),
        }
    }
}

impl Adaptable for Model {
    fn weights(&mut self) -> Vec<(String, &mut Weight)> {
        match self {
            Self::Encoder(model) => model.weights(),
            Self::Gpt2(model) => model.weights(),
            Self::Llama(model) => model.weights(),
            Self::T5(model) => model.weights(),
        }
    }
}

const GPT2_TYPE: &str = "gpt2";
const T5_TYPE: &str = "t5";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::head::Pooling;
    use crate::head::Problem;
    use crate::tokens::TokenBatch;

    fn config(value: Value) -> ModelConfig {
        ModelConfig::from_json(value.as_object().cloned().unwrap()).unwrap()
    }

    fn gpt2() -> ModelConfig {
        config(serde_json::json!({
            "model_type": "gpt2", "vocab_size": 20, "n_embd": 8, "n_layer": 1, "n_head": 2, "n_positions": 16,
        }))
    }

    fn t5() -> ModelConfig {
        config(serde_json::json!({
            "model_type": "t5", "vocab_size": 20, "d_model": 8, "d_kv": 4, "d_ff": 16, "num_layers": 1,
            "num_heads": 2,
        }))
    }

    #[test]
    fn an_unknown_architecture_is_told_the_known() {
        let config = serde_json::json!({ "model_type": "mamba" });
        let error = ModelConfig::from_json(config.as_object().cloned().unwrap_or_default()).unwrap_err();
        for part in ["`mamba`", "distilbert", "gpt2", "qwen3", "t5"] {
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn a_head_that_the_architecture_lacks_is_refused() {
        let bert = config(serde_json::json!({
            "model_type": "bert", "vocab_size": 20, "hidden_size": 8, "num_hidden_layers": 1,
            "num_attention_heads": 2, "intermediate_size": 16, "max_position_embeddings": 8,
        }));
        let sequence = Head::Sequence { outputs: 2, pooling: Pooling::Cls, problem: Problem::SingleLabel };
        for (config, head, expected) in [
            (gpt2(), sequence, "a gpt2 has no head for `classification`: it serves generation"),
            (t5(), Head::CausalLm, "a t5 has no head for `generation`: it serves seq2seq"),
            (bert.clone(), Head::Seq2Seq, "a bert has no head for `seq2seq`: it serves classification, "),
        ] {
            let error = Model::random(config, head, 1, &Device::flex()).unwrap_err();
            assert!(error.to_string().starts_with(expected), "{error}");
            assert!(error.help().is_some());
        }
        assert!(bert.check_head(sequence).is_ok() && t5().check_head(Head::Seq2Seq).is_ok());
    }

    #[test]
    fn a_batch_of_another_kind_is_refused() {
        let rows: [&[u32]; 1] = [&[1, 2, 3]];
        let tokens = TokenBatch::new(rows.into_iter(), 0).unwrap();
        let model = Model::random(t5(), Head::Seq2Seq, 1, &Device::flex()).unwrap();
        let error = model.forward(&tokens.into(), Mode::default()).err().unwrap();
        assert_eq!(error.to_string(), "a t5 cannot be given rows of tokens");
    }
}

//! A model that writes text, chosen by its config.json.
//!
//! To add one: an arm in [`Generator::load`] and, for a decoder over a cache, a variant in [`CausalDecoder`].

use std::path::Path;

use burn::tensor::Device;
use pegbox_generation::{Decoder, Logits, Rewind};
use serde_json::{Map, Value};

use crate::error::ModelError;
use crate::gpt2::{Gpt2, Gpt2Decoder};
use crate::llama::{Llama, LlamaConfig, LlamaDecoder};
use crate::model::ModelConfig;
use crate::t5::T5;
use crate::weights::{LoadReport, Weights};

/// A language model with its weights, for generation.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "a program has one")]
pub enum Generator {
    /// Goes on with what it reads: GPT-2, the Llama family.
    Causal(CausalDecoder),
    /// Reads one text and writes another: T5. [`T5Decoder`](crate::T5Decoder) generates with it.
    Seq2Seq(Box<T5>),
}

/// A decoder-only model over its cache.
#[derive(Clone, Debug)]
pub enum CausalDecoder {
    Gpt2(Gpt2Decoder),
    Llama(LlamaDecoder),
}

impl Generator {
    /// The `model_type`s that are known.
    pub fn known() -> impl Iterator<Item = &'static str> {
        ["gpt2"].into_iter().chain(LlamaConfig::known()).chain(["t5"])
    }

    /// Fits `weights` to the model that `config`, the content of the file `path`, describes. A T5 computes on `device`, the
    /// others on the CPU.
    ///
    /// # Errors
    /// An architecture that does not generate or that is not known (the error lists those that are), sizes that cannot
    /// be, weights that do not fit.
    pub fn load(
        config: Map<String, Value>,
        path: &Path,
        weights: Weights,
        device: &Device,
    ) -> Result<(Self, LoadReport), ModelError> {
        let refuse = |what: String| ModelError::Config { path: path.into(), what };
        let cpu = Device::flex();
        match ModelConfig::from_json(config).map_err(refuse)? {
            ModelConfig::Gpt2(config) => {
                let (model, report) = Gpt2::load(config, weights, &cpu)?;
                Ok((Self::Causal(CausalDecoder::Gpt2(model.decoder())), report))
            }
            ModelConfig::Llama(config) => {
                let (model, report) = Llama::load(config, weights, &cpu)?;
                Ok((Self::Causal(CausalDecoder::Llama(model.decoder())), report))
            }
            ModelConfig::T5(config) => {
                let (model, report) = T5::load(config, weights, device)?;
                Ok((Self::Seq2Seq(Box::new(model)), report))
            }
            config @ ModelConfig::Encoder(_) => {
                let known = Self::known().collect::<Vec<_>>().join(", ");
                Err(refuse(format!(
                    "model_type is `{}`, an encoder, which writes no text; those that do: {known}",
                    config.model_type()
                )))
            }
        }
    }
}

impl Decoder for CausalDecoder {
    type Error = ModelError;

    fn prefill(&mut self, rows: &[Vec<u32>]) -> Result<Logits, ModelError> {
        match self {
            Self::Gpt2(decoder) => decoder.prefill(rows),
            Self::Llama(decoder) => decoder.prefill(rows),
        }
    }

    fn step(&mut self, tokens: &[u32]) -> Result<Logits, ModelError> {
        match self {
            Self::Gpt2(decoder) => decoder.step(tokens),
            Self::Llama(decoder) => decoder.step(tokens),
        }
    }

    fn reorder(&mut self, parents: &[usize]) -> Result<(), ModelError> {
        match self {
            Self::Gpt2(decoder) => decoder.reorder(parents),
            Self::Llama(decoder) => decoder.reorder(parents),
        }
    }

    fn context(&self) -> Option<usize> {
        match self {
            Self::Gpt2(decoder) => decoder.context(),
            Self::Llama(decoder) => decoder.context(),
        }
    }
}

impl Rewind for CausalDecoder {
    fn read_on(&mut self, kept: usize, tokens: &[u32]) -> Result<Logits, ModelError> {
        match self {
            Self::Gpt2(decoder) => decoder.read_on(kept, tokens),
            Self::Llama(decoder) => decoder.read_on(kept, tokens),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_generate_is_told_apart_from_what_is_not_known() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.safetensors");
        crate::weights::write_safetensors(&path, &[]).unwrap();
        let refused = |model_type: &str| {
            // A whole configuration of an encoder, and of nothing else.
            let config = serde_json::json!({
                "model_type": model_type, "vocab_size": 10, "hidden_size": 8, "num_hidden_layers": 1,
                "num_attention_heads": 2, "intermediate_size": 16, "max_position_embeddings": 8,
            });
            let config = config.as_object().cloned().unwrap();
            let weights = Weights::read(&path).unwrap();
            Generator::load(config, Path::new("config.json"), weights, &Device::flex())
                .unwrap_err()
                .to_string()
        };
        let known = "gpt2, llama, mistral, qwen2, qwen3, t5";
        assert!(refused("bert").contains("an encoder") && refused("bert").ends_with(known));
        let unknown = refused("mamba");
        assert!(
            unknown.contains("`mamba`; this version knows: bert") && unknown.ends_with(known),
            "{unknown}"
        );
        assert!(refused("gpt2").contains("n_embd is missing"));
    }
}

//! config.json of an encoder.

use std::path::Path;

use serde_json::{Map, Value};

use super::{Architecture, FirstPosition};
use crate::bert::BERT;
use crate::config_json::{self, Fields};
use crate::distilbert::DISTILBERT;
use crate::error::ModelError;
use crate::roberta::{ROBERTA, XLM_ROBERTA};
use crate::tokens::TokenBatch;

/// The encoders that there are.
const KNOWN: [&Architecture; 4] = [&BERT, &ROBERTA, &XLM_ROBERTA, &DISTILBERT];

/// An encoder's sizes.
#[derive(Clone, Debug, PartialEq)]
pub struct EncoderConfig {
    pub(crate) architecture: &'static Architecture,
    pub vocab_size: usize,
    pub hidden_size: usize,
    pub layers: usize,
    pub attention_heads: usize,
    pub intermediate_size: usize,
    pub max_position_embeddings: usize,
    pub type_vocab_size: usize,
    pub pad_token_id: u32,
    pub layer_norm_eps: f64,
    pub initializer_range: f64,
    pub hidden_dropout: f64,
    pub attention_dropout: f64,
    /// Before the last layer of a sequence head.
    pub sequence_dropout: f64,
    /// Before the layer of a tagging head.
    pub token_dropout: f64,
    /// The whole of config.json, for what is written back.
    pub source: Map<String, Value>,
}

impl EncoderConfig {
    /// The `model_type`s that are encoders.
    pub fn known() -> impl Iterator<Item = &'static str> {
        KNOWN.iter().map(|architecture| architecture.model_type)
    }

    /// Reads and checks config.json.
    ///
    /// # Errors
    /// The file, or what it says.
    pub fn read(path: &Path) -> Result<Self, ModelError> {
        config_json::read(path, Self::from_json)
    }

    /// From the parsed object, a BERT's where it names no `model_type`; the error is one sentence.
    ///
    /// # Errors
    /// Another architecture, a size that is missing or out of range, a choice that is not known here.
    pub fn from_json(source: Map<String, Value>) -> Result<Self, String> {
        let fields = Fields(&source);
        let model_type = fields.text("model_type").unwrap_or("bert");
        let architecture: &'static Architecture = KNOWN
            .into_iter()
            .find(|architecture| architecture.model_type == model_type)
            .ok_or_else(|| {
                let known = Self::known().collect::<Vec<_>>().join(", ");
                format!("model_type is `{model_type}`; the encoders are: {known}")
            })?;
        refuse_other_choices(fields, architecture)?;
        let keys = &architecture.keys;
        let hidden_dropout = fields.number(keys.hidden_dropout, 0.1);
        // DistilBERT names the sequence head's own, and drops hidden states before a tagging head.
        let sequence_default = if architecture.has_token_types { hidden_dropout } else { 0.2 };
        let sequence_dropout = fields.number(keys.classifier_dropout, sequence_default);
        let padding = if architecture.first_position == FirstPosition::AfterPadding { 1.0 } else { 0.0 };
        let config = Self {
            architecture,
            vocab_size: fields.required("vocab_size")?,
            hidden_size: fields.required(keys.hidden_size)?,
            layers: fields.required(keys.layers)?,
            attention_heads: fields.required(keys.heads)?,
            intermediate_size: fields.required(keys.intermediate_size)?,
            max_position_embeddings: fields.required("max_position_embeddings")?,
            type_vocab_size: match source.contains_key("type_vocab_size") && architecture.has_token_types {
                true => fields.required("type_vocab_size")?,
                false if architecture.has_token_types => 2,
                false => 1,
            },
            pad_token_id: fields.number("pad_token_id", padding) as u32,
            layer_norm_eps: fields.number("layer_norm_eps", 1e-12),
            initializer_range: fields.number("initializer_range", 0.02),
            hidden_dropout,
            attention_dropout: fields.number(keys.attention_dropout, 0.1),
            sequence_dropout,
            token_dropout: if architecture.has_token_types { sequence_dropout } else { hidden_dropout },
            source,
        };
        if !config.hidden_size.is_multiple_of(config.attention_heads) {
            return Err(format!(
                "{} {} is not a multiple of {} {}",
                keys.hidden_size, config.hidden_size, keys.heads, config.attention_heads
            ));
        }
        if config.positions() == 0 {
            return Err(format!(
                "max_position_embeddings {} leaves no position behind pad_token_id {}",
                config.max_position_embeddings, config.pad_token_id
            ));
        }
        Ok(config)
    }

    /// Tokens of a text at most, special tokens included.
    pub fn positions(&self) -> usize {
        self.max_position_embeddings.saturating_sub(self.first_position())
    }

    /// The same dropout everywhere.
    pub fn set_dropout(&mut self, probability: f64) {
        self.hidden_dropout = probability;
        self.attention_dropout = probability;
        self.sequence_dropout = probability;
        self.token_dropout = probability;
    }

    /// The same with one more layer.
    #[must_use]
    pub fn with_another_layer(mut self) -> Self {
        self.layers += 1;
        self.source.insert(self.architecture.keys.layers.into(), self.layers.into());
        self
    }

    /// What layer `number`'s parameters' names begin with.
    pub(super) fn layer_name(&self, number: usize) -> String {
        format!("{}{}.{number}", self.architecture.prefix, self.architecture.layers)
    }

    /// Token types that a batch may have: any, where the model does not look at them.
    pub(super) fn types(&self) -> usize {
        if self.architecture.has_token_types { self.type_vocab_size } else { usize::MAX }
    }

    /// Whether the word embeddings are the output matrix of language modelling, too.
    pub(super) fn is_tied(&self) -> bool {
        self.source.get("tie_word_embeddings").and_then(Value::as_bool).unwrap_or(true)
    }

    /// The row of the position embeddings for each token of a batch, `B * T`.
    pub(super) fn position_ids(&self, batch: &TokenBatch) -> Vec<u32> {
        match self.architecture.first_position {
            FirstPosition::Zero => (0..batch.rows).flat_map(|_| 0..batch.tokens as u32).collect(),
            // Told by the ids and not by the mask, as fairseq does it.
            FirstPosition::AfterPadding => batch
                .ids
                .chunks(batch.tokens.max(1))
                .flat_map(|row| {
                    let mut position = self.pad_token_id;
                    row.iter().map(move |id| match *id == self.pad_token_id {
                        true => self.pad_token_id,
                        false => {
                            position += 1;
                            position
                        }
                    })
                })
                .collect(),
        }
    }

    fn first_position(&self) -> usize {
        match self.architecture.first_position {
            FirstPosition::Zero => 0,
            FirstPosition::AfterPadding => self.pad_token_id as usize + 1,
        }
    }
}

fn refuse_other_choices(fields: Fields<'_>, architecture: &Architecture) -> Result<(), String> {
    let key = architecture.keys.activation;
    let activation = fields.text(key).unwrap_or("gelu");
    if !["gelu", "gelu_python"].contains(&activation) {
        return Err(format!("{key} is `{activation}`; this version knows: gelu"));
    }
    let position = fields.text("position_embedding_type");
    if let Some(other) = position.filter(|kind| *kind != "absolute") {
        return Err(format!("position_embedding_type is `{other}`; this version knows: absolute"));
    }
    if fields.flag("is_decoder") == Some(true) {
        return Err("is_decoder is true; this version knows encoders of this architecture".into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(value: Value) -> Result<EncoderConfig, String> {
        EncoderConfig::from_json(value.as_object().cloned().unwrap_or_default())
    }

    fn roberta() -> Value {
        serde_json::json!({
            "model_type": "roberta", "vocab_size": 50, "hidden_size": 12, "num_hidden_layers": 2,
            "num_attention_heads": 3, "intermediate_size": 20, "max_position_embeddings": 18, "type_vocab_size": 1,
        })
    }

    #[test]
    fn positions_of_roberta_begin_behind_the_padding() {
        let config = config(roberta()).unwrap();
        assert_eq!((config.pad_token_id, config.positions()), (1, 16));
        let rows: [&[u32]; 2] = [&[0, 9, 1, 7], &[0, 2]];
        let batch = TokenBatch::new(rows.into_iter(), 1).unwrap();
        assert_eq!(config.position_ids(&batch), [2, 3, 1, 4, 2, 3, 1, 1]);
    }

    #[test]
    fn distilbert_has_names_of_its_own() {
        let config = config(serde_json::json!({
            "model_type": "distilbert", "vocab_size": 50, "dim": 12, "n_layers": 2, "n_heads": 3, "hidden_dim": 20,
            "max_position_embeddings": 16, "seq_classif_dropout": 0.3, "dropout": 0.0,
        }))
        .unwrap();
        assert_eq!((config.sequence_dropout, config.token_dropout, config.positions()), (0.3, 0.0, 16));
        assert_eq!(config.layer_name(1), "distilbert.transformer.layer.1");
        assert_eq!(config.with_another_layer().source["n_layers"], 3);
    }

    #[test]
    fn what_is_not_known_is_refused() {
        let with = |key: &str, value: Value| {
            let mut all = roberta();
            all[key] = value;
            config(all).unwrap_err()
        };
        assert!(with("model_type", "electra".into()).contains("bert, roberta, xlm-roberta, distilbert"));
        assert!(with("hidden_act", "relu".into()).contains("relu"));
        assert!(with("position_embedding_type", "relative_key".into()).contains("relative_key"));
        assert!(with("num_attention_heads", 5.into()).contains("multiple"));
        assert!(with("pad_token_id", 40.into()).contains("no position"));
        assert!(with("hidden_size", Value::Null).contains("missing"));
        assert!(with("is_decoder", true.into()).contains("is_decoder"));
    }
}

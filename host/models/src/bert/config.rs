//! config.json of a BERT.

use crate::error::ModelError;
use serde_json::{Map, Value};
use std::path::Path;

/// How one vector is made of a row's hidden states.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pooling {
    /// tanh of a dense layer over the first token, as BERT was pretrained and as Transformers'
    /// `BertForSequenceClassification` computes it.
    #[default]
    Cls,
    /// The mean of the tokens' hidden states, as sentence-embedding models do.
    Mean,
    /// As `Cls`, after one more encoder layer that begins as that mean: see [`mean_layer`](super::mean_layer).
    MeanLayer,
}

/// A BERT's sizes, by the names that config.json uses.
#[derive(Clone, Debug, PartialEq)]
pub struct BertConfig {
    pub vocab_size: usize,
    pub hidden_size: usize,
    pub num_hidden_layers: usize,
    pub num_attention_heads: usize,
    pub intermediate_size: usize,
    pub max_position_embeddings: usize,
    pub type_vocab_size: usize,
    pub pad_token_id: u32,
    pub layer_norm_eps: f64,
    pub initializer_range: f64,
    pub hidden_dropout_prob: f64,
    pub attention_probs_dropout_prob: f64,
    pub classifier_dropout: Option<f64>,
    /// The whole of config.json, for what is written back.
    pub source: Map<String, Value>,
}

impl BertConfig {
    /// Reads and checks config.json.
    pub fn read(path: &Path) -> Result<Self, ModelError> {
        let refuse = |what: String| ModelError::Config { path: path.into(), what };
        let text =
            std::fs::read_to_string(path).map_err(|error| refuse(format!("cannot be read: {error}")))?;
        let source: Map<String, Value> =
            serde_json::from_str(&text).map_err(|error| refuse(format!("not a JSON object: {error}")))?;
        Self::from_json(source).map_err(refuse)
    }

    /// From the parsed object; the error is one sentence.
    pub fn from_json(source: Map<String, Value>) -> Result<Self, String> {
        let family = source.get("model_type").and_then(Value::as_str).unwrap_or("bert");
        if family != "bert" {
            return Err(format!("model_type is `{family}`; this version knows: bert"));
        }
        let activation = source.get("hidden_act").and_then(Value::as_str).unwrap_or("gelu");
        if activation != "gelu" {
            return Err(format!("hidden_act is `{activation}`; this version knows: gelu"));
        }
        let position = source.get("position_embedding_type").and_then(Value::as_str);
        if let Some(other) = position.filter(|kind| *kind != "absolute") {
            return Err(format!("position_embedding_type is `{other}`; this version knows: absolute"));
        }
        let size = |name: &str| match source.get(name).and_then(Value::as_u64) {
            Some(value) if (1..=1 << 24).contains(&value) => Ok(value as usize),
            Some(value) => Err(format!("{name} = {value} is out of range")),
            None => Err(format!("{name} is missing or not a whole number")),
        };
        let number = |name: &str, default: f64| source.get(name).and_then(Value::as_f64).unwrap_or(default);
        let config = Self {
            vocab_size: size("vocab_size")?,
            hidden_size: size("hidden_size")?,
            num_hidden_layers: size("num_hidden_layers")?,
            num_attention_heads: size("num_attention_heads")?,
            intermediate_size: size("intermediate_size")?,
            max_position_embeddings: size("max_position_embeddings")?,
            type_vocab_size: size("type_vocab_size")?,
            pad_token_id: number("pad_token_id", 0.0) as u32,
            layer_norm_eps: number("layer_norm_eps", 1e-12),
            initializer_range: number("initializer_range", 0.02),
            hidden_dropout_prob: number("hidden_dropout_prob", 0.1),
            attention_probs_dropout_prob: number("attention_probs_dropout_prob", 0.1),
            classifier_dropout: source.get("classifier_dropout").and_then(Value::as_f64),
            source,
        };
        if !config.hidden_size.is_multiple_of(config.num_attention_heads) {
            return Err(format!(
                "hidden_size {} is not a multiple of num_attention_heads {}",
                config.hidden_size, config.num_attention_heads
            ));
        }
        Ok(config)
    }

    /// The same with one more encoder layer.
    #[must_use]
    pub fn with_another_layer(mut self) -> Self {
        self.num_hidden_layers += 1;
        self.source.insert("num_hidden_layers".into(), self.num_hidden_layers.into());
        self
    }

    /// config.json of the trained classifier, as Transformers' `AutoModelForSequenceClassification` reads
    /// it.
    pub fn for_classification(&self, labels: &[String]) -> Map<String, Value> {
        let mut config = self.source.clone();
        config.insert("architectures".into(), serde_json::json!(["BertForSequenceClassification"]));
        config.insert("model_type".into(), "bert".into());
        config.insert("problem_type".into(), "single_label_classification".into());
        let id2label: Map<String, Value> =
            labels.iter().enumerate().map(|(id, label)| (id.to_string(), label.clone().into())).collect();
        let label2id: Map<String, Value> =
            labels.iter().enumerate().map(|(id, label)| (label.clone(), id.into())).collect();
        config.insert("id2label".into(), id2label.into());
        config.insert("label2id".into(), label2id.into());
        for name in ["torch_dtype", "dtype"] {
            if config.contains_key(name) {
                config.insert(name.into(), "float32".into());
            }
        }
        config
    }
}

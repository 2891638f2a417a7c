//! config.json of a T5.

use crate::config_json::{self, Fields};
use crate::error::ModelError;
use crate::kernels::Activation;
use crate::vocabulary::{NewToken, grow};
use crate::weights::Weights;
use serde_json::{Map, Value};
use std::path::Path;

/// A T5's sizes, by the names that config.json uses.
#[derive(Clone, Debug, PartialEq)]
pub struct T5Config {
    pub vocab_size: usize,
    pub d_model: usize,
    /// Of one head; `num_heads * d_kv` need not be `d_model`.
    pub d_kv: usize,
    pub d_ff: usize,
    /// Of the encoder.
    pub num_layers: usize,
    pub num_decoder_layers: usize,
    pub num_heads: usize,
    pub relative_attention_num_buckets: usize,
    pub relative_attention_max_distance: usize,
    pub dropout_rate: f64,
    pub layer_norm_epsilon: f64,
    pub initializer_factor: f64,
    pub feed_forward: FeedForwardKind,
    /// Whether the head is the embedding's matrix. Of a model that was loaded its weights say so.
    pub tie_word_embeddings: bool,
    /// Whether the decoder's states are multiplied by `d_model^-0.5` before the head: T5 v1.0, whose head is the
    /// embedding.
    pub scale_decoder_outputs: bool,
    pub pad_token_id: u32,
    /// What ends a text.
    pub eos_token_id: u32,
    /// What the decoder reads first.
    pub decoder_start_token_id: u32,
    /// The whole of config.json, for what is written back.
    pub source: Map<String, Value>,
}

/// `feed_forward_proj` of config.json.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeedForwardKind {
    pub activation: Activation,
    /// Whether the activation multiplies a second projection (Shazeer 2020).
    pub gated: bool,
}

impl T5Config {
    /// Reads and checks config.json.
    ///
    /// # Errors
    /// The file cannot be read, or says something that this version does not know.
    pub fn read(path: &Path) -> Result<Self, ModelError> {
        config_json::read(path, Self::from_json)
    }

    /// From the parsed object.
    ///
    /// # Errors
    /// One sentence on what is wrong.
    pub fn from_json(source: Map<String, Value>) -> Result<Self, String> {
        let fields = Fields(&source);
        let family = fields.text("model_type").unwrap_or("t5");
        if family != "t5" {
            return Err(format!("model_type is `{family}`; this version knows: t5"));
        }
        let share = |name: &str, default: f64| match fields.number(name, default) {
            value if (0.0..1.0).contains(&value) => Ok(value),
            value => Err(format!("{name} = {value} is not from 0 to 1")),
        };
        let token = |name: &str| token_id(source.get(name), name);

        let num_layers = fields.required("num_layers")?;
        let tied = fields.flag("tie_word_embeddings").unwrap_or(true);
        let pad_token_id = token("pad_token_id")?.unwrap_or(0);
        let config = Self {
            vocab_size: fields.required("vocab_size")?,
            d_model: fields.required("d_model")?,
            d_kv: fields.required("d_kv")?,
            d_ff: fields.required("d_ff")?,
            num_layers,
            num_decoder_layers: fields.size("num_decoder_layers")?.unwrap_or(num_layers),
            num_heads: fields.required("num_heads")?,
            relative_attention_num_buckets: fields.size("relative_attention_num_buckets")?.unwrap_or(32),
            relative_attention_max_distance: fields.size("relative_attention_max_distance")?.unwrap_or(128),
            dropout_rate: share("dropout_rate", 0.1)?,
            layer_norm_epsilon: fields.number("layer_norm_epsilon", 1e-6),
            initializer_factor: fields.number("initializer_factor", 1.0),
            feed_forward: feed_forward(fields.text("feed_forward_proj").unwrap_or("relu"))?,
            tie_word_embeddings: tied,
            // Transformers before version 5 infers it from the other; later ones write it down.
            scale_decoder_outputs: fields.flag("scale_decoder_outputs").unwrap_or(tied),
            pad_token_id,
            eos_token_id: token("eos_token_id")?.unwrap_or(1),
            decoder_start_token_id: token("decoder_start_token_id")?.unwrap_or(pad_token_id),
            source,
        };
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<(), String> {
        let (buckets, distance) = (self.relative_attention_num_buckets, self.relative_attention_max_distance);
        // Half of the buckets are for each direction, and half of those for single distances.
        if buckets < 4 || !buckets.is_multiple_of(4) {
            return Err(format!("relative_attention_num_buckets = {buckets} is not a multiple of 4"));
        }
        if distance <= buckets / 2 {
            return Err(format!(
                "relative_attention_max_distance = {distance} is not above half of the {buckets} buckets"
            ));
        }
        for (name, id) in [
            ("pad_token_id", self.pad_token_id),
            ("eos_token_id", self.eos_token_id),
            ("decoder_start_token_id", self.decoder_start_token_id),
        ] {
            if id as usize >= self.vocab_size {
                return Err(format!("{name} = {id} is not below vocab_size = {}", self.vocab_size));
            }
        }
        Ok(())
    }

    /// Size of all heads side by side.
    pub fn inner(&self) -> usize {
        self.num_heads * self.d_kv
    }

    /// The same dropout everywhere.
    pub fn set_dropout(&mut self, probability: f64) {
        self.dropout_rate = probability;
        self.source.insert("dropout_rate".into(), probability.into());
    }

    /// Grows the embedding in `weights`, and the head where the file has one, by `tokens`.
    ///
    /// # Errors
    /// The file has no embedding, or fewer rows than the tokens begin from.
    pub fn add_tokens(&self, weights: &mut Weights, tokens: &[NewToken]) -> Result<(), ModelError> {
        grow(weights, &super::aliases(super::SHARED), tokens)?;
        let head = [super::HEAD.to_owned()];
        match weights.shape(&head) {
            Some(_) => grow(weights, &head, tokens),
            None => Ok(()),
        }
    }

    /// config.json of a trained model, as Transformers' `AutoModelForSeq2SeqLM` reads it.
    pub fn for_generation(&self) -> Map<String, Value> {
        let mut config = self.source.clone();
        config.insert("architectures".into(), serde_json::json!(["T5ForConditionalGeneration"]));
        config.insert("model_type".into(), "t5".into());
        config.insert("is_encoder_decoder".into(), true.into());
        config.insert("tie_word_embeddings".into(), self.tie_word_embeddings.into());
        config.insert("scale_decoder_outputs".into(), self.scale_decoder_outputs.into());
        config.insert("decoder_start_token_id".into(), self.decoder_start_token_id.into());
        config
    }
}

/// A token id, or the first of several; none where there is none.
fn token_id(value: Option<&Value>, name: &str) -> Result<Option<u32>, String> {
    let one = match value {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Array(several)) => several.first(),
        one => one,
    };
    let id = one.and_then(Value::as_u64).and_then(|id| u32::try_from(id).ok());
    id.map(Some).ok_or_else(|| format!("{name} is not a token id"))
}

fn feed_forward(name: &str) -> Result<FeedForwardKind, String> {
    let (gated, activation) = match name.strip_prefix("gated-") {
        Some(activation) => (true, activation),
        None => (false, name),
    };
    let activation = match activation {
        "relu" => Activation::Relu,
        "gelu_new" | "gelu_pytorch_tanh" => Activation::GeluTanh,
        // Transformers reads it so, for checkpoints older than the name `gelu_new`.
        "gelu" if gated => Activation::GeluTanh,
        "silu" | "swish" => Activation::Silu,
        _ => {
            return Err(format!(
                "feed_forward_proj is `{name}`; this version knows: relu, gelu_new, silu, and the same after \
                 `gated-` (and gated-gelu)"
            ));
        }
    };
    Ok(FeedForwardKind { activation, gated })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn sizes() -> Value {
        json!({ "vocab_size": 32128, "d_model": 512, "d_kv": 64, "d_ff": 2048, "num_layers": 6, "num_heads": 8 })
    }

    fn with(changes: &Value) -> Result<T5Config, String> {
        let mut source = sizes().as_object().unwrap().clone();
        source.extend(changes.as_object().unwrap().clone());
        T5Config::from_json(source)
    }

    #[test]
    fn the_versions_of_t5() {
        // T5 v1.0 says nothing about its head; v1.1 and Flan do.
        let first = with(&json!({})).unwrap();
        assert!(first.tie_word_embeddings && first.scale_decoder_outputs);
        assert_eq!(first.feed_forward, FeedForwardKind { activation: Activation::Relu, gated: false });
        let flan = with(&json!({ "feed_forward_proj": "gated-gelu", "tie_word_embeddings": false,
            "num_decoder_layers": 8 }))
        .unwrap();
        assert!(!flan.tie_word_embeddings && !flan.scale_decoder_outputs);
        assert_eq!(flan.feed_forward, FeedForwardKind { activation: Activation::GeluTanh, gated: true });
        assert_eq!((flan.num_layers, flan.num_decoder_layers), (6, 8));
        // As Transformers 5 writes the same.
        let rewritten =
            with(&json!({ "tie_word_embeddings": true, "scale_decoder_outputs": false })).unwrap();
        assert!(!rewritten.scale_decoder_outputs);
    }

    #[test]
    fn what_is_not_known_is_named() {
        for (changes, part) in [
            (json!({ "model_type": "longt5" }), "this version knows: t5"),
            (json!({ "feed_forward_proj": "gated-softmax" }), "gated-softmax"),
            (json!({ "d_kv": 0 }), "d_kv = 0"),
            (json!({ "d_ff": "wide" }), "d_ff = \"wide\""),
            (json!({ "num_heads": null }), "num_heads is missing"),
            (json!({ "relative_attention_num_buckets": 2 }), "multiple of 4"),
            (json!({ "relative_attention_max_distance": 16 }), "half of the 32 buckets"),
            (json!({ "dropout_rate": 1.5 }), "dropout_rate"),
            (json!({ "eos_token_id": 32128 }), "not below vocab_size"),
            (json!({ "decoder_start_token_id": "<s>" }), "decoder_start_token_id is not"),
        ] {
            let error = with(&changes).unwrap_err();
            assert!(error.contains(part), "{changes}: {error}");
        }
    }
}

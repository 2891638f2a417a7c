//! config.json of a GPT-2.

use std::path::Path;

use serde_json::{Map, Value};

use crate::config_json::{self, Fields};
use crate::error::ModelError;
use crate::kernels::Activation;
use crate::vocabulary::{NewToken, end_tokens, grow_both, pad_token_id};
use crate::weights::Weights;

/// A GPT-2's sizes, by the names that config.json uses.
#[derive(Clone, Debug, PartialEq)]
pub struct Gpt2Config {
    pub vocab_size: usize,
    pub n_positions: usize,
    pub n_embd: usize,
    pub n_layer: usize,
    pub n_head: usize,
    /// Of the feed-forward layers: four times `n_embd` unless config.json says otherwise.
    pub n_inner: usize,
    pub activation: Activation,
    pub layer_norm_epsilon: f64,
    pub initializer_range: f64,
    pub embd_pdrop: f64,
    pub attn_pdrop: f64,
    pub resid_pdrop: f64,
    /// Whether the output matrix is the embeddings'; it is unless config.json says otherwise.
    pub tie_word_embeddings: bool,
    /// Whether scores are divided by the square root of a head's size, and by the number of the layer.
    pub scale_attn_weights: bool,
    pub scale_attn_by_inverse_layer_idx: bool,
    /// The whole of config.json, for what is written back.
    pub source: Map<String, Value>,
}

impl Gpt2Config {
    /// Reads and checks config.json.
    ///
    /// # Errors
    /// The file, or what [`Self::from_json`] refuses.
    pub fn read(path: &Path) -> Result<Self, ModelError> {
        config_json::read(path, Self::from_json)
    }

    /// From the parsed object.
    ///
    /// # Errors
    /// Another family, a variant that this version does not compute, sizes that cannot be; one sentence.
    pub fn from_json(source: Map<String, Value>) -> Result<Self, String> {
        let fields = Fields(&source);
        let family = fields.text("model_type").unwrap_or("gpt2");
        if family != "gpt2" {
            return Err(format!("model_type is `{family}`; this version knows: gpt2"));
        }
        let activation = match fields.text("activation_function") {
            None | Some("gelu_new" | "gelu_pytorch_tanh") => Activation::GeluTanh,
            Some("gelu") => Activation::Gelu,
            Some("relu") => Activation::Relu,
            Some("silu" | "swish") => Activation::Silu,
            Some(other) => {
                return Err(format!(
                    "activation_function is `{other}`; this version knows: gelu_new, gelu, relu, silu"
                ));
            }
        };
        let flag = |name: &str, default: bool| fields.flag(name).unwrap_or(default);
        if flag("add_cross_attention", false) {
            return Err("add_cross_attention is true; this version knows decoders without an encoder".into());
        }
        let (n_embd, n_head, n_layer) =
            (fields.required("n_embd")?, fields.required("n_head")?, fields.required("n_layer")?);
        if !n_embd.is_multiple_of(n_head) {
            return Err(format!("n_embd {n_embd} is not a multiple of n_head {n_head}"));
        }
        if n_layer > 1 << 12 {
            return Err(format!("n_layer = {n_layer} is out of range"));
        }
        Ok(Self {
            vocab_size: fields.required("vocab_size")?,
            n_positions: fields.required("n_positions")?,
            n_embd,
            n_layer,
            n_head,
            n_inner: fields.size("n_inner")?.unwrap_or(4 * n_embd),
            activation,
            layer_norm_epsilon: fields.number("layer_norm_epsilon", 1e-5),
            initializer_range: fields.number("initializer_range", 0.02),
            embd_pdrop: fields.number("embd_pdrop", 0.1),
            attn_pdrop: fields.number("attn_pdrop", 0.1),
            resid_pdrop: fields.number("resid_pdrop", 0.1),
            tie_word_embeddings: flag("tie_word_embeddings", true),
            scale_attn_weights: flag("scale_attn_weights", true),
            scale_attn_by_inverse_layer_idx: flag("scale_attn_by_inverse_layer_idx", false),
            source,
        })
    }

    /// What scores are multiplied by in a layer, counted from 0.
    pub fn scale(&self, layer: usize) -> f32 {
        let head = (self.n_embd / self.n_head) as f32;
        let scale = if self.scale_attn_weights { 1.0 / head.sqrt() } else { 1.0 };
        if self.scale_attn_by_inverse_layer_idx { scale / (layer + 1) as f32 } else { scale }
    }

    /// The ids that end a text: `eos_token_id`, a number or a list of them.
    pub fn end_tokens(&self) -> Vec<u32> {
        end_tokens(&self.source)
    }

    /// The id that pads rows: the file's, else what ends a text. What stands there is masked, so nothing but its range
    /// matters.
    pub fn pad_token_id(&self) -> u32 {
        pad_token_id(&self.source, self.vocab_size)
    }

    /// Grows the embeddings in `weights`, and the head where it is a matrix of its own, by `tokens`.
    ///
    /// # Errors
    /// The file has no embeddings, or fewer than the tokens begin from.
    pub fn add_tokens(&self, weights: &mut Weights, tokens: &[NewToken]) -> Result<(), ModelError> {
        let head = (!self.tie_word_embeddings).then(|| super::aliases(super::HEAD));
        grow_both(weights, &super::aliases(super::EMBEDDING), head.as_deref(), tokens)
    }

    /// config.json of a trained model, as Transformers' `AutoModelForCausalLM` reads it.
    pub fn for_generation(&self) -> Map<String, Value> {
        let mut config = self.source.clone();
        config.insert("architectures".into(), serde_json::json!(["GPT2LMHeadModel"]));
        config.insert("model_type".into(), "gpt2".into());
        config.insert("tie_word_embeddings".into(), self.tie_word_embeddings.into());
        config
    }

    /// The same dropout everywhere.
    pub fn set_dropout(&mut self, probability: f64) {
        for (field, name) in [
            (&mut self.embd_pdrop, "embd_pdrop"),
            (&mut self.attn_pdrop, "attn_pdrop"),
            (&mut self.resid_pdrop, "resid_pdrop"),
        ] {
            *field = probability;
            self.source.insert(name.into(), probability.into());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(change: Value) -> Result<Gpt2Config, String> {
        let mut config = serde_json::json!({
            "model_type": "gpt2", "vocab_size": 100, "n_embd": 24, "n_layer": 3, "n_head": 4, "n_positions": 64,
        });
        let object = config.as_object_mut().unwrap();
        object.extend(change.as_object().unwrap().clone());
        Gpt2Config::from_json(object.clone())
    }

    #[test]
    fn defaults_are_the_published_ones() {
        let gpt2 = config(serde_json::json!({ "n_inner": null, "eos_token_id": 7 })).unwrap();
        assert!(gpt2.tie_word_embeddings && gpt2.n_inner == 96 && gpt2.activation == Activation::GeluTanh);
        assert_eq!(gpt2.end_tokens(), [7]);
        assert_eq!(gpt2.scale(2), 1.0 / 6.0f32.sqrt());
    }

    #[test]
    fn what_is_not_computed_is_refused() {
        for (change, expected) in [
            (serde_json::json!({ "model_type": "gptj" }), "knows: gpt2"),
            (serde_json::json!({ "activation_function": "mish" }), "`mish`; this version knows: gelu_new"),
            (serde_json::json!({ "add_cross_attention": true }), "add_cross_attention"),
            (serde_json::json!({ "n_head": 5 }), "not a multiple"),
            (serde_json::json!({ "n_positions": 0 }), "n_positions = 0"),
            (serde_json::json!({ "n_layer": 1 << 20 }), "n_layer"),
        ] {
            let error = config(change).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }
}

//! config.json of the Llama family.

use std::path::Path;

use serde_json::{Map, Value};

use super::rope::Rope;
use crate::config_json::{self, Fields};
use crate::error::ModelError;
use crate::vocabulary::{NewToken, end_tokens, grow_both, pad_token_id};
use crate::weights::Weights;

/// What tells the members of the family apart, and a model's sizes by the names that config.json uses.
#[derive(Clone, Debug, PartialEq)]
pub struct LlamaConfig {
    /// `model_type`
    pub family: &'static str,
    /// In Transformers.
    class: &'static str,
    pub vocab_size: usize,
    pub hidden_size: usize,
    pub intermediate_size: usize,
    pub num_attention_heads: usize,
    /// Heads of keys and values; divides `num_attention_heads`.
    pub num_key_value_heads: usize,
    /// Even.
    pub head_dim: usize,
    pub max_position_embeddings: usize,
    pub rms_norm_eps: f64,
    pub initializer_range: f64,
    pub attention_dropout: f64,
    /// Whether the output matrix is the embeddings'.
    pub tie_word_embeddings: bool,
    /// Whether queries, keys and values have biases, as in Qwen2.
    pub query_bias: bool,
    /// Whether the attention's output has a bias.
    pub output_bias: bool,
    /// Whether each head of queries and keys is normalised, as in Qwen3.
    pub query_norm: bool,
    /// For each layer, how many tokens each token sees at most, itself among them; none for all before it.
    pub windows: Vec<Option<usize>>,
    pub rope: Rope,
    /// The whole of config.json, for what is written back.
    pub source: Map<String, Value>,
}

/// `model_type` of the family's members, and their classes in Transformers.
const MEMBERS: [(&str, &str); 4] = [
    ("llama", "LlamaForCausalLM"),
    ("mistral", "MistralForCausalLM"),
    ("qwen2", "Qwen2ForCausalLM"),
    ("qwen3", "Qwen3ForCausalLM"),
];

impl LlamaConfig {
    /// The `model_type`s of the family.
    pub fn known() -> impl Iterator<Item = &'static str> {
        MEMBERS.iter().map(|(family, _)| *family)
    }

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
        let family = fields.text("model_type").unwrap_or("llama");
        let Some(&(family, class)) = MEMBERS.iter().find(|(member, _)| *member == family) else {
            let known = Self::known().collect::<Vec<_>>().join(", ");
            return Err(format!("model_type is `{family}`; this version knows: {known}"));
        };
        let activation = fields.text("hidden_act").unwrap_or("silu");
        if !["silu", "swish"].contains(&activation) {
            return Err(format!("hidden_act is `{activation}`; this version knows: silu"));
        }
        let flag = |name: &str| fields.flag(name).unwrap_or(false);
        if flag("mlp_bias") {
            return Err("mlp_bias is true; this version knows feed-forward layers without biases".into());
        }

        let (hidden_size, heads) = (fields.required("hidden_size")?, fields.required("num_attention_heads")?);
        let key_value_heads = fields.size("num_key_value_heads")?.unwrap_or(heads);
        if !heads.is_multiple_of(key_value_heads) {
            return Err(format!(
                "num_attention_heads {heads} is not a multiple of num_key_value_heads {key_value_heads}"
            ));
        }
        let head_dim = match fields.size("head_dim")? {
            Some(head_dim) => head_dim,
            None if family == "qwen3" => 128,
            None if hidden_size.is_multiple_of(heads) => hidden_size / heads,
            None => {
                return Err(format!(
                    "hidden_size {hidden_size} is not a multiple of num_attention_heads {heads}"
                ));
            }
        };
        if !head_dim.is_multiple_of(2) {
            return Err(format!("a head's size of {head_dim} is odd: rotary embeddings turn pairs"));
        }
        if heads * head_dim > 1 << 24 {
            return Err(format!("{heads} heads of {head_dim} dimensions are out of range"));
        }
        let positions = fields.required("max_position_embeddings")?;
        Ok(Self {
            family,
            class,
            vocab_size: fields.required("vocab_size")?,
            hidden_size,
            intermediate_size: fields.required("intermediate_size")?,
            num_attention_heads: heads,
            num_key_value_heads: key_value_heads,
            head_dim,
            max_position_embeddings: positions,
            rms_norm_eps: fields.number("rms_norm_eps", 1e-6),
            initializer_range: fields.number("initializer_range", 0.02),
            attention_dropout: fields.number("attention_dropout", 0.0),
            tie_word_embeddings: flag("tie_word_embeddings"),
            query_bias: family == "qwen2" || flag("attention_bias"),
            output_bias: family != "qwen2" && flag("attention_bias"),
            query_norm: family == "qwen3",
            windows: windows(
                &source,
                family,
                fields.required("num_hidden_layers")?,
                fields.size("sliding_window")?,
            )?,
            rope: Rope::from_json(&source, head_dim, positions)?,
            source,
        })
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
        config.insert("architectures".into(), serde_json::json!([self.class]));
        config.insert("model_type".into(), self.family.into());
        config.insert("tie_word_embeddings".into(), self.tie_word_embeddings.into());
        config
    }

    /// The same dropout everywhere.
    pub fn set_dropout(&mut self, probability: f64) {
        self.attention_dropout = probability;
        self.source.insert("attention_dropout".into(), probability.into());
    }
}

/// Which layers have a sliding window: all of a Mistral, in a Qwen those from `max_window_layers` on if
/// `use_sliding_window`; `layer_types` has the last word.
fn windows(
    source: &Map<String, Value>,
    family: &str,
    layers: usize,
    window: Option<usize>,
) -> Result<Vec<Option<usize>>, String> {
    if layers > 1 << 12 {
        return Err(format!("num_hidden_layers = {layers} is out of range"));
    }
    let qwen = family.starts_with("qwen");
    let used = source.get("use_sliding_window").and_then(Value::as_bool).unwrap_or(false);
    let window = window.filter(|_| family == "mistral" || (qwen && used));
    if let Some(types) = source.get("layer_types").and_then(Value::as_array).filter(|_| qwen) {
        let of = |kind: &Value| match kind.as_str() {
            Some("full_attention") => Ok(None),
            Some("sliding_attention") if window.is_some() => Ok(window),
            Some("sliding_attention") => {
                Err("layer_types has sliding_attention without a sliding_window".into())
            }
            _ => {
                Err(format!("layer_types has {kind}; this version knows: full_attention, sliding_attention"))
            }
        };
        let types = types.iter().map(of).collect::<Result<Vec<_>, String>>()?;
        return match types.len() == layers {
            true => Ok(types),
            false => Err(format!("layer_types has {} layers of {layers}", types.len())),
        };
    }
    let first = match source.get("max_window_layers").and_then(Value::as_u64) {
        Some(first) if qwen => first as usize,
        None if qwen => 28,
        _ => 0,
    };
    Ok((0..layers).map(|layer| window.filter(|_| layer >= first)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(change: Value) -> Result<LlamaConfig, String> {
        let mut config = serde_json::json!({
            "model_type": "llama", "vocab_size": 100, "hidden_size": 24, "intermediate_size": 40,
            "num_hidden_layers": 3, "num_attention_heads": 4, "max_position_embeddings": 64,
        });
        let object = config.as_object_mut().unwrap();
        object.extend(change.as_object().unwrap().clone());
        LlamaConfig::from_json(object.clone())
    }

    #[test]
    fn the_members_of_the_family() {
        let llama = config(serde_json::json!({})).unwrap();
        assert_eq!((llama.head_dim, llama.num_key_value_heads), (6, 4));
        assert!(!llama.query_bias && !llama.query_norm && !llama.tie_word_embeddings);
        let mistral = config(serde_json::json!({ "model_type": "mistral", "sliding_window": 7 })).unwrap();
        assert_eq!(mistral.windows, [Some(7); 3]);
        let none = config(serde_json::json!({ "model_type": "mistral", "sliding_window": null })).unwrap();
        assert_eq!(none.windows, [None; 3]);
        let qwen2 = serde_json::json!({ "model_type": "qwen2", "sliding_window": 7, "max_window_layers": 2 });
        let qwen2 = config(qwen2).unwrap();
        assert!(qwen2.query_bias && !qwen2.output_bias);
        assert_eq!(qwen2.windows, [None; 3], "use_sliding_window is false");
        let sliding = serde_json::json!({
            "model_type": "qwen2", "sliding_window": 7, "max_window_layers": 2, "use_sliding_window": true
        });
        assert_eq!(config(sliding).unwrap().windows, [None, None, Some(7)]);
        let qwen3 = config(serde_json::json!({ "model_type": "qwen3", "head_dim": 10 })).unwrap();
        assert!(qwen3.query_norm && qwen3.head_dim == 10);
    }

    #[test]
    fn what_is_not_computed_is_refused() {
        for (change, expected) in [
            (serde_json::json!({ "model_type": "gemma" }), "llama, mistral, qwen2, qwen3"),
            (serde_json::json!({ "hidden_act": "gelu" }), "knows: silu"),
            (serde_json::json!({ "mlp_bias": true }), "mlp_bias"),
            (serde_json::json!({ "num_key_value_heads": 3 }), "not a multiple"),
            (serde_json::json!({ "hidden_size": 25 }), "not a multiple"),
            (serde_json::json!({ "head_dim": 5 }), "odd"),
            (serde_json::json!({ "vocab_size": -1 }), "vocab_size = -1"),
            (serde_json::json!({ "num_hidden_layers": 1 << 20 }), "num_hidden_layers"),
            (
                serde_json::json!({ "model_type": "qwen3", "layer_types": ["full_attention"] }),
                "1 layers of 3",
            ),
            (serde_json::json!({ "model_type": "qwen3", "layer_types": ["x", "x", "x"] }), "full_attention"),
            (serde_json::json!({ "rope_scaling": { "type": "dynamic", "factor": 2 } }), "`dynamic`"),
        ] {
            let error = config(change).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }
}

//! Where in a model a parameter stands, told by its name.

use crate::adapter::PREFIX;
use crate::model::ModelConfig;

/// Where in a model a parameter stands: what is computed before it needs no gradient for its sake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Depth {
    /// The embeddings.
    Below,
    /// The layer of this number; those of a decoder count after those of its encoder.
    Layer(usize),
    /// Final norms, heads.
    Above,
}

/// Names of tables: their rows are looked up, and not multiplied.
const TABLES: [&str; 6] =
    ["embeddings.", ".wte.", ".wpe.", "embed_tokens.", "shared.weight", "relative_attention_bias."];

/// Whether a parameter of that Hugging Face name is a table.
pub fn is_table(name: &str) -> bool {
    TABLES.iter().any(|part| name.contains(part)) && !name.contains("LayerNorm")
}

impl ModelConfig {
    /// Where the parameter of that Hugging Face name stands. The norm at the end of an encoder before a decoder is part of
    /// its last layer.
    pub fn depth_of(&self, name: &str) -> Depth {
        let name = name.strip_prefix(PREFIX).unwrap_or(name);
        let number = name.split('.').find_map(|part| part.parse::<usize>().ok());
        match number {
            Some(number) if name.starts_with("decoder.") => Depth::Layer(self.encoder_layers() + number),
            Some(number) => Depth::Layer(number),
            None if is_table(name) || name.contains("embeddings.") => Depth::Below,
            None if name.starts_with("encoder.") && self.encoder_layers() > 0 => {
                Depth::Layer(self.encoder_layers() - 1)
            }
            None => Depth::Above,
        }
    }

    /// How far up the parameter of that name stands, counted from the embeddings at 0 to what is above all layers.
    pub fn level_of(&self, name: &str) -> usize {
        match self.depth_of(name) {
            Depth::Below => 0,
            Depth::Layer(number) => number + 1,
            Depth::Above => self.layers() + 1,
        }
    }

    /// Layers, those of a decoder after those of its encoder.
    pub fn layers(&self) -> usize {
        match self {
            Self::Encoder(config) => config.layers,
            Self::Gpt2(config) => config.n_layer,
            Self::Llama(config) => config.windows.len(),
            Self::T5(config) => config.num_layers + config.num_decoder_layers,
        }
    }

    /// Of an encoder before a decoder.
    fn encoder_layers(&self) -> usize {
        match self {
            Self::Encoder(_) | Self::Gpt2(_) | Self::Llama(_) => 0,
            Self::T5(config) => config.num_layers,
        }
    }

    /// Layers that gradients go through, where `first` is the shallowest place that is trained.
    pub fn tracked_layers(&self, first: Depth) -> usize {
        match first {
            Depth::Below => self.layers(),
            Depth::Layer(layer) => self.layers().saturating_sub(layer),
            Depth::Above => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(source: serde_json::Value) -> ModelConfig {
        ModelConfig::from_json(source.as_object().unwrap().clone()).unwrap()
    }

    #[test]
    fn parameters_stand_where_their_names_say() {
        let bert = config(serde_json::json!({
            "vocab_size": 30, "hidden_size": 12, "num_hidden_layers": 12, "num_attention_heads": 2,
            "intermediate_size": 20, "max_position_embeddings": 16,
        }));
        for (name, depth) in [
            ("bert.embeddings.word_embeddings.weight", Depth::Below),
            ("bert.embeddings.LayerNorm.weight", Depth::Below),
            ("bert.encoder.layer.2.attention.self.query.weight", Depth::Layer(2)),
            ("bert.encoder.layer.1.attention.self.query.lora_A.weight", Depth::Layer(1)),
            ("bert.pooler.dense.weight", Depth::Above),
            ("base_model.model.bert.encoder.layer.1.output.dense.lora_A.weight", Depth::Layer(1)),
            ("classifier.bias", Depth::Above),
            ("transformer.wte.weight", Depth::Below),
            ("transformer.h.11.mlp.c_fc.weight", Depth::Layer(11)),
            ("model.norm.weight", Depth::Above),
        ] {
            assert_eq!(bert.depth_of(name), depth, "{name}");
        }
        let t5 = config(serde_json::json!({
            "model_type": "t5", "vocab_size": 30, "d_model": 8, "d_kv": 4, "d_ff": 8, "num_layers": 2, "num_heads": 2,
        }));
        for (name, depth, level) in [
            ("shared.weight", Depth::Below, 0),
            ("encoder.block.0.layer.0.SelfAttention.q.weight", Depth::Layer(0), 1),
            ("encoder.block.1.layer.0.layer_norm.weight", Depth::Layer(1), 2),
            ("encoder.final_layer_norm.weight", Depth::Layer(1), 2),
            ("decoder.block.0.layer.0.SelfAttention.q.weight", Depth::Layer(2), 3),
            ("decoder.final_layer_norm.weight", Depth::Above, 5),
        ] {
            assert_eq!((t5.depth_of(name), t5.level_of(name)), (depth, level), "{name}");
        }
        assert!(Depth::Below < Depth::Layer(0) && Depth::Layer(9) < Depth::Above);
        assert!(!is_table("bert.embeddings.LayerNorm.weight") && is_table("model.embed_tokens.weight"));
    }
}

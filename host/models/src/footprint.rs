//! What a training step on the CPU keeps from the forward for the backward pass, by formulas: those numbers that the
//! kernels' backward passes need (`kernels/`), counted once where two of them share a buffer.
//!
//! For B rows of T tokens (padding included), H the hidden size, I that of the feed-forward layers, heads A, and
//! D = A times a head's size, a layer keeps in float32 numbers a token:
//!
//! - an encoder's: `8 H + 2 I + A T`. Its input, queries, keys and values (3), what attention gives, the normalised
//!   input of both norms, the first norm's output; before and after GELU; the probabilities of attention.
//! - GPT-2's: `8 H + 2 I`. Both norms' normalised inputs and outputs, queries, keys and values (3), what attention
//!   gives; before and after the activation. Attention is computed again, tile by tile, and keeps nothing of T^2.
//! - a Llama's: `4 H + W + D + 3 I`, W = (A + 2 groups) times a head's size. Both norms' inputs and outputs; gates and
//!   values side by side, and what they make. With norms of queries and keys, W once more.
//! - a T5's: `4 H + 4 D + 2 I + A T` in the encoder, with one I more where the feed-forward layer is gated; in the
//!   decoder likewise, and for the attention to the encoder's `2 H + 2 D + A Ts` a token and `2 D` a source token.
//!
//! A head over a vocabulary of V keeps `4 V` a token: the scores, their log-probabilities, and the gradients of both.
//! Layers before the first that is trained keep nothing.

use crate::depth::Depth;
use crate::encoder::EncoderConfig;
use crate::gpt2::Gpt2Config;
use crate::head::Head;
use crate::llama::LlamaConfig;
use crate::model::ModelConfig;
use crate::t5::T5Config;

/// A batch's size, padding included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchShape {
    pub rows: usize,
    /// Of the longest row.
    pub tokens: usize,
}

impl BatchShape {
    fn positions(self) -> u64 {
        self.rows as u64 * self.tokens as u64
    }
}

impl ModelConfig {
    /// Bytes that a step keeps for the backward pass, where `first` is the shallowest place that is trained. What a
    /// sequence-to-sequence model writes is taken to be as long as what it reads, and every token of a language model to
    /// have a label.
    pub fn kept_bytes(&self, head: Head, batch: BatchShape, first: Depth) -> u64 {
        let from = self.layers() - self.tracked_layers(first);
        4 * match self {
            Self::Encoder(config) => of_encoder(config, head, batch, from, first == Depth::Below),
            Self::Gpt2(config) => of_gpt2(config, batch, from),
            Self::Llama(config) => of_llama(config, batch, from),
            Self::T5(config) => of_t5(config, batch, batch, from),
        }
    }

    /// Bytes that are made and freed again while the backward pass goes through one layer: the gradients of what it
    /// keeps between two norms.
    pub fn working_bytes(&self, batch: BatchShape) -> u64 {
        let (hidden, inner) = match self {
            Self::Encoder(config) => (config.hidden_size, config.intermediate_size),
            Self::Gpt2(config) => (config.n_embd, config.n_inner),
            Self::Llama(config) => (config.hidden_size, config.intermediate_size),
            Self::T5(config) => (config.d_model, config.d_ff),
        };
        4 * batch.positions() * (4 * hidden + 2 * inner) as u64
    }

    /// Multiplications with each key and value that a token attends to, in all layers: twice D a layer.
    pub fn attention_products(&self) -> u64 {
        let numbers = match self {
            Self::Encoder(config) => config.layers * config.hidden_size,
            Self::Gpt2(config) => config.n_layer * config.n_embd,
            Self::Llama(config) => config.windows.len() * config.num_attention_heads * config.head_dim,
            Self::T5(config) => (config.num_layers + 2 * config.num_decoder_layers) * config.inner(),
        };
        2 * numbers as u64
    }

    /// Numbers of the table that is also the matrix of the model's outputs, where it is one.
    pub fn tied_outputs(&self, head: Head) -> u64 {
        let (tied, numbers) = match self {
            Self::Encoder(config) => (head == Head::MaskedLm, config.vocab_size * config.hidden_size),
            Self::Gpt2(config) => (config.tie_word_embeddings, config.vocab_size * config.n_embd),
            Self::Llama(config) => (config.tie_word_embeddings, config.vocab_size * config.hidden_size),
            Self::T5(config) => (config.tie_word_embeddings, config.vocab_size * config.d_model),
        };
        if tied { numbers as u64 } else { 0 }
    }
}

fn of_encoder(config: &EncoderConfig, head: Head, batch: BatchShape, from: usize, below: bool) -> u64 {
    let (hidden, inner) = (config.hidden_size as u64, config.intermediate_size as u64);
    let layers = config.layers.saturating_sub(from) as u64;
    let attention = (config.attention_heads * batch.tokens) as u64;
    let layer = 8 * hidden + 2 * inner + attention;
    // The embeddings' norm, and dropout's result under it.
    let embeddings = if below { 2 * hidden } else { 0 };
    let scores = match head {
        Head::MaskedLm => 4 * config.vocab_size as u64 + 4 * hidden,
        Head::Tokens { classes } => 4 * classes as u64,
        Head::Sequence { .. } | Head::Embedding { .. } | Head::CausalLm | Head::Seq2Seq => 0,
    };
    batch.positions() * (layers * layer + embeddings + scores)
}

/// As [`ModelConfig::kept_bytes`], in numbers, of a GPT-2.
fn of_gpt2(config: &Gpt2Config, batch: BatchShape, from: usize) -> u64 {
    let layer = 8 * config.n_embd as u64 + 2 * config.n_inner as u64;
    let layers = config.n_layer.saturating_sub(from) as u64;
    batch.positions() * (layers * layer + 2 * config.n_embd as u64 + 4 * config.vocab_size as u64)
}

/// As [`ModelConfig::kept_bytes`], in numbers, of a Llama.
fn of_llama(config: &LlamaConfig, batch: BatchShape, from: usize) -> u64 {
    let (heads, groups, head) = (config.num_attention_heads, config.num_key_value_heads, config.head_dim);
    let (hidden, inner) = (config.hidden_size as u64, config.intermediate_size as u64);
    let width = ((heads + 2 * groups) * head) as u64;
    let norms = if config.query_norm { width } else { 0 };
    let layer = 4 * hidden + width + norms + (heads * head) as u64 + 3 * inner;
    let layers = config.windows.len().saturating_sub(from) as u64;
    batch.positions() * (layers * layer + 2 * hidden + 4 * config.vocab_size as u64)
}

/// As [`ModelConfig::kept_bytes`], in numbers, of a T5 that reads `sources` and writes `targets`.
fn of_t5(config: &T5Config, sources: BatchShape, targets: BatchShape, from: usize) -> u64 {
    let (hidden, inner) = (config.d_model as u64, config.inner() as u64);
    let feed_forward = config.d_ff as u64 * if config.feed_forward.gated { 3 } else { 2 };
    let heads = config.num_heads as u64;
    let layer = |keys: usize| 4 * hidden + 4 * inner + feed_forward + heads * keys as u64;
    let encoder = config.num_layers.saturating_sub(from) as u64;
    let decoder =
        (config.num_layers + config.num_decoder_layers).saturating_sub(from.max(config.num_layers)) as u64;
    let cross = 2 * hidden + 2 * inner + heads * sources.tokens as u64;
    sources.positions() * (encoder * layer(sources.tokens) + decoder * 2 * inner)
        + targets.positions() * (decoder * (layer(targets.tokens) + cross) + 4 * config.vocab_size as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> ModelConfig {
        let config = serde_json::json!({
            "vocab_size": 30, "hidden_size": 12, "num_hidden_layers": 3, "num_attention_heads": 2,
            "intermediate_size": 20, "max_position_embeddings": 16, "type_vocab_size": 2,
        });
        ModelConfig::from_json(config.as_object().unwrap().clone()).unwrap()
    }

    #[test]
    fn frozen_layers_keep_nothing() {
        let (config, batch) = (config(), BatchShape { rows: 2, tokens: 5 });
        let head = Head::Tokens { classes: 3 };
        let kept = |first| config.kept_bytes(head, batch, first) / 4 / 10;
        let layer = 8 * 12 + 2 * 20 + 2 * 5;
        assert_eq!(kept(Depth::Above), 12);
        assert_eq!(kept(Depth::Layer(1)), 2 * layer + 12);
        assert_eq!(kept(Depth::Below), 3 * layer + 12 + 24);
        assert!(config.kept_bytes(Head::MaskedLm, batch, Depth::Above) > 4 * 10 * 4 * 30);
    }
}

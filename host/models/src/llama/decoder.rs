//! Generation with a Llama: one token after the other, over a cache of keys and values.

use pegbox_generation::{Decoder, Logits, Rewind};

use super::{Llama, LlamaConfig};
use crate::decode::{Cache, CachedAttention, Layers, Matrix, Pass, Values, add, frame};
use crate::error::ModelError;
use crate::kernels::Activation;
use crate::kernels::Weight;
use crate::kernels::activation::apply_gated;
use crate::kernels::rms_norm::forward_rows;
use crate::kernels::rope::turn;

/// Generates with a Llama, on the CPU. The weights are the model's own, not copied, where it is on the CPU already.
#[derive(Clone, Debug)]
pub struct LlamaDecoder {
    config: LlamaConfig,
    embedding: Values,
    layers: Vec<Layer>,
    norm: Values,
    head: Matrix,
    cache: Cache,
    scratch: Scratch,
}

#[derive(Clone, Debug)]
struct Layer {
    attention_norm: Values,
    query: Matrix,
    key: Matrix,
    value: Matrix,
    query_norm: Option<Values>,
    key_norm: Option<Values>,
    output: Matrix,
    feed_forward_norm: Values,
    gate: Matrix,
    up: Matrix,
    down: Matrix,
}

/// Memory of a step, kept for the next one. Rows of all are tokens.
#[derive(Clone, Debug, Default)]
struct Scratch {
    /// The residual stream.
    x: Vec<f32>,
    /// The input of a layer, normalised.
    normed: Vec<f32>,
    inverse: Vec<f32>,
    qkv: Vec<f32>,
    attended: Vec<f32>,
    scores: Vec<f32>,
    inner: Vec<f32>,
    gated: Vec<f32>,
    /// What a layer adds to the stream.
    out: Vec<f32>,
    columns: Vec<f32>,
    positions: Vec<u32>,
    cos: Vec<f32>,
    sin: Vec<f32>,
}

impl Llama {
    /// A decoder with this model's weights as they are now.
    pub fn decoder(&self) -> LlamaDecoder {
        let config = self.config.clone();
        let device = self.embedding.device();
        let matrix = |weight: &Weight| Matrix::new(&weight.merged(&device), None);
        let projection =
            |layer: &super::Projection| Matrix::new(&layer.weight.merged(&device), layer.bias.as_ref());
        let layers = self.layers.iter().map(|layer| Layer {
            attention_norm: Values::of(&layer.attention_norm.gamma),
            query: projection(&layer.query),
            key: projection(&layer.key),
            value: projection(&layer.value),
            query_norm: layer.query_norm.as_ref().map(|norm| Values::of(&norm.gamma)),
            key_norm: layer.key_norm.as_ref().map(|norm| Values::of(&norm.gamma)),
            output: projection(&layer.output),
            feed_forward_norm: Values::of(&layer.feed_forward_norm.gamma),
            gate: matrix(&layer.gate),
            up: matrix(&layer.up),
            down: matrix(&layer.down),
        });
        LlamaDecoder {
            embedding: Values::of(&self.embedding),
            layers: layers.collect(),
            norm: Values::of(&self.norm.gamma),
            head: Matrix::new(self.head.as_ref().unwrap_or(&self.embedding), None),
            cache: Cache::new(config.windows.len(), config.num_key_value_heads * config.head_dim),
            scratch: Scratch::default(),
            config,
        }
    }
}

impl Decoder for LlamaDecoder {
    type Error = ModelError;

    fn prefill(&mut self, rows: &[Vec<u32>]) -> Result<Logits, ModelError> {
        frame::prefill(self, rows)
    }

    fn step(&mut self, tokens: &[u32]) -> Result<Logits, ModelError> {
        frame::step(self, tokens)
    }

    fn context(&self) -> Option<usize> {
        Some(self.config.max_position_embeddings)
    }

    fn reorder(&mut self, parents: &[usize]) -> Result<(), ModelError> {
        self.cache.reorder(parents)
    }
}

impl Rewind for LlamaDecoder {
    fn read_on(&mut self, kept: usize, tokens: &[u32]) -> Result<Logits, ModelError> {
        frame::read_on(self, kept, tokens)
    }
}

impl Layers for LlamaDecoder {
    fn sizes(&self) -> (usize, usize) {
        (self.config.vocab_size, self.config.max_position_embeddings)
    }

    fn cache(&mut self) -> &mut Cache {
        &mut self.cache
    }

    /// Passes checked tokens through all layers, and remembers their keys and values.
    fn read(&mut self, tokens: &[u32], pass: Pass) {
        let (hidden, prompt) = (self.config.hidden_size, pass.is_one_row());
        let s = &mut self.scratch;
        pass.begin(&mut self.cache, tokens.len(), &mut s.positions);
        self.config.rope.angles(&s.positions, &mut s.cos, &mut s.sin);
        s.x.clear();
        for token in tokens {
            s.x.extend_from_slice(self.embedding.row(*token, hidden));
        }

        let epsilon = self.config.rms_norm_eps as f32;
        for number in 0..self.layers.len() {
            self.attend(number, pass);
            let (layer, s) = (&self.layers[number], &mut self.scratch);
            Matrix::apply(&[&layer.output], &mut s.out, &s.attended, prompt, &mut s.columns);
            add(&mut s.x, &s.out);

            norm(s, &layer.feed_forward_norm, epsilon);
            Matrix::apply(&[&layer.gate, &layer.up], &mut s.inner, &s.normed, prompt, &mut s.columns);
            s.gated.resize(s.inner.len() / 2, 0.0);
            apply_gated(&mut s.gated, &s.inner, self.config.intermediate_size, Activation::Silu);
            Matrix::apply(&[&layer.down], &mut s.out, &s.gated, prompt, &mut s.columns);
            add(&mut s.x, &s.out);
        }
        pass.end(&mut self.cache, tokens.len());
    }

    /// The logits after the last `rows` tokens that were read.
    fn scores(&mut self, rows: usize) -> Vec<f32> {
        let (hidden, s) = (self.config.hidden_size, &mut self.scratch);
        let tokens = s.x.len() / hidden;
        s.x.drain(..(tokens - rows) * hidden);
        norm(s, &self.norm, self.config.rms_norm_eps as f32);
        let mut values = Vec::new();
        Matrix::apply(&[&self.head], &mut values, &s.normed, false, &mut s.columns);
        values
    }
}

impl LlamaDecoder {
    /// Queries, keys and values of a layer, its cache, and the attention of each token.
    fn attend(&mut self, number: usize, pass: Pass) {
        let config = &self.config;
        let (heads, groups, head) = (config.num_attention_heads, config.num_key_value_heads, config.head_dim);
        let (width, epsilon) = ((heads + 2 * groups) * head, config.rms_norm_eps as f32);
        let (layer, s) = (&self.layers[number], &mut self.scratch);
        norm(s, &layer.attention_norm, epsilon);
        let (prompt, projections) = (pass.is_one_row(), [&layer.query, &layer.key, &layer.value]);
        Matrix::apply(&projections, &mut s.qkv, &s.normed, prompt, &mut s.columns);
        if let (Some(query), Some(key)) = (&layer.query_norm, &layer.key_norm) {
            for qkv in s.qkv.chunks_exact_mut(width) {
                let (queries, rest) = qkv.split_at_mut(heads * head);
                norm_heads(queries, query, epsilon);
                norm_heads(&mut rest[..groups * head], key, epsilon);
            }
        }
        turn(&mut s.qkv, width, heads + groups, &s.cos, &s.sin, head / 2);
        let (scale, window) = (1.0 / (head as f32).sqrt(), config.windows[number]);
        let attention = CachedAttention { layer: number, heads, groups, head, scale, window };
        pass.attend(&mut self.cache, &s.positions, attention, &s.qkv, &mut s.attended, &mut s.scores);
    }
}

/// `normed` becomes the normalised stream.
fn norm(s: &mut Scratch, gamma: &Values, epsilon: f32) {
    s.normed.resize(s.x.len(), 0.0);
    s.inverse.resize(s.x.len() / gamma.get().len(), 0.0);
    forward_rows(&mut s.normed, &s.x, &mut s.inverse, gamma.get(), epsilon);
}

/// Normalises each head by itself.
fn norm_heads(heads: &mut [f32], gamma: &Values, epsilon: f32) {
    for head in heads.chunks_exact_mut(gamma.get().len()) {
        crate::decode::rms_norm_in_place(head, gamma.get(), epsilon);
    }
}

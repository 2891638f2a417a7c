//! Generation with a GPT-2: one token after the other, over a cache of keys and values.

use pegbox_generation::{Decoder, Logits, Rewind};

use super::{Gpt2, Gpt2Config};
use crate::decode::{Cache, CachedAttention, Layers, Matrix, Pass, Values, add, frame, layer_norm};
use crate::error::ModelError;
use crate::kernels::activation::apply;
use crate::kernels::ops::LayerNorm;

/// Generates with a GPT-2, on the CPU. The weights are the model's own, not copied, where it is on the CPU already.
#[derive(Clone, Debug)]
pub struct Gpt2Decoder {
    config: Gpt2Config,
    tokens: Values,
    positions: Values,
    layers: Vec<Layer>,
    norm: Norm,
    head: Matrix,
    cache: Cache,
    scratch: Scratch,
}

#[derive(Clone, Debug)]
struct Layer {
    attention_norm: Norm,
    query_key_value: Matrix,
    attention_output: Matrix,
    feed_forward_norm: Norm,
    intermediate: Matrix,
    output: Matrix,
}

#[derive(Clone, Debug)]
struct Norm {
    gamma: Values,
    beta: Values,
    epsilon: f32,
}

/// Memory of a step, kept for the next one. Rows of all are tokens.
#[derive(Clone, Debug, Default)]
struct Scratch {
    /// The residual stream.
    x: Vec<f32>,
    /// The input of a layer, normalised.
    normed: Vec<f32>,
    qkv: Vec<f32>,
    attended: Vec<f32>,
    scores: Vec<f32>,
    inner: Vec<f32>,
    activated: Vec<f32>,
    /// What a layer adds to the stream.
    out: Vec<f32>,
    columns: Vec<f32>,
    positions: Vec<u32>,
}

impl Gpt2 {
    /// A decoder with this model's weights as they are now.
    pub fn decoder(&self) -> Gpt2Decoder {
        let config = self.config.clone();
        let norm = |norm: &LayerNorm| Norm {
            gamma: Values::of(&norm.gamma),
            beta: Values::of(&norm.beta),
            epsilon: norm.epsilon as f32,
        };
        let layers = self.layers.iter().map(|layer| Layer {
            attention_norm: norm(&layer.attention_norm),
            query_key_value: Matrix::conv1d(&layer.query_key_value),
            attention_output: Matrix::conv1d(&layer.attention_output),
            feed_forward_norm: norm(&layer.feed_forward_norm),
            intermediate: Matrix::conv1d(&layer.intermediate),
            output: Matrix::conv1d(&layer.output),
        });
        Gpt2Decoder {
            tokens: Values::of(&self.tokens),
            positions: Values::of(&self.positions),
            layers: layers.collect(),
            norm: norm(&self.norm),
            head: Matrix::new(self.head.as_ref().unwrap_or(&self.tokens), None),
            cache: Cache::new(config.n_layer, config.n_embd),
            scratch: Scratch::default(),
            config,
        }
    }
}

impl Decoder for Gpt2Decoder {
    type Error = ModelError;

    fn prefill(&mut self, rows: &[Vec<u32>]) -> Result<Logits, ModelError> {
        frame::prefill(self, rows)
    }

    fn step(&mut self, tokens: &[u32]) -> Result<Logits, ModelError> {
        frame::step(self, tokens)
    }

    fn context(&self) -> Option<usize> {
        Some(self.config.n_positions)
    }

    fn reorder(&mut self, parents: &[usize]) -> Result<(), ModelError> {
        self.cache.reorder(parents)
    }
}

impl Rewind for Gpt2Decoder {
    fn read_on(&mut self, kept: usize, tokens: &[u32]) -> Result<Logits, ModelError> {
        frame::read_on(self, kept, tokens)
    }
}

impl Layers for Gpt2Decoder {
    fn sizes(&self) -> (usize, usize) {
        (self.config.vocab_size, self.config.n_positions)
    }

    fn cache(&mut self) -> &mut Cache {
        &mut self.cache
    }

    /// Passes checked tokens through all layers, and remembers their keys and values.
    fn read(&mut self, tokens: &[u32], pass: Pass) {
        let (hidden, prompt) = (self.config.n_embd, pass.is_one_row());
        let s = &mut self.scratch;
        pass.begin(&mut self.cache, tokens.len(), &mut s.positions);
        s.x.clear();
        for (token, position) in tokens.iter().zip(&s.positions) {
            let rows = self.tokens.row(*token, hidden).iter().zip(self.positions.row(*position, hidden));
            s.x.extend(rows.map(|(token, position)| token + position));
        }

        for number in 0..self.layers.len() {
            self.attend(number, pass);
            let (layer, s) = (&self.layers[number], &mut self.scratch);
            Matrix::apply(&[&layer.attention_output], &mut s.out, &s.attended, prompt, &mut s.columns);
            add(&mut s.x, &s.out);

            normalise(s, &layer.feed_forward_norm);
            Matrix::apply(&[&layer.intermediate], &mut s.inner, &s.normed, prompt, &mut s.columns);
            s.activated.resize(s.inner.len(), 0.0);
            apply(&mut s.activated, &s.inner, self.config.activation);
            Matrix::apply(&[&layer.output], &mut s.out, &s.activated, prompt, &mut s.columns);
            add(&mut s.x, &s.out);
        }
        pass.end(&mut self.cache, tokens.len());
    }

    /// The logits after the last `rows` tokens that were read.
    fn scores(&mut self, rows: usize) -> Vec<f32> {
        let (hidden, s) = (self.config.n_embd, &mut self.scratch);
        let tokens = s.x.len() / hidden;
        s.x.drain(..(tokens - rows) * hidden);
        normalise(s, &self.norm);
        let mut values = Vec::new();
        Matrix::apply(&[&self.head], &mut values, &s.normed, false, &mut s.columns);
        values
    }
}

impl Gpt2Decoder {
    /// Queries, keys and values of a layer, its cache, and the attention of each token.
    fn attend(&mut self, number: usize, pass: Pass) {
        let (heads, hidden) = (self.config.n_head, self.config.n_embd);
        let (head, scale) = (hidden / heads, self.config.scale(number));
        let (layer, s) = (&self.layers[number], &mut self.scratch);
        normalise(s, &layer.attention_norm);
        let prompt = pass.is_one_row();
        Matrix::apply(&[&layer.query_key_value], &mut s.qkv, &s.normed, prompt, &mut s.columns);
        let attention = CachedAttention { layer: number, heads, groups: heads, head, scale, window: None };
        pass.attend(&mut self.cache, &s.positions, attention, &s.qkv, &mut s.attended, &mut s.scores);
    }
}

/// `normed` becomes the normalised stream.
fn normalise(s: &mut Scratch, norm: &Norm) {
    s.normed.resize(s.x.len(), 0.0);
    layer_norm(&mut s.normed, &s.x, norm.gamma.get(), norm.beta.get(), norm.epsilon);
}

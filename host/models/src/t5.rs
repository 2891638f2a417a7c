//! T5 (Raffel et al. 2020), T5 v1.1 and Flan-T5, as `transformers`' T5ForConditionalGeneration computes it: an encoder
//! and a decoder of pre-norm blocks, relative positions instead of absolute ones, scores that are not scaled, and a
//! head over the vocabulary.

mod batch;
mod config;
mod decode;
mod position;

pub use batch::{IGNORED, Seq2SeqBatch};
pub use config::{FeedForwardKind, T5Config};
pub use decode::T5Decoder;
pub use position::Buckets;

use crate::adapter::Adaptable;
use crate::error::ModelError;
use crate::initial;
use crate::kernels::ops::{self, RmsNorm};
use crate::kernels::{Dropout, DropoutSites, Weight};
use crate::output::Mode;
use crate::parameters::{Parameter, Parameters, weight};
use crate::tokens::TokenBatch;
use crate::weights::{Fit, LoadReport, Weights, fit};
use burn::tensor::{Device, Tensor};
use std::sync::Arc;

/// B rows, Ts tokens of the encoder, Td of the decoder, D = `d_model`, I = `num_heads * d_kv`, V = `vocab_size`.
#[derive(Clone, Debug)]
pub struct T5 {
    pub config: T5Config,
    /// The embedding of both stacks, `[V, D]`.
    shared: Tensor<2>,
    encoder: Stack,
    decoder: Stack,
    /// `[V, D]`; none where it is the embedding.
    head: Option<Tensor<2>>,
}

#[derive(Clone, Debug)]
struct Stack {
    blocks: Vec<Block>,
    /// Of all blocks' self-attention, `[buckets, heads]`; files have it in the first block.
    position: Tensor<2>,
    buckets: Buckets,
    norm: RmsNorm,
}

#[derive(Clone, Debug)]
struct Block {
    self_attention: Attention,
    /// The decoder's attention to the encoder's states.
    cross_attention: Option<Attention>,
    feed_forward: FeedForward,
}

#[derive(Clone, Debug)]
struct Attention {
    norm: RmsNorm,
    query: Weight,
    key: Weight,
    value: Weight,
    output: Weight,
}

#[derive(Clone, Debug)]
struct FeedForward {
    norm: RmsNorm,
    /// What the activation is of.
    inner: Weight,
    /// What it multiplies, where it is gated.
    gated: Option<Weight>,
    output: Weight,
}

/// What a forward pass gives.
pub struct Output {
    /// `[B, Td, V]`
    pub logits: Tensor<3>,
    /// `[B, Ts, D]` each: the embeddings, then every block, the last one after the stack's norm; empty unless asked
    /// for.
    pub encoder_hidden_states: Vec<Tensor<3>>,
    /// `[B, Td, D]` each, likewise.
    pub decoder_hidden_states: Vec<Tensor<3>>,
}

/// What the decoder attends to: the encoder's states as each decoder block's keys and values, `[B, Ts, I]`.
#[derive(Clone, Debug)]
struct Memory {
    blocks: Vec<KeysValues>,
    /// Added to the scores of each key, `B * Ts`.
    key_bias: Arc<Vec<f32>>,
}

/// What the decoder has read so far, as each block's keys and values, `[B, Td, I]`.
#[derive(Clone, Debug, Default)]
struct Past {
    blocks: Vec<KeysValues>,
    tokens: usize,
}

type KeysValues = [Tensor<3>; 2];

/// What queries attend to.
struct Seen<'a> {
    keys_values: &'a KeysValues,
    /// Added to the scores, `[heads, Tq, Tk]`.
    position: Option<Tensor<3>>,
    /// Added to the scores of each key, `B * Tk`, or none.
    key_bias: &'a Arc<Vec<f32>>,
}

impl T5 {
    /// `batch` must come from this model's tokenizer: ids, labels and sizes are checked here. The decoder reads the
    /// labels one place later.
    ///
    /// # Errors
    /// What of the batch does not fit.
    pub fn forward(&self, batch: &Seq2SeqBatch, mode: Mode) -> Result<Output, ModelError> {
        let config = &self.config;
        batch.check(config.vocab_size)?;
        let mut pass = Pass::new(mode, config.dropout_rate);
        let states = self.encode(&batch.inputs, &mut pass);
        let encoder_hidden_states = std::mem::take(&mut pass.hidden_states);

        let memory = self.remember(states, &batch.inputs, &mut pass);
        let ids = batch.decoder_inputs(config.decoder_start_token_id, config.pad_token_id);
        let states = self.decode(&ids, batch.targets, &memory, &mut Past::default(), &mut pass);
        Ok(Output {
            logits: self.score(states),
            encoder_hidden_states,
            decoder_hidden_states: pass.hidden_states,
        })
    }

    /// The encoder's states, `[B, Ts, D]`.
    fn encode(&self, batch: &TokenBatch, pass: &mut Pass) -> Tensor<3> {
        let stack = &self.encoder;
        let position = stack.buckets.bias(&stack.position, 0..batch.tokens, batch.tokens);
        let key_bias = key_bias(batch);
        let mut x = self.embed(&batch.ids, batch.tokens, pass);
        for block in &stack.blocks {
            pass.keep(&x);
            let attention = &block.self_attention;
            let normed = ops::rms_norm(x.clone(), &attention.norm);
            let keys_values = &attention.keys_values(&normed, pass);
            let seen = Seen { keys_values, position: Some(position.clone()), key_bias: &key_bias };
            x = self.attend(attention, x, normed, seen, pass);
            x = self.feed_forward(&block.feed_forward, x, pass);
        }
        self.end(stack, x, pass)
    }

    /// What every decoder block attends to.
    fn remember(&self, states: Tensor<3>, batch: &TokenBatch, pass: &mut Pass) -> Memory {
        let attentions = self.decoder.blocks.iter().filter_map(|block| block.cross_attention.as_ref());
        Memory {
            blocks: attentions.map(|attention| attention.keys_values(&states, pass)).collect(),
            key_bias: key_bias(batch),
        }
    }

    /// The decoder's states, `[B, Td, D]`, after `tokens` more tokens a row (`ids`, row-major); `past` takes them in.
    fn decode(
        &self,
        ids: &[u32],
        tokens: usize,
        memory: &Memory,
        past: &mut Past,
        pass: &mut Pass,
    ) -> Tensor<3> {
        let stack = &self.decoder;
        let keys = past.tokens + tokens;
        let position = stack.buckets.bias(&stack.position, past.tokens..keys, keys);
        let position = position + ops::causal_bias(tokens, keys, &self.shared.device());
        let no_padding = Arc::new(Vec::new());
        let mut x = self.embed(ids, tokens, pass);
        for (number, block) in stack.blocks.iter().enumerate() {
            pass.keep(&x);
            let attention = &block.self_attention;
            let normed = ops::rms_norm(x.clone(), &attention.norm);
            let keys_values = &past.extended(number, attention.keys_values(&normed, pass));
            let seen = Seen { keys_values, position: Some(position.clone()), key_bias: &no_padding };
            x = self.attend(attention, x, normed, seen, pass);
            let cross_attention = block.cross_attention.as_ref().zip(memory.blocks.get(number));
            if let Some((attention, keys_values)) = cross_attention {
                let normed = ops::rms_norm(x.clone(), &attention.norm);
                let seen = Seen { keys_values, position: None, key_bias: &memory.key_bias };
                x = self.attend(attention, x, normed, seen, pass);
            }
            x = self.feed_forward(&block.feed_forward, x, pass);
        }
        past.tokens = keys;
        self.end(stack, x, pass)
    }

    /// Logits of the decoder's states, `[B, Td, V]`.
    fn score(&self, states: Tensor<3>) -> Tensor<3> {
        let states = match self.config.scale_decoder_outputs {
            true => states * (self.config.d_model as f64).powf(-0.5),
            false => states,
        };
        ops::project(states, self.head.as_ref().unwrap_or(&self.shared))
    }

    fn embed(&self, ids: &[u32], tokens: usize, pass: &mut Pass) -> Tensor<3> {
        let x = ops::embedding(&self.shared, &Arc::new(ids.to_vec()), ids.len() / tokens.max(1));
        ops::dropout(x, pass.dropout())
    }

    /// x plus what its queries find among the keys.
    fn attend(
        &self,
        attention: &Attention,
        x: Tensor<3>,
        normed: Tensor<3>,
        seen: Seen<'_>,
        pass: &mut Pass,
    ) -> Tensor<3> {
        let queries = ops::apply(normed, &attention.query, &mut pass.sites);
        let [keys, values] = seen.keys_values.clone();
        let found = ops::biased_attention(
            [queries, keys, values],
            self.config.num_heads,
            seen.position,
            seen.key_bias,
            pass.dropout(),
        );
        let found = ops::apply(found, &attention.output, &mut pass.sites);
        x + ops::dropout(found, pass.dropout())
    }

    fn feed_forward(&self, layer: &FeedForward, x: Tensor<3>, pass: &mut Pass) -> Tensor<3> {
        let normed = ops::rms_norm(x.clone(), &layer.norm);
        let activation = self.config.feed_forward.activation;
        let inner = match &layer.gated {
            Some(gated) => {
                let both = ops::apply2(normed, [&layer.inner, gated], &mut pass.sites);
                ops::gated(both, activation)
            }
            None => ops::activation(ops::apply(normed, &layer.inner, &mut pass.sites), activation),
        };
        let inner = ops::dropout(inner, pass.dropout());
        let outer = ops::apply(inner, &layer.output, &mut pass.sites);
        x + ops::dropout(outer, pass.dropout())
    }

    fn end(&self, stack: &Stack, x: Tensor<3>, pass: &mut Pass) -> Tensor<3> {
        let x = ops::dropout(ops::rms_norm(x, &stack.norm), pass.dropout());
        pass.keep(&x);
        x
    }

    /// Whether the head is the embedding's matrix.
    pub fn is_tied(&self) -> bool {
        self.head.is_none()
    }

    /// Fits `weights` to a model of `config` on `device` (without autodiff).
    ///
    /// The head is the embedding's matrix, unless the file has a `lm_head.weight` with other values, whatever the
    /// configuration says: Transformers decides it so, too.
    ///
    /// # Errors
    /// Parameters that are missing or of another shape; the error lists them.
    pub fn load(
        config: T5Config,
        weights: Weights,
        device: &Device,
    ) -> Result<(Self, LoadReport), ModelError> {
        let mut model = Self::zeros(config, true, device);
        let initial = |name: &str, shape: &[usize]| (name == HEAD).then(|| vec![0.0; shape.iter().product()]);
        let rules = Fit { aliases: &aliases, initial: &initial, ignored: &is_copy, ..Fit::default() };
        let mut report = fit(&mut model, weights, &rules, device)?;
        if !report.initialised.is_empty() {
            report.initialised.clear();
            model.head = None;
        }
        let shared = model.shared.clone();
        model.head = model.head.filter(|head| head.to_data() != shared.to_data());
        model.config.tie_word_embeddings = model.head.is_none();
        Ok((model, report))
    }

    /// A model of `config` with normally distributed weights from `seed`, as T5 is initialised: deviations that stand
    /// for the scale that its scores do not have.
    pub fn random(config: T5Config, seed: u64, device: &Device) -> Self {
        let mut model = Self::zeros(config.clone(), !config.tie_word_embeddings, device);
        for (name, mut parameter) in model.parameters() {
            let elements = parameter.shape().iter().product();
            let values = match deviation(&config, &name) {
                Some(deviation) => {
                    initial::normal(&name, seed, elements, config.initializer_factor * deviation)
                }
                None => vec![config.initializer_factor as f32; elements],
            };
            parameter.set(values, device);
        }
        model
    }

    fn zeros(config: T5Config, untied: bool, device: &Device) -> Self {
        let (d_model, inner) = (config.d_model, config.inner());
        let matrix = |rows: usize, columns: usize| Tensor::<2>::zeros([rows, columns], device);
        let norm = || RmsNorm { gamma: Tensor::ones([d_model], device), epsilon: config.layer_norm_epsilon };
        let attention = || Attention {
            norm: norm(),
            query: Weight::zeros(d_model, inner, device),
            key: Weight::zeros(d_model, inner, device),
            value: Weight::zeros(d_model, inner, device),
            output: Weight::zeros(inner, d_model, device),
        };
        let stack = |blocks: usize, is_decoder: bool| Stack {
            blocks: (0..blocks)
                .map(|_| Block {
                    self_attention: attention(),
                    cross_attention: is_decoder.then(attention),
                    feed_forward: FeedForward {
                        norm: norm(),
                        inner: Weight::zeros(d_model, config.d_ff, device),
                        gated: config.feed_forward.gated.then(|| Weight::zeros(d_model, config.d_ff, device)),
                        output: Weight::zeros(config.d_ff, d_model, device),
                    },
                })
                .collect(),
            position: matrix(config.relative_attention_num_buckets, config.num_heads),
            buckets: Buckets {
                bidirectional: !is_decoder,
                buckets: config.relative_attention_num_buckets,
                max_distance: config.relative_attention_max_distance,
            },
            norm: norm(),
        };
        Self {
            shared: matrix(config.vocab_size, d_model),
            encoder: stack(config.num_layers, false),
            decoder: stack(config.num_decoder_layers, true),
            head: untied.then(|| matrix(config.vocab_size, d_model)),
            config,
        }
    }
}

impl Attention {
    fn keys_values(&self, x: &Tensor<3>, pass: &mut Pass) -> KeysValues {
        [&self.key, &self.value].map(|matrix| ops::apply(x.clone(), matrix, &mut pass.sites))
    }
}

impl Past {
    /// All keys and values of a block after `new` ones, which are kept.
    fn extended(&mut self, block: usize, new: KeysValues) -> KeysValues {
        match self.blocks.get_mut(block) {
            Some(old) => {
                let [keys, values] = new;
                *old = [
                    Tensor::cat(vec![old[0].clone(), keys], 1),
                    Tensor::cat(vec![old[1].clone(), values], 1),
                ];
                old.clone()
            }
            None => {
                self.blocks.push(new.clone());
                new
            }
        }
    }
}

/// 0 for tokens, very negative for padding.
fn key_bias(batch: &TokenBatch) -> Arc<Vec<f32>> {
    Arc::new(batch.mask.iter().map(|token| if *token { 0.0 } else { f32::MIN }).collect())
}

/// What goes along with a forward pass.
struct Pass {
    sites: DropoutSites,
    probability: f64,
    keeps: bool,
    hidden_states: Vec<Tensor<3>>,
}

impl Pass {
    fn new(mode: Mode, probability: f64) -> Self {
        Self {
            sites: DropoutSites::new(mode.dropout),
            probability,
            keeps: mode.hidden_states,
            hidden_states: Vec::new(),
        }
    }

    /// The next dropout site of this pass.
    fn dropout(&mut self) -> Option<Dropout> {
        self.sites.next(self.probability)
    }

    fn keep(&mut self, state: &Tensor<3>) {
        if self.keeps {
            self.hidden_states.push(state.clone());
        }
    }
}

const SHARED: &str = "shared.weight";
const HEAD: &str = "lm_head.weight";

impl Parameters for T5 {
    fn parameters(&mut self) -> Vec<(String, Parameter<'_>)> {
        let mut list = vec![(SHARED.into(), Parameter::Matrix(&mut self.shared))];
        push_stack(&mut list, "encoder", &mut self.encoder);
        push_stack(&mut list, "decoder", &mut self.decoder);
        if let Some(head) = &mut self.head {
            list.push((HEAD.into(), Parameter::Matrix(head)));
        }
        list
    }
}

fn push_stack<'a>(list: &mut Vec<(String, Parameter<'a>)>, stack_name: &str, stack: &'a mut Stack) {
    let mut position = Some(&mut stack.position);
    for (i, block) in stack.blocks.iter_mut().enumerate() {
        let Parts { attentions, feed_forward: (layer, inner) } = parts(block, stack_name, i);
        for (layer, kind, Attention { norm, query, key, value, output }) in attentions {
            for (name, matrix) in [("q", query), ("k", key), ("v", value), ("o", output)] {
                weight(list, &format!("{layer}.{kind}.{name}"), matrix);
            }
            if let Some(position) = position.take() {
                let name = format!("{layer}.{kind}.relative_attention_bias.weight");
                list.push((name, Parameter::Matrix(position)));
            }
            list.push((format!("{layer}.layer_norm.weight"), Parameter::Vector(&mut norm.gamma)));
        }
        let FeedForward { norm, inner, gated, output } = inner;
        let at = |name: &str| format!("{layer}.DenseReluDense.{name}");
        match gated {
            Some(gated) => {
                weight(list, &at("wi_0"), inner);
                weight(list, &at("wi_1"), gated);
            }
            None => weight(list, &at("wi"), inner),
        }
        weight(list, &at("wo"), output);
        list.push((format!("{layer}.layer_norm.weight"), Parameter::Vector(&mut norm.gamma)));
    }
    list.push((format!("{stack_name}.final_layer_norm.weight"), Parameter::Vector(&mut stack.norm.gamma)));
}

/// A block's layers with their names in Transformers.
struct Parts<'a> {
    /// Each with the name of its kind.
    attentions: Vec<(String, &'static str, &'a mut Attention)>,
    feed_forward: (String, &'a mut FeedForward),
}

fn parts<'a>(block: &'a mut Block, stack_name: &str, number: usize) -> Parts<'a> {
    let Block { self_attention, cross_attention, feed_forward } = block;
    let at = |layer: usize| format!("{stack_name}.block.{number}.layer.{layer}");
    let mut attentions = vec![(at(0), "SelfAttention", self_attention)];
    attentions.extend(cross_attention.as_mut().map(|attention| (at(1), "EncDecAttention", attention)));
    Parts { feed_forward: (at(attentions.len()), feed_forward), attentions }
}

impl Adaptable for T5 {
    fn weights(&mut self) -> Vec<(String, &mut Weight)> {
        let mut list = Vec::new();
        for (stack_name, stack) in [("encoder", &mut self.encoder), ("decoder", &mut self.decoder)] {
            for (i, block) in stack.blocks.iter_mut().enumerate() {
                let Parts { attentions, feed_forward: (layer, inner) } = parts(block, stack_name, i);
                for (layer, kind, Attention { query, key, value, output, .. }) in attentions {
                    for (name, matrix) in [("q", query), ("k", key), ("v", value), ("o", output)] {
                        list.push((format!("{layer}.{kind}.{name}"), matrix));
                    }
                }
                let FeedForward { inner, gated, output, .. } = inner;
                let at = |name: &str| format!("{layer}.DenseReluDense.{name}");
                match gated {
                    Some(gated) => {
                        list.push((at("wi_0"), inner));
                        list.push((at("wi_1"), gated));
                    }
                    None => list.push((at("wi"), inner)),
                }
                list.push((at("wo"), output));
            }
        }
        list
    }
}

/// The names under which files carry a parameter.
fn aliases(name: &str) -> Vec<String> {
    match name {
        SHARED => {
            [SHARED, "encoder.embed_tokens.weight", "decoder.embed_tokens.weight"].map(str::to_owned).into()
        }
        _ => vec![name.to_owned()],
    }
}

/// Copies of tied matrices, and a matrix of positions that early checkpoints carry and nothing uses.
fn is_copy(name: &str) -> bool {
    ["encoder.embed_tokens.weight", "decoder.embed_tokens.weight"].contains(&name)
        || name == "decoder.block.0.layer.1.EncDecAttention.relative_attention_bias.weight"
}

/// With what deviation a parameter begins, by `transformers`' `_init_weights`; none for the weights of norms.
fn deviation(config: &T5Config, name: &str) -> Option<f64> {
    let inverse_root = |size: usize| (size as f64).powf(-0.5);
    let (d_model, inner) = (config.d_model, config.inner());
    let part = name.strip_suffix(".weight").unwrap_or(name).rsplit('.').next().unwrap_or(name);
    match part {
        "layer_norm" | "final_layer_norm" => None,
        "shared" | "lm_head" => Some(1.0),
        "q" => Some(inverse_root(d_model * config.d_kv)),
        "o" => Some(inverse_root(inner)),
        "wo" => Some(inverse_root(config.d_ff)),
        _ => Some(inverse_root(d_model)),
    }
}

//! The Llama family as `transformers` computes it: Llama 2 and 3 (Touvron et al. 2023, Grattafiori et al. 2024),
//! SmolLM2, Mistral (Jiang et al. 2023; sliding windows), Qwen2 (biases of queries, keys and values) and Qwen3 (norms
//! of queries and keys), told apart by their configuration. Pre-norm decoder layers with RMSNorm, rotary positions,
//! grouped-query attention and SwiGLU, and a language-modelling head.

mod config;
mod decoder;
mod rope;

pub use config::LlamaConfig;
pub use decoder::LlamaDecoder;
pub use rope::Rope;

use std::sync::Arc;

use burn::tensor::{Device, Tensor};

use crate::adapter::Adaptable;
use crate::batch::Places;
use crate::error::ModelError;
use crate::initial;
use crate::kernels::ops::{self, RmsNorm};
use crate::kernels::weight;
use crate::kernels::{Activation, DropoutSites, GroupedAttention, Rotation, Visible, Weight};
use crate::output::{Logits, Mode, Output};
use crate::parameters::{self, Parameter, Parameters};
use crate::tokens::TokenBatch;
use crate::weights::{Fit, LoadReport, Weights, fit};

/// A decoder of the Llama family. B rows, T tokens, H = `hidden_size`, V = `vocab_size`.
#[derive(Clone, Debug)]
pub struct Llama {
    pub config: LlamaConfig,
    embedding: Tensor<2>,
    layers: Vec<Layer>,
    norm: RmsNorm,
    /// `[V, H]`; none where it is the embeddings'.
    head: Option<Tensor<2>>,
}

#[derive(Clone, Debug)]
struct Layer {
    attention_norm: RmsNorm,
    query: Projection,
    key: Projection,
    value: Projection,
    query_norm: Option<RmsNorm>,
    key_norm: Option<RmsNorm>,
    output: Projection,
    feed_forward_norm: RmsNorm,
    gate: Weight,
    up: Weight,
    down: Weight,
}

/// `[out, in]` and, in some members of the family, a bias `[out]`.
#[derive(Clone, Debug)]
struct Projection {
    weight: Weight,
    bias: Option<Tensor<1>>,
}

impl Llama {
    /// `batch` must come from this model's tokenizer: ids and lengths are checked here. It may be padded on either side,
    /// and hold several documents a row. Logits are those of the next token, `[B, T, V]`; the last hidden states are
    /// the normed ones.
    ///
    /// # Errors
    /// A token or a length that the model does not have.
    pub fn forward(&self, batch: &TokenBatch, mode: Mode) -> Result<Output, ModelError> {
        self.forward_at(batch, None, mode)
    }

    /// As [`Self::forward`], with the logits of some tokens only: `[B, W, V]`.
    ///
    /// # Errors
    /// Besides, places that the batch does not have.
    pub fn forward_at(
        &self,
        batch: &TokenBatch,
        places: Option<&Places>,
        mode: Mode,
    ) -> Result<Output, ModelError> {
        let config = &self.config;
        places.map_or(Ok(()), |places| places.check(batch))?;
        batch.check(config.vocab_size, config.max_position_embeddings, 1)?;
        let mut sites = DropoutSites::new(mode.dropout);
        let rotation = config.rope.rotation(&batch.positions());
        let whole = Arc::new(batch.causal(None));
        let ids = Arc::new(batch.ids.clone());
        let mut x = ops::embedding(&self.embedding, &ids, batch.rows);
        let mut hidden_states = Vec::new();

        for (layer, window) in self.layers.iter().zip(&config.windows) {
            if mode.hidden_states {
                hidden_states.push(x.clone());
            }
            let visible = match window {
                Some(_) => Arc::new(batch.causal(*window)),
                None => Arc::clone(&whole),
            };
            x = x.clone() + self.attend(layer, x, &rotation, visible, &mut sites);
            x = x.clone() + feed_forward(layer, x, &mut sites);
        }
        let x = ops::rms_norm(x, &self.norm);
        if mode.hidden_states {
            hidden_states.push(x.clone());
        }
        let x = match places {
            Some(places) => places.of(x),
            None => x,
        };
        let logits = ops::project(x, self.head.as_ref().unwrap_or(&self.embedding));
        Ok(Output { logits: Logits::Tokens(logits), hidden_states })
    }

    fn attend(
        &self,
        layer: &Layer,
        x: Tensor<3>,
        rotation: &Rotation,
        visible: Arc<Visible>,
        sites: &mut DropoutSites,
    ) -> Tensor<3> {
        let config = &self.config;
        let (heads, groups) = (config.num_attention_heads, config.num_key_value_heads);
        let x = ops::rms_norm(x, &layer.attention_norm);
        let qkv = project3(x, [&layer.query, &layer.key, &layer.value], sites);
        let qkv = match (&layer.query_norm, &layer.key_norm) {
            (Some(query), Some(key)) => norm_heads(qkv, [(heads, query), (groups, key)]),
            _ => qkv,
        };
        let qkv = ops::rotate(qkv, heads + groups, rotation);
        let attention = GroupedAttention {
            heads,
            groups,
            scale: 1.0 / (config.head_dim as f32).sqrt(),
            visible,
            dropout: sites.next(config.attention_dropout),
        };
        project(ops::grouped_attention(qkv, attention), &layer.output, sites)
    }

    /// Fits `weights` to a model of `config` on `device` (without autodiff). Names may have the prefix `model.` or not;
    /// a head that is the embeddings' is not read again.
    ///
    /// # Errors
    /// The weights do not fit; the error lists what is missing or of another shape.
    pub fn load(
        config: LlamaConfig,
        weights: Weights,
        device: &Device,
    ) -> Result<(Self, LoadReport), ModelError> {
        let mut model = Self::zeros(config, device);
        let tied = model.head.is_none();
        let ignored = |name: &str| name.ends_with("rotary_emb.inv_freq") || (tied && name == HEAD);
        let rules = Fit { aliases: &aliases, ignored: &ignored, ..Fit::default() };
        let report = fit(&mut model, weights, &rules, device)?;
        Ok((model, report))
    }

    /// A model of `config` with normally distributed weights from `seed`, as the family is initialised.
    pub fn random(config: LlamaConfig, seed: u64, device: &Device) -> Self {
        let mut model = Self::zeros(config, device);
        let range = model.config.initializer_range;
        initial::randomise(&mut model, seed, range, device);
        model
    }

    fn zeros(config: LlamaConfig, device: &Device) -> Self {
        let (hidden, inner, head) = (config.hidden_size, config.intermediate_size, config.head_dim);
        let queries = config.num_attention_heads * head;
        let keys = config.num_key_value_heads * head;
        let matrix = |rows: usize, columns: usize| Tensor::<2>::zeros([rows, columns], device);
        let projection = |inputs: usize, outputs: usize, biased: bool| Projection {
            weight: Weight::zeros(inputs, outputs, device),
            bias: biased.then(|| Tensor::zeros([outputs], device)),
        };
        let norm =
            |width: usize| RmsNorm { gamma: Tensor::ones([width], device), epsilon: config.rms_norm_eps };
        Self {
            embedding: matrix(config.vocab_size, hidden),
            layers: (0..config.windows.len())
                .map(|_| Layer {
                    attention_norm: norm(hidden),
                    query: projection(hidden, queries, config.query_bias),
                    key: projection(hidden, keys, config.query_bias),
                    value: projection(hidden, keys, config.query_bias),
                    query_norm: config.query_norm.then(|| norm(head)),
                    key_norm: config.query_norm.then(|| norm(head)),
                    output: projection(queries, hidden, config.output_bias),
                    feed_forward_norm: norm(hidden),
                    gate: Weight::zeros(hidden, inner, device),
                    up: Weight::zeros(hidden, inner, device),
                    down: Weight::zeros(inner, hidden, device),
                })
                .collect(),
            norm: norm(hidden),
            head: (!config.tie_word_embeddings).then(|| matrix(config.vocab_size, hidden)),
            config,
        }
    }
}

const EMBEDDING: &str = "model.embed_tokens.weight";
const HEAD: &str = "lm_head.weight";

/// The names under which files carry a parameter.
fn aliases(name: &str) -> Vec<String> {
    let bare = name.strip_prefix("model.").unwrap_or(name);
    vec![name.to_owned(), bare.to_owned()]
}

/// SwiGLU (Shazeer 2020): down(silu(gate(x)) * up(x)).
fn feed_forward(layer: &Layer, x: Tensor<3>, sites: &mut DropoutSites) -> Tensor<3> {
    let x = ops::rms_norm(x, &layer.feed_forward_norm);
    let inner = ops::gated(ops::apply2(x, [&layer.gate, &layer.up], sites), Activation::Silu);
    ops::apply(inner, &layer.down, sites)
}

/// Normalises each of the first heads of `qkv` by itself: `heads` times one norm, then `heads` times the other.
fn norm_heads(qkv: Tensor<3>, norms: [(usize, &RmsNorm); 2]) -> Tensor<3> {
    let [batch, tokens, width] = qkv.dims();
    let mut start = 0;
    let mut parts = Vec::new();
    for (heads, norm) in norms {
        let head = norm.gamma.dims()[0];
        let part = qkv.clone().narrow(2, start, heads * head);
        let normed = ops::rms_norm(part.reshape([batch, tokens * heads, head]), norm);
        parts.push(normed.reshape([batch, tokens, heads * head]));
        start += heads * head;
    }
    parts.push(qkv.narrow(2, start, width - start));
    Tensor::cat(parts, 2)
}

fn project(x: Tensor<3>, layer: &Projection, sites: &mut DropoutSites) -> Tensor<3> {
    weight::apply(x, &[(&layer.weight, layer.bias.as_ref())], sites)
}

fn project3(x: Tensor<3>, layers: [&Projection; 3], sites: &mut DropoutSites) -> Tensor<3> {
    weight::apply(x, &layers.map(|layer| (&layer.weight, layer.bias.as_ref())), sites)
}

impl Parameters for Llama {
    fn parameters(&mut self) -> Vec<(String, Parameter<'_>)> {
        let mut list = vec![(EMBEDDING.into(), Parameter::Matrix(&mut self.embedding))];
        for (i, layer) in self.layers.iter_mut().enumerate() {
            let at = |name: &str| format!("model.layers.{i}.{name}");
            list.push((at("input_layernorm.weight"), Parameter::Vector(&mut layer.attention_norm.gamma)));
            push(&mut list, at("self_attn.q_proj"), &mut layer.query);
            push(&mut list, at("self_attn.k_proj"), &mut layer.key);
            push(&mut list, at("self_attn.v_proj"), &mut layer.value);
            for (name, norm) in [("q_norm", &mut layer.query_norm), ("k_norm", &mut layer.key_norm)] {
                if let Some(norm) = norm {
                    list.push((at(&format!("self_attn.{name}.weight")), Parameter::Vector(&mut norm.gamma)));
                }
            }
            push(&mut list, at("self_attn.o_proj"), &mut layer.output);
            let norm = &mut layer.feed_forward_norm.gamma;
            list.push((at("post_attention_layernorm.weight"), Parameter::Vector(norm)));
            parameters::weight(&mut list, &at("mlp.gate_proj"), &mut layer.gate);
            parameters::weight(&mut list, &at("mlp.up_proj"), &mut layer.up);
            parameters::weight(&mut list, &at("mlp.down_proj"), &mut layer.down);
        }
        list.push(("model.norm.weight".into(), Parameter::Vector(&mut self.norm.gamma)));
        if let Some(head) = &mut self.head {
            list.push((HEAD.into(), Parameter::Matrix(head)));
        }
        list
    }
}

impl Adaptable for Llama {
    fn weights(&mut self) -> Vec<(String, &mut Weight)> {
        let mut list = Vec::new();
        for (i, layer) in self.layers.iter_mut().enumerate() {
            let at = |name: &str| format!("model.layers.{i}.{name}");
            list.push((at("self_attn.q_proj"), &mut layer.query.weight));
            list.push((at("self_attn.k_proj"), &mut layer.key.weight));
            list.push((at("self_attn.v_proj"), &mut layer.value.weight));
            list.push((at("self_attn.o_proj"), &mut layer.output.weight));
            list.push((at("mlp.gate_proj"), &mut layer.gate));
            list.push((at("mlp.up_proj"), &mut layer.up));
            list.push((at("mlp.down_proj"), &mut layer.down));
        }
        list
    }
}

fn push<'a>(list: &mut Vec<(String, Parameter<'a>)>, name: String, layer: &'a mut Projection) {
    parameters::weight(list, &name, &mut layer.weight);
    if let Some(bias) = &mut layer.bias {
        list.push((format!("{name}.bias"), Parameter::Vector(bias)));
    }
}

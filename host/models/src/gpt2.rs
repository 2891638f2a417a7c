//! GPT-2 (Radford et al. 2019) as `transformers`' GPT2LMHeadModel computes it: learned positions, pre-norm decoder
//! layers, a language-modelling head that is the embeddings' matrix. Matrices of the layers are `[in, out]`, as their
//! files have them (Conv1D).

mod config;
mod decoder;

pub use config::Gpt2Config;
pub use decoder::Gpt2Decoder;

use std::sync::Arc;

use burn::tensor::{Device, Tensor};

use crate::adapter::Adaptable;
use crate::batch::Places;
use crate::error::ModelError;
use crate::initial;
use crate::kernels::ops::{self, LayerNorm, Linear};
use crate::kernels::{DropoutSites, GroupedAttention, Visible, Weight};
use crate::output::{Logits, Mode, Output};
use crate::parameters::{self, Parameter, Parameters};
use crate::tokens::TokenBatch;
use crate::weights::{Fit, LoadReport, Weights, fit};

/// A GPT-2. B rows, T tokens, H = `n_embd`, V = `vocab_size`.
#[derive(Clone, Debug)]
pub struct Gpt2 {
    pub config: Gpt2Config,
    tokens: Tensor<2>,
    positions: Tensor<2>,
    layers: Vec<Layer>,
    norm: LayerNorm,
    /// `[V, H]`; none where it is the embeddings'.
    head: Option<Tensor<2>>,
}

#[derive(Clone, Debug)]
struct Layer {
    attention_norm: LayerNorm,
    query_key_value: Linear,
    attention_output: Linear,
    feed_forward_norm: LayerNorm,
    intermediate: Linear,
    output: Linear,
}

impl Gpt2 {
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
        batch.check(config.vocab_size, config.n_positions, 1)?;
        let mut sites = DropoutSites::new(mode.dropout);
        let visible = Arc::new(batch.causal(None));
        let ids = [Arc::new(batch.ids.clone()), Arc::new(batch.positions())];
        let x = ops::embedding2([&self.tokens, &self.positions], ids, batch.rows);
        let mut x = ops::dropout(x, sites.next(config.embd_pdrop));
        let mut hidden_states = Vec::new();

        for (number, layer) in self.layers.iter().enumerate() {
            if mode.hidden_states {
                hidden_states.push(x.clone());
            }
            let attended = self.attend(number, layer, x.clone(), &visible, &mut sites);
            x = x + ops::dropout(attended, sites.next(config.resid_pdrop));
            let inner = self.feed_forward(layer, x.clone(), &mut sites);
            x = x + ops::dropout(inner, sites.next(config.resid_pdrop));
        }
        let x = ops::norm(x, &self.norm);
        if mode.hidden_states {
            hidden_states.push(x.clone());
        }
        let x = match places {
            Some(places) => places.of(x),
            None => x,
        };
        let logits = ops::project(x, self.head.as_ref().unwrap_or(&self.tokens));
        Ok(Output { logits: Logits::Tokens(logits), hidden_states })
    }

    fn attend(
        &self,
        number: usize,
        layer: &Layer,
        x: Tensor<3>,
        visible: &Arc<Visible>,
        sites: &mut DropoutSites,
    ) -> Tensor<3> {
        let qkv = ops::linear(ops::norm(x, &layer.attention_norm), &layer.query_key_value, sites);
        let attention = GroupedAttention {
            heads: self.config.n_head,
            groups: self.config.n_head,
            scale: self.config.scale(number),
            visible: Arc::clone(visible),
            dropout: sites.next(self.config.attn_pdrop),
        };
        ops::linear(ops::grouped_attention(qkv, attention), &layer.attention_output, sites)
    }

    fn feed_forward(&self, layer: &Layer, x: Tensor<3>, sites: &mut DropoutSites) -> Tensor<3> {
        let inner = ops::linear(ops::norm(x, &layer.feed_forward_norm), &layer.intermediate, sites);
        ops::linear(ops::activation(inner, self.config.activation), &layer.output, sites)
    }

    /// Fits `weights` to a model of `config` on `device` (without autodiff). Names may have the prefix `transformer.` or
    /// not, as the files that OpenAI's checkpoints were converted to.
    ///
    /// # Errors
    /// The weights do not fit; the error lists what is missing or of another shape.
    pub fn load(
        config: Gpt2Config,
        weights: Weights,
        device: &Device,
    ) -> Result<(Self, LoadReport), ModelError> {
        let mut model = Self::zeros(config, device);
        let tied = model.head.is_none();
        // Causal masks that old files carry beside the weights.
        let ignored = |name: &str| {
            name.ends_with(".attn.bias") || name.ends_with(".attn.masked_bias") || (tied && name == HEAD)
        };
        let rules = Fit { aliases: &aliases, ignored: &ignored, ..Fit::default() };
        let report = fit(&mut model, weights, &rules, device)?;
        Ok((model, report))
    }

    /// A model of `config` with normally distributed weights from `seed`; those that add to the residual stream are
    /// smaller by the square root of how many do, as GPT-2 was initialised.
    pub fn random(config: Gpt2Config, seed: u64, device: &Device) -> Self {
        let mut model = Self::zeros(config, device);
        let range = model.config.initializer_range;
        let of_residuals = range / (2.0 * model.config.n_layer as f64).sqrt();
        initial::randomise(&mut model, seed, range, device);
        for (name, mut parameter) in model.parameters() {
            if name.ends_with("c_proj.weight") {
                let values = initial::layer(&name, &parameter.shape(), seed, of_residuals);
                parameter.set(values, device);
            }
        }
        model
    }

    fn zeros(config: Gpt2Config, device: &Device) -> Self {
        let (hidden, inner) = (config.n_embd, config.n_inner);
        let matrix = |rows: usize, columns: usize| Tensor::<2>::zeros([rows, columns], device);
        let conv1d = |inputs: usize, outputs: usize| Linear {
            weight: Weight::conv1d(matrix(inputs, outputs)),
            bias: Tensor::zeros([outputs], device),
        };
        let norm = || LayerNorm {
            gamma: Tensor::ones([hidden], device),
            beta: Tensor::zeros([hidden], device),
            epsilon: config.layer_norm_epsilon,
        };
        Self {
            tokens: matrix(config.vocab_size, hidden),
            positions: matrix(config.n_positions, hidden),
            layers: (0..config.n_layer)
                .map(|_| Layer {
                    attention_norm: norm(),
                    query_key_value: conv1d(hidden, 3 * hidden),
                    attention_output: conv1d(hidden, hidden),
                    feed_forward_norm: norm(),
                    intermediate: conv1d(hidden, inner),
                    output: conv1d(inner, hidden),
                })
                .collect(),
            norm: norm(),
            head: (!config.tie_word_embeddings).then(|| matrix(config.vocab_size, hidden)),
            config,
        }
    }
}

const EMBEDDING: &str = "transformer.wte.weight";
const HEAD: &str = "lm_head.weight";

/// The names under which files carry a parameter.
fn aliases(name: &str) -> Vec<String> {
    let bare = name.strip_prefix("transformer.").unwrap_or(name);
    vec![name.to_owned(), bare.to_owned()]
}

impl Parameters for Gpt2 {
    fn parameters(&mut self) -> Vec<(String, Parameter<'_>)> {
        let mut list = vec![
            (EMBEDDING.into(), Parameter::Matrix(&mut self.tokens)),
            ("transformer.wpe.weight".into(), Parameter::Matrix(&mut self.positions)),
        ];
        for (i, layer) in self.layers.iter_mut().enumerate() {
            let at = |name: &str| format!("transformer.h.{i}.{name}");
            parameters::norm(&mut list, &at("ln_1"), &mut layer.attention_norm);
            parameters::linear(&mut list, &at("attn.c_attn"), &mut layer.query_key_value);
            parameters::linear(&mut list, &at("attn.c_proj"), &mut layer.attention_output);
            parameters::norm(&mut list, &at("ln_2"), &mut layer.feed_forward_norm);
            parameters::linear(&mut list, &at("mlp.c_fc"), &mut layer.intermediate);
            parameters::linear(&mut list, &at("mlp.c_proj"), &mut layer.output);
        }
        parameters::norm(&mut list, "transformer.ln_f", &mut self.norm);
        if let Some(head) = &mut self.head {
            list.push((HEAD.into(), Parameter::Matrix(head)));
        }
        list
    }
}

impl Adaptable for Gpt2 {
    fn weights(&mut self) -> Vec<(String, &mut Weight)> {
        let mut list = Vec::new();
        for (i, layer) in self.layers.iter_mut().enumerate() {
            let at = |name: &str| format!("transformer.h.{i}.{name}");
            list.push((at("attn.c_attn"), &mut layer.query_key_value.weight));
            list.push((at("attn.c_proj"), &mut layer.attention_output.weight));
            list.push((at("mlp.c_fc"), &mut layer.intermediate.weight));
            list.push((at("mlp.c_proj"), &mut layer.output.weight));
        }
        list
    }
}

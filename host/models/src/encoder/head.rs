//! The heads of an encoder, as Transformers' `...For...` classes compute them.

use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor, TensorData};

use super::{Activation, EncoderConfig};
use crate::head::{Head, Pooling, SentencePooling};
use crate::kernels::ops::{self, LayerNorm, Linear};
use crate::kernels::{DropoutSites, Weight};
use crate::output::Logits;
use crate::parameters::{Parameter, linear, norm};
use crate::tokens::TokenBatch;

/// Sums of squares below this are taken for it, as `torch.nn.functional.normalize` does with norms.
const SMALLEST_NORM: f32 = 1e-12;

#[derive(Clone, Debug)]
pub(super) enum HeadLayers {
    Sequence {
        pooling: Pooling,
        dense: Linear,
        output: Linear,
    },
    Tokens(Linear),
    MaskedLm {
        dense: Linear,
        norm: LayerNorm,
        /// `[V]`; the matrix is the word embeddings'.
        bias: Tensor<1>,
    },
    Embedding {
        pooling: SentencePooling,
        normalise: bool,
    },
}

impl HeadLayers {
    /// `x` is the last layer's output, `[B, T, H]`, and `words` the word embeddings, `[V, H]`.
    pub fn forward(
        &self,
        x: Tensor<3>,
        batch: &TokenBatch,
        words: &Tensor<2>,
        config: &EncoderConfig,
        sites: &mut DropoutSites,
    ) -> Logits {
        match self {
            Self::Sequence { pooling, dense, output } => {
                let pooled = match pooling {
                    Pooling::Cls | Pooling::MeanLayer => pool_first(x, dense, config, sites),
                    Pooling::Mean => mean(x, batch),
                };
                let dropped = ops::dropout(pooled, sites.next(config.sequence_dropout));
                Logits::Rows(of_rows(dropped, output, sites))
            }
            Self::Tokens(output) => {
                let dropped = ops::dropout(x, sites.next(config.token_dropout));
                Logits::Tokens(ops::linear(dropped, output, sites))
            }
            Self::MaskedLm { dense, norm, bias } => {
                let x = ops::norm(ops::gelu(ops::linear(x, dense, sites)), norm);
                let words = Linear { weight: words.clone().into(), bias: bias.clone() };
                Logits::Tokens(ops::linear(x, &words, sites))
            }
            Self::Embedding { pooling, normalise } => {
                let vectors = match pooling {
                    SentencePooling::Mean => mean(x, batch),
                    SentencePooling::Cls => first(x),
                    SentencePooling::Max => max(x, batch),
                };
                Logits::Rows(if *normalise { unit(vectors) } else { vectors })
            }
        }
    }

    /// None for a head that an encoder does not have.
    pub fn zeros(head: Head, config: &EncoderConfig, device: &Device) -> Option<Self> {
        let hidden = config.hidden_size;
        let square = || Linear::zeros(hidden, hidden, device);
        Some(match head {
            Head::Sequence { outputs, pooling, .. } => {
                Self::Sequence { pooling, dense: square(), output: Linear::zeros(hidden, outputs, device) }
            }
            Head::Tokens { classes } => Self::Tokens(Linear::zeros(hidden, classes, device)),
            Head::MaskedLm => Self::MaskedLm {
                dense: square(),
                norm: LayerNorm::identity(hidden, config.layer_norm_eps, device),
                bias: Tensor::zeros([config.vocab_size], device),
            },
            Head::Embedding { pooling, normalise } => Self::Embedding { pooling, normalise },
            Head::CausalLm | Head::Seq2Seq => return None,
        })
    }

    pub fn push<'a>(&'a mut self, list: &mut Vec<(String, Parameter<'a>)>, config: &EncoderConfig) {
        let architecture = config.architecture;
        match self {
            Self::Sequence { dense, output, .. } => {
                let [dense_name, output_name] = architecture.sequence;
                linear(list, dense_name, dense);
                linear(list, output_name, output);
            }
            Self::Tokens(output) => linear(list, "classifier", output),
            Self::MaskedLm { dense, norm: layer_norm, bias } => {
                linear(list, architecture.masked.dense, dense);
                norm(list, architecture.masked.norm, layer_norm);
                list.push((architecture.masked.bias.into(), Parameter::Vector(bias)));
            }
            Self::Embedding { .. } => {}
        }
    }

    /// The matrices that may be adapted, each with its module's name.
    pub fn weights<'a>(&'a mut self, list: &mut Vec<(String, &'a mut Weight)>, config: &EncoderConfig) {
        let architecture = config.architecture;
        match self {
            Self::Sequence { dense, output, .. } => {
                let [dense_name, output_name] = architecture.sequence;
                list.push((dense_name.into(), &mut dense.weight));
                list.push((output_name.into(), &mut output.weight));
            }
            Self::Tokens(output) => list.push(("classifier".into(), &mut output.weight)),
            Self::MaskedLm { dense, .. } => {
                list.push((architecture.masked.dense.into(), &mut dense.weight));
            }
            Self::Embedding { .. } => {}
        }
    }
}

/// The first token through the dense layer, `[B, H]`.
fn pool_first(x: Tensor<3>, dense: &Linear, config: &EncoderConfig, sites: &mut DropoutSites) -> Tensor<2> {
    let mut first = first(x);
    if config.architecture.dropout_before_dense {
        first = ops::dropout(first, sites.next(config.sequence_dropout));
    }
    let dense = of_rows(first, dense, sites);
    match config.architecture.activation {
        Activation::Tanh => dense.tanh(),
        Activation::Relu => relu(dense),
    }
}

/// `[B, in]` to `[B, out]`.
fn of_rows(x: Tensor<2>, layer: &Linear, sites: &mut DropoutSites) -> Tensor<2> {
    let [rows, inputs] = x.dims();
    let y = ops::linear(x.reshape([rows, 1, inputs]), layer, sites);
    let [_, _, outputs] = y.dims();
    y.reshape([rows, outputs])
}

fn first(x: Tensor<3>) -> Tensor<2> {
    let [rows, _, hidden] = x.dims();
    x.narrow(1, 0, 1).reshape([rows, hidden])
}

/// Over the real tokens.
fn mean(x: Tensor<3>, batch: &TokenBatch) -> Tensor<2> {
    let [rows, tokens, hidden] = x.dims();
    let weights: Vec<f32> = batch
        .mask
        .chunks(tokens)
        .flat_map(|row| {
            let count = row.iter().filter(|token| **token).count().max(1);
            row.iter().map(move |token| if *token { 1.0 / count as f32 } else { 0.0 })
        })
        .collect();
    let weights = Tensor::<3>::from_data(TensorData::new(weights, [rows, tokens, 1]), &x.device());
    (x * weights).sum_dim(1).reshape([rows, hidden])
}

/// Over the real tokens.
fn max(x: Tensor<3>, batch: &TokenBatch) -> Tensor<2> {
    let [rows, tokens, hidden] = x.dims();
    let padding = batch.mask.iter().map(|token| if *token { 0.0 } else { f32::MIN }).collect::<Vec<f32>>();
    let padding = Tensor::<3>::from_data(TensorData::new(padding, [rows, tokens, 1]), &x.device());
    (x + padding).max_dim(1).reshape([rows, hidden])
}

/// Each row divided by its L2 norm.
fn unit(x: Tensor<2>) -> Tensor<2> {
    let norms = x.clone().powi_scalar(2).sum_dim(1).clamp_min(SMALLEST_NORM * SMALLEST_NORM).sqrt();
    x / norms
}

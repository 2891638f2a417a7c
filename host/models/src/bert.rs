//! BERT (Devlin et al. 2019) for sequence classification, as `transformers`' BertForSequenceClassification
//! computes it: embeddings, post-norm encoder layers, a pooler, a linear head.

mod config;
pub mod mean_layer;
mod vocabulary;

pub use config::{BertConfig, Pooling};
pub use vocabulary::NewToken;

use crate::error::ModelError;
use crate::initial;
use crate::kernels::ops::{self, LayerNorm, Linear};
use crate::kernels::{Dropout, DropoutKey};
use crate::parameters::{Parameter, Parameters};
use crate::tokens::TokenBatch;
use crate::weights::{Fit, LoadReport, Weights, fit};
use burn::tensor::{Device, Tensor, TensorData};
use mean_layer::MeanLayer;
use std::sync::Arc;

/// B rows, T tokens, H = `hidden_size`, C classes.
#[derive(Clone, Debug)]
pub struct Bert {
    pub config: BertConfig,
    pub pooling: Pooling,
    embeddings: Embeddings,
    layers: Vec<Layer>,
    pooler: Linear,
    classifier: Linear,
}

#[derive(Clone, Debug)]
struct Embeddings {
    word: Tensor<2>,
    position: Tensor<2>,
    token_type: Tensor<2>,
    norm: LayerNorm,
}

#[derive(Clone, Debug)]
struct Layer {
    query: Linear,
    key: Linear,
    value: Linear,
    attention_output: Linear,
    attention_norm: LayerNorm,
    intermediate: Linear,
    output: Linear,
    output_norm: LayerNorm,
}

/// What a forward pass gives.
pub struct Output {
    /// `[B, C]`
    pub logits: Tensor<2>,
    /// The pooled vectors that the head sees, `[B, H]`.
    pub pooled: Tensor<2>,
    /// `[B, T, H]` each: the embeddings, then every layer; empty unless asked for.
    pub hidden_states: Vec<Tensor<3>>,
}

/// How to run a forward pass.
#[derive(Clone, Copy, Debug, Default)]
pub struct Mode {
    /// Training: which dropout masks to draw. None switches dropout off.
    pub dropout: Option<DropoutKey>,
    pub hidden_states: bool,
}

impl Bert {
    /// `batch` must come from this model's tokenizer: ids and lengths are checked here.
    pub fn forward(&self, batch: &TokenBatch, mode: Mode) -> Result<Output, ModelError> {
        let config = &self.config;
        batch.check(config.vocab_size, config.max_position_embeddings, config.type_vocab_size)?;
        let mut sites = Sites { key: mode.dropout, next: 0 };
        let mut x = self.embed(batch, sites.next(self.config.hidden_dropout_prob));
        let mut hidden_states = Vec::new();

        let key_bias: Arc<Vec<f32>> =
            Arc::new(batch.mask.iter().map(|token| if *token { 0.0 } else { f32::MIN }).collect());
        for layer in &self.layers {
            if mode.hidden_states {
                hidden_states.push(x.clone());
            }
            x = self.encode(layer, x, &key_bias, &mut sites);
        }
        if mode.hidden_states {
            hidden_states.push(x.clone());
        }

        let pooled = self.pool(x, batch);
        let probability = self.config.classifier_dropout.unwrap_or(self.config.hidden_dropout_prob);
        let dropped = ops::dropout(pooled.clone(), sites.next(probability));
        let [rows, hidden] = dropped.dims();
        let logits = ops::linear(dropped.reshape([rows, 1, hidden]), &self.classifier);
        let classes = logits.dims()[2];
        Ok(Output { logits: logits.reshape([rows, classes]), pooled, hidden_states })
    }

    fn embed(&self, batch: &TokenBatch, dropout: Option<Dropout>) -> Tensor<3> {
        let table = &self.embeddings;
        let positions: Vec<u32> = (0..batch.rows).flat_map(|_| 0..batch.tokens as u32).collect();
        let x = ops::embedding3(
            [&table.word, &table.position, &table.token_type],
            [Arc::new(batch.ids.clone()), Arc::new(positions), Arc::new(batch.types.clone())],
            batch.rows,
        );
        ops::dropout(ops::norm(x, &table.norm), dropout)
    }

    fn encode(&self, layer: &Layer, x: Tensor<3>, key_bias: &Arc<Vec<f32>>, sites: &mut Sites) -> Tensor<3> {
        let (heads, hidden_dropout) = (self.config.num_attention_heads, self.config.hidden_dropout_prob);
        let qkv = ops::linear3(x.clone(), [&layer.query, &layer.key, &layer.value]);
        let attended =
            ops::attention(qkv, heads, key_bias, sites.next(self.config.attention_probs_dropout_prob));
        let attended = ops::linear(attended, &layer.attention_output);
        let x = ops::residual_norm(attended, x, &layer.attention_norm, sites.next(hidden_dropout));

        let inner = ops::gelu(ops::linear(x.clone(), &layer.intermediate));
        let inner = ops::linear(inner, &layer.output);
        ops::residual_norm(inner, x, &layer.output_norm, sites.next(hidden_dropout))
    }

    fn pool(&self, x: Tensor<3>, batch: &TokenBatch) -> Tensor<2> {
        let [rows, tokens, hidden] = x.dims();
        match self.pooling {
            Pooling::Cls | Pooling::MeanLayer => {
                let first = x.narrow(1, 0, 1);
                ops::linear(first, &self.pooler).reshape([rows, hidden]).tanh()
            }
            Pooling::Mean => {
                let weights: Vec<f32> = batch
                    .mask
                    .chunks(tokens)
                    .flat_map(|row| {
                        let count = row.iter().filter(|token| **token).count().max(1);
                        row.iter().map(move |token| if *token { 1.0 / count as f32 } else { 0.0 })
                    })
                    .collect();
                let weights =
                    Tensor::<3>::from_data(TensorData::new(weights, [rows, tokens, 1]), &x.device());
                (x * weights).sum_dim(1).reshape([rows, hidden])
            }
        }
    }

    /// Number of classes.
    pub fn classes(&self) -> usize {
        self.classifier.bias.dims()[0]
    }

    /// Fits `weights` to a model of `config` with `classes` classes on `device` (without autodiff).
    ///
    /// Names may have the prefix `bert.` or not, and the old `LayerNorm.gamma`/`beta`. A file without a
    /// head, or without a pooler, gets a new one from `seed`; so does the last layer with
    /// [`Pooling::MeanLayer`], whose place `config` must have. Anything else that is missing or of another
    /// shape is an error that lists it.
    pub fn load(
        config: BertConfig,
        pooling: Pooling,
        classes: usize,
        weights: Weights,
        seed: u64,
        device: &Device,
    ) -> Result<(Self, LoadReport), ModelError> {
        let mut model = Self::zeros(config, pooling, classes, device);
        let range = model.config.initializer_range;
        let mean_layer = MeanLayer::of(&model.config).filter(|_| model.pooling == Pooling::MeanLayer);
        let initial = |name: &str, shape: &[usize]| match &mean_layer {
            Some(layer) if layer.holds(name) => Some(
                layer
                    .values(name)
                    .unwrap_or_else(|| initial::normal(name, seed, shape.iter().product(), range)),
            ),
            _ => is_head(name).then(|| initial::layer(name, shape, seed, range)),
        };
        let rules = Fit { aliases: &aliases, initial: &initial, ..Fit::default() };
        let report = fit(&mut model, weights, &rules, device)?;
        if let Some(layer) =
            mean_layer.filter(|layer| report.initialised.iter().any(|name| layer.holds(name)))
        {
            // The file's pooler was made for the layer before.
            for (name, mut parameter) in model.parameters() {
                if let Some(values) = layer.pooler_values(&name) {
                    parameter.set(values, device);
                }
            }
        }
        Ok((model, report))
    }

    /// A model of `config` with normally distributed weights from `seed`, as BERT is initialised.
    pub fn random(config: BertConfig, pooling: Pooling, classes: usize, seed: u64, device: &Device) -> Self {
        let mut model = Self::zeros(config, pooling, classes, device);
        let range = model.config.initializer_range;
        initial::randomise(&mut model, seed, range, device);
        model
    }

    fn zeros(config: BertConfig, pooling: Pooling, classes: usize, device: &Device) -> Self {
        let (hidden, inner) = (config.hidden_size, config.intermediate_size);
        let matrix = |rows: usize, columns: usize| Tensor::<2>::zeros([rows, columns], device);
        let linear = |inputs: usize, outputs: usize| Linear {
            weight: matrix(outputs, inputs),
            bias: Tensor::zeros([outputs], device),
        };
        let norm = || LayerNorm {
            gamma: Tensor::ones([hidden], device),
            beta: Tensor::zeros([hidden], device),
            epsilon: config.layer_norm_eps,
        };
        Self {
            pooling,
            embeddings: Embeddings {
                word: matrix(config.vocab_size, hidden),
                position: matrix(config.max_position_embeddings, hidden),
                token_type: matrix(config.type_vocab_size, hidden),
                norm: norm(),
            },
            layers: (0..config.num_hidden_layers)
                .map(|_| Layer {
                    query: linear(hidden, hidden),
                    key: linear(hidden, hidden),
                    value: linear(hidden, hidden),
                    attention_output: linear(hidden, hidden),
                    attention_norm: norm(),
                    intermediate: linear(hidden, inner),
                    output: linear(inner, hidden),
                    output_norm: norm(),
                })
                .collect(),
            pooler: linear(hidden, hidden),
            classifier: linear(hidden, classes),
            config,
        }
    }
}

impl Parameters for Bert {
    fn parameters(&mut self) -> Vec<(String, Parameter<'_>)> {
        let mut list = Vec::new();
        let table = &mut self.embeddings;
        list.push((vocabulary::WORD_EMBEDDINGS.into(), Parameter::Matrix(&mut table.word)));
        list.push((
            "bert.embeddings.position_embeddings.weight".into(),
            Parameter::Matrix(&mut table.position),
        ));
        list.push((
            "bert.embeddings.token_type_embeddings.weight".into(),
            Parameter::Matrix(&mut table.token_type),
        ));
        push_norm(&mut list, "bert.embeddings.LayerNorm", &mut table.norm);
        for (i, layer) in self.layers.iter_mut().enumerate() {
            let at = |name: &str| format!("bert.encoder.layer.{i}.{name}");
            push_linear(&mut list, &at("attention.self.query"), &mut layer.query);
            push_linear(&mut list, &at("attention.self.key"), &mut layer.key);
            push_linear(&mut list, &at("attention.self.value"), &mut layer.value);
            push_linear(&mut list, &at("attention.output.dense"), &mut layer.attention_output);
            push_norm(&mut list, &at("attention.output.LayerNorm"), &mut layer.attention_norm);
            push_linear(&mut list, &at("intermediate.dense"), &mut layer.intermediate);
            push_linear(&mut list, &at("output.dense"), &mut layer.output);
            push_norm(&mut list, &at("output.LayerNorm"), &mut layer.output_norm);
        }
        push_linear(&mut list, "bert.pooler.dense", &mut self.pooler);
        push_linear(&mut list, "classifier", &mut self.classifier);
        list
    }
}

fn push_linear<'a>(list: &mut Vec<(String, Parameter<'a>)>, name: &str, layer: &'a mut Linear) {
    list.push((format!("{name}.weight"), Parameter::Matrix(&mut layer.weight)));
    list.push((format!("{name}.bias"), Parameter::Vector(&mut layer.bias)));
}

fn push_norm<'a>(list: &mut Vec<(String, Parameter<'a>)>, name: &str, layer: &'a mut LayerNorm) {
    list.push((format!("{name}.weight"), Parameter::Vector(&mut layer.gamma)));
    list.push((format!("{name}.bias"), Parameter::Vector(&mut layer.beta)));
}

/// The names under which files carry a parameter.
fn aliases(name: &str) -> Vec<String> {
    let bare = name.strip_prefix("bert.").unwrap_or(name);
    let mut names = vec![name.to_string(), bare.to_string()];
    for name in [name, bare] {
        if let Some(norm) = name.strip_suffix("LayerNorm.weight") {
            names.push(format!("{norm}LayerNorm.gamma"));
        }
        if let Some(norm) = name.strip_suffix("LayerNorm.bias") {
            names.push(format!("{norm}LayerNorm.beta"));
        }
    }
    names
}

/// What a base model may lack.
fn is_head(name: &str) -> bool {
    name.starts_with("classifier.") || name.starts_with("bert.pooler.")
}

/// Hands every dropout site of a forward pass its own masks.
struct Sites {
    key: Option<DropoutKey>,
    next: u32,
}

impl Sites {
    fn next(&mut self, probability: f64) -> Option<Dropout> {
        let site = self.next;
        self.next += 1;
        Dropout::new(self.key?, site, probability)
    }
}

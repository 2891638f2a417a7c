//! One layer: self-attention and a feed-forward part, each with a residual and a norm behind it.

use std::sync::Arc;

use burn::tensor::{Device, Tensor};

use super::{EncoderConfig, LayerNames};
use crate::kernels::ops::{self, LayerNorm, Linear};
use crate::kernels::{DropoutSites, Weight};
use crate::parameters::{Parameter, linear, norm};

#[derive(Clone, Debug)]
pub(super) struct Layer {
    query: Linear,
    key: Linear,
    value: Linear,
    attention_output: Linear,
    attention_norm: LayerNorm,
    intermediate: Linear,
    output: Linear,
    output_norm: LayerNorm,
}

impl Layer {
    /// `x` `[B, T, H]` to the same; `key_bias` is added to the scores of each of the `B * T` keys.
    pub fn forward(
        &self,
        x: Tensor<3>,
        key_bias: &Arc<Vec<f32>>,
        config: &EncoderConfig,
        sites: &mut DropoutSites,
    ) -> Tensor<3> {
        let qkv = ops::linear3(x.clone(), [&self.query, &self.key, &self.value], sites);
        let attended =
            ops::attention(qkv, config.attention_heads, key_bias, sites.next(config.attention_dropout));
        let attended = ops::linear(attended, &self.attention_output, sites);
        let x = ops::residual_norm(attended, x, &self.attention_norm, sites.next(config.hidden_dropout));

        let inner = ops::gelu(ops::linear(x.clone(), &self.intermediate, sites));
        let inner = ops::linear(inner, &self.output, sites);
        ops::residual_norm(inner, x, &self.output_norm, sites.next(config.hidden_dropout))
    }

    pub fn zeros(config: &EncoderConfig, device: &Device) -> Self {
        let (hidden, inner) = (config.hidden_size, config.intermediate_size);
        let square = || Linear::zeros(hidden, hidden, device);
        let norm = || LayerNorm::identity(hidden, config.layer_norm_eps, device);
        Self {
            query: square(),
            key: square(),
            value: square(),
            attention_output: square(),
            attention_norm: norm(),
            intermediate: Linear::zeros(hidden, inner, device),
            output: Linear::zeros(inner, hidden, device),
            output_norm: norm(),
        }
    }

    /// `prefix` is the layer's own, with its number.
    pub fn push<'a>(&'a mut self, list: &mut Vec<(String, Parameter<'a>)>, prefix: &str, names: &LayerNames) {
        let at = |name: &str| format!("{prefix}.{name}");
        linear(list, &at(names.query), &mut self.query);
        linear(list, &at(names.key), &mut self.key);
        linear(list, &at(names.value), &mut self.value);
        linear(list, &at(names.attention_output), &mut self.attention_output);
        norm(list, &at(names.attention_norm), &mut self.attention_norm);
        linear(list, &at(names.intermediate), &mut self.intermediate);
        linear(list, &at(names.output), &mut self.output);
        norm(list, &at(names.output_norm), &mut self.output_norm);
    }

    /// The matrices that may be adapted, each with its module's name.
    pub fn weights<'a>(
        &'a mut self,
        list: &mut Vec<(String, &'a mut Weight)>,
        prefix: &str,
        names: &LayerNames,
    ) {
        let at = |name: &str| format!("{prefix}.{name}");
        list.push((at(names.query), &mut self.query.weight));
        list.push((at(names.key), &mut self.key.weight));
        list.push((at(names.value), &mut self.value.weight));
        list.push((at(names.attention_output), &mut self.attention_output.weight));
        list.push((at(names.intermediate), &mut self.intermediate.weight));
        list.push((at(names.output), &mut self.output.weight));
    }
}

//! The fused operations as a Burn backend extension: plain on the CPU backend, and differentiable on top.

use super::activation::{self, Activation};
use super::attention::{self, Attention};
use super::biased_attention::{self, BiasedAttention};
use super::grouped_attention::{self, GroupedAttention};
use super::linear::Layout;
use super::low_rank::{self, Addition};
use super::nf4::{self, Nf4};
use super::random::Dropout;
use super::rope::{self, Rotation};
use super::storage::contiguous;
use super::{dropout, embedding, gelu, linear, norm, rms_norm};
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Flex, backend_extension};
use std::sync::Arc;

/// Operations that [`super::ops`] documents and chooses.
#[backend_extension(Flex, Autodiff)]
pub trait Kernels: Backend {
    fn fused_linear(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
    ) -> FloatTensor<Self>;

    fn fused_linear3(
        x: FloatTensor<Self>,
        weight_a: FloatTensor<Self>,
        bias_a: FloatTensor<Self>,
        weight_b: FloatTensor<Self>,
        bias_b: FloatTensor<Self>,
        weight_c: FloatTensor<Self>,
        bias_c: FloatTensor<Self>,
    ) -> FloatTensor<Self>;

    fn fused_gelu(x: FloatTensor<Self>) -> FloatTensor<Self>;

    fn fused_dropout(x: FloatTensor<Self>, dropout: Dropout) -> FloatTensor<Self>;

    fn fused_norm(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        epsilon: f32,
    ) -> FloatTensor<Self>;

    fn fused_residual_norm(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        residual: FloatTensor<Self>,
        epsilon: f32,
        dropout: Option<Dropout>,
    ) -> FloatTensor<Self>;

    fn fused_attention(qkv: FloatTensor<Self>, attention: Attention) -> FloatTensor<Self>;

    fn fused_biased_attention(
        queries: FloatTensor<Self>,
        keys: FloatTensor<Self>,
        values: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        attention: BiasedAttention,
    ) -> FloatTensor<Self>;

    fn fused_cross_attention(
        queries: FloatTensor<Self>,
        keys: FloatTensor<Self>,
        values: FloatTensor<Self>,
        attention: BiasedAttention,
    ) -> FloatTensor<Self>;

    fn fused_embedding3(
        table_a: FloatTensor<Self>,
        table_b: FloatTensor<Self>,
        table_c: FloatTensor<Self>,
        ids: [Arc<Vec<u32>>; 3],
        batch: usize,
    ) -> FloatTensor<Self>;

    fn fused_embedding2(
        table_a: FloatTensor<Self>,
        table_b: FloatTensor<Self>,
        ids: [Arc<Vec<u32>>; 2],
        batch: usize,
    ) -> FloatTensor<Self>;

    fn fused_embedding(table: FloatTensor<Self>, ids: Arc<Vec<u32>>, batch: usize) -> FloatTensor<Self>;

    fn fused_project(x: FloatTensor<Self>, weight: FloatTensor<Self>) -> FloatTensor<Self>;

    fn fused_project2(
        x: FloatTensor<Self>,
        weight_a: FloatTensor<Self>,
        weight_b: FloatTensor<Self>,
    ) -> FloatTensor<Self>;

    fn fused_project3(
        x: FloatTensor<Self>,
        weight_a: FloatTensor<Self>,
        weight_b: FloatTensor<Self>,
        weight_c: FloatTensor<Self>,
    ) -> FloatTensor<Self>;

    fn fused_conv1d(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
    ) -> FloatTensor<Self>;

    fn fused_activation(x: FloatTensor<Self>, activation: Activation, gated: bool) -> FloatTensor<Self>;

    fn fused_rms_norm(x: FloatTensor<Self>, gamma: FloatTensor<Self>, epsilon: f32) -> FloatTensor<Self>;

    fn fused_rotate(x: FloatTensor<Self>, heads: usize, rotation: Rotation) -> FloatTensor<Self>;

    fn fused_grouped_attention(qkv: FloatTensor<Self>, attention: GroupedAttention) -> FloatTensor<Self>;

    fn fused_low_rank(
        y: FloatTensor<Self>,
        x: FloatTensor<Self>,
        a: FloatTensor<Self>,
        b: FloatTensor<Self>,
        addition: Addition,
    ) -> FloatTensor<Self>;

    fn fused_four_bits(x: FloatTensor<Self>, weight: Nf4, transposed: bool) -> FloatTensor<Self>;
}

impl Kernels for Flex {
    fn fused_linear(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        linear::forward(&contiguous(x), &[&contiguous(weight)], &[&contiguous(bias)], Layout::OutIn)
    }

    fn fused_linear3(
        x: FloatTensor<Self>,
        weight_a: FloatTensor<Self>,
        bias_a: FloatTensor<Self>,
        weight_b: FloatTensor<Self>,
        bias_b: FloatTensor<Self>,
        weight_c: FloatTensor<Self>,
        bias_c: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        let [weight_a, bias_a, weight_b, bias_b, weight_c, bias_c] =
            [weight_a, bias_a, weight_b, bias_b, weight_c, bias_c].map(contiguous);
        let (weights, biases) = ([&weight_a, &weight_b, &weight_c], [&bias_a, &bias_b, &bias_c]);
        linear::forward(&contiguous(x), &weights, &biases, Layout::OutIn)
    }

    fn fused_gelu(x: FloatTensor<Self>) -> FloatTensor<Self> {
        gelu::forward(&contiguous(x))
    }

    fn fused_dropout(x: FloatTensor<Self>, dropout: Dropout) -> FloatTensor<Self> {
        dropout::forward(&contiguous(x), dropout)
    }

    fn fused_norm(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        epsilon: f32,
    ) -> FloatTensor<Self> {
        norm::forward(&contiguous(x), None, &contiguous(gamma), &contiguous(beta), epsilon, None).0
    }

    fn fused_residual_norm(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        residual: FloatTensor<Self>,
        epsilon: f32,
        dropout: Option<Dropout>,
    ) -> FloatTensor<Self> {
        let residual = contiguous(residual);
        let (gamma, beta) = (contiguous(gamma), contiguous(beta));
        norm::forward(&contiguous(x), Some(&residual), &gamma, &beta, epsilon, dropout).0
    }

    fn fused_attention(qkv: FloatTensor<Self>, attention: Attention) -> FloatTensor<Self> {
        attention::forward(&contiguous(qkv), &attention).0
    }

    fn fused_biased_attention(
        queries: FloatTensor<Self>,
        keys: FloatTensor<Self>,
        values: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        attention: BiasedAttention,
    ) -> FloatTensor<Self> {
        let inputs = [queries, keys, values].map(contiguous);
        biased_attention::forward(inputs.each_ref(), Some(&contiguous(bias)), &attention).0
    }

    fn fused_cross_attention(
        queries: FloatTensor<Self>,
        keys: FloatTensor<Self>,
        values: FloatTensor<Self>,
        attention: BiasedAttention,
    ) -> FloatTensor<Self> {
        let inputs = [queries, keys, values].map(contiguous);
        biased_attention::forward(inputs.each_ref(), None, &attention).0
    }

    fn fused_embedding3(
        table_a: FloatTensor<Self>,
        table_b: FloatTensor<Self>,
        table_c: FloatTensor<Self>,
        ids: [Arc<Vec<u32>>; 3],
        batch: usize,
    ) -> FloatTensor<Self> {
        embedding::forward(&[table_a, table_b, table_c].map(contiguous), &ids, batch)
    }

    fn fused_embedding2(
        table_a: FloatTensor<Self>,
        table_b: FloatTensor<Self>,
        ids: [Arc<Vec<u32>>; 2],
        batch: usize,
    ) -> FloatTensor<Self> {
        embedding::forward(&[table_a, table_b].map(contiguous), &ids, batch)
    }

    fn fused_embedding(table: FloatTensor<Self>, ids: Arc<Vec<u32>>, batch: usize) -> FloatTensor<Self> {
        embedding::forward(&[contiguous(table)], &[ids], batch)
    }

    fn fused_project(x: FloatTensor<Self>, weight: FloatTensor<Self>) -> FloatTensor<Self> {
        linear::forward(&contiguous(x), &[&contiguous(weight)], &[], Layout::OutIn)
    }

    fn fused_project2(
        x: FloatTensor<Self>,
        weight_a: FloatTensor<Self>,
        weight_b: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        let [weight_a, weight_b] = [weight_a, weight_b].map(contiguous);
        linear::forward(&contiguous(x), &[&weight_a, &weight_b], &[], Layout::OutIn)
    }

    fn fused_project3(
        x: FloatTensor<Self>,
        weight_a: FloatTensor<Self>,
        weight_b: FloatTensor<Self>,
        weight_c: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        let [weight_a, weight_b, weight_c] = [weight_a, weight_b, weight_c].map(contiguous);
        linear::forward(&contiguous(x), &[&weight_a, &weight_b, &weight_c], &[], Layout::OutIn)
    }

    fn fused_conv1d(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        linear::forward(&contiguous(x), &[&contiguous(weight)], &[&contiguous(bias)], Layout::InOut)
    }

    fn fused_activation(x: FloatTensor<Self>, activation: Activation, gated: bool) -> FloatTensor<Self> {
        let x = contiguous(x);
        if gated { activation::forward_gated(&x, activation) } else { activation::forward(&x, activation) }
    }

    fn fused_rms_norm(x: FloatTensor<Self>, gamma: FloatTensor<Self>, epsilon: f32) -> FloatTensor<Self> {
        rms_norm::forward(&contiguous(x), &contiguous(gamma), epsilon).0
    }

    fn fused_rotate(x: FloatTensor<Self>, heads: usize, rotation: Rotation) -> FloatTensor<Self> {
        rope::forward(&contiguous(x), heads, &rotation)
    }

    fn fused_grouped_attention(qkv: FloatTensor<Self>, attention: GroupedAttention) -> FloatTensor<Self> {
        grouped_attention::forward(&contiguous(qkv), &attention).0
    }

    fn fused_low_rank(
        y: FloatTensor<Self>,
        x: FloatTensor<Self>,
        a: FloatTensor<Self>,
        b: FloatTensor<Self>,
        addition: Addition,
    ) -> FloatTensor<Self> {
        let [y, x, a, b] = [y, x, a, b].map(contiguous);
        low_rank::forward(y, &x, [&a, &b], addition)
    }

    fn fused_four_bits(x: FloatTensor<Self>, weight: Nf4, transposed: bool) -> FloatTensor<Self> {
        nf4::forward(&contiguous(x), &weight, transposed)
    }
}

impl<C: CheckpointStrategy> Kernels for Autodiff<Flex, C> {
    fn fused_linear(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        linear::tracked::<C, 3>([x, weight, bias], true, Layout::OutIn)
    }

    fn fused_linear3(
        x: FloatTensor<Self>,
        weight_a: FloatTensor<Self>,
        bias_a: FloatTensor<Self>,
        weight_b: FloatTensor<Self>,
        bias_b: FloatTensor<Self>,
        weight_c: FloatTensor<Self>,
        bias_c: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        let inputs = [x, weight_a, bias_a, weight_b, bias_b, weight_c, bias_c];
        linear::tracked::<C, 7>(inputs, true, Layout::OutIn)
    }

    fn fused_gelu(x: FloatTensor<Self>) -> FloatTensor<Self> {
        gelu::tracked::<C>(x)
    }

    fn fused_dropout(x: FloatTensor<Self>, dropout: Dropout) -> FloatTensor<Self> {
        dropout::tracked::<C>(x, dropout)
    }

    fn fused_norm(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        epsilon: f32,
    ) -> FloatTensor<Self> {
        norm::tracked::<C, 3>([x, gamma, beta], epsilon, None)
    }

    fn fused_residual_norm(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        residual: FloatTensor<Self>,
        epsilon: f32,
        dropout: Option<Dropout>,
    ) -> FloatTensor<Self> {
        norm::tracked::<C, 4>([x, gamma, beta, residual], epsilon, dropout)
    }

    fn fused_attention(qkv: FloatTensor<Self>, attention: Attention) -> FloatTensor<Self> {
        attention::tracked::<C>(qkv, attention)
    }

    fn fused_biased_attention(
        queries: FloatTensor<Self>,
        keys: FloatTensor<Self>,
        values: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        attention: BiasedAttention,
    ) -> FloatTensor<Self> {
        biased_attention::tracked::<C, 4>([queries, keys, values, bias], attention)
    }

    fn fused_cross_attention(
        queries: FloatTensor<Self>,
        keys: FloatTensor<Self>,
        values: FloatTensor<Self>,
        attention: BiasedAttention,
    ) -> FloatTensor<Self> {
        biased_attention::tracked::<C, 3>([queries, keys, values], attention)
    }

    fn fused_embedding3(
        table_a: FloatTensor<Self>,
        table_b: FloatTensor<Self>,
        table_c: FloatTensor<Self>,
        ids: [Arc<Vec<u32>>; 3],
        batch: usize,
    ) -> FloatTensor<Self> {
        embedding::tracked::<C, 3>([table_a, table_b, table_c], ids, batch)
    }

    fn fused_embedding2(
        table_a: FloatTensor<Self>,
        table_b: FloatTensor<Self>,
        ids: [Arc<Vec<u32>>; 2],
        batch: usize,
    ) -> FloatTensor<Self> {
        embedding::tracked::<C, 2>([table_a, table_b], ids, batch)
    }

    fn fused_embedding(table: FloatTensor<Self>, ids: Arc<Vec<u32>>, batch: usize) -> FloatTensor<Self> {
        embedding::tracked::<C, 1>([table], [ids], batch)
    }

    fn fused_project(x: FloatTensor<Self>, weight: FloatTensor<Self>) -> FloatTensor<Self> {
        linear::tracked::<C, 2>([x, weight], false, Layout::OutIn)
    }

    fn fused_project2(
        x: FloatTensor<Self>,
        weight_a: FloatTensor<Self>,
        weight_b: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        linear::tracked::<C, 3>([x, weight_a, weight_b], false, Layout::OutIn)
    }

    fn fused_project3(
        x: FloatTensor<Self>,
        weight_a: FloatTensor<Self>,
        weight_b: FloatTensor<Self>,
        weight_c: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        linear::tracked::<C, 4>([x, weight_a, weight_b, weight_c], false, Layout::OutIn)
    }

    fn fused_conv1d(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        linear::tracked::<C, 3>([x, weight, bias], true, Layout::InOut)
    }

    fn fused_activation(x: FloatTensor<Self>, activation: Activation, gated: bool) -> FloatTensor<Self> {
        activation::tracked::<C>(x, activation, gated)
    }

    fn fused_rms_norm(x: FloatTensor<Self>, gamma: FloatTensor<Self>, epsilon: f32) -> FloatTensor<Self> {
        rms_norm::tracked::<C>(x, gamma, epsilon)
    }

    fn fused_rotate(x: FloatTensor<Self>, heads: usize, rotation: Rotation) -> FloatTensor<Self> {
        rope::tracked::<C>(x, heads, rotation)
    }

    fn fused_grouped_attention(qkv: FloatTensor<Self>, attention: GroupedAttention) -> FloatTensor<Self> {
        grouped_attention::tracked::<C>(qkv, attention)
    }

    fn fused_low_rank(
        y: FloatTensor<Self>,
        x: FloatTensor<Self>,
        a: FloatTensor<Self>,
        b: FloatTensor<Self>,
        addition: Addition,
    ) -> FloatTensor<Self> {
        low_rank::tracked::<C>([y, x, a, b], addition)
    }

    fn fused_four_bits(x: FloatTensor<Self>, weight: Nf4, transposed: bool) -> FloatTensor<Self> {
        nf4::tracked::<C>(x, weight, transposed)
    }
}

//! The fused operations as a Burn backend extension: plain on the CPU backend, and differentiable on top.

use super::attention::{self, Attention};
use super::random::Dropout;
use super::storage::contiguous;
use super::{dropout, embedding, gelu, linear, norm};
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

    fn fused_embedding3(
        table_a: FloatTensor<Self>,
        table_b: FloatTensor<Self>,
        table_c: FloatTensor<Self>,
        ids: [Arc<Vec<u32>>; 3],
        batch: usize,
    ) -> FloatTensor<Self>;
}

impl Kernels for Flex {
    fn fused_linear(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        linear::forward(&contiguous(x), &[(&contiguous(weight), &contiguous(bias))])
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
        linear::forward(&contiguous(x), &[(&weight_a, &bias_a), (&weight_b, &bias_b), (&weight_c, &bias_c)])
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

    fn fused_embedding3(
        table_a: FloatTensor<Self>,
        table_b: FloatTensor<Self>,
        table_c: FloatTensor<Self>,
        ids: [Arc<Vec<u32>>; 3],
        batch: usize,
    ) -> FloatTensor<Self> {
        embedding::forward(&[table_a, table_b, table_c].map(contiguous), &ids, batch)
    }
}

impl<C: CheckpointStrategy> Kernels for Autodiff<Flex, C> {
    fn fused_linear(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        linear::tracked::<C, 3>([x, weight, bias])
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
        linear::tracked::<C, 7>([x, weight_a, bias_a, weight_b, bias_b, weight_c, bias_c])
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

    fn fused_embedding3(
        table_a: FloatTensor<Self>,
        table_b: FloatTensor<Self>,
        table_c: FloatTensor<Self>,
        ids: [Arc<Vec<u32>>; 3],
        batch: usize,
    ) -> FloatTensor<Self> {
        embedding::tracked::<C>([table_a, table_b, table_c], ids, batch)
    }
}

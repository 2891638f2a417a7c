//! Activations of a feed-forward layer, plain and gated (Shazeer 2020, "GLU Variants Improve Transformer").

use super::math::{exp, normal};
use super::simd::simd;
use super::storage::{buffer, contiguous, dims, slice, tensor};
use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Flex};
use burn_flex::FlexTensor;
use rayon::prelude::*;

const BLOCK: usize = 1 << 14;
/// Rows a piece of work, in the gated kernels.
const ROWS: usize = 16;

/// A function of one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// x * sigmoid(x).
    Silu,
    /// x * Phi(x), Phi the normal distribution function.
    Gelu,
    /// The same with Phi approximated by tanh: `gelu_new`, `gelu_pytorch_tanh`.
    GeluTanh,
    /// max(x, 0).
    Relu,
}

#[inline(always)]
fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// The value and the slope at `x`.
#[inline(always)]
fn silu(x: f32) -> (f32, f32) {
    let s = sigmoid(x);
    (x * s, s * (1.0 + x * (1.0 - s)))
}

#[inline(always)]
fn gelu(x: f32) -> (f32, f32) {
    let (cdf, pdf) = normal(x);
    (x * cdf, cdf + x * pdf)
}

/// (1 + tanh(u)) / 2 = sigmoid(2 u), with u = sqrt(2 / pi) (x + 0.044715 x^3).
#[inline(always)]
fn gelu_tanh(x: f32) -> (f32, f32) {
    const SCALE: f32 = 2.0 * 0.797_884_6;
    let s = sigmoid(SCALE * (x + 0.044_715 * x * x * x));
    (x * s, s + x * s * (1.0 - s) * SCALE * (1.0 + 3.0 * 0.044_715 * x * x))
}

#[inline(always)]
fn relu(x: f32) -> (f32, f32) {
    if x > 0.0 { (x, 1.0) } else { (0.0, 0.0) }
}

#[inline(always)]
fn each(y: &mut [f32], x: &[f32], of: impl Fn(f32) -> (f32, f32)) {
    for (y, x) in y.iter_mut().zip(x) {
        *y = of(*x).0;
    }
}

#[inline(always)]
fn each_backward(dx: &mut [f32], x: &[f32], dy: &[f32], of: impl Fn(f32) -> (f32, f32)) {
    for ((dx, x), dy) in dx.iter_mut().zip(x).zip(dy) {
        *dx = dy * of(*x).1;
    }
}

/// `x` holds rows of `width` gates and as many values; y = of(gate) * value.
#[inline(always)]
fn each_gated(y: &mut [f32], x: &[f32], width: usize, of: impl Fn(f32) -> (f32, f32)) {
    for (y, x) in y.chunks_exact_mut(width).zip(x.chunks_exact(2 * width)) {
        let (gates, values) = x.split_at(width);
        for ((y, gate), value) in y.iter_mut().zip(gates).zip(values) {
            *y = of(*gate).0 * value;
        }
    }
}

#[inline(always)]
fn each_gated_backward(dx: &mut [f32], x: &[f32], dy: &[f32], width: usize, of: impl Fn(f32) -> (f32, f32)) {
    let rows = dx.chunks_exact_mut(2 * width).zip(x.chunks_exact(2 * width)).zip(dy.chunks_exact(width));
    for ((dx, x), dy) in rows {
        let ((dgates, dvalues), (gates, values)) = (dx.split_at_mut(width), x.split_at(width));
        let outputs = dgates.iter_mut().zip(dvalues);
        for (((dgate, dvalue), (gate, value)), dy) in outputs.zip(gates.iter().zip(values)).zip(dy) {
            let (activated, slope) = of(*gate);
            *dgate = dy * value * slope;
            *dvalue = dy * activated;
        }
    }
}

simd! {
    /// y = of(x), elementwise.
    pub fn apply(y: &mut [f32], x: &[f32], activation: Activation) {
        match activation {
            Activation::Silu => each(y, x, silu),
            Activation::Gelu => each(y, x, gelu),
            Activation::GeluTanh => each(y, x, gelu_tanh),
            Activation::Relu => each(y, x, relu),
        }
    }
}

simd! {
    fn backward_block(dx: &mut [f32], x: &[f32], dy: &[f32], activation: Activation) {
        match activation {
            Activation::Silu => each_backward(dx, x, dy, silu),
            Activation::Gelu => each_backward(dx, x, dy, gelu),
            Activation::GeluTanh => each_backward(dx, x, dy, gelu_tanh),
            Activation::Relu => each_backward(dx, x, dy, relu),
        }
    }
}

simd! {
    /// Rows of `width` gates and as many values: y = of(gate) * value.
    pub fn apply_gated(y: &mut [f32], x: &[f32], width: usize, activation: Activation) {
        match activation {
            Activation::Silu => each_gated(y, x, width, silu),
            Activation::Gelu => each_gated(y, x, width, gelu),
            Activation::GeluTanh => each_gated(y, x, width, gelu_tanh),
            Activation::Relu => each_gated(y, x, width, relu),
        }
    }
}

simd! {
    fn gated_backward_rows(dx: &mut [f32], x: &[f32], dy: &[f32], width: usize, activation: Activation) {
        match activation {
            Activation::Silu => each_gated_backward(dx, x, dy, width, silu),
            Activation::Gelu => each_gated_backward(dx, x, dy, width, gelu),
            Activation::GeluTanh => each_gated_backward(dx, x, dy, width, gelu_tanh),
            Activation::Relu => each_gated_backward(dx, x, dy, width, relu),
        }
    }
}

/// Elementwise, any shape.
pub fn forward(x: &FlexTensor, activation: Activation) -> FlexTensor {
    let mut y = buffer(slice(x).len());
    y.par_chunks_mut(BLOCK).zip(slice(x).par_chunks(BLOCK)).for_each(|(y, x)| apply(y, x, activation));
    tensor(y, dims(x))
}

fn backward(dy: &FlexTensor, x: &FlexTensor, activation: Activation) -> FlexTensor {
    let mut dx = buffer(slice(x).len());
    dx.par_chunks_mut(BLOCK)
        .zip(slice(x).par_chunks(BLOCK))
        .zip(slice(dy).par_chunks(BLOCK))
        .for_each(|((dx, x), dy)| backward_block(dx, x, dy, activation));
    tensor(dx, dims(x))
}

/// x `[.., 2 I]`, gates then values, to `[.., I]`.
pub fn forward_gated(x: &FlexTensor, activation: Activation) -> FlexTensor {
    let mut shape = dims(x).to_vec();
    let width = shape.last().map_or(0, |last| last / 2);
    if let Some(last) = shape.last_mut() {
        *last = width;
    }
    let mut y = buffer(slice(x).len() / 2);
    if width > 0 {
        y.par_chunks_mut(ROWS * width)
            .zip(slice(x).par_chunks(ROWS * 2 * width))
            .for_each(|(y, x)| apply_gated(y, x, width, activation));
    }
    tensor(y, &shape)
}

fn backward_gated(dy: &FlexTensor, x: &FlexTensor, activation: Activation) -> FlexTensor {
    let width = dims(dy).last().copied().unwrap_or(0);
    let mut dx = buffer(slice(x).len());
    if width > 0 {
        dx.par_chunks_mut(ROWS * 2 * width)
            .zip(slice(x).par_chunks(ROWS * 2 * width))
            .zip(slice(dy).par_chunks(ROWS * width))
            .for_each(|((dx, x), dy)| gated_backward_rows(dx, x, dy, width, activation));
    }
    tensor(dx, dims(x))
}

#[derive(Debug)]
struct ActivationNode {
    activation: Activation,
    gated: bool,
}

impl Backward<Flex, 1> for ActivationNode {
    type State = FlexTensor;

    fn backward(self, ops: Ops<FlexTensor, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let dy = contiguous(grads.consume::<Flex>(&ops.node));
        let [Some(parent)] = &ops.parents else { return };
        let dx = match self.gated {
            true => backward_gated(&dy, &ops.state, self.activation),
            false => backward(&dy, &ops.state, self.activation),
        };
        grads.register::<Flex>(parent.id, dx);
    }
}

/// [`forward`] or [`forward_gated`] under autodiff.
pub fn tracked<C: CheckpointStrategy>(
    x: FloatTensor<Autodiff<Flex, C>>,
    activation: Activation,
    gated: bool,
) -> FloatTensor<Autodiff<Flex, C>> {
    let node = x.node();
    let x = contiguous(x.into_primitive());
    let y = if gated { forward_gated(&x, activation) } else { forward(&x, activation) };
    match (ActivationNode { activation, gated }).prepare::<C>([node]).compute_bound().stateful() {
        OpsKind::Tracked(prep) => prep.finish(x, y),
        OpsKind::UnTracked(prep) => prep.finish(y),
    }
}

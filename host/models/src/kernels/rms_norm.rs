//! RMSNorm (Zhang and Sennrich 2019): y = x / sqrt(mean(x^2) + epsilon) * gamma.

use super::math::dot;
use super::matmul::add_rows;
use super::simd::simd;
use super::storage::{buffer, contiguous, dims, slice, tensor};
use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Flex};
use burn_flex::FlexTensor;
use rayon::prelude::*;

/// Rows a piece of work.
const ROWS: usize = 32;

/// What the backward pass needs besides gamma: the input, and 1 / sqrt(mean(x^2) + epsilon) of each row.
#[derive(Clone, Debug)]
pub struct Saved {
    x: FlexTensor,
    gamma: FlexTensor,
    inverse: Vec<f32>,
}

/// x `[.., H]`, gamma `[H]`.
pub fn forward(x: &FlexTensor, gamma: &FlexTensor, epsilon: f32) -> (FlexTensor, Vec<f32>) {
    let width = slice(gamma).len().max(1);
    let mut y = buffer(slice(x).len());
    let mut inverse = buffer(slice(x).len() / width);
    y.par_chunks_mut(ROWS * width)
        .zip(slice(x).par_chunks(ROWS * width))
        .zip(inverse.par_chunks_mut(ROWS))
        .for_each(|((y, x), inverse)| forward_rows(y, x, inverse, slice(gamma), epsilon));
    (tensor(y, dims(x)), inverse)
}

simd! {
    /// One row for each number in `inverse`, which become 1 / sqrt(mean(x^2) + epsilon).
    pub fn forward_rows(y: &mut [f32], x: &[f32], inverse: &mut [f32], gamma: &[f32], epsilon: f32) {
        let width = gamma.len();
        for ((y, x), inverse) in y.chunks_exact_mut(width).zip(x.chunks_exact(width)).zip(inverse) {
            *inverse = 1.0 / (dot(x, x) / width as f32 + epsilon).sqrt();
            for ((y, x), gamma) in y.iter_mut().zip(x).zip(gamma) {
                *y = x * *inverse * gamma;
            }
        }
    }
}

simd! {
    /// With g = dy * gamma and n = x * inverse: dx = inverse * (g - n * mean(g * n)); adds dy * n to `dgamma`.
    fn backward_rows(
        dx: &mut [f32],
        dgamma: &mut [f32],
        dy: &[f32],
        x: &[f32],
        inverse: &[f32],
        gamma: &[f32],
    ) {
        let width = gamma.len();
        for (row, inverse) in inverse.iter().enumerate() {
            let range = row * width..(row + 1) * width;
            let (g, dy, x) = (&mut dx[range.clone()], &dy[range.clone()], &x[range]);
            for ((g, dy), gamma) in g.iter_mut().zip(dy).zip(gamma) {
                *g = dy * gamma;
            }
            let projection = dot(g, x) * inverse * inverse / width as f32;
            for (((g, x), dy), dgamma) in g.iter_mut().zip(x).zip(dy).zip(dgamma.iter_mut()) {
                *g = inverse * (*g - x * projection);
                *dgamma += dy * x * inverse;
            }
        }
    }
}

/// (d x, d gamma).
fn backward(dy: &FlexTensor, saved: &Saved) -> (FlexTensor, FlexTensor) {
    let width = slice(&saved.gamma).len();
    let mut dx = buffer(slice(dy).len());
    let partial: Vec<Vec<f32>> = dx
        .par_chunks_mut(ROWS * width)
        .zip(slice(dy).par_chunks(ROWS * width))
        .zip(slice(&saved.x).par_chunks(ROWS * width))
        .zip(saved.inverse.par_chunks(ROWS))
        .map(|(((dx, dy), x), inverse)| {
            let mut dgamma = vec![0.0; width];
            backward_rows(dx, &mut dgamma, dy, x, inverse, slice(&saved.gamma));
            dgamma
        })
        .collect();
    let mut dgamma = vec![0.0; width];
    for piece in &partial {
        add_rows(&mut dgamma, piece);
    }
    (tensor(dx, dims(dy)), tensor(dgamma, &[width]))
}

#[derive(Debug)]
struct RmsNormNode;

impl Backward<Flex, 2> for RmsNormNode {
    type State = Saved;

    fn backward(self, ops: Ops<Saved, 2>, grads: &mut Gradients, _: &mut Checkpointer) {
        let dy = contiguous(grads.consume::<Flex>(&ops.node));
        let (dx, dgamma) = backward(&dy, &ops.state);
        if let Some(parent) = &ops.parents[0] {
            grads.register::<Flex>(parent.id, dx);
        }
        if let Some(parent) = &ops.parents[1] {
            grads.register::<Flex>(parent.id, dgamma);
        }
    }
}

/// [`forward`] under autodiff.
pub fn tracked<C: CheckpointStrategy>(
    x: FloatTensor<Autodiff<Flex, C>>,
    gamma: FloatTensor<Autodiff<Flex, C>>,
    epsilon: f32,
) -> FloatTensor<Autodiff<Flex, C>> {
    let nodes = [x.node(), gamma.node()];
    let (x, gamma) = (contiguous(x.into_primitive()), contiguous(gamma.into_primitive()));
    let (y, inverse) = forward(&x, &gamma, epsilon);
    match RmsNormNode.prepare::<C>(nodes).compute_bound().stateful() {
        OpsKind::Tracked(prep) => prep.finish(Saved { x, gamma, inverse }, y),
        OpsKind::UnTracked(prep) => prep.finish(y),
    }
}

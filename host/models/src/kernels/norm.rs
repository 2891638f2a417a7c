//! LayerNorm (Ba et al. 2016) of a residual sum: y = norm(residual + dropout(x)) * gamma + beta.

use super::math::{dot, sum};
use super::matmul::add_rows;
use super::random::Dropout;
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

/// What the backward pass needs: the normalised rows, and 1 / standard deviation of each.
#[derive(Clone, Debug)]
pub struct Saved {
    normalised: FlexTensor,
    inverse_deviation: Vec<f32>,
    gamma: FlexTensor,
    dropout: Option<Dropout>,
}

/// x and residual `[.., H]`, gamma and beta `[H]`. The variance is the biased one, as PyTorch's.
pub fn forward(
    x: &FlexTensor,
    residual: Option<&FlexTensor>,
    gamma: &FlexTensor,
    beta: &FlexTensor,
    epsilon: f32,
    dropout: Option<Dropout>,
) -> (FlexTensor, Saved) {
    let width = slice(gamma).len();
    let elements = slice(x).len();
    let mut y = buffer(elements);
    let mut normalised = buffer(elements);
    let mut inverse_deviation = buffer(elements / width.max(1));
    y.par_chunks_mut(ROWS * width)
        .zip(normalised.par_chunks_mut(ROWS * width))
        .zip(inverse_deviation.par_chunks_mut(ROWS))
        .enumerate()
        .for_each(|(piece, ((y, normalised), inverse_deviation))| {
            let start = piece * ROWS * width;
            let range = start..start + y.len();
            forward_rows(
                y,
                normalised,
                inverse_deviation,
                &slice(x)[range.clone()],
                residual.map(|residual| &slice(residual)[range]),
                slice(gamma),
                slice(beta),
                epsilon,
                dropout,
                start as u32,
            );
        });
    let saved =
        Saved { normalised: tensor(normalised, dims(x)), inverse_deviation, gamma: gamma.clone(), dropout };
    (tensor(y, dims(x)), saved)
}

simd! {
    fn forward_rows(
        y: &mut [f32],
        normalised: &mut [f32],
        inverse_deviation: &mut [f32],
        x: &[f32],
        residual: Option<&[f32]>,
        gamma: &[f32],
        beta: &[f32],
        epsilon: f32,
        dropout: Option<Dropout>,
        first: u32,
    ) {
        let width = gamma.len();
        for (row, inverse) in inverse_deviation.iter_mut().enumerate() {
            let range = row * width..(row + 1) * width;
            let (y, hat, x) = (&mut y[range.clone()], &mut normalised[range.clone()], &x[range.clone()]);
            match dropout {
                Some(dropout) => {
                    let first = first.wrapping_add((row * width) as u32);
                    for (i, (hat, x)) in hat.iter_mut().zip(x).enumerate() {
                        *hat = x * dropout.factor(first.wrapping_add(i as u32));
                    }
                }
                None => hat.copy_from_slice(x),
            }
            if let Some(residual) = residual {
                for (hat, residual) in hat.iter_mut().zip(&residual[range]) {
                    *hat += residual;
                }
            }
            let mean = sum(hat) / width as f32;
            for hat in hat.iter_mut() {
                *hat -= mean;
            }
            let variance = dot(hat, hat) / width as f32;
            *inverse = 1.0 / (variance + epsilon).sqrt();
            for (((y, hat), gamma), beta) in y.iter_mut().zip(hat).zip(gamma).zip(beta) {
                *hat *= *inverse;
                *y = *hat * gamma + beta;
            }
        }
    }
}

simd! {
    /// d residual = (1 / deviation) * (g - mean(g) - hat * mean(g * hat)), where g = dy * gamma; adds
    /// dy * hat to `dgamma` and dy to `dbeta`.
    fn backward_rows(
        dsum: &mut [f32],
        dgamma: &mut [f32],
        dbeta: &mut [f32],
        dy: &[f32],
        normalised: &[f32],
        inverse_deviation: &[f32],
        gamma: &[f32],
    ) {
        let width = gamma.len();
        for (row, inverse) in inverse_deviation.iter().enumerate() {
            let range = row * width..(row + 1) * width;
            let (g, dy, hat) = (&mut dsum[range.clone()], &dy[range.clone()], &normalised[range]);
            for ((g, dy), gamma) in g.iter_mut().zip(dy).zip(gamma) {
                *g = dy * gamma;
            }
            let mean = sum(g) / width as f32;
            let projection = dot(g, hat) / width as f32;
            for ((((g, hat), dy), dgamma), dbeta) in
                g.iter_mut().zip(hat).zip(dy).zip(dgamma.iter_mut()).zip(dbeta.iter_mut())
            {
                *g = inverse * (*g - mean - hat * projection);
                *dgamma += dy * hat;
                *dbeta += dy;
            }
        }
    }
}

/// (d sum, d gamma, d beta), where the sum is residual + dropout(x).
fn backward(dy: &FlexTensor, saved: &Saved) -> (FlexTensor, FlexTensor, FlexTensor) {
    let width = slice(&saved.gamma).len();
    let mut dsum = buffer(slice(dy).len());
    let partial: Vec<(Vec<f32>, Vec<f32>)> = dsum
        .par_chunks_mut(ROWS * width)
        .zip(slice(dy).par_chunks(ROWS * width))
        .zip(slice(&saved.normalised).par_chunks(ROWS * width))
        .zip(saved.inverse_deviation.par_chunks(ROWS))
        .map(|(((dsum, dy), normalised), inverse)| {
            let (mut dgamma, mut dbeta) = (vec![0.0; width], vec![0.0; width]);
            let gamma = slice(&saved.gamma);
            backward_rows(dsum, &mut dgamma, &mut dbeta, dy, normalised, inverse, gamma);
            (dgamma, dbeta)
        })
        .collect();
    let (mut dgamma, mut dbeta) = (vec![0.0; width], vec![0.0; width]);
    for (gamma, beta) in &partial {
        add_rows(&mut dgamma, gamma);
        add_rows(&mut dbeta, beta);
    }
    (tensor(dsum, dims(dy)), tensor(dgamma, &[width]), tensor(dbeta, &[width]))
}

/// Parents: x, gamma, beta, and the residual if there is one.
#[derive(Debug)]
struct NormNode<const N: usize>;

impl<const N: usize> Backward<Flex, N> for NormNode<N> {
    type State = Saved;

    fn backward(self, ops: Ops<Saved, N>, grads: &mut Gradients, _: &mut Checkpointer) {
        let dy = contiguous(grads.consume::<Flex>(&ops.node));
        let (dsum, dgamma, dbeta) = backward(&dy, &ops.state);
        if let Some(parent) = &ops.parents[1] {
            grads.register::<Flex>(parent.id, dgamma);
        }
        if let Some(parent) = &ops.parents[2] {
            grads.register::<Flex>(parent.id, dbeta);
        }
        if let Some(parent) = &ops.parents[0] {
            let dx = match ops.state.dropout {
                Some(dropout) => super::dropout::forward(&dsum, dropout),
                None => dsum.clone(),
            };
            grads.register::<Flex>(parent.id, dx);
        }
        if let Some(parent) = ops.parents.get(3).and_then(Option::as_ref) {
            grads.register::<Flex>(parent.id, dsum);
        }
    }
}

/// [`forward`] under autodiff; `inputs` are x, gamma, beta, and with N = 4 the residual.
pub fn tracked<C: CheckpointStrategy, const N: usize>(
    inputs: [FloatTensor<Autodiff<Flex, C>>; N],
    epsilon: f32,
    dropout: Option<Dropout>,
) -> FloatTensor<Autodiff<Flex, C>> {
    let nodes = inputs.each_ref().map(|input| input.node());
    let values = inputs.map(|input| contiguous(input.into_primitive()));
    let (y, saved) = forward(&values[0], values.get(3), &values[1], &values[2], epsilon, dropout);
    match NormNode::<N>.prepare::<C>(nodes).compute_bound().stateful() {
        OpsKind::Tracked(prep) => prep.finish(saved, y),
        OpsKind::UnTracked(prep) => prep.finish(y),
    }
}

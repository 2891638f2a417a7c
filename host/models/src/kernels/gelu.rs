//! GELU with the exact normal distribution function: x * Phi(x) (Hendrycks and Gimpel 2016).

use super::math::normal;
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

/// Elementwise, any shape.
pub fn forward(x: &FlexTensor) -> FlexTensor {
    let mut y = buffer(slice(x).len());
    y.par_chunks_mut(BLOCK).zip(slice(x).par_chunks(BLOCK)).for_each(|(y, x)| forward_block(y, x));
    tensor(y, dims(x))
}

simd! {
    fn forward_block(y: &mut [f32], x: &[f32]) {
        for (y, x) in y.iter_mut().zip(x) {
            *y = x * normal(*x).0;
        }
    }
}

simd! {
    /// d/dx x Phi(x) = Phi(x) + x phi(x)
    fn backward_block(dx: &mut [f32], x: &[f32], dy: &[f32]) {
        for ((dx, x), dy) in dx.iter_mut().zip(x).zip(dy) {
            let (cdf, pdf) = normal(*x);
            *dx = dy * (cdf + x * pdf);
        }
    }
}

#[derive(Debug)]
struct GeluNode;

impl Backward<Flex, 1> for GeluNode {
    type State = FlexTensor;

    fn backward(self, ops: Ops<FlexTensor, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let dy = contiguous(grads.consume::<Flex>(&ops.node));
        let [Some(parent)] = &ops.parents else { return };
        let x = &ops.state;
        let mut dx = buffer(slice(x).len());
        dx.par_chunks_mut(BLOCK)
            .zip(slice(x).par_chunks(BLOCK))
            .zip(slice(&dy).par_chunks(BLOCK))
            .for_each(|((dx, x), dy)| backward_block(dx, x, dy));
        grads.register::<Flex>(parent.id, tensor(dx, dims(x)));
    }
}

/// [`forward`] under autodiff.
pub fn tracked<C: CheckpointStrategy>(x: FloatTensor<Autodiff<Flex, C>>) -> FloatTensor<Autodiff<Flex, C>> {
    let node = x.node();
    let x = contiguous(x.into_primitive());
    let y = forward(&x);
    match GeluNode.prepare::<C>([node]).compute_bound().stateful() {
        OpsKind::Tracked(prep) => prep.finish(x, y),
        OpsKind::UnTracked(prep) => prep.finish(y),
    }
}

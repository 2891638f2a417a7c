//! Dropout with a mask that is a function of a key and the element's index.

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

const BLOCK: usize = 1 << 14;

/// x times its mask, elementwise; any shape. The backward pass is the same function of the gradient.
pub fn forward(x: &FlexTensor, dropout: Dropout) -> FlexTensor {
    let mut y = buffer(slice(x).len());
    y.par_chunks_mut(BLOCK)
        .zip(slice(x).par_chunks(BLOCK))
        .enumerate()
        .for_each(|(block, (y, x))| apply(y, x, dropout, (block * BLOCK) as u32));
    tensor(y, dims(x))
}

simd! {
    /// y = x * mask, the first element having the index `first`.
    pub fn apply(y: &mut [f32], x: &[f32], dropout: Dropout, first: u32) {
        for (i, (y, x)) in y.iter_mut().zip(x).enumerate() {
            *y = x * dropout.factor(first.wrapping_add(i as u32));
        }
    }
}

#[derive(Debug)]
struct DropoutNode;

impl Backward<Flex, 1> for DropoutNode {
    type State = Dropout;

    fn backward(self, ops: Ops<Dropout, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let dy = contiguous(grads.consume::<Flex>(&ops.node));
        if let [Some(parent)] = &ops.parents {
            grads.register::<Flex>(parent.id, forward(&dy, ops.state));
        }
    }
}

/// [`forward`] under autodiff.
pub fn tracked<C: CheckpointStrategy>(
    x: FloatTensor<Autodiff<Flex, C>>,
    dropout: Dropout,
) -> FloatTensor<Autodiff<Flex, C>> {
    let node = x.node();
    let y = forward(&contiguous(x.into_primitive()), dropout);
    match DropoutNode.prepare::<C>([node]).compute_bound().stateful() {
        OpsKind::Tracked(prep) => prep.finish(dropout, y),
        OpsKind::UnTracked(prep) => prep.finish(y),
    }
}

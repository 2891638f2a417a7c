//! Rotary position embeddings (Su et al. 2021), in the halves' order of GPT-NeoX and Hugging Face: the pair of
//! dimensions (i, i + D/2) of a head turns by an angle that grows with the position.

use super::simd::simd;
use super::storage::{contiguous, dims, slice, tensor};
use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Flex};
use burn_flex::FlexTensor;
use rayon::prelude::*;
use std::sync::Arc;

/// Tokens a piece of work.
const ROWS: usize = 32;

/// How far each token of a batch is turned.
#[derive(Clone, Debug)]
pub struct Rotation {
    /// `[B * T, D / 2]` each: cosine and sine of the angles, times the scaling's attention factor.
    pub cos: Arc<Vec<f32>>,
    pub sin: Arc<Vec<f32>>,
    /// Size of a head: D, even.
    pub head: usize,
}

impl Rotation {
    /// The rotations back.
    fn back(&self) -> Self {
        let sin = self.sin.iter().map(|sin| -sin).collect();
        Self { sin: Arc::new(sin), ..self.clone() }
    }
}

/// x `[B, T, W]`: the first `heads` heads of each token are turned, what follows stays.
pub fn forward(x: &FlexTensor, heads: usize, rotation: &Rotation) -> FlexTensor {
    let width = dims(x).last().copied().unwrap_or(0).max(1);
    let half = rotation.head / 2;
    let mut y = slice(x).to_vec();
    y.par_chunks_mut(ROWS * width)
        .zip(rotation.cos.par_chunks(ROWS * half))
        .zip(rotation.sin.par_chunks(ROWS * half))
        .for_each(|((y, cos), sin)| turn(y, width, heads, cos, sin, half));
    tensor(y, dims(x))
}

simd! {
    /// Turns the first `heads` heads of each row of `width` numbers; `cos` and `sin` have `half` numbers a row.
    pub fn turn(values: &mut [f32], width: usize, heads: usize, cos: &[f32], sin: &[f32], half: usize) {
        let angles = cos.chunks_exact(half).zip(sin.chunks_exact(half));
        for (row, (cos, sin)) in values.chunks_exact_mut(width).zip(angles) {
            for head in row[..heads * 2 * half].chunks_exact_mut(2 * half) {
                let (a, b) = head.split_at_mut(half);
                for (((a, b), cos), sin) in a.iter_mut().zip(b).zip(cos).zip(sin) {
                    (*a, *b) = (*a * cos - *b * sin, *b * cos + *a * sin);
                }
            }
        }
    }
}

#[derive(Debug)]
struct RopeNode;

impl Backward<Flex, 1> for RopeNode {
    type State = (usize, Rotation);

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let dy = contiguous(grads.consume::<Flex>(&ops.node));
        if let [Some(parent)] = &ops.parents {
            let (heads, rotation) = &ops.state;
            grads.register::<Flex>(parent.id, forward(&dy, *heads, &rotation.back()));
        }
    }
}

/// [`forward`] under autodiff.
pub fn tracked<C: CheckpointStrategy>(
    x: FloatTensor<Autodiff<Flex, C>>,
    heads: usize,
    rotation: Rotation,
) -> FloatTensor<Autodiff<Flex, C>> {
    let node = x.node();
    let y = forward(&contiguous(x.into_primitive()), heads, &rotation);
    match RopeNode.prepare::<C>([node]).compute_bound().stateful() {
        OpsKind::Tracked(prep) => prep.finish((heads, rotation), y),
        OpsKind::UnTracked(prep) => prep.finish(y),
    }
}

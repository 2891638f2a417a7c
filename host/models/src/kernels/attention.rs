//! Scaled dot-product attention over several heads (Vaswani et al. 2017): softmax(Q K^T / sqrt(d) + bias) V,
//! with dropout on the probabilities. One node; heads are read and written in place, so nothing is
//! transposed or copied between projections and heads.

use super::math::{dot, exp, max, sum};
use super::matmul::{Output, Threads, View, matmul};
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
use std::sync::Arc;

/// Everything but the projections.
#[derive(Clone, Debug)]
pub struct Attention {
    /// Number of heads; divides the hidden size.
    pub heads: usize,
    /// Added to the scores of each key, `[B * T]`: 0 where the key is a token, very negative where it is
    /// padding.
    pub key_bias: Arc<Vec<f32>>,
    pub dropout: Option<Dropout>,
}

struct Sizes {
    tokens: usize,
    hidden: usize,
    head: usize,
    scale: f32,
}

impl Sizes {
    fn of(qkv: &FlexTensor, heads: usize) -> Self {
        let shape = dims(qkv);
        let (tokens, hidden) = (shape[1], shape[2] / 3);
        let head = hidden / heads;
        Self { tokens, hidden, head, scale: 1.0 / (head as f32).sqrt() }
    }

    /// Query (0), key (1) or value (2) of one head of one row of the batch.
    fn part<'a>(&self, qkv: &'a [f32], part: usize, head: usize) -> View<'a> {
        let start = part * self.hidden + head * self.head;
        View::rows(&qkv[start..], self.tokens, self.head, 3 * self.hidden)
    }
}

/// qkv `[B, T, 3H]`, queries then keys then values; returns `[B, T, H]` and the probabilities
/// `[B, heads, T, T]` before dropout.
pub fn forward(qkv: &FlexTensor, attention: &Attention) -> (FlexTensor, Vec<f32>) {
    let sizes = Sizes::of(qkv, attention.heads);
    let (batch, tokens, hidden) = (dims(qkv)[0], sizes.tokens, sizes.hidden);
    let square = tokens * tokens;
    let mut out = buffer(batch * tokens * hidden);
    let mut probabilities = buffer(batch * attention.heads * square);
    out.par_chunks_mut(tokens * hidden)
        .zip(probabilities.par_chunks_mut(attention.heads * square))
        .zip(slice(qkv).par_chunks(3 * tokens * hidden))
        .enumerate()
        .for_each(|(row, ((out, probabilities), qkv))| {
            let bias = &attention.key_bias[row * tokens..(row + 1) * tokens];
            let mut dropped = Vec::new();
            for (head, p) in probabilities.chunks_exact_mut(square).enumerate() {
                let [q, k, v] = [0, 1, 2].map(|part| sizes.part(qkv, part, head));
                matmul(p, tokens, Output::Overwrite, q, k.t(), sizes.scale, Threads::One);
                softmax_rows(p, bias);
                let p = match attention.dropout {
                    Some(dropout) => {
                        dropped.resize(square, 0.0);
                        let first = ((row * attention.heads + head) * square) as u32;
                        super::dropout::apply(&mut dropped, p, dropout, first);
                        &dropped
                    }
                    None => &*p,
                };
                let start = head * sizes.head;
                matmul(
                    &mut out[start..],
                    hidden,
                    Output::Overwrite,
                    View::dense(p, tokens, tokens),
                    v,
                    1.0,
                    Threads::One,
                );
            }
        });
    (tensor(out, &[batch, tokens, hidden]), probabilities)
}

simd! {
    /// The softmax of each row of scores plus `bias`.
    pub fn softmax_rows(scores: &mut [f32], bias: &[f32]) {
        for row in scores.chunks_exact_mut(bias.len()) {
            for (score, bias) in row.iter_mut().zip(bias) {
                *score += bias;
            }
            let largest = max(row);
            for score in row.iter_mut() {
                *score = exp(*score - largest);
            }
            let inverse = 1.0 / sum(row);
            for score in row.iter_mut() {
                *score *= inverse;
            }
        }
    }
}

simd! {
    /// d scores = p * (dp - sum(dp * p)), row by row, written over `dp`.
    pub fn softmax_backward_rows(dp: &mut [f32], p: &[f32], width: usize) {
        for (dp, p) in dp.chunks_exact_mut(width).zip(p.chunks_exact(width)) {
            let projection = dot(dp, p);
            for (dp, p) in dp.iter_mut().zip(p) {
                *dp = p * (*dp - projection);
            }
        }
    }
}

simd! {
    /// values times the mask, the first having the index `first`.
    pub fn multiply_by_mask(values: &mut [f32], dropout: Dropout, first: u32) {
        for (i, value) in values.iter_mut().enumerate() {
            *value *= dropout.factor(first.wrapping_add(i as u32));
        }
    }
}

/// d loss / d qkv.
fn backward(dy: &FlexTensor, qkv: &FlexTensor, probabilities: &[f32], attention: &Attention) -> FlexTensor {
    let sizes = Sizes::of(qkv, attention.heads);
    let (tokens, hidden) = (sizes.tokens, sizes.hidden);
    let square = tokens * tokens;
    let mut dqkv = buffer(slice(qkv).len());
    dqkv.par_chunks_mut(3 * tokens * hidden)
        .zip(slice(dy).par_chunks(tokens * hidden))
        .zip(slice(qkv).par_chunks(3 * tokens * hidden))
        .zip(probabilities.par_chunks(attention.heads * square))
        .enumerate()
        .for_each(|(row, (((dqkv, dy), qkv), probabilities))| {
            let mut dscores = vec![0.0; square];
            let mut dropped = Vec::new();
            for (head, p) in probabilities.chunks_exact(square).enumerate() {
                let [q, k, v] = [0, 1, 2].map(|part| sizes.part(qkv, part, head));
                let dout = View::rows(&dy[head * sizes.head..], tokens, sizes.head, hidden);
                let first = ((row * attention.heads + head) * square) as u32;
                let start = |part: usize| part * hidden + head * sizes.head;

                let used = match attention.dropout {
                    Some(dropout) => {
                        dropped.resize(square, 0.0);
                        super::dropout::apply(&mut dropped, p, dropout, first);
                        &dropped[..]
                    }
                    None => p,
                };
                let used = View::dense(used, tokens, tokens);
                matmul(
                    &mut dqkv[start(2)..],
                    3 * hidden,
                    Output::Overwrite,
                    used.t(),
                    dout,
                    1.0,
                    Threads::One,
                );

                matmul(&mut dscores, tokens, Output::Overwrite, dout, v.t(), 1.0, Threads::One);
                if let Some(dropout) = attention.dropout {
                    multiply_by_mask(&mut dscores, dropout, first);
                }
                softmax_backward_rows(&mut dscores, p, tokens);

                let ds = View::dense(&dscores, tokens, tokens);
                matmul(
                    &mut dqkv[start(0)..],
                    3 * hidden,
                    Output::Overwrite,
                    ds,
                    k,
                    sizes.scale,
                    Threads::One,
                );
                matmul(
                    &mut dqkv[start(1)..],
                    3 * hidden,
                    Output::Overwrite,
                    ds.t(),
                    q,
                    sizes.scale,
                    Threads::One,
                );
            }
        });
    tensor(dqkv, dims(qkv))
}

#[derive(Debug)]
struct AttentionNode;

#[derive(Clone, Debug)]
struct Saved {
    qkv: FlexTensor,
    probabilities: Arc<Vec<f32>>,
    attention: Attention,
}

impl Backward<Flex, 1> for AttentionNode {
    type State = Saved;

    fn backward(self, ops: Ops<Saved, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let dy = contiguous(grads.consume::<Flex>(&ops.node));
        if let [Some(parent)] = &ops.parents {
            let Saved { qkv, probabilities, attention } = &ops.state;
            grads.register::<Flex>(parent.id, backward(&dy, qkv, probabilities, attention));
        }
    }
}

/// [`forward`] under autodiff.
pub fn tracked<C: CheckpointStrategy>(
    qkv: FloatTensor<Autodiff<Flex, C>>,
    attention: Attention,
) -> FloatTensor<Autodiff<Flex, C>> {
    let node = qkv.node();
    let qkv = contiguous(qkv.into_primitive());
    let (out, probabilities) = forward(&qkv, &attention);
    match AttentionNode.prepare::<C>([node]).compute_bound().stateful() {
        OpsKind::Tracked(prep) => {
            prep.finish(Saved { qkv, probabilities: Arc::new(probabilities), attention }, out)
        }
        OpsKind::UnTracked(prep) => prep.finish(out),
    }
}

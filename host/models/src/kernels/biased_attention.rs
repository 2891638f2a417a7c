//! Attention as T5 has it (Raffel et al. 2020): softmax(Q K^T + bias + key_bias) V over several heads, without a scale,
//! with a learned bias for each head, query and key, and dropout on the probabilities. Queries, keys and values are
//! tensors of their own, so it serves cross-attention, too; heads are read and written in place.

use super::attention::{multiply_by_mask, softmax_backward_rows, softmax_rows};
use super::matmul::{Output, Threads, View, add_rows, matmul};
use super::random::Dropout;
use super::storage::{buffer, contiguous, dims, slice, tensor};
use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Flex};
use burn_flex::FlexTensor;
use rayon::prelude::*;
use std::sync::Arc;

/// Everything but the tensors.
#[derive(Clone, Debug)]
pub struct BiasedAttention {
    /// Number of heads; divides I.
    pub heads: usize,
    /// Added to the scores of each key, `B * Tk`: 0 where the key is a token, very negative where it is padding. Empty
    /// where there is no padding.
    pub key_bias: Arc<Vec<f32>>,
    pub dropout: Option<Dropout>,
}

struct Sizes {
    batch: usize,
    queries: usize,
    keys: usize,
    inner: usize,
    head: usize,
    /// Scores of one head of one row.
    scores: usize,
}

impl Sizes {
    fn of(q: &FlexTensor, k: &FlexTensor, heads: usize) -> Self {
        let (q, k) = (dims(q), dims(k));
        let (queries, keys, inner) = (q[1], k[1], q[2]);
        Self { batch: q[0], queries, keys, inner, head: inner / heads, scores: queries * keys }
    }

    /// One head of one row's queries, keys or values.
    fn part<'a>(&self, row: &'a [f32], tokens: usize, head: usize) -> View<'a> {
        View::rows(&row[head * self.head..], tokens, self.head, self.inner)
    }

    fn queries_of<'a>(&self, q: &'a [f32], row: usize) -> &'a [f32] {
        &q[row * self.queries * self.inner..][..self.queries * self.inner]
    }

    fn keys_of<'a>(&self, k: &'a [f32], row: usize) -> &'a [f32] {
        &k[row * self.keys * self.inner..][..self.keys * self.inner]
    }
}

impl BiasedAttention {
    fn key_bias(&self, row: usize, keys: usize) -> &[f32] {
        if self.key_bias.is_empty() { &[] } else { &self.key_bias[row * keys..][..keys] }
    }

    /// The index of the first score of a head of a row, for its dropout mask.
    fn first(&self, row: usize, head: usize, scores: usize) -> u32 {
        ((row * self.heads + head) * scores) as u32
    }
}

/// q `[B, Tq, I]`, k and v `[B, Tk, I]`, bias `[heads, Tq, Tk]`; returns `[B, Tq, I]` and the probabilities
/// `[B, heads, Tq, Tk]` before dropout.
pub fn forward(
    [q, k, v]: [&FlexTensor; 3],
    bias: Option<&FlexTensor>,
    attention: &BiasedAttention,
) -> (FlexTensor, Vec<f32>) {
    let sizes = Sizes::of(q, k, attention.heads);
    let no_key_bias = vec![0.0; sizes.keys];
    let mut out = buffer(sizes.batch * sizes.queries * sizes.inner);
    let mut probabilities = buffer(sizes.batch * attention.heads * sizes.scores);
    out.par_chunks_mut(sizes.queries * sizes.inner)
        .zip(probabilities.par_chunks_mut(attention.heads * sizes.scores))
        .enumerate()
        .for_each(|(row, (out, probabilities))| {
            let q = sizes.queries_of(slice(q), row);
            let [k, v] = [k, v].map(|tensor| sizes.keys_of(slice(tensor), row));
            let key_bias = match attention.key_bias(row, sizes.keys) {
                [] => &no_key_bias,
                key_bias => key_bias,
            };
            let mut dropped = Vec::new();
            for (head, p) in probabilities.chunks_exact_mut(sizes.scores).enumerate() {
                let scores = match bias {
                    Some(bias) => {
                        p.copy_from_slice(&slice(bias)[head * sizes.scores..][..sizes.scores]);
                        Output::Add
                    }
                    None => Output::Overwrite,
                };
                let queries = sizes.part(q, sizes.queries, head);
                let keys = sizes.part(k, sizes.keys, head);
                matmul(p, sizes.keys, scores, queries, keys.t(), 1.0, Threads::One);
                softmax_rows(p, key_bias);
                let p = dropped_out(p, attention, row, head, &mut dropped);
                let p = View::dense(p, sizes.queries, sizes.keys);
                let values = sizes.part(v, sizes.keys, head);
                let out = &mut out[head * sizes.head..];
                matmul(out, sizes.inner, Output::Overwrite, p, values, 1.0, Threads::One);
            }
        });
    (tensor(out, &[sizes.batch, sizes.queries, sizes.inner]), probabilities)
}

/// The probabilities of one head of one row after dropout, in `space` where there is one.
fn dropped_out<'a>(
    p: &'a [f32],
    attention: &BiasedAttention,
    row: usize,
    head: usize,
    space: &'a mut Vec<f32>,
) -> &'a [f32] {
    let Some(dropout) = attention.dropout else { return p };
    space.resize(p.len(), 0.0);
    super::dropout::apply(space, p, dropout, attention.first(row, head, p.len()));
    space
}

#[derive(Clone, Debug)]
struct Saved {
    queries_keys_values: [FlexTensor; 3],
    probabilities: Arc<Vec<f32>>,
    attention: BiasedAttention,
}

/// d loss / d (q, k, v), and by the scores `[B, heads, Tq, Tk]`.
fn backward(dy: &FlexTensor, saved: &Saved) -> ([FlexTensor; 3], Vec<f32>) {
    let Saved { queries_keys_values: [q, k, v], probabilities, attention } = saved;
    let sizes = Sizes::of(q, k, attention.heads);
    let mut gradients = [q, k, v].map(|tensor| buffer(slice(tensor).len()));
    let mut dscores = buffer(probabilities.len());
    let [dq, dk, dv] = &mut gradients;
    dq.par_chunks_mut(sizes.queries * sizes.inner)
        .zip(dk.par_chunks_mut(sizes.keys * sizes.inner))
        .zip(dv.par_chunks_mut(sizes.keys * sizes.inner))
        .zip(dscores.par_chunks_mut(attention.heads * sizes.scores))
        .zip(probabilities.par_chunks(attention.heads * sizes.scores))
        .enumerate()
        .for_each(|(row, ((((dq, dk), dv), dscores), probabilities))| {
            let [q, dy] = [q, dy].map(|tensor| sizes.queries_of(slice(tensor), row));
            let [k, v] = [k, v].map(|tensor| sizes.keys_of(slice(tensor), row));
            let mut dropped = Vec::new();
            let heads = dscores.chunks_exact_mut(sizes.scores).zip(probabilities.chunks_exact(sizes.scores));
            for (head, (ds, p)) in heads.enumerate() {
                let [queries, dout] = [q, dy].map(|row| sizes.part(row, sizes.queries, head));
                let [keys, values] = [k, v].map(|row| sizes.part(row, sizes.keys, head));
                let [dq, dk, dv] = [&mut *dq, &mut *dk, &mut *dv].map(|row| &mut row[head * sizes.head..]);
                let product = |out: &mut [f32], a: View<'_>, b: View<'_>| {
                    matmul(out, sizes.inner, Output::Overwrite, a, b, 1.0, Threads::One);
                };

                let used = dropped_out(p, attention, row, head, &mut dropped);
                product(dv, View::dense(used, sizes.queries, sizes.keys).t(), dout);

                matmul(ds, sizes.keys, Output::Overwrite, dout, values.t(), 1.0, Threads::One);
                if let Some(dropout) = attention.dropout {
                    multiply_by_mask(ds, dropout, attention.first(row, head, sizes.scores));
                }
                softmax_backward_rows(ds, p, sizes.keys);

                let ds = View::dense(ds, sizes.queries, sizes.keys);
                product(dq, ds, keys);
                product(dk, ds.t(), queries);
            }
        });
    let [dq, dk, dv] = gradients;
    ([tensor(dq, dims(q)), tensor(dk, dims(k)), tensor(dv, dims(v))], dscores)
}

/// Parents: queries, keys, values, and with N = 4 the bias.
#[derive(Debug)]
struct BiasedAttentionNode<const N: usize>;

impl<const N: usize> Backward<Flex, N> for BiasedAttentionNode<N> {
    type State = Saved;

    fn backward(self, ops: Ops<Saved, N>, grads: &mut Gradients, _: &mut Checkpointer) {
        let dy = contiguous(grads.consume::<Flex>(&ops.node));
        let (gradients, dscores) = backward(&dy, &ops.state);
        for (parent, gradient) in ops.parents.iter().zip(gradients) {
            if let Some(parent) = parent {
                grads.register::<Flex>(parent.id, gradient);
            }
        }
        if let Some(Some(parent)) = ops.parents.get(3) {
            // All rows have the same bias: its gradient is their sum, in their order.
            let [q, k, _] = &ops.state.queries_keys_values;
            let heads = ops.state.attention.heads;
            let (queries, keys) = (dims(q)[1], dims(k)[1]);
            let mut dbias = buffer(heads * queries * keys);
            add_rows(&mut dbias, &dscores);
            grads.register::<Flex>(parent.id, tensor(dbias, &[heads, queries, keys]));
        }
    }
}

/// [`forward`] under autodiff; `inputs` are queries, keys, values, and with N = 4 the bias.
pub fn tracked<C: CheckpointStrategy, const N: usize>(
    inputs: [FloatTensor<Autodiff<Flex, C>>; N],
    attention: BiasedAttention,
) -> FloatTensor<Autodiff<Flex, C>> {
    let nodes = inputs.each_ref().map(|input| input.node());
    let values = inputs.map(|input| contiguous(input.into_primitive()));
    let (out, probabilities) = forward([&values[0], &values[1], &values[2]], values.get(3), &attention);
    match BiasedAttentionNode::<N>.prepare::<C>(nodes).compute_bound().stateful() {
        OpsKind::Tracked(prep) => {
            let queries_keys_values = [0, 1, 2].map(|i| values[i].clone());
            let probabilities = Arc::new(probabilities);
            prep.finish(Saved { queries_keys_values, probabilities, attention }, out)
        }
        OpsKind::UnTracked(prep) => prep.finish(out),
    }
}

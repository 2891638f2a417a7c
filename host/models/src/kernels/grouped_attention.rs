//! Attention of queries to a run of neighbouring keys, with heads that share keys and values in groups (Ainslie et
//! al. 2023): softmax(Q K^T * scale) V. As in FlashAttention (Dao et al. 2022) the probabilities are never kept: the
//! forward pass goes through the queries in blocks and remembers one number a query, the logarithm of its softmax's
//! denominator, from which the backward pass computes them again.

use super::math::{dot, exp, max, sum};
use super::matmul::{Output, Threads, View, matmul};
use super::random::Dropout;
use super::simd::simd;
use super::storage::{buffer, contiguous, dims, slice, tensor};
use super::visible::Visible;
use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Flex};
use burn_flex::FlexTensor;
use rayon::prelude::*;
use std::ops::Range;
use std::sync::Arc;

/// Queries a block.
const BLOCK: usize = 64;

/// Everything but queries, keys and values. These stand side by side in one tensor `[B, T, (heads + 2 groups) D]`:
/// the queries' heads, then the keys', then the values'.
#[derive(Clone, Debug)]
pub struct GroupedAttention {
    /// Heads of the queries.
    pub heads: usize,
    /// Heads of the keys and of the values; divides `heads`.
    pub groups: usize,
    /// What a score is multiplied by.
    pub scale: f32,
    pub visible: Arc<Visible>,
    pub dropout: Option<Dropout>,
}

/// One row of the batch.
#[derive(Clone, Copy)]
struct Row<'a> {
    attention: &'a GroupedAttention,
    number: usize,
    /// `[T, W]`
    qkv: &'a [f32],
    first: &'a [u32],
    end: &'a [u32],
    tokens: usize,
    head: usize,
}

impl<'a> Row<'a> {
    fn width(&self) -> usize {
        (self.attention.heads + 2 * self.attention.groups) * self.head
    }

    /// Rows `tokens` of one head's queries, keys or values; `head` counts through all three.
    fn part(&self, head: usize, tokens: Range<usize>) -> View<'a> {
        let start = tokens.start * self.width() + head * self.head;
        View::rows(&self.qkv[start..], tokens.len(), self.head, self.width())
    }

    /// The columns of a query head's keys and values among all heads.
    fn key_value(&self, head: usize) -> (usize, usize) {
        let group = head * self.attention.groups / self.attention.heads;
        (self.attention.heads + group, self.attention.heads + self.attention.groups + group)
    }

    /// The keys that some of these queries see.
    fn keys(&self, queries: &Range<usize>) -> Range<usize> {
        let first = self.first[queries.clone()].iter().min().copied().unwrap_or(0);
        let end = self.end[queries.clone()].iter().max().copied().unwrap_or(0);
        first as usize..end as usize
    }

    /// Of each of these queries, the keys that it sees, counted from `keys`' first.
    fn spans(&self, queries: &Range<usize>, keys: &Range<usize>) -> Vec<(usize, usize)> {
        let seen = self.first[queries.clone()].iter().zip(&self.end[queries.clone()]);
        seen.map(|(first, end)| (*first as usize - keys.start, *end as usize - keys.start)).collect()
    }

    /// Multiplies the elements of `scores`, a block of queries and keys, by their dropout masks.
    fn drop(&self, scores: &mut [f32], head: usize, queries: &Range<usize>, keys: &Range<usize>) {
        let Some(dropout) = self.attention.dropout else { return };
        for (scores, query) in scores.chunks_exact_mut(keys.len()).zip(queries.clone()) {
            let at = ((self.number * self.attention.heads + head) * self.tokens + query) * self.tokens;
            multiply_by_mask(scores, dropout, (at + keys.start) as u32);
        }
    }
}

fn rows<'a>(qkv: &'a [f32], attention: &'a GroupedAttention) -> impl Fn(usize) -> Row<'a> {
    let tokens = attention.visible.tokens;
    let width = qkv.len() / attention.visible.first.len().max(1);
    let head = width / (attention.heads + 2 * attention.groups);
    move |number| Row {
        attention,
        number,
        qkv: &qkv[number * tokens * width..(number + 1) * tokens * width],
        first: &attention.visible.first[number * tokens..(number + 1) * tokens],
        end: &attention.visible.end[number * tokens..(number + 1) * tokens],
        tokens,
        head,
    }
}

/// `[B, T, heads D]`, and the logarithm of each softmax's denominator, `[B, T, heads]`.
pub fn forward(qkv: &FlexTensor, attention: &GroupedAttention) -> (FlexTensor, Vec<f32>) {
    let (batch, tokens, width) = (dims(qkv)[0], dims(qkv)[1], dims(qkv)[2]);
    let width = width / (attention.heads + 2 * attention.groups) * attention.heads;
    let mut out = buffer(batch * tokens * width);
    let mut denominators = buffer(batch * tokens * attention.heads);
    forward_into(&mut out, &mut denominators, slice(qkv), attention);
    (tensor(out, &[batch, tokens, width]), denominators)
}

/// [`forward`] over slices, all of which must have their sizes.
pub fn forward_into(out: &mut [f32], denominators: &mut [f32], qkv: &[f32], attention: &GroupedAttention) {
    let tokens = attention.visible.tokens;
    let row = rows(qkv, attention);
    let width = out.len() / attention.visible.first.len().max(1);
    out.par_chunks_mut(tokens * width)
        .zip(denominators.par_chunks_mut(tokens * attention.heads))
        .enumerate()
        .for_each(|(number, (out, denominators))| {
            out.par_chunks_mut(BLOCK * width)
                .zip(denominators.par_chunks_mut(BLOCK * attention.heads))
                .enumerate()
                .for_each(|(block, (out, denominators))| {
                    let start = block * BLOCK;
                    forward_block(out, denominators, row(number), start..start + out.len() / width);
                });
        });
}

fn forward_block(out: &mut [f32], denominators: &mut [f32], row: Row<'_>, queries: Range<usize>) {
    let heads = row.attention.heads;
    let keys = row.keys(&queries);
    let spans = row.spans(&queries, &keys);
    let mut scores = vec![0.0; queries.len() * keys.len()];
    let mut logarithms = vec![0.0; queries.len()];
    for head in 0..heads {
        let (key, value) = row.key_value(head);
        let (q, k, v) =
            (row.part(head, queries.clone()), row.part(key, keys.clone()), row.part(value, keys.clone()));
        let scale = row.attention.scale;
        matmul(&mut scores, keys.len(), Output::Overwrite, q, k.t(), scale, Threads::One);
        softmax_spans(&mut scores, keys.len(), &spans, &mut logarithms);
        for (query, logarithm) in logarithms.iter().enumerate() {
            denominators[query * heads + head] = *logarithm;
        }
        row.drop(&mut scores, head, &queries, &keys);
        let p = View::dense(&scores, queries.len(), keys.len());
        let out = &mut out[head * row.head..];
        matmul(out, heads * row.head, Output::Overwrite, p, v, 1.0, Threads::One);
    }
}

simd! {
    /// The softmax of each row within its span, 0 outside; and the logarithms of the denominators.
    fn softmax_spans(scores: &mut [f32], width: usize, spans: &[(usize, usize)], logarithms: &mut [f32]) {
        for ((row, (first, end)), logarithm) in scores.chunks_exact_mut(width).zip(spans).zip(logarithms) {
            row[..*first].fill(0.0);
            row[*end..].fill(0.0);
            let row = &mut row[*first..*end];
            let largest = max(row);
            for score in row.iter_mut() {
                *score = exp(*score - largest);
            }
            let total = sum(row);
            let inverse = 1.0 / total;
            for score in row.iter_mut() {
                *score *= inverse;
            }
            *logarithm = largest + total.ln();
        }
    }
}

simd! {
    /// The probabilities again, from scores and the logarithms of the denominators.
    fn probabilities(scores: &mut [f32], width: usize, spans: &[(usize, usize)], logarithms: &[f32]) {
        for ((row, (first, end)), logarithm) in scores.chunks_exact_mut(width).zip(spans).zip(logarithms) {
            row[..*first].fill(0.0);
            row[*end..].fill(0.0);
            for score in &mut row[*first..*end] {
                *score = exp(*score - logarithm);
            }
        }
    }
}

simd! {
    /// d scores = p * (dp - delta), row by row, written over `dp`; delta is the sum over keys of dp * p.
    fn softmax_backward(dp: &mut [f32], p: &[f32], width: usize, deltas: &[f32]) {
        for ((dp, p), delta) in dp.chunks_exact_mut(width).zip(p.chunks_exact(width)).zip(deltas) {
            for (dp, p) in dp.iter_mut().zip(p) {
                *dp = p * (*dp - delta);
            }
        }
    }
}

simd! {
    fn multiply_by_mask(values: &mut [f32], dropout: Dropout, first: u32) {
        for (i, value) in values.iter_mut().enumerate() {
            *value *= dropout.factor(first.wrapping_add(i as u32));
        }
    }
}

simd! {
    fn inner_product(a: &[f32], b: &[f32]) -> f32 {
        dot(a, b)
    }
}

/// d loss / d qkv. Each group of each row is worked out by itself, in the same order whatever the threads.
fn backward(dy: &FlexTensor, saved: &Saved) -> FlexTensor {
    let Saved { qkv, out, denominators, attention } = saved;
    let (batch, tokens, width) = (dims(qkv)[0], dims(qkv)[1], dims(qkv)[2]);
    let row = rows(slice(qkv), attention);
    let out_width = attention.heads * row(0).head;
    let pieces: Vec<Vec<f32>> = (0..batch * attention.groups)
        .into_par_iter()
        .map(|piece| {
            let (number, group) = (piece / attention.groups, piece % attention.groups);
            let of_row = number * tokens..(number + 1) * tokens;
            let range = of_row.start * out_width..of_row.end * out_width;
            let logarithms = &denominators[of_row.start * attention.heads..of_row.end * attention.heads];
            backward_group(&slice(dy)[range.clone()], &slice(out)[range], logarithms, row(number), group)
        })
        .collect();

    let head = row(0).head;
    let shared = attention.heads / attention.groups;
    let mut dqkv = buffer(slice(qkv).len());
    dqkv.par_chunks_mut(width.max(1)).enumerate().for_each(|(token, dqkv)| {
        let (number, token) = (token / tokens, token % tokens);
        for group in 0..attention.groups {
            let piece = &pieces[number * attention.groups + group];
            let piece = &piece[token * (shared + 2) * head..(token + 1) * (shared + 2) * head];
            let (queries, rest) = piece.split_at(shared * head);
            let (keys, values) = rest.split_at(head);
            dqkv[group * shared * head..(group + 1) * shared * head].copy_from_slice(queries);
            let at = (attention.heads + group) * head;
            dqkv[at..at + head].copy_from_slice(keys);
            let at = at + attention.groups * head;
            dqkv[at..at + head].copy_from_slice(values);
        }
    });
    tensor(dqkv, dims(qkv))
}

/// Of one group of one row: the gradients of its queries' heads, its keys and its values, side by side,
/// `[T, (heads / groups + 2) D]`.
fn backward_group(dy: &[f32], out: &[f32], logarithms: &[f32], row: Row<'_>, group: usize) -> Vec<f32> {
    let (heads, head) = (row.attention.heads, row.head);
    let shared = heads / row.attention.groups;
    let (width, out_width) = ((shared + 2) * head, heads * head);
    let mut gradient = vec![0.0; row.tokens * width];
    let (mut scores, mut dscores) = (Vec::new(), Vec::new());
    let mut dropped = Vec::new();
    for start in (0..row.tokens).step_by(BLOCK) {
        let queries = start..(start + BLOCK).min(row.tokens);
        let keys = row.keys(&queries);
        let spans = row.spans(&queries, &keys);
        let block = queries.len() * keys.len();
        scores.resize(block, 0.0);
        dscores.resize(block, 0.0);
        for of_group in 0..shared {
            let number = group * shared + of_group;
            let (key, value) = row.key_value(number);
            let q = row.part(number, queries.clone());
            let (k, v) = (row.part(key, keys.clone()), row.part(value, keys.clone()));
            let dout =
                View::rows(&dy[queries.start * out_width + number * head..], queries.len(), head, out_width);
            let column = |values: &[f32]| -> Vec<f32> {
                queries.clone().map(|query| values[query * heads + number]).collect()
            };
            let deltas: Vec<f32> = queries
                .clone()
                .map(|query| {
                    let at = query * out_width + number * head;
                    inner_product(&dy[at..at + head], &out[at..at + head])
                })
                .collect();

            let scale = row.attention.scale;
            matmul(&mut scores, keys.len(), Output::Overwrite, q, k.t(), scale, Threads::One);
            probabilities(&mut scores, keys.len(), &spans, &column(logarithms));
            matmul(&mut dscores, keys.len(), Output::Overwrite, dout, v.t(), 1.0, Threads::One);
            row.drop(&mut dscores, number, &queries, &keys);
            softmax_backward(&mut dscores, &scores, keys.len(), &deltas);
            let used = match row.attention.dropout {
                Some(_) => {
                    dropped.clone_from(&scores);
                    row.drop(&mut dropped, number, &queries, &keys);
                    &dropped
                }
                None => &scores,
            };

            let p = View::dense(used, queries.len(), keys.len());
            let ds = View::dense(&dscores, queries.len(), keys.len());
            let at = |token: usize, part: usize| token * width + part * head;
            let dq = &mut gradient[at(queries.start, of_group)..];
            matmul(dq, width, Output::Overwrite, ds, k, scale, Threads::One);
            let dk = &mut gradient[at(keys.start, shared)..];
            matmul(dk, width, Output::Add, ds.t(), q, scale, Threads::One);
            let dv = &mut gradient[at(keys.start, shared + 1)..];
            matmul(dv, width, Output::Add, p.t(), dout, 1.0, Threads::One);
        }
    }
    gradient
}

#[derive(Debug)]
struct GroupedNode;

#[derive(Clone, Debug)]
struct Saved {
    qkv: FlexTensor,
    out: FlexTensor,
    denominators: Arc<Vec<f32>>,
    attention: GroupedAttention,
}

impl Backward<Flex, 1> for GroupedNode {
    type State = Saved;

    fn backward(self, ops: Ops<Saved, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let dy = contiguous(grads.consume::<Flex>(&ops.node));
        if let [Some(parent)] = &ops.parents {
            grads.register::<Flex>(parent.id, backward(&dy, &ops.state));
        }
    }
}

/// [`forward`] under autodiff.
pub fn tracked<C: CheckpointStrategy>(
    qkv: FloatTensor<Autodiff<Flex, C>>,
    attention: GroupedAttention,
) -> FloatTensor<Autodiff<Flex, C>> {
    let node = qkv.node();
    let qkv = contiguous(qkv.into_primitive());
    let (out, denominators) = forward(&qkv, &attention);
    match GroupedNode.prepare::<C>([node]).compute_bound().stateful() {
        OpsKind::Tracked(prep) => {
            let saved = Saved { qkv, out: out.clone(), denominators: Arc::new(denominators), attention };
            prep.finish(saved, out)
        }
        OpsKind::UnTracked(prep) => prep.finish(out),
    }
}

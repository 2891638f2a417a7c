//! Rows of a table, looked up by id.

use super::simd::simd;
use super::storage::{buffer, contiguous, dims, slice, tensor};
use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Flex};
use burn_flex::FlexTensor;
use std::sync::Arc;

/// Sums of embeddings: for each table `[rows_i, H]` and its ids (`B * T` of them, each below `rows_i`),
/// the rows are added up: `[B, T, H]`.
pub fn forward(tables: &[FlexTensor], ids: &[Arc<Vec<u32>>], batch: usize) -> FlexTensor {
    let width = dims(&tables[0])[1];
    let tokens = ids[0].len();
    let mut out = buffer(tokens * width);
    for (table, ids) in tables.iter().zip(ids) {
        let rows = slice(table);
        for (out, id) in out.chunks_exact_mut(width).zip(ids.iter()) {
            let start = *id as usize * width;
            add(out, &rows[start..start + width]);
        }
    }
    tensor(out, &[batch, tokens / batch.max(1), width])
}

simd! {
    fn add(out: &mut [f32], row: &[f32]) {
        for (out, row) in out.iter_mut().zip(row) {
            *out += row;
        }
    }
}

/// The gradient of one table: d out added to each looked-up row, in the order of the tokens.
fn backward(dy: &FlexTensor, ids: &[u32], shape: &[usize]) -> FlexTensor {
    let width = shape[1];
    let mut dtable = buffer(shape[0] * width);
    for (dy, id) in slice(dy).chunks_exact(width).zip(ids) {
        let start = *id as usize * width;
        add(&mut dtable[start..start + width], dy);
    }
    tensor(dtable, shape)
}

#[derive(Debug)]
struct EmbeddingNode<const N: usize>;

#[derive(Clone, Debug)]
struct Saved<const N: usize> {
    ids: [Arc<Vec<u32>>; N],
    shapes: [Vec<usize>; N],
}

impl<const N: usize> Backward<Flex, N> for EmbeddingNode<N> {
    type State = Saved<N>;

    fn backward(self, ops: Ops<Saved<N>, N>, grads: &mut Gradients, _: &mut Checkpointer) {
        let dy = contiguous(grads.consume::<Flex>(&ops.node));
        let Saved { ids, shapes } = &ops.state;
        for ((parent, ids), shape) in ops.parents.iter().zip(ids).zip(shapes) {
            if let Some(parent) = parent {
                grads.register::<Flex>(parent.id, backward(&dy, ids, shape));
            }
        }
    }
}

/// [`forward`] under autodiff.
pub fn tracked<C: CheckpointStrategy, const N: usize>(
    tables: [FloatTensor<Autodiff<Flex, C>>; N],
    ids: [Arc<Vec<u32>>; N],
    batch: usize,
) -> FloatTensor<Autodiff<Flex, C>> {
    let nodes = tables.each_ref().map(|table| table.node());
    let tables = tables.map(|table| contiguous(table.into_primitive()));
    let out = forward(&tables, &ids, batch);
    match EmbeddingNode::<N>.prepare::<C>(nodes).compute_bound().stateful() {
        OpsKind::Tracked(prep) => {
            let shapes = tables.each_ref().map(|table| dims(table).to_vec());
            prep.finish(Saved { ids, shapes }, out)
        }
        OpsKind::UnTracked(prep) => prep.finish(out),
    }
}

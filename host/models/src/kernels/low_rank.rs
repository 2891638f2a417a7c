//! y + s drop(x) A^T B^T in some columns of y: what LoRA (Hu et al. 2021) adds to the outputs of a linear layer.

use super::dropout;
use super::matmul::{Output, Threads, View, matmul, product};
use super::random::Dropout;
use super::storage::{buffer, contiguous, dims, slice, tensor};
use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Flex};
use burn_flex::FlexTensor;

type Tracked<C> = FloatTensor<Autodiff<Flex, C>>;

/// Where the product of the low-rank matrices goes, and how much of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Addition {
    /// The first of the columns of y that get it.
    pub start: usize,
    /// alpha / r
    pub scale: f32,
    /// Of x.
    pub dropout: Option<Dropout>,
}

/// y `[.., W]`, x `[.., in]`, A `[r, in]`, B `[out, r]`: y with the addition in the columns `start .. start + out`, and
/// drop(x) A^T, `[.., r]`.
fn forward_with_inner(
    y: FlexTensor,
    x: &FlexTensor,
    [a, b]: [&FlexTensor; 2],
    addition: Addition,
) -> (FlexTensor, Vec<f32>) {
    let (rank, inputs) = (dims(a)[0], dims(a)[1]);
    let outputs = dims(b)[0];
    let width = dims(&y).last().copied().unwrap_or(1);
    let rows = slice(x).len() / inputs.max(1);
    let dropped = addition.dropout.map(|dropout| dropout::forward(x, dropout));
    let x = View::dense(slice(dropped.as_ref().unwrap_or(x)), rows, inputs);
    let inner = product(x, View::dense(slice(a), rank, inputs).t());

    let mut y = y;
    let columns = &mut y.storage_mut::<f32>()[addition.start.min(rows * width)..rows * width];
    let b = View::dense(slice(b), outputs, rank).t();
    matmul(columns, width, Output::Add, View::dense(&inner, rows, rank), b, addition.scale, Threads::All);
    (y, inner)
}

/// Without autodiff.
pub fn forward(y: FlexTensor, x: &FlexTensor, matrices: [&FlexTensor; 2], addition: Addition) -> FlexTensor {
    forward_with_inner(y, x, matrices, addition).0
}

#[derive(Debug)]
struct LowRankNode;

#[derive(Clone, Debug)]
struct Saved {
    x: FlexTensor,
    a: FlexTensor,
    b: FlexTensor,
    /// drop(x) A^T
    inner: FlexTensor,
    addition: Addition,
}

/// Parents: y, x, A, B.
impl Backward<Flex, 4> for LowRankNode {
    type State = Saved;

    fn backward(self, ops: Ops<Saved, 4>, grads: &mut Gradients, _: &mut Checkpointer) {
        let dy = contiguous(grads.consume::<Flex>(&ops.node));
        let Saved { x, a, b, inner, addition } = ops.state;
        let Addition { start, scale, dropout } = addition;
        let (rank, inputs, outputs) = (dims(&a)[0], dims(&a)[1], dims(&b)[0]);
        let width = dims(&dy).last().copied().unwrap_or(1);
        let rows = slice(&x).len() / inputs.max(1);
        let part = View::rows(&slice(&dy)[start.min(rows * width)..], rows, outputs, width);
        let scaled = |a: View<'_>, b: View<'_>, [m, n]: [usize; 2]| {
            let mut out = buffer(m * n);
            matmul(&mut out, n, Output::Overwrite, a, b, scale, Threads::All);
            out
        };
        let [of_y, of_x, of_a, of_b] = ops.parents;
        if let Some(parent) = of_b {
            let inner = View::dense(slice(&inner), rows, rank);
            let db = scaled(part.t(), inner, [outputs, rank]);
            grads.register::<Flex>(parent.id, tensor(db, &[outputs, rank]));
        }
        if of_a.is_some() || of_x.is_some() {
            let d_inner = scaled(part, View::dense(slice(&b), outputs, rank), [rows, rank]);
            let d_inner = View::dense(&d_inner, rows, rank);
            if let Some(parent) = of_a {
                let dropped = dropout.map(|dropout| dropout::forward(&x, dropout));
                let x = View::dense(slice(dropped.as_ref().unwrap_or(&x)), rows, inputs);
                grads.register::<Flex>(parent.id, tensor(product(d_inner.t(), x), &[rank, inputs]));
            }
            if let Some(parent) = of_x {
                let dx = tensor(product(d_inner, View::dense(slice(&a), rank, inputs)), dims(&x));
                let dx = dropout.map_or_else(|| dx.clone(), |dropout| dropout::forward(&dx, dropout));
                grads.register::<Flex>(parent.id, dx);
            }
        }
        if let Some(parent) = of_y {
            grads.register::<Flex>(parent.id, dy);
        }
    }
}

/// [`forward`] under autodiff: y, x, A, B.
pub fn tracked<C: CheckpointStrategy>(inputs: [Tracked<C>; 4], addition: Addition) -> Tracked<C> {
    let nodes = inputs.each_ref().map(|input| input.node());
    let [y, x, a, b] = inputs.map(|input| contiguous(input.into_primitive()));
    let (y, inner) = forward_with_inner(y, &x, [&a, &b], addition);
    match LowRankNode.prepare::<C>(nodes).compute_bound().stateful() {
        OpsKind::Tracked(prep) => {
            let rows = inner.len() / dims(&a)[0].max(1);
            let inner = tensor(inner, &[rows, dims(&a)[0]]);
            prep.finish(Saved { x, a, b, inner, addition }, y)
        }
        OpsKind::UnTracked(prep) => prep.finish(y),
    }
}

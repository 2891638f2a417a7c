//! y = x W^T + b, with weights in PyTorch's layout `[out, in]`, with or without b; and y = x W + b with the layout
//! `[in, out]` of GPT-2's Conv1D.

use super::matmul::{Output, Threads, View, column_sums, matmul, product};
use super::storage::{buffer, contiguous, dims, repeated, slice, tensor};
use burn::backend::Autodiff;
use burn::backend::Flex;
use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn_flex::FlexTensor;

type Tracked<C> = FloatTensor<Autodiff<Flex, C>>;

/// How a weight matrix lies in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// `[out, in]`, as PyTorch's Linear.
    OutIn,
    /// `[in, out]`, as GPT-2's Conv1D.
    InOut,
}

impl Layout {
    fn outputs(self, weight: &FlexTensor) -> usize {
        match self {
            Self::OutIn => dims(weight)[0],
            Self::InOut => dims(weight)[1],
        }
    }

    /// The matrix as `[out, in]`.
    fn view(self, weight: &FlexTensor) -> View<'_> {
        let view = View::dense(slice(weight), dims(weight)[0], dims(weight)[1]);
        match self {
            Self::OutIn => view,
            Self::InOut => view.t(),
        }
    }
}

/// x `[.., in]`, and any number of weights of `out_i` outputs with their biases `[out_i]`, or without any, side by
/// side: y `[.., out_1 + out_2 + ..]`.
pub fn forward(
    x: &FlexTensor,
    weights: &[&FlexTensor],
    biases: &[&FlexTensor],
    layout: Layout,
) -> FlexTensor {
    let shape = dims(x);
    let inputs = shape.last().copied().unwrap_or(1);
    let rows = slice(x).len() / inputs.max(1);
    let outputs: usize = weights.iter().map(|weight| layout.outputs(weight)).sum();
    let view = View::dense(slice(x), rows, inputs);
    let mut out_shape = shape.to_vec();
    if let Some(last) = out_shape.last_mut() {
        *last = outputs;
    }
    if let ([weight], []) = (weights, biases) {
        return tensor(product(view, layout.view(weight).t()), &out_shape);
    }

    let (mut y, output) = match biases {
        [] => (buffer(rows * outputs), Output::Overwrite),
        _ => (repeated(&biases.iter().map(|bias| slice(bias)).collect::<Vec<_>>(), rows), Output::Add),
    };
    let mut start = 0;
    for weight in weights {
        let columns = &mut y[start.min(rows * outputs)..];
        matmul(columns, outputs, output, view, layout.view(weight).t(), 1.0, Threads::All);
        start += layout.outputs(weight);
    }
    tensor(y, &out_shape)
}

/// d loss / d x, of x's shape.
fn backward_input(dy: &FlexTensor, x_shape: &[usize], weights: &[FlexTensor], layout: Layout) -> FlexTensor {
    let inputs = x_shape.last().copied().unwrap_or(1);
    let outputs = dims(dy).last().copied().unwrap_or(1);
    let rows = slice(dy).len() / outputs.max(1);
    let mut dx = Vec::new();
    let mut start = 0;
    for (i, weight) in weights.iter().enumerate() {
        let out = layout.outputs(weight);
        let dy = View::rows(&slice(dy)[start..], rows, out, outputs);
        let weight = layout.view(weight);
        if i == 0 {
            dx = product(dy, weight);
        } else {
            matmul(&mut dx, inputs, Output::Add, dy, weight, 1.0, Threads::All);
        }
        start += out;
    }
    tensor(dx, x_shape)
}

/// d loss / d W of the layer whose outputs are the columns `start .. start + out` of y.
fn backward_weight(dy: &FlexTensor, x: &FlexTensor, start: usize, out: usize, layout: Layout) -> FlexTensor {
    let inputs = dims(x).last().copied().unwrap_or(1);
    let outputs = dims(dy).last().copied().unwrap_or(1);
    let rows = slice(x).len() / inputs.max(1);
    let dy = View::rows(&slice(dy)[start..], rows, out, outputs);
    let x = View::dense(slice(x), rows, inputs);
    match layout {
        Layout::OutIn => tensor(product(dy.t(), x), &[out, inputs]),
        Layout::InOut => tensor(product(x.t(), dy), &[inputs, out]),
    }
}

#[derive(Debug)]
struct LinearNode<const N: usize> {
    biased: bool,
    layout: Layout,
}

#[derive(Clone, Debug)]
struct Saved {
    x: FlexTensor,
    weights: Vec<FlexTensor>,
}

/// Parents: x, then the weight and, with biases, the bias of each layer: N = 1 + layers, or 1 + 2 * layers.
impl<const N: usize> Backward<Flex, N> for LinearNode<N> {
    type State = Saved;

    fn backward(self, ops: Ops<Saved, N>, grads: &mut Gradients, _: &mut Checkpointer) {
        let dy = contiguous(grads.consume::<Flex>(&ops.node));
        let Saved { x, weights } = ops.state;
        let mut bias_grads = None;
        let mut start = 0;
        let parents_of_layer = if self.biased { 2 } else { 1 };
        for (weight, parents) in weights.iter().zip(ops.parents[1..].chunks_exact(parents_of_layer)) {
            let out = self.layout.outputs(weight);
            if let Some(parent) = &parents[0] {
                grads.register::<Flex>(parent.id, backward_weight(&dy, &x, start, out, self.layout));
            }
            if let Some(Some(parent)) = parents.get(1) {
                let outputs = dims(&dy).last().copied().unwrap_or(1);
                let sums = bias_grads.get_or_insert_with(|| column_sums(slice(&dy), outputs));
                grads.register::<Flex>(parent.id, tensor(sums[start..start + out].to_vec(), &[out]));
            }
            start += out;
        }
        if let Some(parent) = &ops.parents[0] {
            grads.register::<Flex>(parent.id, backward_input(&dy, dims(&x), &weights, self.layout));
        }
    }
}

/// [`forward`] under autodiff: `inputs` are x, then each layer's weight, followed by its bias where layers are
/// `biased`.
pub fn tracked<C: CheckpointStrategy, const N: usize>(
    inputs: [Tracked<C>; N],
    biased: bool,
    layout: Layout,
) -> Tracked<C> {
    let nodes = inputs.each_ref().map(|input| input.node());
    let mut primitives = inputs.map(|input| contiguous(input.into_primitive())).into_iter();
    let Some(x) = primitives.next() else { unreachable!("a linear layer has an input") };
    let rest: Vec<FlexTensor> = primitives.collect();
    let step = if biased { 2 } else { 1 };
    let weights: Vec<&FlexTensor> = rest.iter().step_by(step).collect();
    let biases: Vec<&FlexTensor> = if biased { rest.iter().skip(1).step_by(2).collect() } else { Vec::new() };
    let y = forward(&x, &weights, &biases, layout);
    match (LinearNode::<N> { biased, layout }).prepare::<C>(nodes).compute_bound().stateful() {
        OpsKind::Tracked(prep) => {
            let weights = weights.into_iter().cloned().collect();
            prep.finish(Saved { x, weights }, y)
        }
        OpsKind::UnTracked(prep) => prep.finish(y),
    }
}

//! y = x W^T + b, with weights in PyTorch's layout `[out, in]`.

use super::matmul::{Output, Threads, View, column_sums, matmul, product};
use super::storage::{contiguous, dims, repeated, slice, tensor};
use burn::backend::Autodiff;
use burn::backend::Flex;
use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn_flex::FlexTensor;

type Tracked<C> = FloatTensor<Autodiff<Flex, C>>;

/// x `[.., in]`, and any number of (weight `[out_i, in]`, bias `[out_i]`) side by side:
/// y `[.., out_1 + out_2 + ..]`.
pub fn forward(x: &FlexTensor, layers: &[(&FlexTensor, &FlexTensor)]) -> FlexTensor {
    let shape = dims(x);
    let inputs = shape.last().copied().unwrap_or(1);
    let rows = slice(x).len() / inputs.max(1);
    let outputs: usize = layers.iter().map(|(weight, _)| dims(weight)[0]).sum();

    let biases: Vec<&[f32]> = layers.iter().map(|(_, bias)| slice(bias)).collect();
    let mut y = repeated(&biases, rows);
    let mut start = 0;
    for (weight, _) in layers {
        let out = dims(weight)[0];
        matmul(
            &mut y[start..],
            outputs,
            Output::Add,
            View::dense(slice(x), rows, inputs),
            View::dense(slice(weight), out, inputs).t(),
            1.0,
            Threads::All,
        );
        start += out;
    }
    let mut out_shape = shape.to_vec();
    if let Some(last) = out_shape.last_mut() {
        *last = outputs;
    }
    tensor(y, &out_shape)
}

/// d loss / d x, of x's shape.
fn backward_input(dy: &FlexTensor, x_shape: &[usize], weights: &[&FlexTensor]) -> FlexTensor {
    let inputs = x_shape.last().copied().unwrap_or(1);
    let outputs = dims(dy).last().copied().unwrap_or(1);
    let rows = slice(dy).len() / outputs.max(1);
    let mut dx = Vec::new();
    let mut start = 0;
    for (i, weight) in weights.iter().enumerate() {
        let out = dims(weight)[0];
        let dy = View::rows(&slice(dy)[start..], rows, out, outputs);
        let weight = View::dense(slice(weight), out, inputs);
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
fn backward_weight(dy: &FlexTensor, x: &FlexTensor, start: usize, out: usize) -> FlexTensor {
    let inputs = dims(x).last().copied().unwrap_or(1);
    let outputs = dims(dy).last().copied().unwrap_or(1);
    let rows = slice(x).len() / inputs.max(1);
    let dy = View::rows(&slice(dy)[start..], rows, out, outputs);
    let dw = product(dy.t(), View::dense(slice(x), rows, inputs));
    tensor(dw, &[out, inputs])
}

#[derive(Debug)]
struct LinearNode<const N: usize>;

#[derive(Clone, Debug)]
struct Saved {
    x: FlexTensor,
    weights: Vec<FlexTensor>,
}

/// Parents: x, then weight and bias of each layer: N = 1 + 2 * layers.
impl<const N: usize> Backward<Flex, N> for LinearNode<N> {
    type State = Saved;

    fn backward(self, ops: Ops<Saved, N>, grads: &mut Gradients, _: &mut Checkpointer) {
        let dy = contiguous(grads.consume::<Flex>(&ops.node));
        let Saved { x, weights } = ops.state;
        let mut bias_grads = None;
        let mut start = 0;
        for (i, weight) in weights.iter().enumerate() {
            let out = dims(weight)[0];
            if let Some(parent) = &ops.parents[1 + 2 * i] {
                grads.register::<Flex>(parent.id, backward_weight(&dy, &x, start, out));
            }
            if let Some(parent) = &ops.parents[2 + 2 * i] {
                let outputs = dims(&dy).last().copied().unwrap_or(1);
                let sums = bias_grads.get_or_insert_with(|| column_sums(slice(&dy), outputs));
                grads.register::<Flex>(parent.id, tensor(sums[start..start + out].to_vec(), &[out]));
            }
            start += out;
        }
        if let Some(parent) = &ops.parents[0] {
            let weights: Vec<&FlexTensor> = weights.iter().collect();
            grads.register::<Flex>(parent.id, backward_input(&dy, dims(&x), &weights));
        }
    }
}

/// [`forward`] of `LAYERS` layers under autodiff.
pub fn tracked<C: CheckpointStrategy, const N: usize>(inputs: [Tracked<C>; N]) -> Tracked<C> {
    let nodes = inputs.each_ref().map(|input| input.node());
    let mut primitives = inputs.map(|input| contiguous(input.into_primitive())).into_iter();
    let Some(x) = primitives.next() else { unreachable!("a linear layer has an input") };
    let rest: Vec<FlexTensor> = primitives.collect();
    let layers: Vec<(&FlexTensor, &FlexTensor)> =
        rest.chunks_exact(2).map(|pair| (&pair[0], &pair[1])).collect();
    let y = forward(&x, &layers);
    match LinearNode::<N>.prepare::<C>(nodes).compute_bound().stateful() {
        OpsKind::Tracked(prep) => {
            let weights = rest.iter().step_by(2).cloned().collect();
            prep.finish(Saved { x, weights }, y)
        }
        OpsKind::UnTracked(prep) => prep.finish(y),
    }
}

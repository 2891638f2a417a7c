//! The operations of [`super::ops`] composed of Burn's own: what every device but the CPU runs, and what
//! the fused kernels are tested against.

use super::ops::{LayerNorm, Linear};
use super::random::Dropout;
use burn::tensor::{Int, Tensor, TensorData, activation};
use std::sync::Arc;

pub fn linear(x: Tensor<3>, layer: &Linear) -> Tensor<3> {
    let [batch, tokens, inputs] = x.dims();
    let outputs = layer.weight.dims()[0];
    // As one matrix, so that the weight's gradient is one product and not a sum of `batch` matrices.
    let y = x.reshape([batch * tokens, inputs]).matmul(layer.weight.clone().transpose())
        + layer.bias.clone().unsqueeze();
    y.reshape([batch, tokens, outputs])
}

pub fn linear3(x: Tensor<3>, layers: [&Linear; 3]) -> Tensor<3> {
    // The weights are smaller than the outputs: it is they that are copied side by side.
    let joined = Linear {
        weight: Tensor::cat(layers.map(|layer| layer.weight.clone()).to_vec(), 0),
        bias: Tensor::cat(layers.map(|layer| layer.bias.clone()).to_vec(), 0),
    };
    linear(x, &joined)
}

pub fn gelu(x: Tensor<3>) -> Tensor<3> {
    activation::gelu(x)
}

pub fn dropout<const D: usize>(x: Tensor<D>, dropout: Dropout) -> Tensor<D> {
    let mask = dropout.mask(x.dims(), &x.device());
    x * mask
}

pub fn norm(x: Tensor<3>, layer: &LayerNorm) -> Tensor<3> {
    let mean = x.clone().mean_dim(2);
    let centred = x - mean;
    let variance = centred.clone().powi_scalar(2).mean_dim(2);
    centred / (variance + layer.epsilon).sqrt() * layer.gamma.clone().unsqueeze()
        + layer.beta.clone().unsqueeze()
}

pub fn residual_norm(
    x: Tensor<3>,
    residual: Tensor<3>,
    layer: &LayerNorm,
    dropout: Option<Dropout>,
) -> Tensor<3> {
    norm(residual + maybe_dropout(x, dropout), layer)
}

pub fn attention(
    qkv: Tensor<3>,
    heads: usize,
    key_bias: &Arc<Vec<f32>>,
    dropout: Option<Dropout>,
) -> Tensor<3> {
    let [batch, tokens, triple] = qkv.dims();
    let (hidden, device) = (triple / 3, qkv.device());
    let head = hidden / heads;
    let part = |part: usize| {
        qkv.clone().narrow(2, part * hidden, hidden).reshape([batch, tokens, heads, head]).swap_dims(1, 2)
    };
    let bias = TensorData::new(key_bias.to_vec(), [batch, 1, 1, tokens]);
    let queries = part(0) / (head as f64).sqrt();
    let scores = queries.matmul(part(1).swap_dims(2, 3)) + Tensor::<4>::from_data(bias, &device);
    let probabilities = maybe_dropout(activation::softmax(scores, 3), dropout);
    probabilities.matmul(part(2)).swap_dims(1, 2).reshape([batch, tokens, hidden])
}

pub fn embedding3(tables: [&Tensor<2>; 3], ids: [Arc<Vec<u32>>; 3], batch: usize) -> Tensor<3> {
    let (tokens, width) = (ids[0].len() / batch.max(1), tables[0].dims()[1]);
    let [a, b, c] = [0, 1, 2].map(|i| lookup(tables[i], &ids[i], batch, tokens));
    (a + b + c).expand([batch, tokens, width])
}

/// The rows `ids` of `table`: `[B, T, W]`, or with a 1 for B or T where the ids repeat along it, as positions
/// and the types of single texts do. The gradient of a lookup is a loop over its ids on a GPU, one after the
/// other; that of a repetition is a sum.
fn lookup(table: &Tensor<2>, ids: &[u32], batch: usize, tokens: usize) -> Tensor<3> {
    let row = &ids[..tokens];
    let (ids, dims) = if ids.iter().all(|id| Some(id) == ids.first()) {
        (&ids[..ids.len().min(1)], [1, 1])
    } else if tokens > 0 && ids.chunks(tokens).all(|other| other == row) {
        (row, [1, tokens])
    } else {
        (ids, [batch, tokens])
    };
    let values: Vec<i64> = ids.iter().map(|id| i64::from(*id)).collect();
    let ids = Tensor::<1, Int>::from_data(TensorData::new(values, [ids.len()]), &table.device());
    let width = table.dims()[1];
    table.clone().select(0, ids).reshape([dims[0], dims[1], width])
}

fn maybe_dropout<const D: usize>(x: Tensor<D>, choice: Option<Dropout>) -> Tensor<D> {
    match choice {
        Some(choice) => dropout(x, choice),
        None => x,
    }
}

//! The operations of [`super::ops`] composed of Burn's own: what every device but the CPU runs, and what
//! the fused kernels are tested against.

use super::activation::Activation;
use super::grouped_attention::GroupedAttention;
use super::low_rank::Addition;
use super::ops::{LayerNorm, RmsNorm};
use super::random::Dropout;
use super::rope::Rotation;
use burn::tensor::{Device, Int, Tensor, TensorData, activation};
use std::sync::Arc;

pub fn linear(x: Tensor<3>, weight: &Tensor<2>, bias: &Tensor<1>) -> Tensor<3> {
    let [batch, tokens, inputs] = x.dims();
    let outputs = weight.dims()[0];
    // As one matrix, so that the weight's gradient is one product and not a sum of `batch` matrices.
    let y = x.reshape([batch * tokens, inputs]).matmul(weight.clone().transpose()) + bias.clone().unsqueeze();
    y.reshape([batch, tokens, outputs])
}

pub fn linear3(x: Tensor<3>, weights: [&Tensor<2>; 3], biases: [&Tensor<1>; 3]) -> Tensor<3> {
    // The weights are smaller than the outputs: it is they that are copied side by side.
    let weight = Tensor::cat(weights.map(Tensor::clone).to_vec(), 0);
    linear(x, &weight, &Tensor::cat(biases.map(Tensor::clone).to_vec(), 0))
}

pub fn low_rank(y: Tensor<3>, x: Tensor<3>, [a, b]: [&Tensor<2>; 2], addition: Addition) -> Tensor<3> {
    let Addition { start, scale, dropout } = addition;
    let added = project(project(maybe_dropout(x, dropout), a), b) * scale;
    let ([_, _, width], [_, _, outputs]) = (y.dims(), added.dims());
    if outputs == width {
        return y + added;
    }
    let end = start + outputs;
    let mut parts = vec![y.clone().narrow(2, start, outputs) + added];
    if start > 0 {
        parts.insert(0, y.clone().narrow(2, 0, start));
    }
    if end < width {
        parts.push(y.narrow(2, end, width - end));
    }
    Tensor::cat(parts, 2)
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

pub fn embedding(table: &Tensor<2>, ids: &[u32], batch: usize) -> Tensor<3> {
    let (tokens, width) = (ids.len() / batch.max(1), table.dims()[1]);
    lookup(table, ids, batch, tokens).expand([batch, tokens, width])
}

pub fn project(x: Tensor<3>, weight: &Tensor<2>) -> Tensor<3> {
    let [batch, tokens, inputs] = x.dims();
    let y = x.reshape([batch * tokens, inputs]).matmul(weight.clone().transpose());
    y.reshape([batch, tokens, weight.dims()[0]])
}

pub fn rms_norm(x: Tensor<3>, layer: &RmsNorm) -> Tensor<3> {
    let mean_square = x.clone().square().mean_dim(2);
    x / (mean_square + layer.epsilon).sqrt() * layer.gamma.clone().unsqueeze()
}

pub fn activation(x: Tensor<3>, kind: Activation) -> Tensor<3> {
    match kind {
        Activation::Silu => activation::silu(x),
        Activation::Gelu => activation::gelu(x),
        Activation::GeluTanh => {
            const SCALE: f64 = std::f64::consts::FRAC_2_SQRT_PI * std::f64::consts::FRAC_1_SQRT_2;
            let cube = x.clone() * x.clone() * x.clone();
            let inner = (x.clone() + cube * 0.044_715) * SCALE;
            x * (inner.tanh() + 1.0) * 0.5
        }
        Activation::Relu => activation::relu(x),
    }
}

pub fn gated(x: Tensor<3>, kind: Activation) -> Tensor<3> {
    let width = x.dims()[2] / 2;
    activation(x.clone().narrow(2, 0, width), kind) * x.narrow(2, width, width)
}

pub fn rotate(x: Tensor<3>, heads: usize, rotation: &Rotation) -> Tensor<3> {
    let [batch, tokens, width] = x.dims();
    let (head, half, device) = (rotation.head, rotation.head / 2, x.device());
    let angles = |values: &[f32]| {
        let data = TensorData::new(values.to_vec(), [batch, tokens, 1, half]);
        Tensor::<4>::from_data(data, &device)
    };
    let (cos, sin) = (angles(&rotation.cos), angles(&rotation.sin));
    let turned = x.clone().narrow(2, 0, heads * head).reshape([batch, tokens, heads, head]);
    let (a, b) = (turned.clone().narrow(3, 0, half), turned.narrow(3, half, half));
    let turned = Tensor::cat(vec![a.clone() * cos.clone() - b.clone() * sin.clone(), b * cos + a * sin], 3);
    let turned = turned.reshape([batch, tokens, heads * head]);
    match width - heads * head {
        0 => turned,
        rest => Tensor::cat(vec![turned, x.narrow(2, heads * head, rest)], 2),
    }
}

pub fn grouped_attention(qkv: Tensor<3>, attention: GroupedAttention) -> Tensor<3> {
    let GroupedAttention { heads, groups, scale, visible, dropout } = attention;
    let ([batch, tokens, width], device) = (qkv.dims(), qkv.device());
    let head = width / (heads + 2 * groups);
    let part = |first: usize, count: usize| {
        qkv.clone()
            .narrow(2, first * head, count * head)
            .reshape([batch, tokens, count, head])
            .swap_dims(1, 2)
    };
    // Each head of the keys and values, as often as queries share it.
    let shared = heads / groups;
    let repeated = |first: usize| {
        part(first, groups)
            .reshape([batch, groups, 1, tokens * head])
            .repeat_dim(2, shared)
            .reshape([batch, heads, tokens, head])
    };
    let scores = part(0, heads).matmul(repeated(heads).swap_dims(2, 3)) * scale + visible.bias(&device);
    let probabilities = maybe_dropout(activation::softmax(scores, 3), dropout);
    let out = probabilities.matmul(repeated(heads + groups));
    out.swap_dims(1, 2).reshape([batch, tokens, heads * head])
}

pub fn biased_attention(
    [queries, keys, values]: [Tensor<3>; 3],
    heads: usize,
    bias: Option<Tensor<3>>,
    key_bias: &Arc<Vec<f32>>,
    dropout: Option<Dropout>,
) -> Tensor<3> {
    let ([batch, read, inner], device) = (queries.dims(), queries.device());
    let tokens = keys.dims()[1];
    let split =
        |x: Tensor<3>, tokens: usize| x.reshape([batch, tokens, heads, inner / heads]).swap_dims(1, 2);
    let mut scores = split(queries, read).matmul(split(keys, tokens).swap_dims(2, 3));
    if let Some(bias) = bias {
        scores = scores + bias.unsqueeze::<4>();
    }
    if !key_bias.is_empty() {
        let key_bias = TensorData::new(key_bias.to_vec(), [batch, 1, 1, tokens]);
        scores = scores + Tensor::<4>::from_data(key_bias, &device);
    }
    let probabilities = maybe_dropout(activation::softmax(scores, 3), dropout);
    probabilities.matmul(split(values, tokens)).swap_dims(1, 2).reshape([batch, read, inner])
}

pub fn causal_bias(queries: usize, keys: usize, device: &Device) -> Tensor<3> {
    let before = keys.saturating_sub(queries);
    let values: Vec<f32> = (0..queries)
        .flat_map(|query| (0..keys).map(move |key| if key <= before + query { 0.0 } else { f32::MIN }))
        .collect();
    Tensor::from_data(TensorData::new(values, [1, queries, keys]), device)
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

//! The operations that the architectures are built from: fused on the CPU, Burn's own elsewhere.

use super::activation::Activation;
use super::attention::Attention;
use super::biased_attention::BiasedAttention;
use super::composed;
use super::extension::Kernels;
use super::grouped_attention::GroupedAttention;
use super::low_rank::Addition;
use super::nf4::Nf4;
use super::random::Dropout;
use super::rope::Rotation;
use super::sites::DropoutSites;
use super::weight::{self, Weight};
use burn::backend::{Dispatch, DispatchDevice};
use burn::tensor::{Bool, Device, Tensor, TensorData};
use std::sync::Arc;

/// A linear layer's parameters in PyTorch's layout: weight `[out, in]`, bias `[out]`; or with the weight as `[in, out]`,
/// as GPT-2's Conv1D.
#[derive(Clone, Debug)]
pub struct Linear {
    pub weight: Weight,
    pub bias: Tensor<1>,
}

/// LayerNorm's parameters, `[H]` each, and the number added to the variance.
#[derive(Clone, Debug)]
pub struct LayerNorm {
    pub gamma: Tensor<1>,
    pub beta: Tensor<1>,
    pub epsilon: f64,
}

/// RMSNorm's parameters (Zhang and Sennrich 2019): `[H]`, and the number added to the mean square.
#[derive(Clone, Debug)]
pub struct RmsNorm {
    pub gamma: Tensor<1>,
    pub epsilon: f64,
}

impl Linear {
    pub fn zeros(inputs: usize, outputs: usize, device: &Device) -> Self {
        Self { weight: Weight::zeros(inputs, outputs, device), bias: Tensor::zeros([outputs], device) }
    }
}

impl LayerNorm {
    /// With weights of 1 and biases of 0.
    pub fn identity(hidden: usize, epsilon: f64, device: &Device) -> Self {
        Self { gamma: Tensor::ones([hidden], device), beta: Tensor::zeros([hidden], device), epsilon }
    }
}

/// Whether the fused operations exist for `device`.
pub(crate) fn fused(device: &Device) -> bool {
    match device.as_dispatch() {
        DispatchDevice::Flex(_) => true,
        DispatchDevice::Autodiff(inner) => matches!(**inner, DispatchDevice::Flex(_)),
        #[allow(unreachable_patterns)]
        _ => false,
    }
}

/// x W^T + b: x `[B, T, in]` to `[B, T, out]`, or x W + b where the weight is `[in, out]`. `sites` are for the adapters.
pub fn linear(x: Tensor<3>, layer: &Linear, sites: &mut DropoutSites) -> Tensor<3> {
    weight::apply(x, &[(&layer.weight, Some(&layer.bias))], sites)
}

/// Three linear layers of the same input side by side: x `[B, T, in]` to `[B, T, out_a + out_b + out_c]`.
pub fn linear3(x: Tensor<3>, layers: [&Linear; 3], sites: &mut DropoutSites) -> Tensor<3> {
    weight::apply(x, &layers.map(|layer| (&layer.weight, Some(&layer.bias))), sites)
}

/// x W^T: x `[B, T, in]` to `[B, T, out]`.
pub fn apply(x: Tensor<3>, weight: &Weight, sites: &mut DropoutSites) -> Tensor<3> {
    weight::apply(x, &[(weight, None)], sites)
}

/// Two matrices of the same input, the results side by side: x `[B, T, in]` to `[B, T, out_a + out_b]`.
pub fn apply2(x: Tensor<3>, weights: [&Weight; 2], sites: &mut DropoutSites) -> Tensor<3> {
    weight::apply(x, &weights.map(|weight| (weight, None)), sites)
}

/// Three matrices of the same input, the results side by side.
pub fn apply3(x: Tensor<3>, weights: [&Weight; 3], sites: &mut DropoutSites) -> Tensor<3> {
    weight::apply(x, &weights.map(|weight| (weight, None)), sites)
}

/// y with `addition.scale` drop(x) A^T B^T added to some of its columns: y `[B, T, W]`, x `[B, T, in]`, A `[r, in]`, B
/// `[out, r]`.
pub(crate) fn low_rank(
    y: Tensor<3>,
    x: Tensor<3>,
    matrices: [&Tensor<2>; 2],
    addition: Addition,
) -> Tensor<3> {
    if fused(&x.device()) {
        let [a, b] = matrices.map(|matrix| matrix.clone().into_dispatch());
        return Tensor::from_dispatch(Dispatch::fused_low_rank(
            y.into_dispatch(),
            x.into_dispatch(),
            a,
            b,
            addition,
        ));
    }
    composed::low_rank(y, x, matrices, addition)
}

/// x W^T, or x W where it is held `transposed`, for a matrix in four bits.
pub(crate) fn four_bits(x: Tensor<3>, weight: &Nf4, transposed: bool) -> Tensor<3> {
    if fused(&x.device()) {
        let x = x.into_dispatch();
        return Tensor::from_dispatch(Dispatch::fused_four_bits(x, weight.clone(), transposed));
    }
    let matrix = TensorData::new(weight.values(), weight.shape());
    let matrix = Tensor::<2>::from_data(matrix, &x.device().inner());
    composed::project(x, &if transposed { matrix.transpose() } else { matrix })
}

/// x W^T + b: x `[B, T, in]`, weight `[out, in]`, to `[B, T, out]`.
pub(crate) fn linear_whole(x: Tensor<3>, weight: &Tensor<2>, bias: &Tensor<1>) -> Tensor<3> {
    if fused(&x.device()) {
        return Tensor::from_dispatch(Dispatch::fused_linear(
            x.into_dispatch(),
            weight.clone().into_dispatch(),
            bias.clone().into_dispatch(),
        ));
    }
    composed::linear(x, weight, bias)
}

/// Three of them side by side.
pub(crate) fn linear3_whole(x: Tensor<3>, weights: [&Tensor<2>; 3], biases: [&Tensor<1>; 3]) -> Tensor<3> {
    if fused(&x.device()) {
        let [a, b, c] = weights.map(|weight| weight.clone().into_dispatch());
        let [bias_a, bias_b, bias_c] = biases.map(|bias| bias.clone().into_dispatch());
        let x = x.into_dispatch();
        return Tensor::from_dispatch(Dispatch::fused_linear3(x, a, bias_a, b, bias_b, c, bias_c));
    }
    composed::linear3(x, weights, biases)
}

/// GELU with the exact normal distribution function, elementwise.
pub fn gelu(x: Tensor<3>) -> Tensor<3> {
    if fused(&x.device()) {
        return Tensor::from_dispatch(Dispatch::fused_gelu(x.into_dispatch()));
    }
    composed::gelu(x)
}

/// Dropout; the identity where `dropout` is none. The mask is the same on every device.
pub fn dropout<const D: usize>(x: Tensor<D>, dropout: Option<Dropout>) -> Tensor<D> {
    let Some(dropout) = dropout else { return x };
    if fused(&x.device()) {
        return Tensor::from_dispatch(Dispatch::fused_dropout(x.into_dispatch(), dropout));
    }
    composed::dropout(x, dropout)
}

/// norm(x) * gamma + beta over the last dimension; x `[B, T, H]`.
pub fn norm(x: Tensor<3>, layer: &LayerNorm) -> Tensor<3> {
    if fused(&x.device()) {
        return Tensor::from_dispatch(Dispatch::fused_norm(
            x.into_dispatch(),
            layer.gamma.clone().into_dispatch(),
            layer.beta.clone().into_dispatch(),
            layer.epsilon as f32,
        ));
    }
    composed::norm(x, layer)
}

/// norm(residual + dropout(x)) * gamma + beta; x and residual `[B, T, H]`.
pub fn residual_norm(
    x: Tensor<3>,
    residual: Tensor<3>,
    layer: &LayerNorm,
    dropout: Option<Dropout>,
) -> Tensor<3> {
    if fused(&x.device()) {
        return Tensor::from_dispatch(Dispatch::fused_residual_norm(
            x.into_dispatch(),
            layer.gamma.clone().into_dispatch(),
            layer.beta.clone().into_dispatch(),
            residual.into_dispatch(),
            layer.epsilon as f32,
            dropout,
        ));
    }
    composed::residual_norm(x, residual, layer, dropout)
}

/// Multi-head attention of a batch with itself: qkv `[B, T, 3H]`, queries then keys then values, to
/// `[B, T, H]`. `key_bias` (`B * T` values) is added to the scores of each key.
pub fn attention(
    qkv: Tensor<3>,
    heads: usize,
    key_bias: &Arc<Vec<f32>>,
    dropout: Option<Dropout>,
) -> Tensor<3> {
    if fused(&qkv.device()) {
        let attention = Attention { heads, key_bias: Arc::clone(key_bias), dropout };
        return Tensor::from_dispatch(Dispatch::fused_attention(qkv.into_dispatch(), attention));
    }
    composed::attention(qkv, heads, key_bias, dropout)
}

/// The sum of three embeddings: table i `[rows_i, H]`, ids i `B * T` numbers below `rows_i`; `[B, T, H]`.
/// The caller has checked the ids.
pub fn embedding3(tables: [&Tensor<2>; 3], ids: [Arc<Vec<u32>>; 3], batch: usize) -> Tensor<3> {
    if fused(&tables[0].device()) {
        let [a, b, c] = tables.map(|table| table.clone().into_dispatch());
        return Tensor::from_dispatch(Dispatch::fused_embedding3(a, b, c, ids, batch));
    }
    composed::embedding3(tables, ids, batch)
}

/// The sum of two embeddings, as [`embedding3`].
pub fn embedding2(tables: [&Tensor<2>; 2], ids: [Arc<Vec<u32>>; 2], batch: usize) -> Tensor<3> {
    if fused(&tables[0].device()) {
        let [a, b] = tables.map(|table| table.clone().into_dispatch());
        return Tensor::from_dispatch(Dispatch::fused_embedding2(a, b, ids, batch));
    }
    let [a, b] = ids;
    composed::embedding(tables[0], &a, batch) + composed::embedding(tables[1], &b, batch)
}

/// The rows `ids` (`B * T` numbers below the table's rows) of a table `[rows, H]`: `[B, T, H]`. The caller has checked
/// the ids.
pub fn embedding(table: &Tensor<2>, ids: &Arc<Vec<u32>>, batch: usize) -> Tensor<3> {
    if fused(&table.device()) {
        let table = table.clone().into_dispatch();
        return Tensor::from_dispatch(Dispatch::fused_embedding(table, Arc::clone(ids), batch));
    }
    composed::embedding(table, ids, batch)
}

/// x W^T: x `[B, T, in]`, weight `[out, in]`, to `[B, T, out]`.
pub fn project(x: Tensor<3>, weight: &Tensor<2>) -> Tensor<3> {
    if fused(&x.device()) {
        let weight = weight.clone().into_dispatch();
        return Tensor::from_dispatch(Dispatch::fused_project(x.into_dispatch(), weight));
    }
    composed::project(x, weight)
}

/// Two projections of the same input side by side: x `[B, T, in]` to `[B, T, out_a + out_b]`.
pub fn project2(x: Tensor<3>, weights: [&Tensor<2>; 2]) -> Tensor<3> {
    if fused(&x.device()) {
        let [a, b] = weights.map(|weight| weight.clone().into_dispatch());
        return Tensor::from_dispatch(Dispatch::fused_project2(x.into_dispatch(), a, b));
    }
    composed::project(x, &Tensor::cat(weights.map(Tensor::clone).to_vec(), 0))
}

/// Three projections of the same input side by side.
pub fn project3(x: Tensor<3>, weights: [&Tensor<2>; 3]) -> Tensor<3> {
    if fused(&x.device()) {
        let [a, b, c] = weights.map(|weight| weight.clone().into_dispatch());
        return Tensor::from_dispatch(Dispatch::fused_project3(x.into_dispatch(), a, b, c));
    }
    composed::project(x, &Tensor::cat(weights.map(Tensor::clone).to_vec(), 0))
}

/// x W + b, the weight in the layout `[in, out]` of GPT-2's Conv1D: x `[B, T, in]` to `[B, T, out]`.
pub(crate) fn conv1d_whole(x: Tensor<3>, weight: &Tensor<2>, bias: &Tensor<1>) -> Tensor<3> {
    if fused(&x.device()) {
        return Tensor::from_dispatch(Dispatch::fused_conv1d(
            x.into_dispatch(),
            weight.clone().into_dispatch(),
            bias.clone().into_dispatch(),
        ));
    }
    composed::project(x, &weight.clone().transpose()) + bias.clone().unsqueeze()
}

/// An activation, elementwise.
pub fn activation(x: Tensor<3>, activation: Activation) -> Tensor<3> {
    if fused(&x.device()) {
        return Tensor::from_dispatch(Dispatch::fused_activation(x.into_dispatch(), activation, false));
    }
    composed::activation(x, activation)
}

/// activation(gate) * value: x `[B, T, 2 I]`, the gates then the values, to `[B, T, I]`.
pub fn gated(x: Tensor<3>, activation: Activation) -> Tensor<3> {
    if fused(&x.device()) {
        return Tensor::from_dispatch(Dispatch::fused_activation(x.into_dispatch(), activation, true));
    }
    composed::gated(x, activation)
}

/// GELU by its approximation with tanh (Hendrycks and Gimpel 2016), elementwise.
pub fn gelu_new(x: Tensor<3>) -> Tensor<3> {
    activation(x, Activation::GeluTanh)
}

/// x / sqrt(mean(x^2) + epsilon) * gamma over the last dimension; x `[B, T, H]`.
pub fn rms_norm(x: Tensor<3>, layer: &RmsNorm) -> Tensor<3> {
    if fused(&x.device()) {
        let gamma = layer.gamma.clone().into_dispatch();
        return Tensor::from_dispatch(Dispatch::fused_rms_norm(
            x.into_dispatch(),
            gamma,
            layer.epsilon as f32,
        ));
    }
    composed::rms_norm(x, layer)
}

/// Rotary position embeddings on the first `heads` heads of x `[B, T, W]`; what follows stays.
pub fn rotate(x: Tensor<3>, heads: usize, rotation: &Rotation) -> Tensor<3> {
    if fused(&x.device()) {
        return Tensor::from_dispatch(Dispatch::fused_rotate(x.into_dispatch(), heads, rotation.clone()));
    }
    composed::rotate(x, heads, rotation)
}

/// softmax(Q K^T * scale) V of each query and the keys that it sees: qkv `[B, T, (heads + 2 groups) D]`, queries then
/// keys then values, to `[B, T, heads D]`.
pub fn grouped_attention(qkv: Tensor<3>, attention: GroupedAttention) -> Tensor<3> {
    if fused(&qkv.device()) {
        return Tensor::from_dispatch(Dispatch::fused_grouped_attention(qkv.into_dispatch(), attention));
    }
    composed::grouped_attention(qkv, attention)
}

/// Multi-head attention without a scale: softmax(Q K^T + bias + key_bias) V. Queries `[B, Tq, I]`, keys and values
/// `[B, Tk, I]`, the heads side by side in I, to `[B, Tq, I]`. `bias` is `[heads, Tq, Tk]`; `key_bias` is added to
/// the scores of each key, `B * Tk` values, or none.
pub fn biased_attention(
    queries_keys_values: [Tensor<3>; 3],
    heads: usize,
    bias: Option<Tensor<3>>,
    key_bias: &Arc<Vec<f32>>,
    dropout: Option<Dropout>,
) -> Tensor<3> {
    if fused(&queries_keys_values[0].device()) {
        let [queries, keys, values] = queries_keys_values.map(Tensor::into_dispatch);
        let attention = BiasedAttention { heads, key_bias: Arc::clone(key_bias), dropout };
        return Tensor::from_dispatch(match bias {
            Some(bias) => {
                let bias = bias.into_dispatch();
                Dispatch::fused_biased_attention(queries, keys, values, bias, attention)
            }
            None => Dispatch::fused_cross_attention(queries, keys, values, attention),
        });
    }
    composed::biased_attention(queries_keys_values, heads, bias, key_bias, dropout)
}

/// For the last `queries` of `keys` positions, `[1, queries, keys]`: 0 for the keys up to the query's own, very
/// negative for those after it.
pub fn causal_bias(queries: usize, keys: usize, device: &Device) -> Tensor<3> {
    composed::causal_bias(queries, keys, device)
}

/// `[B, T]`, true where a token stands.
pub fn token_mask(mask: &[bool], batch: usize, device: &Device) -> Tensor<2, Bool> {
    let tokens = mask.len() / batch.max(1);
    Tensor::from_data(TensorData::new(mask.to_vec(), [batch, tokens]), device)
}

#[cfg(test)]
mod tests {
    //! Every fused operation against its composition: values, and the gradient of each input, with the
    //! dropout masks that training draws. Sizes are odd, so that every kernel has a remainder to handle.

    use super::*;
    use crate::kernels::{DropoutKey, Visible, mix64};

    const BATCH: usize = 3;
    const TOKENS: usize = 19;
    const HIDDEN: usize = 45;

    /// Inputs of every rank that the operations take; gradients are asked of all of them.
    struct Inputs {
        x: Tensor<3>,
        residual: Tensor<3>,
        qkv: Tensor<3>,
        matrices: Vec<Tensor<2>>,
        vectors: Vec<Tensor<1>>,
    }

    fn inputs() -> Inputs {
        let device = Device::flex().autodiff();
        let random = |seed: u64, dims: &[usize]| {
            let values: Vec<f32> = (0..dims.iter().product::<usize>() as u64)
                .map(|i| (mix64(seed.wrapping_mul(1 << 32) + i) >> 40) as f32 / (1u64 << 23) as f32 - 1.0)
                .collect();
            TensorData::new(values, dims.to_vec())
        };
        let cube = |seed, width| {
            Tensor::<3>::from_data(random(seed, &[BATCH, TOKENS, width]), &device).require_grad()
        };
        Inputs {
            x: cube(1, HIDDEN),
            residual: cube(2, HIDDEN),
            qkv: cube(3, 3 * HIDDEN),
            matrices: (4..7)
                .map(|i| Tensor::from_data(random(i, &[20 + i as usize, HIDDEN]), &device).require_grad())
                .collect(),
            vectors: [20 + 4, 20 + 5, 20 + 6, HIDDEN, HIDDEN]
                .iter()
                .zip(7..)
                .map(|(n, i)| Tensor::from_data(random(i, &[*n]), &device).require_grad())
                .collect(),
        }
    }

    /// The output, then the gradient of a weighted sum of it by each input (empty where there is none).
    fn run<const D: usize>(operation: impl Fn(&Inputs) -> Tensor<D>) -> Vec<Vec<f32>> {
        let inputs = inputs();
        let y = operation(&inputs);
        let elements: usize = y.dims().iter().product();
        let weights: Vec<f32> = (0..elements).map(|i| (i as f32 * 0.37).sin()).collect();
        let weights = Tensor::<D>::from_data(TensorData::new(weights, y.dims()), &y.device());
        let mut gradients = (y.clone() * weights).sum().backward();
        let floats = |data: TensorData| data.iter::<f32>().collect::<Vec<f32>>();
        let mut all = vec![floats(y.into_data())];
        for tensor in [&inputs.x, &inputs.residual, &inputs.qkv] {
            all.push(tensor.grad_remove(&mut gradients).map_or(vec![], |g| floats(g.into_data())));
        }
        for tensor in &inputs.matrices {
            all.push(tensor.grad_remove(&mut gradients).map_or(vec![], |g| floats(g.into_data())));
        }
        for tensor in &inputs.vectors {
            all.push(tensor.grad_remove(&mut gradients).map_or(vec![], |g| floats(g.into_data())));
        }
        all
    }

    fn assert_same<const D: usize>(
        with_gradient: usize,
        fused: impl Fn(&Inputs) -> Tensor<D>,
        composed: impl Fn(&Inputs) -> Tensor<D>,
    ) {
        let (ours, theirs) = (run(fused), run(composed));
        assert_eq!(theirs.iter().filter(|values| !values.is_empty()).count(), 1 + with_gradient);
        for (which, (ours, theirs)) in ours.iter().zip(&theirs).enumerate() {
            assert_eq!(ours.len(), theirs.len(), "result {which}");
            let scale = theirs.iter().fold(1.0f32, |largest, value| largest.max(value.abs()));
            for (a, b) in ours.iter().zip(theirs) {
                assert!((a - b).abs() < 2e-5 * scale, "result {which}: {a} fused, {b} composed");
            }
        }
    }

    fn some_dropout() -> Option<Dropout> {
        Dropout::new(DropoutKey { seed: 3, step: 11 }, 2, 0.3)
    }

    fn matrices(inputs: &Inputs) -> [&Tensor<2>; 3] {
        [&inputs.matrices[0], &inputs.matrices[1], &inputs.matrices[2]]
    }

    fn biases(inputs: &Inputs) -> [&Tensor<1>; 3] {
        [&inputs.vectors[0], &inputs.vectors[1], &inputs.vectors[2]]
    }

    fn layer_norm(inputs: &Inputs) -> LayerNorm {
        LayerNorm { gamma: inputs.vectors[3].clone(), beta: inputs.vectors[4].clone(), epsilon: 1e-12 }
    }

    #[test]
    fn linear_layers() {
        assert_same(
            3,
            |i| linear_whole(i.x.clone(), &i.matrices[0], &i.vectors[0]),
            |i| composed::linear(i.x.clone(), &i.matrices[0], &i.vectors[0]),
        );
        assert_same(
            7,
            |i| linear3_whole(i.x.clone(), matrices(i), biases(i)),
            |i| composed::linear3(i.x.clone(), matrices(i), biases(i)),
        );
    }

    #[test]
    fn linear_layers_without_biases_and_the_other_way_round() {
        let weights = |i: &Inputs| [i.matrices[0].clone(), i.matrices[1].clone(), i.matrices[2].clone()];
        assert_same(
            2,
            |i| project(i.x.clone(), &i.matrices[0]),
            |i| composed::project(i.x.clone(), &i.matrices[0]),
        );
        assert_same(
            3,
            |i| project2(i.x.clone(), [&i.matrices[0], &i.matrices[1]]),
            |i| composed::project(i.x.clone(), &Tensor::cat(weights(i)[..2].to_vec(), 0)),
        );
        assert_same(
            4,
            |i| project3(i.x.clone(), weights(i).each_ref()),
            |i| composed::project(i.x.clone(), &Tensor::cat(weights(i).to_vec(), 0)),
        );
        // The matrix is `[24, 45]`: inputs of 24 numbers.
        assert_same(
            3,
            |i| conv1d_whole(i.x.clone().narrow(2, 3, 24), &i.matrices[0], &i.vectors[3]),
            |i| {
                let x = i.x.clone().narrow(2, 3, 24);
                composed::project(x, &i.matrices[0].clone().transpose()) + i.vectors[3].clone().unsqueeze()
            },
        );
    }

    #[test]
    fn additions_of_low_rank() {
        // A is `[24, 45]`, B `[25, 24]`: to the columns from 7 on of 135.
        let b = |i: &Inputs| i.matrices[1].clone().narrow(1, 3, 24);
        for dropout in [None, some_dropout()] {
            let addition = Addition { start: 7, scale: 0.7, dropout };
            assert_same(
                4,
                |i| low_rank(i.qkv.clone(), i.x.clone(), [&i.matrices[0], &b(i)], addition),
                |i| composed::low_rank(i.qkv.clone(), i.x.clone(), [&i.matrices[0], &b(i)], addition),
            );
        }
    }

    #[test]
    fn products_with_four_bits() {
        let numbers: Vec<f32> = (0..24 * HIDDEN).map(|i| (i as f32 * 0.61).sin()).collect();
        for (shape, transposed) in [([24, HIDDEN], false), ([HIDDEN, 24], true)] {
            let matrix = Nf4::quantise(&numbers, shape, true);
            let whole = || {
                let data = TensorData::new(matrix.values(), shape);
                let whole = Tensor::<2>::from_data(data, &Device::flex());
                if transposed { whole.transpose() } else { whole }
            };
            assert_same(
                1,
                |i| four_bits(i.x.clone(), &matrix, transposed),
                |i| composed::project(i.x.clone(), &whole()),
            );
        }
    }

    #[test]
    fn activations() {
        for kind in [Activation::Silu, Activation::Gelu, Activation::GeluTanh, Activation::Relu] {
            assert_same(
                1,
                |i| activation(i.x.clone() * 4, kind),
                |i| composed::activation(i.x.clone() * 4, kind),
            );
            let even = |i: &Inputs| i.qkv.clone().narrow(2, 0, 134) * 3;
            assert_same(1, |i| gated(even(i), kind), |i| composed::gated(even(i), kind));
        }
    }

    #[test]
    fn rms_norms() {
        let layer = |i: &Inputs| RmsNorm { gamma: i.vectors[3].clone(), epsilon: 1e-5 };
        assert_same(2, |i| rms_norm(i.x.clone(), &layer(i)), |i| composed::rms_norm(i.x.clone(), &layer(i)));
    }

    #[test]
    fn rotations() {
        // Four heads of six dimensions, and a rest.
        let angle = |i: usize| (i as f32 * 0.7).sin() * 3.0;
        let rotation = Rotation {
            cos: Arc::new((0..BATCH * TOKENS * 3).map(|i| angle(i).cos()).collect()),
            sin: Arc::new((0..BATCH * TOKENS * 3).map(|i| angle(i).sin()).collect()),
            head: 6,
        };
        assert_same(
            1,
            |i| rotate(i.x.clone(), 4, &rotation),
            |i| composed::rotate(i.x.clone(), 4, &rotation),
        );
    }

    #[test]
    fn attention_in_groups_to_what_is_visible() {
        // 135 numbers a token: nine heads of nine dimensions that share three keys and values. More tokens than a
        // block has queries: the batch is one row.
        let tokens = BATCH * TOKENS;
        let long = |i: &Inputs| {
            let x = i.qkv.clone().reshape([1, tokens, 3 * HIDDEN]);
            Tensor::cat(vec![x.clone(), x.flip([1])], 1) * 3
        };
        let row: Vec<u32> = (0..2 * tokens as u32).collect();
        let documents = crate::TokenBatch::packed(&[vec![&row[..70], &row[70..110]]], 0);
        let documents =
            documents.map(|batch| [batch.causal(None), batch.causal(Some(5)), batch.bidirectional()]);
        for visible in documents.expect("a batch") {
            let visible = Arc::new(Visible {
                first: visible.first.iter().copied().chain(110..114).collect(),
                end: visible.end.iter().copied().chain(111..115).collect(),
                tokens: 2 * tokens,
            });
            for dropout in [None, some_dropout()] {
                let attention = GroupedAttention {
                    heads: 9,
                    groups: 3,
                    scale: 0.3,
                    visible: Arc::clone(&visible),
                    dropout,
                };
                assert_same(
                    1,
                    |i| grouped_attention(long(i), attention.clone()),
                    |i| composed::grouped_attention(long(i), attention.clone()),
                );
            }
        }
        // Several rows, one of them padded on the left.
        let rows: [&[u32]; 3] = [&row[..TOKENS], &row[..4], &row[..9]];
        let batch = crate::TokenBatch::left_padded(rows.into_iter(), 0).expect("a batch");
        let visible = Arc::new(batch.causal(None));
        let attention =
            GroupedAttention { heads: 9, groups: 3, scale: 0.3, visible, dropout: some_dropout() };
        assert_same(
            1,
            |i| grouped_attention(i.qkv.clone(), attention.clone()),
            |i| composed::grouped_attention(i.qkv.clone(), attention.clone()),
        );
    }

    #[test]
    fn elementwise() {
        assert_same(1, |i| gelu(i.x.clone() * 4), |i| composed::gelu(i.x.clone() * 4));
        let Some(choice) = some_dropout() else { panic!("a dropout") };
        assert_same(1, |i| dropout(i.x.clone(), Some(choice)), |i| composed::dropout(i.x.clone(), choice));
        assert_same(1, |i| dropout(i.x.clone(), None), |i| i.x.clone() * 1);
    }

    #[test]
    fn norms() {
        assert_same(
            3,
            |i| norm(i.x.clone(), &layer_norm(i)),
            |i| composed::norm(i.x.clone(), &layer_norm(i)),
        );
        for choice in [None, some_dropout()] {
            assert_same(
                4,
                |i| residual_norm(i.x.clone(), i.residual.clone(), &layer_norm(i), choice),
                |i| composed::residual_norm(i.x.clone(), i.residual.clone(), &layer_norm(i), choice),
            );
        }
    }

    #[test]
    fn attention_with_padding() {
        let bias: Vec<f32> = (0..BATCH)
            .flat_map(|row| (0..TOKENS).map(move |t| if t < TOKENS - 4 * row { 0.0 } else { f32::MIN }))
            .collect();
        let bias = Arc::new(bias);
        for choice in [None, some_dropout()] {
            assert_same(
                1,
                |i| attention(i.qkv.clone() * 3, 5, &bias, choice),
                |i| composed::attention(i.qkv.clone() * 3, 5, &bias, choice),
            );
        }
    }

    #[test]
    fn attention_with_a_bias_and_to_another_text() {
        let padded = (0..BATCH)
            .flat_map(|row| (0..TOKENS).map(move |t| if t < TOKENS - 4 * row { 0.0 } else { f32::MIN }))
            .collect();
        let key_bias = Arc::new(padded);
        // Queries of 7 tokens, keys and values of all: 5 heads of 9.
        let parts = |i: &Inputs| {
            let part = |part: usize| i.qkv.clone().narrow(2, part * HIDDEN, HIDDEN);
            [part(0).narrow(1, 3, 7) * 2, part(1), part(2)]
        };
        let bias = |i: &Inputs| {
            let numbers = i.residual.clone().reshape([BATCH * TOKENS * HIDDEN]);
            numbers.narrow(0, 0, 5 * 7 * TOKENS).reshape([5, 7, TOKENS])
        };
        for choice in [None, some_dropout()] {
            for key_bias in [&key_bias, &Arc::new(vec![])] {
                assert_same(
                    2,
                    |i| biased_attention(parts(i), 5, Some(bias(i)), key_bias, choice),
                    |i| composed::biased_attention(parts(i), 5, Some(bias(i)), key_bias, choice),
                );
                assert_same(
                    1,
                    |i| biased_attention(parts(i), 5, None, key_bias, choice),
                    |i| composed::biased_attention(parts(i), 5, None, key_bias, choice),
                );
            }
        }
    }

    #[test]
    fn embeddings() {
        // Repeated ids: their rows' gradients must add up.
        let ids = [7, 5, 2]
            .map(|n| Arc::new((0..(BATCH * TOKENS) as u32).map(|i| i * i % n).collect::<Vec<u32>>()));
        let tables = |i: &Inputs| [i.matrices[0].clone(), i.matrices[1].clone(), i.matrices[2].clone()];
        // As in a batch: ids that differ, positions, and one type for all.
        let positions = (0..BATCH).flat_map(|_| 0..TOKENS as u32).collect();
        let batch = [Arc::clone(&ids[0]), Arc::new(positions), Arc::new(vec![1; BATCH * TOKENS])];
        for ids in [ids, batch.clone(), [2, 1, 2].map(|i: usize| Arc::clone(&batch[i]))] {
            assert_same(
                3,
                |i| embedding3(tables(i).each_ref(), ids.clone(), BATCH),
                |i| composed::embedding3(tables(i).each_ref(), ids.clone(), BATCH),
            );
            let [a, b, _] = ids.clone();
            let lookup = |table: &Tensor<2>, ids: &Arc<Vec<u32>>| composed::embedding(table, ids, BATCH);
            assert_same(
                2,
                |i| embedding2([&i.matrices[0], &i.matrices[1]], [Arc::clone(&a), Arc::clone(&b)], BATCH),
                |i| lookup(&i.matrices[0], &a) + lookup(&i.matrices[1], &b),
            );
            assert_same(1, |i| embedding(&i.matrices[0], &a, BATCH), |i| lookup(&i.matrices[0], &a));
        }
    }
}

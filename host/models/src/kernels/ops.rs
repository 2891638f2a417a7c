//! The operations that the architectures are built from: fused on the CPU, Burn's own elsewhere.

use super::attention::Attention;
use super::composed;
use super::extension::Kernels;
use super::random::Dropout;
use burn::backend::{Dispatch, DispatchDevice};
use burn::tensor::{Bool, Device, Tensor, TensorData};
use std::sync::Arc;

/// A linear layer's parameters in PyTorch's layout: weight `[out, in]`, bias `[out]`.
#[derive(Clone, Debug)]
pub struct Linear {
    pub weight: Tensor<2>,
    pub bias: Tensor<1>,
}

/// LayerNorm's parameters, `[H]` each, and the number added to the variance.
#[derive(Clone, Debug)]
pub struct LayerNorm {
    pub gamma: Tensor<1>,
    pub beta: Tensor<1>,
    pub epsilon: f64,
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

/// x W^T + b: x `[B, T, in]` to `[B, T, out]`.
pub fn linear(x: Tensor<3>, layer: &Linear) -> Tensor<3> {
    if fused(&x.device()) {
        return Tensor::from_dispatch(Dispatch::fused_linear(
            x.into_dispatch(),
            layer.weight.clone().into_dispatch(),
            layer.bias.clone().into_dispatch(),
        ));
    }
    composed::linear(x, layer)
}

/// Three linear layers of the same input side by side: x `[B, T, in]` to `[B, T, out_a + out_b + out_c]`.
pub fn linear3(x: Tensor<3>, layers: [&Linear; 3]) -> Tensor<3> {
    if fused(&x.device()) {
        let [a, b, c] = layers.map(|layer| (layer.weight.clone(), layer.bias.clone()));
        return Tensor::from_dispatch(Dispatch::fused_linear3(
            x.into_dispatch(),
            a.0.into_dispatch(),
            a.1.into_dispatch(),
            b.0.into_dispatch(),
            b.1.into_dispatch(),
            c.0.into_dispatch(),
            c.1.into_dispatch(),
        ));
    }
    composed::linear3(x, layers)
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
    use crate::kernels::{DropoutKey, mix64};

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

    fn layer(inputs: &Inputs, i: usize) -> Linear {
        Linear { weight: inputs.matrices[i].clone(), bias: inputs.vectors[i].clone() }
    }

    fn layer_norm(inputs: &Inputs) -> LayerNorm {
        LayerNorm { gamma: inputs.vectors[3].clone(), beta: inputs.vectors[4].clone(), epsilon: 1e-12 }
    }

    #[test]
    fn linear_layers() {
        assert_same(
            3,
            |i| linear(i.x.clone(), &layer(i, 0)),
            |i| composed::linear(i.x.clone(), &layer(i, 0)),
        );
        assert_same(
            7,
            |i| linear3(i.x.clone(), [&layer(i, 0), &layer(i, 1), &layer(i, 2)]),
            |i| composed::linear3(i.x.clone(), [&layer(i, 0), &layer(i, 1), &layer(i, 2)]),
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
        }
    }
}

//! Weights as plain slices, and the layers over them.

use burn::backend::Flex;
use burn::tensor::Tensor;
use burn_flex::FlexTensor;

use crate::kernels::math::{dot, sum};
use crate::kernels::matmul::{Output, Threads, View, matmul};
use crate::kernels::matvec::{self, Rows};
use crate::kernels::ops::Linear;
use crate::kernels::simd::simd;
use crate::kernels::storage::{contiguous, slice, tensor};

/// Tokens from which on a prompt's products are those of whole matrices.
const MATRIX: usize = 8;

/// A tensor's values in the host's memory: shared with a tensor of the CPU, copied from any other device.
#[derive(Clone, Debug)]
pub struct Values(FlexTensor);

impl Values {
    pub fn of<const D: usize>(values: &Tensor<D>) -> Self {
        match values.clone().try_into_primitive::<Flex>() {
            Ok(primitive) => Self(contiguous(primitive)),
            Err(_) => {
                let shape = values.dims();
                let values: Vec<f32> = values.clone().into_data().iter::<f32>().collect();
                Self(tensor(values, &shape))
            }
        }
    }

    pub fn get(&self) -> &[f32] {
        slice(&self.0)
    }

    /// Row `id` of a matrix of rows of `width`.
    pub fn row(&self, id: u32, width: usize) -> &[f32] {
        &self.get()[id as usize * width..][..width]
    }
}

/// A linear layer.
#[derive(Clone, Debug)]
pub struct Matrix {
    weight: Values,
    bias: Option<Values>,
    inputs: usize,
    outputs: usize,
    /// Whether the weight is `[in, out]`, as GPT-2's Conv1D.
    conv1d: bool,
}

impl Matrix {
    /// `[out, in]`
    pub fn new(weight: &Tensor<2>, bias: Option<&Tensor<1>>) -> Self {
        let [outputs, inputs] = weight.dims();
        Self { weight: Values::of(weight), bias: bias.map(Values::of), inputs, outputs, conv1d: false }
    }

    /// `[in, out]`
    pub fn conv1d(layer: &Linear) -> Self {
        let [inputs, outputs] = layer.weight.dims();
        let weight = layer.weight.merged(&layer.bias.device());
        let (weight, bias) = (Values::of(&weight), Some(Values::of(&layer.bias)));
        Self { weight, bias, inputs, outputs, conv1d: true }
    }

    /// Of each token of x, the outputs of one to three `layers` side by side, as y's rows. In a `prompt`, which is a row of its own,
    /// many tokens are multiplied as a matrix; otherwise a token's results do not depend on those beside it.
    pub fn apply(layers: &[&Self], y: &mut Vec<f32>, x: &[f32], prompt: bool, scratch: &mut Vec<f32>) {
        let Some(first) = layers.first() else { return };
        let tokens = x.len() / first.inputs;
        let outputs: usize = layers.iter().map(|layer| layer.outputs).sum();
        y.resize(tokens * outputs, 0.0);
        if prompt && tokens >= MATRIX {
            let mut start = 0;
            for layer in layers {
                layer.multiply(&mut y[start..], outputs, x, tokens);
                start += layer.outputs;
            }
        } else if let ([layer], true) = (layers, first.conv1d) {
            let bias = layer.bias.as_ref().map_or(&[][..], Values::get);
            matvec::conv1d(y, x, layer.weight.get(), bias);
        } else {
            // At most queries, keys and values.
            let mut rows = [first.rows(); 3];
            rows.iter_mut().zip(layers).for_each(|(rows, layer)| *rows = layer.rows());
            matvec::project(y, x, first.inputs, &rows[..layers.len().min(3)], scratch);
        }
    }

    fn rows(&self) -> Rows<'_> {
        Rows { weight: self.weight.get(), bias: self.bias.as_ref().map(Values::get) }
    }

    /// The product of whole matrices, into columns of y, whose rows lie `stride` apart.
    fn multiply(&self, y: &mut [f32], stride: usize, x: &[f32], tokens: usize) {
        let output = match &self.bias {
            Some(bias) => {
                for y in y.chunks_mut(stride) {
                    y[..self.outputs].copy_from_slice(bias.get());
                }
                Output::Add
            }
            None => Output::Overwrite,
        };
        let weight = match self.conv1d {
            true => View::dense(self.weight.get(), self.inputs, self.outputs),
            false => View::dense(self.weight.get(), self.outputs, self.inputs).t(),
        };
        matmul(y, stride, output, View::dense(x, tokens, self.inputs), weight, 1.0, Threads::All);
    }
}

simd! {
    /// x += y
    pub fn add(x: &mut [f32], y: &[f32]) {
        for (x, y) in x.iter_mut().zip(y) {
            *x += y;
        }
    }
}

simd! {
    /// RMSNorm (Zhang and Sennrich 2019) of one row.
    pub fn rms_norm_in_place(x: &mut [f32], gamma: &[f32], epsilon: f32) {
        let inverse = 1.0 / (dot(x, x) / x.len() as f32 + epsilon).sqrt();
        for (x, gamma) in x.iter_mut().zip(gamma) {
            *x = *x * inverse * gamma;
        }
    }
}

simd! {
    /// LayerNorm of each row of x (Ba et al. 2016).
    pub fn layer_norm(y: &mut [f32], x: &[f32], gamma: &[f32], beta: &[f32], epsilon: f32) {
        let width = gamma.len();
        for (y, x) in y.chunks_exact_mut(width).zip(x.chunks_exact(width)) {
            let mean = sum(x) / width as f32;
            for (y, x) in y.iter_mut().zip(x) {
                *y = x - mean;
            }
            let inverse = 1.0 / (dot(y, y) / width as f32 + epsilon).sqrt();
            for ((y, gamma), beta) in y.iter_mut().zip(gamma).zip(beta) {
                *y = *y * inverse * gamma + beta;
            }
        }
    }
}

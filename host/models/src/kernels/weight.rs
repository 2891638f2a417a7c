//! The matrix of a linear layer: whole or in four bits, and with an adapter beside it or not.
//!
//! LoRA (Hu et al. 2021): W x becomes W x + s B A drop(x). DoRA (Liu et al. 2024): each row of W + s B A is brought to a
//! length of its own, the magnitude, which is trained; the length that it had counts as a constant.

use burn::backend::DispatchDevice;
use burn::tensor::{Device, Tensor, TensorData};

use super::linear::Layout;
use super::nf4::Nf4;
use super::ops;
use super::{DropoutSites, low_rank::Addition};

/// A matrix, frozen or trained.
#[derive(Clone, Debug)]
pub struct Weight {
    pub(crate) base: Base,
    pub(crate) layout: Layout,
    pub(crate) adapter: Option<Box<Adapter>>,
}

/// The matrix itself, in its layout.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "a model has few, and each holds a matrix")]
pub(crate) enum Base {
    Whole(Tensor<2>),
    /// Frozen, on the CPU.
    FourBits(Nf4),
}

/// What is trained beside a frozen matrix of `out` rows and `in` columns.
#[derive(Clone, Debug)]
pub struct Adapter {
    /// `[r, in]`
    pub a: Tensor<2>,
    /// `[out, r]`
    pub b: Tensor<2>,
    /// DoRA's, `[out]`.
    pub magnitude: Option<Tensor<1>>,
    /// alpha / r, or alpha / sqrt(r).
    pub scale: f64,
    /// Of the inputs.
    pub dropout: f64,
}

impl From<Tensor<2>> for Weight {
    /// `[out, in]`
    fn from(matrix: Tensor<2>) -> Self {
        Self { base: Base::Whole(matrix), layout: Layout::OutIn, adapter: None }
    }
}

impl Weight {
    /// `[in, out]`, as GPT-2's Conv1D.
    pub fn conv1d(matrix: Tensor<2>) -> Self {
        Self { base: Base::Whole(matrix), layout: Layout::InOut, adapter: None }
    }

    pub fn zeros(inputs: usize, outputs: usize, device: &Device) -> Self {
        Tensor::zeros([outputs, inputs], device).into()
    }

    /// As the matrix lies.
    pub fn dims(&self) -> [usize; 2] {
        match &self.base {
            Base::Whole(matrix) => matrix.dims(),
            Base::FourBits(matrix) => matrix.shape(),
        }
    }

    /// `[out, in]`, however the matrix lies.
    pub fn outputs_inputs(&self) -> [usize; 2] {
        match (self.layout, self.dims()) {
            (Layout::OutIn, dims) => dims,
            (Layout::InOut, [inputs, outputs]) => [outputs, inputs],
        }
    }

    pub fn is_adapted(&self) -> bool {
        self.adapter.is_some()
    }

    /// Whether the matrix has four bits a number.
    pub fn is_quantised(&self) -> bool {
        matches!(self.base, Base::FourBits(_))
    }

    /// The whole matrix, where what an adapter does can be added to its outputs.
    fn all_that_multiplies(&self) -> Option<&Tensor<2>> {
        match (&self.base, &self.adapter) {
            (Base::Whole(matrix), None) => Some(matrix),
            (Base::Whole(matrix), Some(adapter)) if adapter.magnitude.is_none() => Some(matrix),
            _ => None,
        }
    }

    /// The matrix without its adapter, as it lies, on `device`.
    pub(crate) fn base(&self, device: &Device) -> Tensor<2> {
        match &self.base {
            Base::Whole(matrix) => matrix.clone(),
            Base::FourBits(matrix) => {
                Tensor::from_data(TensorData::new(matrix.values(), matrix.shape()), device)
            }
        }
    }

    /// The one matrix that gives the same outputs, as it lies, on `device`: the base's and the adapter's.
    pub fn merged(&self, device: &Device) -> Tensor<2> {
        let base = self.base(device);
        let Some(adapter) = &self.adapter else { return base };
        let turned = |matrix: Tensor<2>| match self.layout {
            Layout::OutIn => matrix,
            Layout::InOut => matrix.transpose(),
        };
        let sum = turned(base) + adapter.product();
        turned(match &adapter.magnitude {
            Some(magnitude) => {
                let [outputs, _] = sum.dims();
                let length = lengths(sum.clone());
                sum * (magnitude.clone() / length).reshape([outputs, 1])
            }
            None => sum,
        })
    }

    /// The lengths of the rows of the base's matrix `[out, in]`, which DoRA's magnitudes begin with.
    pub(crate) fn lengths(&self, device: &Device) -> Tensor<1> {
        lengths(self.base_rows(device))
    }

    /// The base as `[out, in]`.
    fn base_rows(&self, device: &Device) -> Tensor<2> {
        match self.layout {
            Layout::OutIn => self.base(device),
            Layout::InOut => self.base(device).transpose(),
        }
    }

    /// x W^T without adapter and bias.
    fn of_base(&self, x: Tensor<3>) -> Tensor<3> {
        match (&self.base, self.layout) {
            (Base::Whole(matrix), Layout::OutIn) => ops::project(x, matrix),
            (Base::Whole(matrix), Layout::InOut) => {
                let [_, outputs] = matrix.dims();
                let nothing = Tensor::zeros([outputs], &matrix.device().inner());
                ops::conv1d_whole(x, matrix, &nothing)
            }
            (Base::FourBits(matrix), layout) => ops::four_bits(x, matrix, layout == Layout::InOut),
        }
    }
}

impl Adapter {
    /// s B A, `[out, in]`.
    fn product(&self) -> Tensor<2> {
        self.b.clone().matmul(self.a.clone()) * self.scale
    }
}

/// Of each row.
fn lengths(matrix: Tensor<2>) -> Tensor<1> {
    let [rows, _] = matrix.dims();
    matrix.square().sum_dim(1).sqrt().reshape([rows])
}

/// A linear layer's matrix and its bias `[out]`.
pub(crate) type Layer<'a> = (&'a Weight, Option<&'a Tensor<1>>);

/// Layers of the same input side by side, with biases or without: x `[B, T, in]` to `[B, T, out_1 + out_2 + ..]`.
pub(crate) fn apply(x: Tensor<3>, layers: &[Layer<'_>], sites: &mut DropoutSites) -> Tensor<3> {
    let matrices = layers.iter().map(|(weight, bias)| Some((weight.all_that_multiplies()?, *bias)));
    let matrices: Option<Vec<(&Tensor<2>, Option<&Tensor<1>>)>> = matrices.collect();
    let whole = matrices.and_then(|matrices| together(&x, layers[0].0.layout, &matrices));
    if let Some(mut y) = whole {
        let mut start = 0;
        for (weight, _) in layers {
            if let Some(adapter) = &weight.adapter {
                let dropout = sites.next(adapter.dropout);
                let addition = Addition { start, scale: adapter.scale as f32, dropout };
                y = ops::low_rank(y, x.clone(), [&adapter.a, &adapter.b], addition);
            }
            start += weight.outputs_inputs()[0];
        }
        return y;
    }
    let mut parts: Vec<Tensor<3>> = layers.iter().map(|layer| apply_one(x.clone(), *layer, sites)).collect();
    if let [one] = &parts[..] {
        return one.clone();
    }
    // Those before the first trained parameter are on the device without autodiff.
    let on_graph = |part: &Tensor<3>| matches!(part.device().as_dispatch(), DispatchDevice::Autodiff(_));
    if parts.iter().any(on_graph) {
        parts = parts
            .into_iter()
            .map(|part| if on_graph(&part) { part } else { Tensor::from_inner(part) })
            .collect();
    }
    Tensor::cat(parts, 2)
}

/// The outputs of whole matrices that lie alike, side by side, in one operation where there is one for so many.
fn together(x: &Tensor<3>, layout: Layout, layers: &[(&Tensor<2>, Option<&Tensor<1>>)]) -> Option<Tensor<3>> {
    let x = x.clone();
    Some(match (layers, layout) {
        ([(weight, Some(bias))], Layout::OutIn) => ops::linear_whole(x, weight, bias),
        ([(weight, None)], Layout::OutIn) => ops::project(x, weight),
        ([(weight, Some(bias))], Layout::InOut) => ops::conv1d_whole(x, weight, bias),
        ([(a, None), (b, None)], Layout::OutIn) => ops::project2(x, [a, b]),
        ([(a, None), (b, None), (c, None)], Layout::OutIn) => ops::project3(x, [a, b, c]),
        ([(a, Some(bias_a)), (b, Some(bias_b)), (c, Some(bias_c))], Layout::OutIn) => {
            ops::linear3_whole(x, [a, b, c], [bias_a, bias_b, bias_c])
        }
        _ => return None,
    })
}

fn apply_one(x: Tensor<3>, (weight, bias): Layer<'_>, sites: &mut DropoutSites) -> Tensor<3> {
    let y = weight.of_base(x.clone());
    let y = match &weight.adapter {
        None => y,
        Some(adapter) => {
            let dropout = sites.next(adapter.dropout);
            let matrices = [&adapter.a, &adapter.b];
            let scale = adapter.scale as f32;
            match &adapter.magnitude {
                None => ops::low_rank(y, x, matrices, Addition { start: 0, scale, dropout }),
                Some(magnitude) => {
                    let sum = weight.base_rows(&adapter.a.device().inner())
                        + Adapter {
                            a: adapter.a.clone().detach(),
                            b: adapter.b.clone().detach(),
                            ..(**adapter).clone()
                        }
                        .product();
                    let factor = magnitude.clone() / lengths(sum).detach();
                    let factor = factor.reshape([1, 1, weight.outputs_inputs()[0]]);
                    // With dropout the base sees what was dropped in as far as the row's length has changed, as in
                    // PEFT: y + (factor - 1) W drop(x) + factor s B A drop(x).
                    let dropped = match dropout {
                        Some(_) => weight.of_base(ops::dropout(x.clone(), dropout)),
                        None => y.clone(),
                    };
                    let addition = Addition { start: 0, scale, dropout };
                    let turned = ops::low_rank(dropped.clone(), x, matrices, addition) * factor;
                    if dropout.is_some() { y + turned - dropped } else { turned }
                }
            }
        }
    };
    match bias {
        Some(bias) => y + bias.clone().unsqueeze(),
        None => y,
    }
}

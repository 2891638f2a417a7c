//! Many elements to fewer. Reduced dimensions stay with size 1. An empty list of dimensions means all of them
//! and gives shape `[1]`; a dimension named twice ends the call.

use pegbox_plugin_abi::tensors::TensorOp;

use super::Tensor;

impl Tensor {
    /// Float or int: the sum over `dims`, over everything when `dims` is empty.
    pub fn sum(&self, dims: &[i32]) -> Self {
        self.unary(TensorOp::Sum { dims: dims.to_vec() })
    }

    /// Float: the mean over `dims`, over everything when `dims` is empty.
    pub fn mean(&self, dims: &[i32]) -> Self {
        self.unary(TensorOp::Mean { dims: dims.to_vec() })
    }

    /// Float or int: the largest element over `dims`, of everything when `dims` is empty.
    pub fn max(&self, dims: &[i32]) -> Self {
        self.unary(TensorOp::Max { dims: dims.to_vec() })
    }

    /// Float or int to int: index of the largest element along `dim`, the first of equals.
    pub fn argmax(&self, dim: i32) -> Self {
        self.unary(TensorOp::Argmax { dim })
    }

    /// Float: the mean of the elements where `mask` holds, shape `[1]`; 0 where it holds nowhere, and then
    /// without a gradient.
    ///
    /// `mask` is bool and broadcasts to this tensor's shape, never the other way round: `[B, 1]` with a mask
    /// `[B]` ends the call instead of averaging B times B numbers. With x this tensor and m the mask so
    /// broadcast, the result is `sum of x over the elements where m / number of elements where m`. NaN and
    /// infinity where the mask does not hold do not matter.
    pub fn masked_mean(&self, mask: &Self) -> Self {
        let sum = self.masked_fill(&mask.logical_not(), 0.0).sum(&[]);
        let held = mask.to_float().sum(&[]);
        let repeated = elements(self) / elements(mask).max(1.0);
        let count = if repeated == 1.0 { held } else { held * repeated };
        sum / count.or_tiny()
    }

    /// A divisor that must not be 0: a sum that is at least 0, and the smallest normal number instead of 0.
    /// What it divides is 0 then too, so that the quotient and its gradient are 0 instead of NaN.
    pub(crate) fn or_tiny(&self) -> Self {
        self.clamp(f32::MIN_POSITIVE, f32::MAX)
    }
}

fn elements(tensor: &Tensor) -> f32 {
    tensor.shape().iter().map(|size| *size as f32).product()
}

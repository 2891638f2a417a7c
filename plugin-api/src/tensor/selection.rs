//! Elements by index or mask.

use std::ops::Range;

use pegbox_plugin_abi::tensors::TensorOp;

use super::Tensor;

impl Tensor {
    /// `out[i][j] = self[i][indices[i][j]]` for `dim` = 1, and so on. This tensor is float or int, `indices`
    /// is int, of the same rank and equal in every dimension but `dim`. Ends the call on an index outside
    /// `[0, size of dim)`.
    pub fn gather(&self, dim: i32, indices: &Self) -> Self {
        self.binary(TensorOp::Gather { dim }, indices)
    }

    /// Int to float with one more dimension, last, of size `classes`. Ends the call on a value outside
    /// `[0, classes)`.
    pub fn one_hot(&self, classes: u32) -> Self {
        self.unary(TensorOp::OneHot { classes })
    }

    /// This tensor is the condition, bool: `on_true` where it holds, else `on_false`, which are of the same
    /// dtype; all three broadcast. (`where` is a keyword.)
    pub fn where_(&self, on_true: &Self, on_false: &Self) -> Self {
        self.ternary(TensorOp::Where, on_true, on_false)
    }

    /// Float: `value` wherever `mask` holds, which is bool and broadcasts to this tensor's shape.
    pub fn masked_fill(&self, mask: &Self, value: f32) -> Self {
        self.binary(TensorOp::MaskedFill { value }, mask)
    }

    /// Any dtype: elements `range` along `dim`. Ends the call unless start < end <= size.
    pub fn slice(&self, dim: i32, range: Range<u32>) -> Self {
        self.unary(TensorOp::Slice { dim, start: range.start, end: range.end })
    }
}

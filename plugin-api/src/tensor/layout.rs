//! Shapes, joining, matrix product, conversion.

use pegbox_plugin_abi::tensors::TensorOp;

use super::Tensor;
use crate::host;

impl Tensor {
    /// Any dtype: the same elements in row-major order. One entry may be -1 and is inferred. Ends the call
    /// when the number of elements would change.
    pub fn reshape(&self, shape: &[i32]) -> Self {
        self.unary(TensorOp::Reshape { shape: shape.to_vec() })
    }

    /// Any dtype: swaps two dimensions.
    pub fn transpose(&self, dim0: i32, dim1: i32) -> Self {
        self.unary(TensorOp::Transpose { dim0, dim1 })
    }

    /// Joins tensors of the same dtype that agree in every dimension but `dim`. Ends the call when there are
    /// none.
    pub fn concat(parts: &[&Self], dim: i32) -> Self {
        let handles: Vec<&host::TensorHandle> = parts.iter().map(|part| &part.0).collect();
        Self::new(host::concat(&handles, dim))
    }

    /// Float: matrix product over the last two dimensions, `[.., m, k] x [.., k, n] -> [.., m, n]`; leading
    /// dimensions broadcast.
    pub fn matmul(&self, other: &Self) -> Self {
        self.binary(TensorOp::Matmul, other)
    }

    /// Bool or int to float (true is 1); float unchanged.
    pub fn to_float(&self) -> Self {
        self.unary(TensorOp::ToFloat)
    }

    /// Bool to int (true is 1), float to int (towards zero); int unchanged.
    pub fn to_int(&self) -> Self {
        self.unary(TensorOp::ToInt)
    }
}

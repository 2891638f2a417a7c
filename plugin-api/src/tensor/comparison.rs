//! Comparison and logic: elementwise, broadcasting, with a bool result. Both operands are of the same dtype.

use pegbox_plugin_abi::tensors::TensorOp;

use super::Tensor;

impl Tensor {
    /// Any dtype.
    pub fn equal(&self, other: &Self) -> Self {
        self.binary(TensorOp::Equal, other)
    }

    /// Float or int, as are the next three.
    pub fn greater(&self, other: &Self) -> Self {
        self.binary(TensorOp::Greater, other)
    }

    pub fn greater_equal(&self, other: &Self) -> Self {
        self.binary(TensorOp::GreaterEqual, other)
    }

    pub fn less(&self, other: &Self) -> Self {
        self.binary(TensorOp::Less, other)
    }

    pub fn less_equal(&self, other: &Self) -> Self {
        self.binary(TensorOp::LessEqual, other)
    }

    /// Bool to bool. The operator `!` does the same.
    pub fn logical_not(&self) -> Self {
        self.unary(TensorOp::LogicalNot)
    }
}

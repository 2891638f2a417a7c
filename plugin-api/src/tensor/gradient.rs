//! Gradients of one's own, and none.

use pegbox_plugin_abi::tensors::TensorOp;

use super::Tensor;

impl Tensor {
    /// The same values, cut off from differentiation.
    pub fn detach(&self) -> Self {
        self.unary(TensorOp::Detach)
    }

    /// For a loss that brings its own gradient. This tensor is what the gradient is about (for example the
    /// logits), `value` the loss, float `[1]`, and `gradient` d value / d self, float of this tensor's shape.
    /// The result has the value of `value`, and back-propagates `gradient` (times whatever arrives from
    /// above) into this tensor, nothing into `value` or `gradient`.
    pub fn with_gradient(&self, value: &Self, gradient: &Self) -> Self {
        self.ternary(TensorOp::WithGradient, value, gradient)
    }
}

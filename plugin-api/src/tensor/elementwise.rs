//! Functions of each element by itself. All take and give float, unless they say otherwise.

use pegbox_plugin_abi::tensors::TensorOp;

use super::Tensor;

impl Tensor {
    /// e to the power of each element.
    pub fn exp(&self) -> Self {
        self.unary(TensorOp::Exp)
    }

    /// Natural logarithm; of 0 it is -infinity, of a negative number NaN.
    pub fn log(&self) -> Self {
        self.unary(TensorOp::Log)
    }

    pub fn sqrt(&self) -> Self {
        self.unary(TensorOp::Sqrt)
    }

    pub fn abs(&self) -> Self {
        self.unary(TensorOp::Abs)
    }

    /// Limits every element to `[low, high]`; the gradient is 0 outside. Ends the call unless `low <= high`.
    pub fn clamp(&self, low: f32, high: f32) -> Self {
        self.unary(TensorOp::Clamp { low, high })
    }

    /// The larger of 0 and the element.
    pub fn relu(&self) -> Self {
        self.unary(TensorOp::Relu)
    }

    /// x * Phi(x) with the exact normal distribution function, not the tanh approximation.
    pub fn gelu(&self) -> Self {
        self.unary(TensorOp::Gelu)
    }

    /// 1 / (1 + exp(-x)).
    pub fn sigmoid(&self) -> Self {
        self.unary(TensorOp::Sigmoid)
    }

    pub fn tanh(&self) -> Self {
        self.unary(TensorOp::Tanh)
    }

    /// Each element to the power of `exponent`.
    pub fn powf(&self, exponent: f32) -> Self {
        self.unary(TensorOp::PowScalar(exponent))
    }

    /// Elementwise power with a float tensor as exponent; broadcasts.
    pub fn pow(&self, exponent: &Self) -> Self {
        self.binary(TensorOp::Pow, exponent)
    }

    /// exp(x) / sum(exp(x)) along `dim`, computed stably.
    pub fn softmax(&self, dim: i32) -> Self {
        self.unary(TensorOp::Softmax { dim })
    }

    /// log(softmax(x)) along `dim`, computed stably.
    pub fn log_softmax(&self, dim: i32) -> Self {
        self.unary(TensorOp::LogSoftmax { dim })
    }
}

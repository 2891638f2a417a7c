//! Handles to tensors that live on the host's device.

/// Comparison and logic.
mod comparison;
/// Functions of each element by itself.
mod elementwise;
/// Gradients of one's own, and none.
mod gradient;
/// Shapes, joining, matrix product, conversion.
mod layout;
/// `+`, `-`, `*`, `/`.
mod operators;
/// Many elements to fewer.
mod reduction;
/// Elements by index or mask.
mod selection;

use std::marker::PhantomData;

use pegbox_plugin_abi::tensors::{DType, TensorOp};

use crate::host;

/// A tensor of the host. The plugin holds a handle; the host runs each operation where the data is and
/// records it for automatic differentiation, so the gradient of a loss comes for free, and no data crosses
/// the boundary unless [`Tensor::read`] asks.
///
/// - Shapes are dimension sizes, outermost first; rank 1 to 8, every size at least 1. A scalar has shape
///   `[1]`.
/// - A dimension argument counts from 0, or from the end when negative: -1 is the last.
/// - Arithmetic and comparison broadcast as NumPy does.
/// - Reductions keep the reduced dimension with size 1; [`Tensor::reshape`] drops it.
/// - A handle lives until it is dropped or the call ends: a plugin keeps numbers from one call to the next,
///   not tensors. (The type is not `Send`, so it cannot become a field of a plugin.)
///
/// Each operation says which dtypes and shapes it takes; others end the call, as do results of more than
/// 1,073,741,824 elements and more live handles or memory than the plugin's limits allow.
#[must_use]
pub struct Tensor(pub(crate) host::TensorHandle, pub(crate) NotSend);

/// Tensors belong to the thread of their call.
pub(crate) type NotSend = PhantomData<*const ()>;

impl Tensor {
    /// Float tensor of shape `[1]`.
    pub fn scalar(value: f32) -> Self {
        Self::full(&[1], value)
    }

    /// Float tensor of `shape`, filled with `value`.
    pub fn full(shape: &[u32], value: f32) -> Self {
        Self::new(host::tensor_full(shape, value))
    }

    /// Float tensor from row-major values. Ends the call unless the product of `shape` is their number.
    pub fn from_floats(shape: &[u32], values: &[f32]) -> Self {
        Self::new(host::tensor_from_floats(shape, values))
    }

    /// Int tensor from row-major values. Ends the call unless the product of `shape` is their number.
    pub fn from_ints(shape: &[u32], values: &[i64]) -> Self {
        Self::new(host::tensor_from_ints(shape, values))
    }

    /// Dimension sizes, outermost first.
    pub fn shape(&self) -> Vec<u32> {
        host::tensor_shape(&self.0)
    }

    /// What the elements are. A float tensor is float32 towards the plugin, whatever the host computes in.
    pub fn dtype(&self) -> DType {
        host::tensor_dtype(&self.0)
    }

    /// All elements, row-major, as floats (int and bool are converted). Waits for the device; ends the call
    /// above 16,777,216 elements.
    pub fn read(&self) -> Vec<f32> {
        host::tensor_read(&self.0)
    }

    /// All elements of an int or bool tensor, row-major. Waits for the device; ends the call on float, and
    /// above 16,777,216 elements.
    pub fn read_ints(&self) -> Vec<i64> {
        host::tensor_read_ints(&self.0)
    }

    pub(crate) fn new(handle: host::TensorHandle) -> Self {
        Self(handle, PhantomData)
    }

    // Always inlined, as `host::apply` is: a component imports the operations that it uses and no others.

    #[inline(always)]
    fn unary(&self, op: TensorOp) -> Self {
        Self::new(host::apply(op, [&self.0]))
    }

    #[inline(always)]
    fn binary(&self, op: TensorOp, other: &Self) -> Self {
        Self::new(host::apply(op, [&self.0, &other.0]))
    }

    #[inline(always)]
    fn ternary(&self, op: TensorOp, second: &Self, third: &Self) -> Self {
        Self::new(host::apply(op, [&self.0, &second.0, &third.0]))
    }
}

impl std::fmt::Debug for Tensor {
    /// `float [32, 77]`
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {:?}", self.dtype().name(), self.shape())
    }
}

//! Tensors as the runtime sees them: opaque values with a known shape and dtype, and an engine that runs
//! operations on them. The training crate implements the engine on its tensor library.

pub mod rules;

mod shape;

use std::any::Any;
use std::fmt;
use std::sync::Arc;

pub use pegbox_plugin_abi::tensors::{DType, TensorOp};
pub use shape::{MAX_RANK, Shape};

/// The most elements that a plugin reads back in one call.
pub const MAX_READ_ELEMENTS: usize = 16_777_216;

/// The most elements that a tensor made by a plugin has.
pub const MAX_ELEMENTS: usize = 1 << 30;

/// Shape and dtype.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TensorType {
    pub shape: Shape,
    pub dtype: DType,
}

/// A tensor of whatever library the engine uses.
#[derive(Clone)]
pub struct AnyTensor {
    value: Arc<dyn Any + Send + Sync>,
    kind: TensorType,
}

impl AnyTensor {
    /// Wraps `value`, which must have the shape and dtype of `kind`.
    pub fn new<T: Any + Send + Sync>(value: T, kind: TensorType) -> Self {
        Self { value: Arc::new(value), kind }
    }

    /// The engine's own tensor, if it is a `T`.
    pub fn downcast_ref<T: Any>(&self) -> Option<&T> {
        self.value.downcast_ref()
    }

    pub fn kind(&self) -> TensorType {
        self.kind
    }

    pub fn shape(&self) -> Shape {
        self.kind.shape
    }

    pub fn dtype(&self) -> DType {
        self.kind.dtype
    }
}

impl fmt::Debug for AnyTensor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?}", self.kind.dtype.name(), self.kind.shape)
    }
}

/// Runs operations. The runtime checks every call by [`rules`] first, so an engine meets only what is
/// right in shape and dtype, and checks nothing but what depends on values: the indices of `gather` and
/// `one-hot`, and integer division by zero.
pub trait TensorEngine: Send + Sync {
    /// Applies `op` to `arguments` (in the order that [`TensorOp`] gives). The result has the shape and
    /// dtype `out`.
    fn apply(
        &self,
        op: &TensorOp,
        arguments: &[&AnyTensor],
        out: TensorType,
    ) -> Result<AnyTensor, TensorError>;
    /// Float tensor filled with `value`.
    fn full(&self, shape: Shape, value: f32) -> Result<AnyTensor, TensorError>;
    /// Float tensor from row-major values.
    fn tensor_from_floats(&self, shape: Shape, values: Vec<f32>) -> Result<AnyTensor, TensorError>;
    /// Integer tensor from row-major values.
    fn tensor_from_ints(&self, shape: Shape, values: Vec<i64>) -> Result<AnyTensor, TensorError>;
    /// All elements, row-major; int and boolean are converted. Waits for the device.
    fn read_floats(&self, tensor: &AnyTensor) -> Result<Vec<f32>, TensorError>;
    /// All elements of an int or boolean tensor, row-major. Waits for the device.
    fn read_ints(&self, tensor: &AnyTensor) -> Result<Vec<i64>, TensorError>;
}

/// Operands that are shown: a plugin may join as many as it likes.
const MAX_OPERANDS: usize = 8;

/// An operation that a plugin asked for and that cannot be done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TensorError {
    /// As the contract writes it, for example `gather`.
    pub op: &'static str,
    /// What is wrong, for example `index 77 is outside [0, 16) at position [3, 0]`.
    pub what: String,
    /// The operands', in their order; may be empty.
    pub operands: Vec<TensorType>,
    pub help: Option<String>,
}

impl TensorError {
    /// Without operands or help.
    pub fn new(op: &'static str, what: impl Into<String>) -> Self {
        Self { op, what: what.into(), operands: Vec::new(), help: None }
    }

    #[must_use]
    pub fn with_operands(mut self, operands: &[TensorType]) -> Self {
        self.operands = operands.to_vec();
        self
    }

    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl fmt::Display for TensorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.op, self.what)?;
        for (i, operand) in self.operands.iter().take(MAX_OPERANDS).enumerate() {
            let lead = if i == 0 { " (operands: " } else { ", " };
            write!(f, "{lead}{} {}", operand.dtype.name(), operand.shape)?;
        }
        match self.operands.len() {
            0 => Ok(()),
            many if many > MAX_OPERANDS => write!(f, " and {} more)", many - MAX_OPERANDS),
            _ => f.write_str(")"),
        }
    }
}

impl std::error::Error for TensorError {}

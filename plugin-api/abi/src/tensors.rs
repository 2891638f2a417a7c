//! Mirrors `wit/tensors.wit`: every operation that makes a tensor from tensors is one value of
//! [`TensorOp`]. What each computes, and what it refuses, stands in the contract.

use serde::{Deserialize, Serialize};

/// What a tensor's elements are, towards a plugin.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum DType {
    Float,
    Int,
    Boolean,
}

impl DType {
    /// As the contract writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Float => "float",
            Self::Int => "int",
            Self::Boolean => "boolean",
        }
    }
}

/// An operation with its parameters. The comment gives its arguments.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum TensorOp {
    /// `[left, right]`
    Add,
    /// `[left, right]`
    Sub,
    /// `[left, right]`
    Mul,
    /// `[left, right]`
    Div,
    /// `[base, exponent]`
    Pow,
    /// `[input]`
    AddScalar(f32),
    /// `[input]`
    MulScalar(f32),
    /// `[input]`
    PowScalar(f32),
    /// `[input]`
    Neg,
    /// `[input]`
    Exp,
    /// `[input]`
    Log,
    /// `[input]`
    Sqrt,
    /// `[input]`
    Abs,
    /// `[input]`
    Clamp { low: f32, high: f32 },
    /// `[input]`
    Relu,
    /// `[input]`
    Gelu,
    /// `[input]`
    Sigmoid,
    /// `[input]`
    Tanh,
    /// `[input]`
    Softmax { dim: i32 },
    /// `[input]`
    LogSoftmax { dim: i32 },
    /// `[input]`; no dims means all
    Sum { dims: Vec<i32> },
    /// `[input]`; no dims means all
    Mean { dims: Vec<i32> },
    /// `[input]`; no dims means all
    Max { dims: Vec<i32> },
    /// `[input]`
    Argmax { dim: i32 },
    /// `[input, indices]`
    Gather { dim: i32 },
    /// `[input]`
    OneHot { classes: u32 },
    /// `[left, right]`
    Equal,
    /// `[left, right]`
    Greater,
    /// `[left, right]`
    GreaterEqual,
    /// `[left, right]`
    Less,
    /// `[left, right]`
    LessEqual,
    /// `[input]`
    LogicalNot,
    /// `[condition, on_true, on_false]`
    Where,
    /// `[input, mask]`
    MaskedFill { value: f32 },
    /// `[input]`; one entry may be -1
    Reshape { shape: Vec<i32> },
    /// `[input]`
    Transpose { dim0: i32, dim1: i32 },
    /// `[input]`
    Slice { dim: i32, start: u32, end: u32 },
    /// one or more
    Concat { dim: i32 },
    /// `[left, right]`
    Matmul,
    /// `[input]`
    ToFloat,
    /// `[input]`
    ToInt,
    /// `[input]`
    Detach,
    /// `[about, value, gradient]`
    WithGradient,
}

impl TensorOp {
    /// As the contract writes it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Sub => "sub",
            Self::Mul => "mul",
            Self::Div => "div",
            Self::Pow => "pow",
            Self::AddScalar(_) => "add-scalar",
            Self::MulScalar(_) => "mul-scalar",
            Self::PowScalar(_) => "pow-scalar",
            Self::Neg => "neg",
            Self::Exp => "exp",
            Self::Log => "log",
            Self::Sqrt => "sqrt",
            Self::Abs => "abs",
            Self::Clamp { .. } => "clamp",
            Self::Relu => "relu",
            Self::Gelu => "gelu",
            Self::Sigmoid => "sigmoid",
            Self::Tanh => "tanh",
            Self::Softmax { .. } => "softmax",
            Self::LogSoftmax { .. } => "log-softmax",
            Self::Sum { .. } => "sum",
            Self::Mean { .. } => "mean",
            Self::Max { .. } => "max",
            Self::Argmax { .. } => "argmax",
            Self::Gather { .. } => "gather",
            Self::OneHot { .. } => "one-hot",
            Self::Equal => "equal",
            Self::Greater => "greater",
            Self::GreaterEqual => "greater-equal",
            Self::Less => "less",
            Self::LessEqual => "less-equal",
            Self::LogicalNot => "logical-not",
            Self::Where => "where",
            Self::MaskedFill { .. } => "masked-fill",
            Self::Reshape { .. } => "reshape",
            Self::Transpose { .. } => "transpose",
            Self::Slice { .. } => "slice",
            Self::Concat { .. } => "concat",
            Self::Matmul => "matmul",
            Self::ToFloat => "to-float",
            Self::ToInt => "to-int",
            Self::Detach => "detach",
            Self::WithGradient => "with-gradient",
        }
    }
}

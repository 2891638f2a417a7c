//! Arithmetic, comparison and elementwise functions.

use burn::backend::ops::{ActivationOps, BoolTensorOps, FloatTensorOps, IntTensorOps};
use burn::backend::{Dispatch, DispatchTensor, Scalar, TensorMetadata};
use burn::tensor::FloatDType;
use pegbox_runtime::{DType, TensorError, TensorOp, TensorType};

use super::layout::{aligned, expanded, truth_type};
use super::value::{burn_shape, sizes};

/// Exponents that Burn may turn into repeated multiplication. Larger whole numbers overflow its
/// conversion to an integer, which panics.
const LARGEST_WHOLE_EXPONENT: f32 = 1e6;

/// Two operands of the same `dtype`, broadcast to `out.shape`.
pub fn binary(
    op: &TensorOp,
    left: DispatchTensor,
    right: DispatchTensor,
    dtype: DType,
    out: TensorType,
) -> Result<DispatchTensor, TensorError> {
    if out.dtype == DType::Boolean {
        let left = expanded(left, dtype, &out.shape);
        let right = expanded(right, dtype, &out.shape);
        return compare(op, left, right, dtype);
    }
    let rank = out.shape.rank();
    let left = aligned(left, dtype, rank);
    let right = aligned(right, dtype, rank);
    Ok(match (op, dtype) {
        (TensorOp::Add, DType::Float) => Dispatch::float_add(left, right),
        (TensorOp::Sub, DType::Float) => Dispatch::float_sub(left, right),
        (TensorOp::Mul, DType::Float) => Dispatch::float_mul(left, right),
        (TensorOp::Div, DType::Float) => Dispatch::float_div(left, right),
        (TensorOp::Pow, DType::Float) => Dispatch::float_powf(left, right),
        (TensorOp::Add, DType::Int) => Dispatch::int_add(left, right),
        (TensorOp::Sub, DType::Int) => Dispatch::int_sub(left, right),
        (TensorOp::Mul, DType::Int) => Dispatch::int_mul(left, right),
        (TensorOp::Div, DType::Int) => integer_division(left, right, &out.shape)?,
        _ => return Err(unsupported(op, dtype)),
    })
}

/// One operand, result of the same shape.
pub fn unary(op: &TensorOp, input: DispatchTensor, dtype: DType) -> Result<DispatchTensor, TensorError> {
    if dtype == DType::Boolean {
        return match op {
            TensorOp::LogicalNot => Ok(Dispatch::bool_not(input)),
            _ => Err(unsupported(op, dtype)),
        };
    }
    if dtype == DType::Int {
        return match op {
            TensorOp::Neg => Ok(Dispatch::int_neg(input)),
            _ => Err(unsupported(op, dtype)),
        };
    }
    Ok(match op {
        TensorOp::AddScalar(value) => Dispatch::float_add_scalar(input, scalar(*value)),
        TensorOp::MulScalar(value) => Dispatch::float_mul_scalar(input, scalar(*value)),
        TensorOp::PowScalar(exponent) => power(input, *exponent),
        TensorOp::Neg => Dispatch::float_neg(input),
        TensorOp::Exp => Dispatch::float_exp(input),
        TensorOp::Log => Dispatch::float_log(input),
        TensorOp::Sqrt => Dispatch::float_sqrt(input),
        TensorOp::Abs => Dispatch::float_abs(input),
        TensorOp::Clamp { low, high } => Dispatch::float_clamp(input, scalar(*low), scalar(*high)),
        TensorOp::Relu => Dispatch::relu(input),
        TensorOp::Gelu => Dispatch::gelu(input),
        TensorOp::Sigmoid => Dispatch::sigmoid(input),
        TensorOp::Tanh => Dispatch::float_tanh(input),
        _ => return Err(unsupported(op, dtype)),
    })
}

pub fn scalar(value: f32) -> Scalar {
    Scalar::Float(f64::from(value))
}

/// An operation that the runtime's rules let through and that is not here: a fault of Pegbox.
pub fn unsupported(op: &TensorOp, dtype: DType) -> TensorError {
    TensorError::new(op.name(), format!("takes no tensors of {}", dtype.name()))
        .with_help("this is a mistake in Pegbox; please report it")
}

fn compare(
    op: &TensorOp,
    left: DispatchTensor,
    right: DispatchTensor,
    dtype: DType,
) -> Result<DispatchTensor, TensorError> {
    let out = truth_type(&left);
    Ok(match (op, dtype) {
        (TensorOp::Equal, DType::Float) => Dispatch::float_equal(left, right, out),
        (TensorOp::Greater, DType::Float) => Dispatch::float_greater(left, right, out),
        (TensorOp::GreaterEqual, DType::Float) => Dispatch::float_greater_equal(left, right, out),
        (TensorOp::Less, DType::Float) => Dispatch::float_lower(left, right, out),
        (TensorOp::LessEqual, DType::Float) => Dispatch::float_lower_equal(left, right, out),
        (TensorOp::Equal, DType::Int) => Dispatch::int_equal(left, right, out),
        (TensorOp::Greater, DType::Int) => Dispatch::int_greater(left, right, out),
        (TensorOp::GreaterEqual, DType::Int) => Dispatch::int_greater_equal(left, right, out),
        (TensorOp::Less, DType::Int) => Dispatch::int_lower(left, right, out),
        (TensorOp::LessEqual, DType::Int) => Dispatch::int_lower_equal(left, right, out),
        (TensorOp::Equal, DType::Boolean) => Dispatch::bool_equal(left, right),
        _ => return Err(unsupported(op, dtype)),
    })
}

/// Truncates towards zero. The processor traps on a divisor of 0, and on the one quotient that does not
/// fit: both are found first.
fn integer_division(
    left: DispatchTensor,
    right: DispatchTensor,
    shape: &[usize],
) -> Result<DispatchTensor, TensorError> {
    let divisors = super::selection::integers("div", right.clone())?;
    if divisors.contains(&0) {
        return Err(TensorError::new("div", "an integer divisor is 0"));
    }
    if divisors.contains(&-1) && super::selection::integers("div", left.clone())?.contains(&i64::MIN) {
        return Err(TensorError::new("div", format!("{} / -1 does not fit into 64 bits", i64::MIN)));
    }
    Ok(Dispatch::int_div(expanded(left, DType::Int, shape), expanded(right, DType::Int, shape)))
}

fn power(input: DispatchTensor, exponent: f32) -> DispatchTensor {
    if exponent.is_finite() && exponent.abs() <= LARGEST_WHOLE_EXPONENT {
        return Dispatch::float_powf_scalar(input, scalar(exponent));
    }
    let shape = burn_shape(&vec![1; sizes(&input).len()]);
    let exponent = Dispatch::float_full(shape, scalar(exponent), &input.device(), FloatDType::F32);
    Dispatch::float_powf(input, exponent)
}

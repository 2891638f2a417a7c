//! Operations along dimensions. Several dimensions are reduced one after the other, in ascending order,
//! so that a sum has the same bits in every run.

use burn::backend::ops::{ActivationOps, FloatTensorOps, IntTensorOps};
use burn::backend::{Dispatch, DispatchTensor, Scalar};
use burn::tensor::IntDType;
use pegbox_runtime::tensors::rules;
use pegbox_runtime::{DType, TensorError, TensorOp, TensorType};

use super::elementwise::unsupported;
use super::layout::reshaped;
use super::value::sizes;

/// `softmax`, `log-softmax`, `argmax`, `sum`, `mean`, `max`.
pub fn along(
    op: &TensorOp,
    input: DispatchTensor,
    dtype: DType,
    out: TensorType,
) -> Result<DispatchTensor, TensorError> {
    let rank = sizes(&input).len();
    match op {
        TensorOp::Softmax { dim } => Ok(Dispatch::softmax(input, rules::dim(op.name(), *dim, rank)?)),
        TensorOp::LogSoftmax { dim } => Ok(Dispatch::log_softmax(input, rules::dim(op.name(), *dim, rank)?)),
        TensorOp::Argmax { dim } => {
            let dim = rules::dim(op.name(), *dim, rank)?;
            match dtype {
                DType::Float => Ok(Dispatch::float_argmax(Dispatch::float_detach(input), dim, IntDType::I64)),
                DType::Int => Ok(Dispatch::int_cast(Dispatch::int_argmax(input, dim), IntDType::I64)),
                DType::Boolean => Err(unsupported(op, dtype)),
            }
        }
        TensorOp::Sum { dims } => reduce(op, input, dtype, dims, out, &sum),
        TensorOp::Max { dims } => reduce(op, input, dtype, dims, out, &max),
        TensorOp::Mean { dims } => {
            let from: usize = sizes(&input).iter().product();
            let count = from / out.shape.elements();
            let total = reduce(op, input, dtype, dims, out, &sum)?;
            Ok(Dispatch::float_div_scalar(total, Scalar::Float(count as f64)))
        }
        _ => Err(unsupported(op, dtype)),
    }
}

type Step = dyn Fn(DispatchTensor, DType, usize) -> DispatchTensor;

fn reduce(
    op: &TensorOp,
    input: DispatchTensor,
    dtype: DType,
    dims: &[i32],
    out: TensorType,
    step: &Step,
) -> Result<DispatchTensor, TensorError> {
    let dims = rules::reduced(op.name(), dims, sizes(&input).len())?;
    let reduced = dims.into_iter().fold(input, |tensor, dim| step(tensor, dtype, dim));
    Ok(reshaped(reduced, dtype, &out.shape))
}

fn sum(tensor: DispatchTensor, dtype: DType, dim: usize) -> DispatchTensor {
    match dtype {
        DType::Float => Dispatch::float_sum_dim(tensor, dim),
        DType::Int | DType::Boolean => Dispatch::int_sum_dim(tensor, dim),
    }
}

fn max(tensor: DispatchTensor, dtype: DType, dim: usize) -> DispatchTensor {
    match dtype {
        DType::Float => Dispatch::float_max_dim(tensor, dim),
        DType::Int | DType::Boolean => Dispatch::int_max_dim(tensor, dim),
    }
}

//! Operations that move elements without computing on them, and the matrix product.

use burn::backend::ops::{BoolTensorOps, FloatTensorOps, IntTensorOps};
use burn::backend::{Dispatch, DispatchTensor, TensorMetadata, get_device_settings};
use burn::tensor::{BoolDType, FloatDType, IntDType, Slice};
use pegbox_runtime::tensors::rules;
use pegbox_runtime::{DType, TensorError, TensorOp, TensorType};

use super::elementwise::unsupported;
use super::value::{burn_shape, sizes};

/// `reshape`, `transpose`, `slice`, `detach` and the conversions.
pub fn rearrange(
    op: &TensorOp,
    input: DispatchTensor,
    dtype: DType,
    out: TensorType,
) -> Result<DispatchTensor, TensorError> {
    let rank = sizes(&input).len();
    Ok(match op {
        TensorOp::Reshape { .. } => reshaped(input, dtype, &out.shape),
        TensorOp::Transpose { dim0, dim1 } => {
            let first = rules::dim(op.name(), *dim0, rank)?;
            let second = rules::dim(op.name(), *dim1, rank)?;
            match dtype {
                DType::Float => Dispatch::float_swap_dims(input, first, second),
                DType::Int => Dispatch::int_swap_dims(input, first, second),
                DType::Boolean => Dispatch::bool_swap_dims(input, first, second),
            }
        }
        TensorOp::Slice { dim, start, end } => {
            let dim = rules::dim(op.name(), *dim, rank)?;
            let mut slices: Vec<Slice> =
                sizes(&input).into_iter().map(|size| Slice::new(0, Some(size as isize), 1)).collect();
            slices[dim] = Slice::new(*start as isize, Some(*end as isize), 1);
            match dtype {
                DType::Float => Dispatch::float_slice(input, &slices),
                DType::Int => Dispatch::int_slice(input, &slices),
                DType::Boolean => Dispatch::bool_slice(input, &slices),
            }
        }
        TensorOp::ToFloat => match dtype {
            DType::Float => input,
            DType::Int => Dispatch::int_into_float(input, FloatDType::F32),
            DType::Boolean => Dispatch::bool_into_float(input, FloatDType::F32),
        },
        TensorOp::ToInt => match dtype {
            DType::Float => Dispatch::float_into_int(input, IntDType::I64),
            DType::Int => input,
            DType::Boolean => Dispatch::bool_into_int(input, IntDType::I64),
        },
        TensorOp::Detach => match dtype {
            DType::Float => Dispatch::float_detach(input),
            DType::Int | DType::Boolean => input,
        },
        _ => return Err(unsupported(op, dtype)),
    })
}

/// Joins along `dim`.
pub fn concat(parts: Vec<DispatchTensor>, dtype: DType, dim: usize) -> DispatchTensor {
    match dtype {
        DType::Float => Dispatch::float_cat(parts, dim),
        DType::Int => Dispatch::int_cat(parts, dim),
        DType::Boolean => Dispatch::bool_cat(parts, dim),
    }
}

/// `[.., m, k] x [.., k, n]`; the leading dimensions broadcast to those of `out`.
pub fn matmul(left: DispatchTensor, right: DispatchTensor, out: TensorType) -> DispatchTensor {
    let rank = out.shape.rank();
    let leading = |tensor: DispatchTensor| {
        let dims = sizes(&tensor);
        let mut shape = out.shape.to_vec();
        shape[rank - 2..].copy_from_slice(&dims[dims.len() - 2..]);
        expanded(tensor, DType::Float, &shape)
    };
    Dispatch::float_matmul(leading(left), leading(right))
}

/// The same elements with leading dimensions of 1, so that there are `rank`.
pub fn aligned(tensor: DispatchTensor, dtype: DType, rank: usize) -> DispatchTensor {
    let dims = sizes(&tensor);
    if dims.len() == rank {
        return tensor;
    }
    let mut shape = vec![1; rank - dims.len()];
    shape.extend(dims);
    reshaped(tensor, dtype, &shape)
}

/// Broadcast to `shape`.
pub fn expanded(tensor: DispatchTensor, dtype: DType, shape: &[usize]) -> DispatchTensor {
    let tensor = aligned(tensor, dtype, shape.len());
    if sizes(&tensor) == shape {
        return tensor;
    }
    let shape = burn_shape(shape);
    match dtype {
        DType::Float => Dispatch::float_expand(tensor, shape),
        DType::Int => Dispatch::int_expand(tensor, shape),
        DType::Boolean => Dispatch::bool_expand(tensor, shape),
    }
}

pub fn reshaped(tensor: DispatchTensor, dtype: DType, shape: &[usize]) -> DispatchTensor {
    let shape = burn_shape(shape);
    match dtype {
        DType::Float => Dispatch::float_reshape(tensor, shape),
        DType::Int => Dispatch::int_reshape(tensor, shape),
        DType::Boolean => Dispatch::bool_reshape(tensor, shape),
    }
}

/// How truth values are stored on `tensor`'s device.
pub fn truth_type(tensor: &DispatchTensor) -> BoolDType {
    get_device_settings::<Dispatch>(&tensor.device()).bool_dtype
}

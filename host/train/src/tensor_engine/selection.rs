//! Operations that pick elements. Indices are values, so they are checked here.

use burn::backend::ops::{BoolTensorOps, FloatTensorOps, IntTensorOps};
use burn::backend::{Dispatch, DispatchTensor, TensorMetadata};
use burn::tensor::{FloatDType, Int, Tensor, TensorData};
use pegbox_runtime::{DType, TensorError, TensorType};

use super::elementwise::scalar;
use super::layout::{expanded, reshaped, truth_type};
use super::value::{burn_shape, sizes};

/// `out[i][j] = input[i][indices[i][j]]` for `dim` = 1, and so on.
pub fn gather(
    input: DispatchTensor,
    indices: DispatchTensor,
    dtype: DType,
    dim: usize,
) -> Result<DispatchTensor, TensorError> {
    in_range("gather", &indices, sizes(&input)[dim])?;
    match dtype {
        DType::Float => Ok(Dispatch::float_gather(dim, input, indices)),
        DType::Int => Ok(Dispatch::int_gather(dim, input, indices)),
        DType::Boolean => Err(TensorError::new("gather", "the input is boolean")),
    }
}

/// One at the index along a new last dimension, zero elsewhere.
pub fn one_hot(
    input: DispatchTensor,
    classes: usize,
    out: TensorType,
) -> Result<DispatchTensor, TensorError> {
    in_range("one-hot", &input, classes)?;
    let mut column = sizes(&input);
    column.push(1);
    let column = expanded(reshaped(input.clone(), DType::Int, &column), DType::Int, &out.shape);
    let data = TensorData::new((0..classes as i64).collect::<Vec<_>>(), burn_shape(&[classes]));
    let row = Dispatch::int_from_data(data, &input.device());
    let row = expanded(row, DType::Int, &out.shape);
    let hot = Dispatch::int_equal(column, row, truth_type(&input));
    Ok(Dispatch::bool_into_float(hot, FloatDType::F32))
}

/// `on_true` where `condition` holds, else `on_false`; all broadcast to `out`.
pub fn choose(
    condition: DispatchTensor,
    on_true: DispatchTensor,
    on_false: DispatchTensor,
    out: TensorType,
) -> DispatchTensor {
    let condition = expanded(condition, DType::Boolean, &out.shape);
    let on_true = expanded(on_true, out.dtype, &out.shape);
    let on_false = expanded(on_false, out.dtype, &out.shape);
    match out.dtype {
        DType::Float => Dispatch::float_mask_where(on_false, condition, on_true),
        DType::Int => Dispatch::int_mask_where(on_false, condition, on_true),
        DType::Boolean => Dispatch::bool_or(
            Dispatch::bool_and(condition.clone(), on_true),
            Dispatch::bool_and(Dispatch::bool_not(condition), on_false),
        ),
    }
}

/// `value` wherever `mask` holds.
pub fn masked_fill(
    input: DispatchTensor,
    mask: DispatchTensor,
    value: f32,
    out: TensorType,
) -> DispatchTensor {
    let mask = expanded(mask, DType::Boolean, &out.shape);
    Dispatch::float_mask_fill(input, mask, scalar(value))
}

/// All elements of an int tensor, row-major. Waits for the device.
pub fn integers(op: &'static str, tensor: DispatchTensor) -> Result<Vec<i64>, TensorError> {
    let count = sizes(&tensor).iter().product();
    let flat = reshaped(tensor, DType::Int, &[count]);
    super::values(op, Tensor::<1, Int>::from_dispatch(flat).try_into_data())
}

fn in_range(op: &'static str, indices: &DispatchTensor, size: usize) -> Result<(), TensorError> {
    let values = integers(op, indices.clone())?;
    let fits = |index: &i64| usize::try_from(*index).is_ok_and(|index| index < size);
    match values.iter().position(|index| !fits(index)) {
        None => Ok(()),
        Some(at) => Err(TensorError::new(
            op,
            format!(
                "index {} is outside [0, {size}) at position {:?}",
                values[at],
                place(at, &sizes(indices))
            ),
        )),
    }
}

/// The position of row-major element `at` in a tensor of shape `dims`.
fn place(mut at: usize, dims: &[usize]) -> Vec<usize> {
    let mut position = vec![0; dims.len()];
    for (slot, size) in position.iter_mut().zip(dims).rev() {
        *slot = at % size;
        at /= size;
    }
    position
}

//! What an [`AnyTensor`] of this engine holds.

use burn::backend::ops::{FloatTensorOps, IntTensorOps};
use burn::backend::{Dispatch, DispatchTensor, TensorMetadata};
use burn::tensor::{Bool, FloatDType, Int, IntDType, Shape, Tensor};
use pegbox_runtime::{AnyTensor, DType, TensorEngine, TensorError, TensorOp, TensorType};

/// A tensor whose rank and kind are known at run time: Burn's own dispatch tensor. Floats carry their
/// place in the autodiff graph; integers are 64-bit.
#[derive(Clone, Debug)]
pub struct Value(pub DispatchTensor);

impl Value {
    /// The tensor in `tensor`.
    ///
    /// # Errors
    /// It comes from another engine.
    pub fn of(op: &'static str, tensor: &AnyTensor) -> Result<DispatchTensor, TensorError> {
        tensor.downcast_ref::<Self>().map(|value| value.0.clone()).ok_or_else(|| {
            TensorError::new(op, "a tensor of another engine was passed").with_operands(&[tensor.kind()])
        })
    }

    /// Wraps `tensor` as what it was inferred to be.
    pub fn wrap(tensor: DispatchTensor, kind: TensorType) -> AnyTensor {
        AnyTensor::new(Self(tensor), kind)
    }
}

/// Hands a Burn tensor to plugins.
///
/// # Errors
/// A shape that the contract does not know: a rank above 8, or a dimension of 0.
pub fn float<const D: usize>(tensor: Tensor<D>) -> Result<AnyTensor, TensorError> {
    let kind = kind_of(&tensor.dims(), DType::Float)?;
    let raw = Dispatch::float_cast(tensor.into_dispatch(), FloatDType::F32);
    Ok(Value::wrap(raw, kind))
}

/// As [`float`].
///
/// # Errors
/// As [`float`].
pub fn int<const D: usize>(tensor: Tensor<D, Int>) -> Result<AnyTensor, TensorError> {
    let kind = kind_of(&tensor.dims(), DType::Int)?;
    let raw = Dispatch::int_cast(tensor.into_dispatch(), IntDType::I64);
    Ok(Value::wrap(raw, kind))
}

/// As [`float`].
///
/// # Errors
/// As [`float`].
pub fn boolean<const D: usize>(tensor: Tensor<D, Bool>) -> Result<AnyTensor, TensorError> {
    let kind = kind_of(&tensor.dims(), DType::Boolean)?;
    Ok(Value::wrap(tensor.into_dispatch(), kind))
}

/// The Burn tensor of rank `D` in a float `tensor`, still in the autodiff graph.
///
/// # Errors
/// A tensor of another engine, of another dtype or rank.
pub fn into_floats<const D: usize>(op: &'static str, tensor: &AnyTensor) -> Result<Tensor<D>, TensorError> {
    if tensor.dtype() != DType::Float || tensor.shape().rank() != D {
        let what = format!("a float tensor of rank {D} is needed");
        return Err(TensorError::new(op, what).with_operands(&[tensor.kind()]));
    }
    Ok(Tensor::from_dispatch(Value::of(op, tensor)?))
}

/// The Burn tensor of rank `D` in an int `tensor`.
///
/// # Errors
/// As [`into_floats`].
pub fn into_ints<const D: usize>(
    op: &'static str,
    tensor: &AnyTensor,
) -> Result<Tensor<D, Int>, TensorError> {
    if tensor.dtype() != DType::Int || tensor.shape().rank() != D {
        let what = format!("an int tensor of rank {D} is needed");
        return Err(TensorError::new(op, what).with_operands(&[tensor.kind()]));
    }
    Ok(Tensor::from_dispatch(Value::of(op, tensor)?))
}

/// The index of the largest of the last dimension, row-major.
///
/// # Errors
/// The engine's.
pub fn into_classes(engine: &dyn TensorEngine, logits: &AnyTensor) -> Result<Vec<i64>, TensorError> {
    let op = TensorOp::Argmax { dim: -1 };
    let shape = logits.shape();
    let kind = TensorType { shape: shape.with(shape.rank() - 1, 1), dtype: DType::Int };
    engine.read_ints(&engine.apply(&op, &[logits], kind)?)
}

/// The elements of a boolean tensor, row-major.
///
/// # Errors
/// The engine's.
pub fn into_bools(engine: &dyn TensorEngine, mask: &AnyTensor) -> Result<Vec<bool>, TensorError> {
    Ok(engine.read_ints(mask)?.into_iter().map(|value| value != 0).collect())
}

/// Burn's shape of a contract's shape.
pub fn burn_shape(shape: &[usize]) -> Shape {
    Shape::from(shape.to_vec())
}

/// `tensor`'s dimension sizes.
pub fn sizes(tensor: &DispatchTensor) -> Vec<usize> {
    tensor.shape().to_vec()
}

fn kind_of(dims: &[usize], dtype: DType) -> Result<TensorType, TensorError> {
    let shape = pegbox_runtime::Shape::new(dims).ok_or_else(|| {
        TensorError::new("step", format!("{dims:?} is not a shape of rank 1 to 8 without a 0"))
    })?;
    Ok(TensorType { shape, dtype })
}

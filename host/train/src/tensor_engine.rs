//! The contract's tensor operations on Burn: rank-dynamic, on any device, under autodiff.
//!
//! The runtime has checked shapes and dtypes by its rules before anything arrives here. What depends on
//! values is checked here, because Burn would panic or read a wrong element.

/// Arithmetic, comparison and elementwise functions.
mod elementwise;
/// `reshape`, `transpose`, `slice`, `concat`, `matmul`, conversions.
mod layout;
/// Sums, means, maxima, softmax.
mod reduction;
/// `gather`, `one-hot`, `where`, `masked-fill`.
mod selection;
/// What a tensor of this engine is.
mod value;

#[cfg(test)]
mod tests;

use burn::backend::ops::{BoolTensorOps, FloatTensorOps, IntTensorOps};
use burn::backend::{Dispatch, DispatchDevice, DispatchTensor, Scalar};
use burn::tensor::{Bool, Device, FloatDType, Int, Tensor, TensorData};
use pegbox_runtime::{AnyTensor, DType, Shape, TensorEngine, TensorError, TensorOp, TensorType};

use value::{Value, burn_shape};
pub use value::{boolean, float, int, into_bools, into_classes, into_floats, into_ints};

/// Runs a plugin's operations on one device.
pub struct BurnEngine {
    device: Device,
}

impl BurnEngine {
    /// New tensors live on `device`, outside the autodiff graph: they are constants.
    pub fn new(device: &Device) -> Self {
        Self { device: device.clone().inner() }
    }

    fn place(&self) -> &DispatchDevice {
        self.device.as_dispatch()
    }
}

impl TensorEngine for BurnEngine {
    fn apply(
        &self,
        op: &TensorOp,
        arguments: &[&AnyTensor],
        out: TensorType,
    ) -> Result<AnyTensor, TensorError> {
        let operands =
            arguments.iter().map(|tensor| Value::of(op.name(), tensor)).collect::<Result<Vec<_>, _>>()?;
        let dtype = arguments.first().map_or(DType::Float, |tensor| tensor.dtype());
        let result = run(op, operands, dtype, out).map_err(|error| {
            let kinds: Vec<_> = arguments.iter().map(|tensor| tensor.kind()).collect();
            error.with_operands(&kinds)
        })?;
        Ok(Value::wrap(result, out))
    }

    fn full(&self, shape: Shape, value: f32) -> Result<AnyTensor, TensorError> {
        let raw = Dispatch::float_full(
            burn_shape(&shape),
            Scalar::Float(f64::from(value)),
            self.place(),
            FloatDType::F32,
        );
        Ok(Value::wrap(raw, TensorType { shape, dtype: DType::Float }))
    }

    fn tensor_from_floats(&self, shape: Shape, values: Vec<f32>) -> Result<AnyTensor, TensorError> {
        let data = TensorData::new(values, burn_shape(&shape));
        let raw = Dispatch::float_from_data(data, self.place());
        Ok(Value::wrap(raw, TensorType { shape, dtype: DType::Float }))
    }

    fn tensor_from_ints(&self, shape: Shape, values: Vec<i64>) -> Result<AnyTensor, TensorError> {
        let data = TensorData::new(values, burn_shape(&shape));
        let raw = Dispatch::int_from_data(data, self.place());
        Ok(Value::wrap(raw, TensorType { shape, dtype: DType::Int }))
    }

    fn read_floats(&self, tensor: &AnyTensor) -> Result<Vec<f32>, TensorError> {
        let flat = flattened("read", tensor)?;
        match tensor.dtype() {
            DType::Float => values("read", Tensor::<1>::from_dispatch(flat).try_into_data()),
            DType::Int => values("read", Tensor::<1, Int>::from_dispatch(flat).try_into_data()),
            DType::Boolean => values("read", Tensor::<1, Bool>::from_dispatch(flat).int().try_into_data()),
        }
    }

    fn read_ints(&self, tensor: &AnyTensor) -> Result<Vec<i64>, TensorError> {
        let flat = flattened("read-ints", tensor)?;
        match tensor.dtype() {
            DType::Float => Err(TensorError::new("read-ints", "the tensor is float")
                .with_operands(&[tensor.kind()])
                .with_help("convert it with `to-int`, or use `read`")),
            DType::Int => values("read-ints", Tensor::<1, Int>::from_dispatch(flat).try_into_data()),
            DType::Boolean => {
                values("read-ints", Tensor::<1, Bool>::from_dispatch(flat).int().try_into_data())
            }
        }
    }
}

/// Runs `op`. `dtype` is the first operand's.
fn run(
    op: &TensorOp,
    operands: Vec<DispatchTensor>,
    dtype: DType,
    out: TensorType,
) -> Result<DispatchTensor, TensorError> {
    let name = op.name();
    match op {
        TensorOp::Concat { dim } => {
            let dim = pegbox_runtime::tensors::rules::dim(name, *dim, out.shape.rank())?;
            return Ok(layout::concat(operands, dtype, dim));
        }
        TensorOp::Where => {
            let [condition, on_true, on_false] = taken(name, operands)?;
            return Ok(selection::choose(condition, on_true, on_false, out));
        }
        TensorOp::WithGradient => {
            let [about, value, gradient] = taken(name, operands)?;
            return Ok(with_gradient(about, value, gradient));
        }
        _ => {}
    }
    match op {
        TensorOp::Add
        | TensorOp::Sub
        | TensorOp::Mul
        | TensorOp::Div
        | TensorOp::Pow
        | TensorOp::Equal
        | TensorOp::Greater
        | TensorOp::GreaterEqual
        | TensorOp::Less
        | TensorOp::LessEqual => {
            let [left, right] = taken(name, operands)?;
            elementwise::binary(op, left, right, dtype, out)
        }
        TensorOp::Gather { dim } => {
            let [input, indices] = taken(name, operands)?;
            let dim = pegbox_runtime::tensors::rules::dim(name, *dim, out.shape.rank())?;
            selection::gather(input, indices, dtype, dim)
        }
        TensorOp::MaskedFill { value } => {
            let [input, mask] = taken(name, operands)?;
            Ok(selection::masked_fill(input, mask, *value, out))
        }
        TensorOp::Matmul => {
            let [left, right] = taken(name, operands)?;
            Ok(layout::matmul(left, right, out))
        }
        TensorOp::OneHot { classes } => {
            let [input] = taken(name, operands)?;
            selection::one_hot(input, *classes as usize, out)
        }
        TensorOp::Softmax { .. }
        | TensorOp::LogSoftmax { .. }
        | TensorOp::Sum { .. }
        | TensorOp::Mean { .. }
        | TensorOp::Max { .. }
        | TensorOp::Argmax { .. } => {
            let [input] = taken(name, operands)?;
            reduction::along(op, input, dtype, out)
        }
        TensorOp::Reshape { .. }
        | TensorOp::Transpose { .. }
        | TensorOp::Slice { .. }
        | TensorOp::ToFloat
        | TensorOp::ToInt
        | TensorOp::Detach => {
            let [input] = taken(name, operands)?;
            layout::rearrange(op, input, dtype, out)
        }
        _ => {
            let [input] = taken(name, operands)?;
            elementwise::unary(op, input, dtype)
        }
    }
}

/// The value of `value`, and `gradient` as the derivative with respect to `about`: the added term is zero
/// wherever `about` is finite, and its derivative is `gradient`.
fn with_gradient(about: DispatchTensor, value: DispatchTensor, gradient: DispatchTensor) -> DispatchTensor {
    let zero = Dispatch::float_sub(about.clone(), Dispatch::float_detach(about));
    let carried = Dispatch::float_mul(zero, Dispatch::float_detach(gradient));
    Dispatch::float_add(Dispatch::float_detach(value), Dispatch::float_sum(carried))
}

fn taken<const N: usize>(
    op: &'static str,
    operands: Vec<DispatchTensor>,
) -> Result<[DispatchTensor; N], TensorError> {
    let count = operands.len();
    operands.try_into().map_err(|_| TensorError::new(op, format!("takes {N} tensors, got {count}")))
}

fn flattened(op: &'static str, tensor: &AnyTensor) -> Result<DispatchTensor, TensorError> {
    let raw = Value::of(op, tensor)?;
    let flat = burn_shape(&[tensor.shape().elements()]);
    Ok(match tensor.dtype() {
        DType::Float => Dispatch::float_reshape(Dispatch::float_detach(raw), flat),
        DType::Int => Dispatch::int_reshape(raw, flat),
        DType::Boolean => Dispatch::bool_reshape(raw, flat),
    })
}

fn values<E: burn::tensor::Element, F: std::fmt::Display>(
    op: &'static str,
    data: Result<TensorData, F>,
) -> Result<Vec<E>, TensorError> {
    data.map_err(|error| TensorError::new(op, format!("the device failed: {error}")))?
        .convert::<E>()
        .try_into_vec::<E>()
        .map_err(|error| TensorError::new(op, format!("the values cannot be read: {error}")))
}

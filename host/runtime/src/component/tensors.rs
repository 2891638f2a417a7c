//! `tensors.wit` for components: each method is one request to [`crate::services::Services`].

use wasmtime::Result;
use wasmtime::component::Resource;

use super::bindings::pegbox::plugin::tensors::{Dtype, Host, HostTensor};
use super::state::HostState;
use crate::tensors::{DType, TensorOp};

/// Stands for a tensor in wasmtime's types; the handle's number is the key to the table of tensors.
pub struct TensorRep;

type Handle = Resource<TensorRep>;

impl HostState {
    fn operation<const N: usize>(&mut self, op: TensorOp, arguments: [&Handle; N]) -> Result<Handle> {
        let handles = arguments.map(Resource::rep);
        let result = self.services.apply(&op, &handles);
        self.owned(result)
    }
}

impl Host for HostState {}

#[rustfmt::skip]
impl HostTensor for HostState {
    fn scalar(&mut self, value: f32) -> Result<Handle> {
        let result = self.services.full(&[1], value);
        self.owned(result)
    }

    fn full(&mut self, shape: Vec<u32>, value: f32) -> Result<Handle> {
        let result = self.services.full(&shape, value);
        self.owned(result)
    }

    fn from_floats(&mut self, shape: Vec<u32>, values: Vec<f32>) -> Result<Handle> {
        let result = self.services.tensor_from_floats(&shape, values);
        self.owned(result)
    }

    fn from_ints(&mut self, shape: Vec<u32>, values: Vec<i64>) -> Result<Handle> {
        let result = self.services.tensor_from_ints(&shape, values);
        self.owned(result)
    }

    fn shape(&mut self, this: Handle) -> Result<Vec<u32>> {
        let result = self.services.shape(this.rep());
        self.checked(result)
    }

    fn dtype(&mut self, this: Handle) -> Result<Dtype> {
        let result = self.services.dtype(this.rep());
        Ok(match self.checked(result)? {
            DType::Float => Dtype::Float,
            DType::Int => Dtype::Int,
            DType::Boolean => Dtype::Boolean,
        })
    }

    fn add(&mut self, a: Handle, b: Handle) -> Result<Handle> { self.operation(TensorOp::Add, [&a, &b]) }
    fn sub(&mut self, a: Handle, b: Handle) -> Result<Handle> { self.operation(TensorOp::Sub, [&a, &b]) }
    fn mul(&mut self, a: Handle, b: Handle) -> Result<Handle> { self.operation(TensorOp::Mul, [&a, &b]) }
    fn div(&mut self, a: Handle, b: Handle) -> Result<Handle> { self.operation(TensorOp::Div, [&a, &b]) }
    fn pow(&mut self, a: Handle, b: Handle) -> Result<Handle> { self.operation(TensorOp::Pow, [&a, &b]) }
    fn add_scalar(&mut self, a: Handle, value: f32) -> Result<Handle> { self.operation(TensorOp::AddScalar(value), [&a]) }
    fn mul_scalar(&mut self, a: Handle, value: f32) -> Result<Handle> { self.operation(TensorOp::MulScalar(value), [&a]) }
    fn pow_scalar(&mut self, a: Handle, value: f32) -> Result<Handle> { self.operation(TensorOp::PowScalar(value), [&a]) }
    fn neg(&mut self, a: Handle) -> Result<Handle> { self.operation(TensorOp::Neg, [&a]) }

    fn exp(&mut self, a: Handle) -> Result<Handle> { self.operation(TensorOp::Exp, [&a]) }
    fn log(&mut self, a: Handle) -> Result<Handle> { self.operation(TensorOp::Log, [&a]) }
    fn sqrt(&mut self, a: Handle) -> Result<Handle> { self.operation(TensorOp::Sqrt, [&a]) }
    fn abs(&mut self, a: Handle) -> Result<Handle> { self.operation(TensorOp::Abs, [&a]) }
    fn clamp(&mut self, a: Handle, low: f32, high: f32) -> Result<Handle> { self.operation(TensorOp::Clamp { low, high }, [&a]) }
    fn relu(&mut self, a: Handle) -> Result<Handle> { self.operation(TensorOp::Relu, [&a]) }
    fn gelu(&mut self, a: Handle) -> Result<Handle> { self.operation(TensorOp::Gelu, [&a]) }
    fn sigmoid(&mut self, a: Handle) -> Result<Handle> { self.operation(TensorOp::Sigmoid, [&a]) }
    fn tanh(&mut self, a: Handle) -> Result<Handle> { self.operation(TensorOp::Tanh, [&a]) }

    fn softmax(&mut self, a: Handle, dim: i32) -> Result<Handle> { self.operation(TensorOp::Softmax { dim }, [&a]) }
    fn log_softmax(&mut self, a: Handle, dim: i32) -> Result<Handle> { self.operation(TensorOp::LogSoftmax { dim }, [&a]) }
    fn sum(&mut self, a: Handle, dims: Vec<i32>) -> Result<Handle> { self.operation(TensorOp::Sum { dims }, [&a]) }
    fn mean(&mut self, a: Handle, dims: Vec<i32>) -> Result<Handle> { self.operation(TensorOp::Mean { dims }, [&a]) }
    fn max(&mut self, a: Handle, dims: Vec<i32>) -> Result<Handle> { self.operation(TensorOp::Max { dims }, [&a]) }
    fn argmax(&mut self, a: Handle, dim: i32) -> Result<Handle> { self.operation(TensorOp::Argmax { dim }, [&a]) }

    fn gather(&mut self, a: Handle, dim: i32, indices: Handle) -> Result<Handle> { self.operation(TensorOp::Gather { dim }, [&a, &indices]) }
    fn one_hot(&mut self, a: Handle, classes: u32) -> Result<Handle> { self.operation(TensorOp::OneHot { classes }, [&a]) }
    fn equal(&mut self, a: Handle, b: Handle) -> Result<Handle> { self.operation(TensorOp::Equal, [&a, &b]) }
    fn greater(&mut self, a: Handle, b: Handle) -> Result<Handle> { self.operation(TensorOp::Greater, [&a, &b]) }
    fn greater_equal(&mut self, a: Handle, b: Handle) -> Result<Handle> { self.operation(TensorOp::GreaterEqual, [&a, &b]) }
    fn less(&mut self, a: Handle, b: Handle) -> Result<Handle> { self.operation(TensorOp::Less, [&a, &b]) }
    fn less_equal(&mut self, a: Handle, b: Handle) -> Result<Handle> { self.operation(TensorOp::LessEqual, [&a, &b]) }
    fn logical_not(&mut self, a: Handle) -> Result<Handle> { self.operation(TensorOp::LogicalNot, [&a]) }
    fn where_(&mut self, condition: Handle, on_true: Handle, on_false: Handle) -> Result<Handle> { self.operation(TensorOp::Where, [&condition, &on_true, &on_false]) }
    fn masked_fill(&mut self, a: Handle, mask: Handle, value: f32) -> Result<Handle> { self.operation(TensorOp::MaskedFill { value }, [&a, &mask]) }

    fn reshape(&mut self, a: Handle, shape: Vec<i32>) -> Result<Handle> { self.operation(TensorOp::Reshape { shape }, [&a]) }
    fn transpose(&mut self, a: Handle, dim0: i32, dim1: i32) -> Result<Handle> { self.operation(TensorOp::Transpose { dim0, dim1 }, [&a]) }
    fn slice(&mut self, a: Handle, dim: i32, start: u32, end: u32) -> Result<Handle> { self.operation(TensorOp::Slice { dim, start, end }, [&a]) }
    fn matmul(&mut self, a: Handle, b: Handle) -> Result<Handle> { self.operation(TensorOp::Matmul, [&a, &b]) }
    fn to_float(&mut self, a: Handle) -> Result<Handle> { self.operation(TensorOp::ToFloat, [&a]) }
    fn to_int(&mut self, a: Handle) -> Result<Handle> { self.operation(TensorOp::ToInt, [&a]) }
    fn detach(&mut self, a: Handle) -> Result<Handle> { self.operation(TensorOp::Detach, [&a]) }
    fn with_gradient(&mut self, a: Handle, value: Handle, gradient: Handle) -> Result<Handle> { self.operation(TensorOp::WithGradient, [&a, &value, &gradient]) }

    fn concat(&mut self, parts: Vec<Handle>, dim: i32) -> Result<Handle> {
        let handles: Vec<u32> = parts.iter().map(Resource::rep).collect();
        let result = self.services.apply(&TensorOp::Concat { dim }, &handles);
        self.owned(result)
    }

    fn read(&mut self, this: Handle) -> Result<Vec<f32>> {
        let result = self.services.read(this.rep());
        self.checked(result)
    }

    fn read_ints(&mut self, this: Handle) -> Result<Vec<i64>> {
        let result = self.services.read_ints(this.rep());
        self.checked(result)
    }

    fn drop(&mut self, this: Handle) -> Result<()> {
        self.services.drop_tensor(this.rep());
        Ok(())
    }
}

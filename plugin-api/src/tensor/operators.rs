//! `+`, `-`, `*`, `/` between tensors, which broadcast, and between a tensor and a number; unary `-` and `!`.
//! By value and by reference.
//!
//! Two tensors are both float or both int: int division truncates towards zero, and an int divisor of 0 ends
//! the call. With a number the tensor is float; `t / n` is computed as `t * (1 / n)`.

use std::ops::{Add, Div, Mul, Neg, Not, Sub};

use pegbox_plugin_abi::tensors::TensorOp;

use super::Tensor;

macro_rules! between_tensors {
    ($($trait:ident, $method:ident, $op:expr;)+) => { $(
        impl $trait<&Tensor> for &Tensor {
            type Output = Tensor;

            fn $method(self, other: &Tensor) -> Tensor {
                self.binary($op, other)
            }
        }

        impl $trait<Tensor> for &Tensor {
            type Output = Tensor;

            fn $method(self, other: Tensor) -> Tensor {
                self.binary($op, &other)
            }
        }

        impl $trait<&Tensor> for Tensor {
            type Output = Tensor;

            fn $method(self, other: &Tensor) -> Tensor {
                self.binary($op, other)
            }
        }

        impl $trait<Tensor> for Tensor {
            type Output = Tensor;

            fn $method(self, other: Tensor) -> Tensor {
                self.binary($op, &other)
            }
        }
    )+ };
}

between_tensors! {
    Add, add, TensorOp::Add;
    Sub, sub, TensorOp::Sub;
    Mul, mul, TensorOp::Mul;
    Div, div, TensorOp::Div;
}

/// Both orders of a tensor and a number: what each gives, of a reference to the tensor.
macro_rules! with_number {
    ($($trait:ident, $method:ident: |$tensor:ident, $number:ident| $tensor_first:expr, $number_first:expr;)+) => { $(
        impl $trait<f32> for &Tensor {
            type Output = Tensor;

            fn $method(self, $number: f32) -> Tensor {
                let $tensor = self;
                $tensor_first
            }
        }

        impl $trait<f32> for Tensor {
            type Output = Tensor;

            fn $method(self, $number: f32) -> Tensor {
                let $tensor = &self;
                $tensor_first
            }
        }

        impl $trait<&Tensor> for f32 {
            type Output = Tensor;

            fn $method(self, $tensor: &Tensor) -> Tensor {
                let $number = self;
                $number_first
            }
        }

        impl $trait<Tensor> for f32 {
            type Output = Tensor;

            fn $method(self, other: Tensor) -> Tensor {
                let ($number, $tensor) = (self, &other);
                $number_first
            }
        }
    )+ };
}

with_number! {
    Add, add: |t, n| plus(t, n), plus(t, n);
    Sub, sub: |t, n| plus(t, -n), plus(&-t, n);
    Mul, mul: |t, n| times(t, n), times(t, n);
    Div, div: |t, n| times(t, 1.0 / n), Tensor::scalar(n) / t;
}

fn plus(tensor: &Tensor, number: f32) -> Tensor {
    tensor.unary(TensorOp::AddScalar(number))
}

fn times(tensor: &Tensor, number: f32) -> Tensor {
    tensor.unary(TensorOp::MulScalar(number))
}

macro_rules! of_one {
    ($($trait:ident, $method:ident, $op:expr;)+) => { $(
        impl $trait for &Tensor {
            type Output = Tensor;

            fn $method(self) -> Tensor {
                self.unary($op)
            }
        }

        impl $trait for Tensor {
            type Output = Tensor;

            fn $method(self) -> Tensor {
                self.unary($op)
            }
        }
    )+ };
}

of_one! {
    Neg, neg, TensorOp::Neg;
    Not, not, TensorOp::LogicalNot;
}

//! A model's parameters by name, whatever its architecture.

use burn::backend::Flex;
use burn::tensor::{Device, Tensor, TensorData};

use crate::adapter;
use crate::kernels::Weight;
use crate::kernels::ops::{LayerNorm, Linear};
use crate::kernels::weight::Base;

/// One parameter of a model, by reference. Matrices are in PyTorch's layout.
pub enum Parameter<'a> {
    Matrix(&'a mut Tensor<2>),
    Vector(&'a mut Tensor<1>),
}

/// What every architecture offers to training, checkpoints and exports.
pub trait Parameters: Clone {
    /// Every parameter with its Hugging Face name, in an order that never changes.
    fn parameters(&mut self) -> Vec<(String, Parameter<'_>)>;

    /// The same model on an autodiff device, with gradients for the parameters that `trainable` names.
    /// The values are shared, not copied.
    fn tracked(&self, trainable: &dyn Fn(&str) -> bool) -> Self {
        let mut model = self.clone();
        for (name, parameter) in model.parameters() {
            if trainable(&name) {
                parameter.track();
            }
        }
        model
    }
}

/// Lists a linear layer's parameters as `NAME.weight` and `NAME.bias`.
pub fn linear<'a>(list: &mut Vec<(String, Parameter<'a>)>, name: &str, layer: &'a mut Linear) {
    weight(list, name, &mut layer.weight);
    list.push((format!("{name}.bias"), Parameter::Vector(&mut layer.bias)));
}

/// Lists a linear layer's matrix as `NAME.weight`, and what its adapter trains by PEFT's names. A matrix in four bits is
/// no parameter.
pub fn weight<'a>(list: &mut Vec<(String, Parameter<'a>)>, name: &str, weight: &'a mut Weight) {
    if let Base::Whole(matrix) = &mut weight.base {
        list.push((format!("{name}.weight"), Parameter::Matrix(matrix)));
    }
    if let Some(adapter) = &mut weight.adapter {
        let [a, b, magnitude] = adapter::names(name);
        list.push((a, Parameter::Matrix(&mut adapter.a)));
        list.push((b, Parameter::Matrix(&mut adapter.b)));
        if let Some(tensor) = &mut adapter.magnitude {
            list.push((magnitude, Parameter::Vector(tensor)));
        }
    }
}

/// Lists a norm's parameters as `NAME.weight` and `NAME.bias`.
pub fn norm<'a>(list: &mut Vec<(String, Parameter<'a>)>, name: &str, layer: &'a mut LayerNorm) {
    list.push((format!("{name}.weight"), Parameter::Vector(&mut layer.gamma)));
    list.push((format!("{name}.bias"), Parameter::Vector(&mut layer.beta)));
}

impl Parameter<'_> {
    /// `[out, in]` or `[n]`.
    pub fn shape(&self) -> Vec<usize> {
        match self {
            Self::Matrix(tensor) => tensor.dims().to_vec(),
            Self::Vector(tensor) => tensor.dims().to_vec(),
        }
    }

    /// Where it is; an autodiff device for a tracked one.
    pub fn device(&self) -> Device {
        match self {
            Self::Matrix(tensor) => tensor.device(),
            Self::Vector(tensor) => tensor.device(),
        }
    }

    /// A copy of the values, row-major, in float32.
    pub fn values(&self) -> Vec<f32> {
        let data = match self {
            Self::Matrix(tensor) => (*tensor).clone().into_data(),
            Self::Vector(tensor) => (*tensor).clone().into_data(),
        };
        data.iter::<f32>().collect()
    }

    /// Takes new values of the same shape; returns false, and changes nothing, for another number.
    pub fn set(&mut self, values: Vec<f32>, device: &Device) -> bool {
        let shape = self.shape();
        if values.len() != shape.iter().product::<usize>() {
            return false;
        }
        let data = TensorData::new(values, shape);
        match self {
            Self::Matrix(tensor) => **tensor = Tensor::from_data(data, device),
            Self::Vector(tensor) => **tensor = Tensor::from_data(data, device),
        }
        true
    }

    /// Lets `change` rewrite the values, row-major, in float32. On the CPU they are changed where they
    /// are, unless someone else still holds the tensor; on another device they go to the host and back.
    pub fn update_in_place(&mut self, device: &Device, change: impl FnOnce(&mut [f32])) {
        match self {
            Self::Matrix(tensor) => update(tensor, device, change),
            Self::Vector(tensor) => update(tensor, device, change),
        }
    }

    fn track(self) {
        match self {
            Self::Matrix(tensor) => *tensor = Tensor::from_inner(tensor.clone()).require_grad(),
            Self::Vector(tensor) => *tensor = Tensor::from_inner(tensor.clone()).require_grad(),
        }
    }

    /// This (tracked) parameter's gradient, moved out of `gradients`; none where it took no part.
    pub fn take_gradient(&self, gradients: &mut burn::tensor::Gradients) -> Option<Gradient> {
        match self {
            Self::Matrix(tensor) => tensor.grad_remove(gradients).map(Gradient::Matrix),
            Self::Vector(tensor) => tensor.grad_remove(gradients).map(Gradient::Vector),
        }
    }
}

fn update<const D: usize>(tensor: &mut Tensor<D>, device: &Device, change: impl FnOnce(&mut [f32])) {
    let shape = tensor.dims();
    // The tensor is moved out, so that its buffer has one owner and is not copied before the change.
    let taken = std::mem::replace(tensor, Tensor::empty([0; D], device));
    match taken.clone().try_into_primitive::<Flex>() {
        Ok(mut primitive) if primitive.is_contiguous() => {
            drop(taken);
            change(&mut primitive.storage_mut::<f32>()[..shape.iter().product()]);
            *tensor = Tensor::from_primitive::<Flex>(primitive);
        }
        _ => {
            let mut values: Vec<f32> = taken.into_data().iter::<f32>().collect();
            change(&mut values);
            *tensor = Tensor::from_data(TensorData::new(values, shape), device);
        }
    }
}

/// The gradient of one parameter, of its shape.
pub enum Gradient {
    Matrix(Tensor<2>),
    Vector(Tensor<1>),
}

impl Gradient {
    /// The values, row-major, in float32.
    pub fn into_values(self) -> Vec<f32> {
        let data = match self {
            Self::Matrix(tensor) => tensor.into_data(),
            Self::Vector(tensor) => tensor.into_data(),
        };
        data.try_into_vec::<f32>().unwrap_or_default()
    }
}

//! The host's side of a call: each function is one imported function. A request that fails traps, so nothing
//! here returns an error.

use pegbox_plugin_abi::artifacts::{Element, ModelFile, TensorInfo};
use pegbox_plugin_abi::tensors::{DType, TensorOp};

use super::bindings::imports::pegbox::plugin::{artifacts, steps, tensors};

pub use artifacts::{Bundle as BundleHandle, Model as ModelHandle};
pub use steps::Step as StepHandle;
pub use tensors::Tensor as TensorHandle;

/// Always inlined: where it is called the operation is a constant, and one import remains.
#[inline(always)]
pub fn apply<const N: usize>(op: TensorOp, arguments: [&TensorHandle; N]) -> TensorHandle {
    match (op, arguments.as_slice()) {
        (TensorOp::Add, [a, b]) => a.add(b),
        (TensorOp::Sub, [a, b]) => a.sub(b),
        (TensorOp::Mul, [a, b]) => a.mul(b),
        (TensorOp::Div, [a, b]) => a.div(b),
        (TensorOp::Pow, [a, b]) => a.pow(b),
        (TensorOp::AddScalar(value), [a]) => a.add_scalar(value),
        (TensorOp::MulScalar(value), [a]) => a.mul_scalar(value),
        (TensorOp::PowScalar(exponent), [a]) => a.pow_scalar(exponent),
        (TensorOp::Neg, [a]) => a.neg(),
        (TensorOp::Exp, [a]) => a.exp(),
        (TensorOp::Log, [a]) => a.log(),
        (TensorOp::Sqrt, [a]) => a.sqrt(),
        (TensorOp::Abs, [a]) => a.abs(),
        (TensorOp::Clamp { low, high }, [a]) => a.clamp(low, high),
        (TensorOp::Relu, [a]) => a.relu(),
        (TensorOp::Gelu, [a]) => a.gelu(),
        (TensorOp::Sigmoid, [a]) => a.sigmoid(),
        (TensorOp::Tanh, [a]) => a.tanh(),
        (TensorOp::Softmax { dim }, [a]) => a.softmax(dim),
        (TensorOp::LogSoftmax { dim }, [a]) => a.log_softmax(dim),
        (TensorOp::Sum { dims }, [a]) => a.sum(&dims),
        (TensorOp::Mean { dims }, [a]) => a.mean(&dims),
        (TensorOp::Max { dims }, [a]) => a.max(&dims),
        (TensorOp::Argmax { dim }, [a]) => a.argmax(dim),
        (TensorOp::Gather { dim }, [a, indices]) => a.gather(dim, indices),
        (TensorOp::OneHot { classes }, [a]) => a.one_hot(classes),
        (TensorOp::Equal, [a, b]) => a.equal(b),
        (TensorOp::Greater, [a, b]) => a.greater(b),
        (TensorOp::GreaterEqual, [a, b]) => a.greater_equal(b),
        (TensorOp::Less, [a, b]) => a.less(b),
        (TensorOp::LessEqual, [a, b]) => a.less_equal(b),
        (TensorOp::LogicalNot, [a]) => a.logical_not(),
        (TensorOp::Where, [condition, on_true, on_false]) => condition.where_(on_true, on_false),
        (TensorOp::MaskedFill { value }, [a, mask]) => a.masked_fill(mask, value),
        (TensorOp::Reshape { shape }, [a]) => a.reshape(&shape),
        (TensorOp::Transpose { dim0, dim1 }, [a]) => a.transpose(dim0, dim1),
        (TensorOp::Slice { dim, start, end }, [a]) => a.slice(dim, start, end),
        (TensorOp::Matmul, [a, b]) => a.matmul(b),
        (TensorOp::ToFloat, [a]) => a.to_float(),
        (TensorOp::ToInt, [a]) => a.to_int(),
        (TensorOp::Detach, [a]) => a.detach(),
        (TensorOp::WithGradient, [about, value, gradient]) => about.with_gradient(value, gradient),
        // The SDK calls no operation with another number of arguments, and `concat` by its own function.
        (op, _) => unreachable!("{} with {N} arguments", op.name()),
    }
}

pub fn concat(parts: &[&TensorHandle], dim: i32) -> TensorHandle {
    tensors::Tensor::concat(parts, dim)
}

pub fn tensor_full(shape: &[u32], value: f32) -> TensorHandle {
    tensors::Tensor::full(shape, value)
}

pub fn tensor_from_floats(shape: &[u32], values: &[f32]) -> TensorHandle {
    tensors::Tensor::from_floats(shape, values)
}

pub fn tensor_from_ints(shape: &[u32], values: &[i64]) -> TensorHandle {
    tensors::Tensor::from_ints(shape, values)
}

pub fn tensor_shape(tensor: &TensorHandle) -> Vec<u32> {
    tensor.shape()
}

pub fn tensor_dtype(tensor: &TensorHandle) -> DType {
    match tensor.dtype() {
        tensors::Dtype::Float => DType::Float,
        tensors::Dtype::Int => DType::Int,
        tensors::Dtype::Boolean => DType::Boolean,
    }
}

pub fn tensor_read(tensor: &TensorHandle) -> Vec<f32> {
    tensor.read()
}

pub fn tensor_read_ints(tensor: &TensorHandle) -> Vec<i64> {
    tensor.read_ints()
}

pub fn step_number(step: &StepHandle) -> u64 {
    step.number()
}

pub fn step_training(step: &StepHandle) -> bool {
    step.training()
}

pub fn step_record_ids(step: &StepHandle) -> Vec<u64> {
    step.record_ids()
}

pub fn step_classes(step: &StepHandle) -> Vec<String> {
    step.classes()
}

pub fn step_logits(step: &StepHandle) -> TensorHandle {
    step.logits()
}

pub fn step_labels(step: &StepHandle) -> TensorHandle {
    step.labels()
}

pub fn step_mask(step: &StepHandle) -> TensorHandle {
    step.mask()
}

pub fn step_weights(step: &StepHandle) -> TensorHandle {
    step.weights()
}

pub fn step_teacher_logits(step: &StepHandle) -> Option<TensorHandle> {
    step.teacher_logits()
}

pub fn step_hidden_state_count(step: &StepHandle) -> u32 {
    step.hidden_state_count()
}

pub fn step_hidden_state(step: &StepHandle, layer: u32) -> TensorHandle {
    step.hidden_state(layer)
}

pub fn model_configuration(model: &ModelHandle) -> String {
    model.configuration()
}

pub fn model_tokenizer_files(model: &ModelHandle) -> Vec<ModelFile> {
    let files = model.tokenizer_files().into_iter();
    files.map(|artifacts::ModelFile { path, content }| ModelFile { path, content }).collect()
}

pub fn model_labels(model: &ModelHandle) -> Vec<String> {
    model.labels()
}

pub fn model_metrics(model: &ModelHandle) -> String {
    model.metrics()
}

pub fn model_provenance(model: &ModelHandle) -> String {
    model.provenance()
}

pub fn model_tensors(model: &ModelHandle) -> Vec<TensorInfo> {
    let tensors = model.tensors().into_iter();
    tensors.map(|artifacts::TensorInfo { name, shape }| TensorInfo { name, shape }).collect()
}

pub fn model_read(model: &ModelHandle, name: &str, start: u64, count: u64, element: Element) -> Vec<u8> {
    let element = match element {
        Element::Float32 => artifacts::Element::Float32,
        Element::Float16 => artifacts::Element::Float16,
        Element::BFloat16 => artifacts::Element::Bfloat16,
    };
    model.read(name, start, count, element)
}

pub fn bundle_create(bundle: &BundleHandle, path: &str) {
    bundle.create(path);
}

pub fn bundle_append(bundle: &BundleHandle, path: &str, content: &[u8]) {
    bundle.append(path, content);
}

//! One value for each element of a parameter, such as its gradient or an optimizer's moment, kept where the
//! parameter is.

use super::adamw::{self, AdamW, LEAST_SCALE};
use super::ops::fused;
use crate::parameters::{Gradient, Parameter};
use burn::tensor::{Device, Tensor, TensorData};
use std::borrow::Cow;

/// Row-major float32 values: in the host's memory for the CPU, whose fused kernels work on them; in a tensor
/// for every other device, so that a step of training moves nothing to the host and back.
#[derive(Clone, Debug)]
pub struct Buffer(Place);

#[derive(Clone, Debug)]
enum Place {
    Host(Vec<f32>),
    Device(Box<Tensor<1>>),
}

impl Buffer {
    pub fn zeros(elements: usize, device: &Device) -> Self {
        if fused(device) {
            return Self(Place::Host(vec![0.0; elements]));
        }
        Self::on_device(Tensor::zeros([elements], device))
    }

    pub fn new(values: Vec<f32>, device: &Device) -> Self {
        if fused(device) {
            return Self(Place::Host(values));
        }
        Self::on_device(upload(values, device))
    }

    /// Where the gradient is; nothing is copied that does not have to be.
    pub fn from_gradient(gradient: Gradient) -> Self {
        let flat = match &gradient {
            Gradient::Matrix(tensor) if !fused(&tensor.device()) => tensor.clone().flatten(0, 1),
            Gradient::Vector(tensor) if !fused(&tensor.device()) => tensor.clone(),
            _ => return Self(Place::Host(gradient.into_values())),
        };
        Self::on_device(flat)
    }

    /// Number of values.
    pub fn len(&self) -> usize {
        match &self.0 {
            Place::Host(values) => values.len(),
            Place::Device(tensor) => tensor.dims()[0],
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The values, copied only from a device other than the CPU.
    pub fn values(&self) -> Cow<'_, [f32]> {
        match &self.0 {
            Place::Host(values) => Cow::Borrowed(values),
            Place::Device(tensor) => Cow::Owned(tensor.clone().into_data().iter::<f32>().collect()),
        }
    }

    /// self *= factor, elementwise.
    pub fn scale(&mut self, factor: f32) {
        match &mut self.0 {
            Place::Host(values) => values.iter_mut().for_each(|value| *value *= factor),
            Place::Device(tensor) => **tensor = (**tensor).clone() * factor,
        }
    }

    /// self += scale * other, elementwise; both have the same number of values.
    pub fn add_scaled(&mut self, other: &Self, scale: f32) {
        debug_assert_eq!(self.len(), other.len());
        match (&mut self.0, &other.0) {
            (Place::Host(sum), Place::Host(values)) => adamw::add_scaled(sum, values, scale),
            (Place::Host(sum), Place::Device(_)) => adamw::add_scaled(sum, &other.values(), scale),
            (Place::Device(sum), _) => {
                let other = other.tensor(&sum.device());
                **sum = (**sum).clone() + other * scale;
            }
        }
    }

    fn tensor(&self, device: &Device) -> Tensor<1> {
        match &self.0 {
            Place::Host(values) => upload(values.clone(), device),
            Place::Device(tensor) => (**tensor).clone(),
        }
    }

    fn on_device(tensor: Tensor<1>) -> Self {
        Self(Place::Device(Box::new(tensor)))
    }
}

/// Sum of the squares of all values of all `buffers`, in an order that depends on nothing but the device.
pub fn sum_of_squares<'a>(buffers: impl IntoIterator<Item = &'a Buffer>) -> f64 {
    let (mut sum, mut sums) = (0.0, Vec::new());
    for buffer in buffers {
        match &buffer.0 {
            Place::Host(values) => sum += adamw::sum_of_squares(values),
            Place::Device(tensor) => sums.push((**tensor).clone().square().sum()),
        }
    }
    if sums.is_empty() {
        return sum;
    }
    // One transfer for all: each waits for the device.
    let sums = Tensor::cat(sums, 0).into_data();
    sum + sums.iter::<f32>().map(f64::from).sum::<f64>()
}

/// One AdamW update of `parameter`, in place, by `gradient`. All have the same number of values; the moments
/// start as zeros and are changed too.
pub fn update(
    parameter: &mut Parameter<'_>,
    gradient: &Buffer,
    first: &mut Buffer,
    second: &mut Buffer,
    rule: AdamW,
) {
    let device = parameter.device();
    if let (true, Place::Host(first), Place::Host(second)) = (fused(&device), &mut first.0, &mut second.0) {
        let gradient = gradient.values();
        parameter.update_in_place(&device, |values| adamw::step(values, &gradient, first, second, rule));
        return;
    }
    let moments = (first.tensor(&device), second.tensor(&device));
    let gradient = gradient.tensor(&device);
    let moments = match parameter {
        Parameter::Matrix(tensor) => update_tensor(tensor, gradient, moments, rule),
        Parameter::Vector(tensor) => update_tensor(tensor, gradient, moments, rule),
    };
    (*first, *second) = (Buffer::on_device(moments.0), Buffer::on_device(moments.1));
}

/// The arithmetic of [`adamw::step`] in the same order.
fn update_tensor<const D: usize>(
    parameter: &mut Tensor<D>,
    gradient: Tensor<1>,
    (first, second): (Tensor<1>, Tensor<1>),
    rule: AdamW,
) -> (Tensor<1>, Tensor<1>) {
    let dims = parameter.dims();
    let p = parameter.clone().reshape([gradient.dims()[0]]);
    let g = gradient * rule.gradient_scale;
    let first = first.clone() + (g.clone() - first) * (1.0 - rule.beta1);
    let second = second * rule.beta2 + g.clone() * g * (1.0 - rule.beta2);
    let denominator = second.clone().sqrt() * (1.0 / rule.correction2) + rule.epsilon;
    let step = first.clone() * (rule.learning_rate / rule.correction1) / denominator;
    let updated = if rule.scale_parameter {
        // Stays a tensor: a number would have to wait for the device.
        let scale = p.clone().square().mean().sqrt().clamp_min(LEAST_SCALE);
        let decay = p.clone() * (rule.learning_rate * rule.weight_decay);
        p - (decay + step) * scale
    } else {
        p * (1.0 - rule.learning_rate * rule.weight_decay) - step
    };
    *parameter = updated.reshape(dims);
    (first, second)
}

fn upload(values: Vec<f32>, device: &Device) -> Tensor<1> {
    let elements = values.len();
    Tensor::from_data(TensorData::new(values, [elements]), device)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::mix64;

    /// Odd sizes, several blocks of the fused kernel, and vectors as well as matrices.
    const SHAPES: [[usize; 2]; 3] = [[1, 7], [33, 21], [401, 173]];

    fn random(seed: u64, elements: usize) -> Vec<f32> {
        (0..elements as u64)
            .map(|i| (mix64((seed << 32) + i) >> 40) as f32 / (1u64 << 23) as f32 - 1.0)
            .collect()
    }

    /// A buffer as it would be on another device.
    fn away(values: Vec<f32>) -> Buffer {
        Buffer::on_device(upload(values, &Device::flex()))
    }

    fn bits(values: &[f32]) -> Vec<u32> {
        values.iter().map(|value| value.to_bits()).collect()
    }

    fn rule(step: i32) -> AdamW {
        AdamW {
            learning_rate: 3e-3,
            weight_decay: 0.02,
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
            correction1: 1.0 - 0.9f32.powi(step),
            correction2: (1.0 - 0.999f32.powi(step)).sqrt(),
            gradient_scale: 0.37,
            scale_parameter: false,
        }
    }

    #[test]
    fn tensor_operations_update_as_the_fused_kernel_does() {
        let cpu = Device::flex();
        for [rows, columns] in SHAPES {
            let elements = rows * columns;
            let matrix =
                || Tensor::<2>::from_data(TensorData::new(random(1, elements), [rows, columns]), &cpu);
            let (mut here, mut there) = (matrix(), matrix());
            let mut ours = (Buffer::zeros(elements, &cpu), Buffer::zeros(elements, &cpu));
            let mut theirs = (away(vec![0.0; elements]), away(vec![0.0; elements]));
            for step in 1..6 {
                let gradient = random(step + 1, elements);
                let rule = rule(step as i32);
                update(
                    &mut Parameter::Matrix(&mut here),
                    &Buffer::new(gradient.clone(), &cpu),
                    &mut ours.0,
                    &mut ours.1,
                    rule,
                );
                update(
                    &mut Parameter::Matrix(&mut there),
                    &away(gradient),
                    &mut theirs.0,
                    &mut theirs.1,
                    rule,
                );
            }
            assert!(matches!(ours.0.0, Place::Host(_)) && matches!(theirs.0.0, Place::Device(_)));
            assert_eq!(bits(&ours.0.values()), bits(&theirs.0.values()));
            assert_eq!(bits(&ours.1.values()), bits(&theirs.1.values()));
            let [here, there] = [here, there].map(|p| p.into_data().iter::<f32>().collect::<Vec<_>>());
            assert_eq!(bits(&here), bits(&there));
            assert_ne!(bits(&here), bits(&random(1, elements)));
        }
    }

    #[test]
    fn rates_in_proportion_to_the_parameter_agree_wherever_it_is() {
        let cpu = Device::flex();
        let elements = 33 * 21;
        let matrix = || Tensor::<2>::from_data(TensorData::new(random(1, elements), [33, 21]), &cpu);
        let (mut here, mut there) = (matrix(), matrix());
        let gradient = random(2, elements);
        let rule = AdamW { scale_parameter: true, ..rule(1) };
        let (mut first, mut second) = (Buffer::zeros(elements, &cpu), Buffer::zeros(elements, &cpu));
        let ours = Buffer::new(gradient.clone(), &cpu);
        update(&mut Parameter::Matrix(&mut here), &ours, &mut first, &mut second, rule);
        let (mut first, mut second) = (away(vec![0.0; elements]), away(vec![0.0; elements]));
        update(&mut Parameter::Matrix(&mut there), &away(gradient), &mut first, &mut second, rule);
        let [here, there] = [here, there].map(|p| p.into_data().iter::<f32>().collect::<Vec<_>>());
        for (a, b) in here.iter().zip(&there) {
            assert!((a - b).abs() < 1e-6, "{a} and {b}");
        }
        assert_ne!(here, random(1, elements));
    }

    #[test]
    fn sums_and_scales_agree_wherever_the_values_are() {
        let elements = 40_003;
        let (a, b) = (random(8, elements), random(9, elements));
        let expected: Vec<f32> = a.iter().zip(&b).map(|(a, b)| a * 0.5 + 3.0 * b).collect();
        let cpu = Device::flex();
        let here = |values: &[f32]| Buffer::new(values.to_vec(), &cpu);
        let there = |values: &[f32]| away(values.to_vec());
        for (mut sum, other) in
            [(here(&a), here(&b)), (here(&a), there(&b)), (there(&a), here(&b)), (there(&a), there(&b))]
        {
            sum.scale(0.5);
            sum.add_scaled(&other, 3.0);
            assert_eq!(sum.len(), elements);
            assert_eq!(bits(&sum.values()), bits(&expected));
            let squares = sum_of_squares([&sum, &other, &sum]);
            let exact = |values: &[f32]| values.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>();
            let exact = 2.0 * exact(&expected) + exact(&b);
            assert!((squares - exact).abs() < 1e-5 * exact, "{squares} and {exact}");
        }
        assert_eq!(sum_of_squares([]), 0.0);
    }

    #[test]
    fn gradients_keep_their_values() {
        let device = Device::flex().autodiff();
        let x = Tensor::<2>::from_data([[1.0f32, 2.0, 3.0], [4.0, 5.0, 6.0]], &device).require_grad();
        let mut gradients = (x.clone() * x.clone()).sum().backward();
        let gradient = x.grad_remove(&mut gradients).map(Gradient::Matrix);
        let buffer = gradient.map(Buffer::from_gradient);
        let values = buffer.as_ref().map(|buffer| buffer.values().into_owned());
        assert_eq!(values.as_deref(), Some(&[2.0, 4.0, 6.0, 8.0, 10.0, 12.0][..]));
        assert!(buffer.is_some_and(|buffer| !buffer.is_empty()));
    }
}

//! New values of parameters: functions of (name, seed) alone, the same on every machine.

use crate::kernels::mix64;
use crate::parameters::{Parameter, Parameters};
use burn::tensor::Device;

/// Normal numbers with mean 0 and the given standard deviation (Box-Muller), a function of (name, seed,
/// index) alone.
pub fn normal(name: &str, seed: u64, elements: usize, deviation: f64) -> Vec<f32> {
    let stream = stream(name, seed);
    (0..elements as u64)
        .map(|i| {
            let (u, v) = (unit(stream, 2 * i), unit(stream, 2 * i + 1));
            ((-2.0 * u.ln()).sqrt() * (2.0 * std::f64::consts::PI * v).cos() * deviation) as f32
        })
        .collect()
}

/// Evenly distributed numbers between `-bound` and `bound`, a function of (name, seed, index) alone.
pub fn uniform(name: &str, seed: u64, elements: usize, bound: f64) -> Vec<f32> {
    let stream = stream(name, seed);
    (0..elements as u64).map(|i| ((2.0 * unit(stream, i) - 1.0) * bound) as f32).collect()
}

fn stream(name: &str, seed: u64) -> u64 {
    name.bytes().fold(mix64(seed), |hash, byte| mix64(hash ^ u64::from(byte)))
}

/// Between 0 and 1.
fn unit(stream: u64, index: u64) -> f64 {
    let bits = mix64(stream.wrapping_add(mix64(index))) >> 11;
    (bits as f64 + 0.5) / (1u64 << 53) as f64
}

/// A new layer's values: matrices normally distributed, biases 0.
pub fn layer(name: &str, shape: &[usize], seed: u64, deviation: f64) -> Vec<f32> {
    let elements = shape.iter().product();
    if shape.len() == 2 { normal(name, seed, elements, deviation) } else { vec![0.0; elements] }
}

/// Gives every parameter new values: matrices normally distributed, the weights of norms 1, all other vectors 0.
pub fn randomise<M: Parameters>(model: &mut M, seed: u64, deviation: f64, device: &Device) {
    for (name, mut parameter) in model.parameters() {
        let values = match &parameter {
            Parameter::Vector(vector) if name.ends_with("weight") => vec![1.0; vector.dims()[0]],
            _ => layer(&name, &parameter.shape(), seed, deviation),
        };
        parameter.set(values, device);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normal_numbers() {
        let values = normal("classifier.weight", 7, 100_000, 0.02);
        let mean = values.iter().map(|v| f64::from(*v)).sum::<f64>() / 1e5;
        let variance = values.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>() / 1e5;
        assert!(mean.abs() < 3e-4, "{mean}");
        assert!((variance.sqrt() - 0.02).abs() < 2e-4, "{variance}");
        assert_ne!(values, normal("classifier.weight", 8, 100_000, 0.02));
    }
}

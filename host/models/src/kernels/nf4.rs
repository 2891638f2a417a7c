//! Matrices in four bits: NormalFloat, NF4 (Dettmers et al. 2023, QLoRA), and products with them.
//!
//! 64 numbers, a block, share a scale: their largest magnitude. Each is the nearest of sixteen values that divide a
//! normal distribution evenly. Doubly quantised, the scales themselves are bytes: 256 of them share a scale, after
//! their mean was subtracted.

use super::matmul::{View, product};
use super::storage::{contiguous, dims, slice, tensor};
use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Flex};
use burn_flex::FlexTensor;
use rayon::prelude::*;
use std::sync::Arc;

/// The sixteen values, from appendix E of the paper.
const VALUES: [f32; 16] = [
    -1.0,
    -0.696_192_8,
    -0.525_073_05,
    -0.394_917_5,
    -0.284_441_38,
    -0.184_773_43,
    -0.091_050_036,
    0.0,
    0.079_580_3,
    0.160_930_2,
    0.246_112_3,
    0.337_915_24,
    0.440_709_83,
    0.562_617,
    0.722_956_84,
    1.0,
];
/// Numbers that share a scale.
const BLOCK: usize = 64;
/// Scales that share a scale.
const SCALE_BLOCK: usize = 256;

/// A matrix `[rows, cols]` in NF4, row-major.
#[derive(Clone, Debug)]
pub struct Nf4(Arc<Codes>);

#[derive(Debug)]
struct Codes {
    /// Two numbers a byte, the first in the low half.
    codes: Vec<u8>,
    scales: Scales,
    shape: [usize; 2],
}

#[derive(Debug)]
enum Scales {
    Whole(Vec<f32>),
    /// scale = mean + code * step of its block
    Bytes {
        codes: Vec<i8>,
        steps: Vec<f32>,
        mean: f32,
    },
}

impl Nf4 {
    /// Quantises a matrix; `double` quantises the scales, too.
    pub fn quantise(values: &[f32], shape: [usize; 2], double: bool) -> Self {
        let largest = |block: &[f32]| block.iter().fold(0.0f32, |largest, value| largest.max(value.abs()));
        let scales: Vec<f32> = values.par_chunks(BLOCK).map(largest).collect();
        let scales = if double { Scales::bytes(&scales) } else { Scales::Whole(scales) };
        let blocks = values.par_chunks(BLOCK).enumerate().flat_map_iter(|(number, block)| {
            let scale = scales.get(number);
            let inverse = if scale > 0.0 { 1.0 / scale } else { 0.0 };
            block.chunks(2).map(move |pair| {
                let second = pair.get(1).map_or(0, |value| nearest(value * inverse));
                nearest(pair[0] * inverse) | second << 4
            })
        });
        let codes = blocks.collect();
        Self(Arc::new(Codes { codes, scales, shape }))
    }

    pub fn shape(&self) -> [usize; 2] {
        self.0.shape
    }

    /// In memory.
    pub fn bytes(&self) -> usize {
        let scales = match &self.0.scales {
            Scales::Whole(scales) => 4 * scales.len(),
            Scales::Bytes { codes, steps, .. } => codes.len() + 4 * steps.len(),
        };
        self.0.codes.len() + scales
    }

    /// Row-major.
    pub fn values(&self) -> Vec<f32> {
        let Codes { codes, scales, shape } = &*self.0;
        let mut values = vec![0.0; shape[0] * shape[1]];
        values.par_chunks_mut(BLOCK).zip(codes.par_chunks(BLOCK / 2)).enumerate().for_each(
            |(number, (values, codes))| {
                let scale = scales.get(number);
                let table = VALUES.map(|value| value * scale);
                for (pair, code) in values.chunks_mut(2).zip(codes) {
                    pair[0] = table[usize::from(code & 15)];
                    if let Some(second) = pair.get_mut(1) {
                        *second = table[usize::from(code >> 4)];
                    }
                }
            },
        );
        values
    }
}

impl Scales {
    fn bytes(scales: &[f32]) -> Self {
        let sum: f64 = scales.iter().map(|scale| f64::from(*scale)).sum();
        let mean = (sum / scales.len().max(1) as f64) as f32;
        let step = |block: &[f32]| {
            block.iter().fold(0.0f32, |largest, scale| largest.max((scale - mean).abs())) / 127.0
        };
        let steps: Vec<f32> = scales.chunks(SCALE_BLOCK).map(step).collect();
        let codes = scales
            .iter()
            .enumerate()
            .map(|(number, scale)| {
                let step = steps[number / SCALE_BLOCK];
                if step > 0.0 { ((scale - mean) / step).round() as i8 } else { 0 }
            })
            .collect();
        Self::Bytes { codes, steps, mean }
    }

    fn get(&self, block: usize) -> f32 {
        match self {
            Self::Whole(scales) => scales[block],
            Self::Bytes { codes, steps, mean } => {
                // A scale below 0 would turn its block's signs around.
                (mean + f32::from(codes[block]) * steps[block / SCALE_BLOCK]).max(0.0)
            }
        }
    }
}

/// The code of the nearest value.
fn nearest(value: f32) -> u8 {
    let above = VALUES.partition_point(|candidate| *candidate < value).min(15);
    let below = above.saturating_sub(1);
    let code = if value - VALUES[below] < VALUES[above] - value { below } else { above };
    code as u8
}

/// x W^T, x `[.., in]` and W `[out, in]`; where W is held `transposed`, as `[in, out]`, x W. The matrix has its numbers
/// for the time of the product only.
pub fn forward(x: &FlexTensor, weight: &Nf4, transposed: bool) -> FlexTensor {
    let [rows, cols] = weight.shape();
    let values = weight.values();
    let matrix = View::dense(&values, rows, cols);
    let (matrix, outputs) = if transposed { (matrix, cols) } else { (matrix.t(), rows) };
    let mut shape = dims(x).to_vec();
    let inputs = shape.last().copied().unwrap_or(1);
    let tokens = slice(x).len() / inputs.max(1);
    if let Some(last) = shape.last_mut() {
        *last = outputs;
    }
    tensor(product(View::dense(slice(x), tokens, inputs), matrix), &shape)
}

#[derive(Debug)]
struct Nf4Node;

impl Backward<Flex, 1> for Nf4Node {
    type State = (Nf4, bool);

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let dy = contiguous(grads.consume::<Flex>(&ops.node));
        let (weight, transposed) = ops.state;
        if let [Some(parent)] = &ops.parents {
            // d x = d y W: the same product, the other way round.
            grads.register::<Flex>(parent.id, forward(&dy, &weight, !transposed));
        }
    }
}

/// [`forward`] under autodiff. The matrix itself has no gradient.
pub fn tracked<C: CheckpointStrategy>(
    x: FloatTensor<Autodiff<Flex, C>>,
    weight: Nf4,
    transposed: bool,
) -> FloatTensor<Autodiff<Flex, C>> {
    let node = x.node();
    let y = forward(&contiguous(x.into_primitive()), &weight, transposed);
    match Nf4Node.prepare::<C>([node]).compute_bound().stateful() {
        OpsKind::Tracked(prep) => prep.finish((weight, transposed), y),
        OpsKind::UnTracked(prep) => prep.finish(y),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(count: usize) -> Vec<f32> {
        crate::initial::normal("nf4", 5, count, 0.02)
    }

    #[test]
    fn the_values_themselves_are_kept() {
        let values: Vec<f32> = (0..130).map(|i| VALUES[i * 7 % 16] * 0.5).collect();
        let mut values = values;
        values[0] = 0.5;
        values[64] = -0.5;
        values[128] = 0.5;
        let quantised = Nf4::quantise(&values, [2, 65], false);
        assert_eq!(quantised.values(), values);
        assert_eq!(Nf4::quantise(&[0.0; 65], [65, 1], false).values(), vec![0.0; 65]);
    }

    #[test]
    fn normal_numbers_are_near_and_small() {
        let values = numbers(256 * 200);
        for (double, bits) in [(false, 4.5), (true, 4.13)] {
            let quantised = Nf4::quantise(&values, [256, 200], double);
            let error: f64 = quantised
                .values()
                .iter()
                .zip(&values)
                .map(|(ours, value)| f64::from(ours - value).powi(2))
                .sum();
            let energy: f64 = values.iter().map(|value| f64::from(*value).powi(2)).sum();
            // The paper's error for normal weights is near 0.9 % of their energy.
            assert!((error / energy).sqrt() < 0.1, "{}", (error / energy).sqrt());
            let found = quantised.bytes() as f64 * 8.0 / values.len() as f64;
            assert!((found - bits).abs() < 0.03, "{found} bits");
        }
    }

    #[test]
    fn doubled_scales_are_close_to_whole_ones() {
        let values = numbers(64 * 600);
        let [whole, double] = [false, true].map(|double| Nf4::quantise(&values, [600, 64], double).values());
        let largest = whole.iter().zip(&double).fold(0.0f32, |largest, (a, b)| largest.max((a - b).abs()));
        // A step of the scales' scale, and a code at a border that fell to the other side.
        assert!(largest < 0.02, "{largest}");
    }
}

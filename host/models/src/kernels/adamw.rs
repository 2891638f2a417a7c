//! The optimizer's arithmetic, one pass over memory.

use super::math::dot;
use super::simd::simd;
use rayon::prelude::*;

const BLOCK: usize = 1 << 15;

/// One AdamW update (Loshchilov and Hutter 2019, as `torch.optim.AdamW`): decoupled weight decay, then
/// Adam with bias correction.
#[derive(Clone, Copy, Debug)]
pub struct AdamW {
    pub learning_rate: f32,
    pub weight_decay: f32,
    pub beta1: f32,
    pub beta2: f32,
    pub epsilon: f32,
    /// 1 - beta1^t, at step t from 1.
    pub correction1: f32,
    /// sqrt(1 - beta2^t).
    pub correction2: f32,
    /// Every gradient is multiplied by this first: accumulation and clipping in one.
    pub gradient_scale: f32,
    /// The rate is multiplied by the root mean square of the parameter's values before the update, at least
    /// [`LEAST_SCALE`]: Adafactor's relative step size (Shazeer and Stern 2018, section 8; `scale_parameter` in
    /// `transformers.Adafactor`).
    pub scale_parameter: bool,
}

/// A parameter of zeros would never leave them otherwise. Adafactor's second epsilon.
pub const LEAST_SCALE: f32 = 1e-3;

/// Updates `parameter` and its moments in place; all four slices have the same length.
pub fn step(parameter: &mut [f32], gradient: &[f32], first: &mut [f32], second: &mut [f32], mut rule: AdamW) {
    if rule.scale_parameter {
        let mean = sum_of_squares(parameter) / parameter.len().max(1) as f64;
        rule.learning_rate *= (mean.sqrt() as f32).max(LEAST_SCALE);
    }
    parameter
        .par_chunks_mut(BLOCK)
        .zip(gradient.par_chunks(BLOCK))
        .zip(first.par_chunks_mut(BLOCK))
        .zip(second.par_chunks_mut(BLOCK))
        .for_each(|(((p, g), m), v)| step_block(p, g, m, v, rule));
}

simd! {
    fn step_block(p: &mut [f32], g: &[f32], m: &mut [f32], v: &mut [f32], rule: AdamW) {
        let keep = 1.0 - rule.learning_rate * rule.weight_decay;
        let size = rule.learning_rate / rule.correction1;
        let inverse_correction2 = 1.0 / rule.correction2;
        for (((p, g), m), v) in p.iter_mut().zip(g).zip(m).zip(v) {
            let g = g * rule.gradient_scale;
            *m = *m + (g - *m) * (1.0 - rule.beta1);
            *v = *v * rule.beta2 + g * g * (1.0 - rule.beta2);
            let denominator = v.sqrt() * inverse_correction2 + rule.epsilon;
            *p = *p * keep - size * *m / denominator;
        }
    }
}

/// Sum of squares in a fixed order, in f64 between blocks.
pub fn sum_of_squares(values: &[f32]) -> f64 {
    let blocks: Vec<f32> = values.par_chunks(BLOCK).map(block_sum_of_squares).collect();
    blocks.iter().map(|block| f64::from(*block)).sum()
}

simd! {
    fn block_sum_of_squares(values: &[f32]) -> f32 {
        dot(values, values)
    }
}

/// sum += scale * values, elementwise.
pub fn add_scaled(sum: &mut [f32], values: &[f32], scale: f32) {
    sum.par_chunks_mut(BLOCK)
        .zip(values.par_chunks(BLOCK))
        .for_each(|(sum, values)| add_scaled_block(sum, values, scale));
}

simd! {
    fn add_scaled_block(sum: &mut [f32], values: &[f32], scale: f32) {
        for (sum, value) in sum.iter_mut().zip(values) {
            *sum += scale * value;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_steps_as_torch() {
        // torch.optim.AdamW([p], lr=0.1, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01) on p = [1, -2],
        // gradients [0.5, 1], then [-1, 0.25]; p after each step.
        let mut p = [1.0, -2.0];
        let (mut m, mut v) = ([0.0; 2], [0.0; 2]);
        let mut expected = vec![];
        for (t, g) in [[0.5, 1.0], [-1.0, 0.25]].iter().enumerate() {
            let t = t as i32 + 1;
            let rule = AdamW {
                learning_rate: 0.1,
                weight_decay: 0.01,
                beta1: 0.9,
                beta2: 0.999,
                epsilon: 1e-8,
                correction1: 1.0 - 0.9f32.powi(t),
                correction2: (1.0 - 0.999f32.powi(t)).sqrt(),
                gradient_scale: 1.0,
                scale_parameter: false,
            };
            step(&mut p, g, &mut m, &mut v, rule);
            expected.push(p);
        }
        let close = |a: f32, b: f32| assert!((a - b).abs() < 1e-5, "{a} != {b}");
        close(expected[0][0], 0.899);
        close(expected[0][1], -2.098);
        // second step, by hand: m = [-0.055, 0.115] / 0.19, v = [0.00124975, 0.0010615] / 0.001999
        close(expected[1][0], 0.899 * 0.999 - 0.1 * (-0.055 / 0.19) / (0.001_249_75f32 / 0.001_999).sqrt());
        close(expected[1][1], -2.098 * 0.999 - 0.1 * (0.115 / 0.19) / (0.001_061_5f32 / 0.001_999).sqrt());
    }

    /// One step with a scaled rate is one with that rate.
    #[test]
    fn a_rate_in_proportion_to_the_parameter() {
        let rule = |learning_rate, scale_parameter| AdamW {
            learning_rate,
            weight_decay: 0.01,
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
            correction1: 0.1,
            correction2: 0.001f32.sqrt(),
            gradient_scale: 1.0,
            scale_parameter,
        };
        for (parameter, scale) in [([3.0f32, -4.0], 12.5f32.sqrt()), ([0.0, 0.0], LEAST_SCALE)] {
            let after = |rule| {
                let mut p = parameter;
                step(&mut p, &[0.5, 1.0], &mut [0.0; 2], &mut [0.0; 2], rule);
                p
            };
            assert_ne!(after(rule(0.1, true)), parameter);
            assert_eq!(after(rule(0.1, true)), after(rule(0.1 * scale, false)));
        }
    }

    #[test]
    fn norm_of_many() {
        assert_eq!(sum_of_squares(&vec![2.0; 100_000]), 400_000.0);
    }
}

//! Elementary functions that vectorise, and reductions with a fixed order.

/// Number of partial sums of a reduction: one AVX-512 register of float32. Fixed, so that a sum has the
/// same bits on every processor.
const LANES: usize = 16;

/// e^x for float32, about 2 ulp in [-87, 88]; 0 below, saturating above. Range reduction by ln 2 and a
/// degree-6 polynomial (the minimax coefficients of Cephes' `expf`).
#[inline(always)]
#[allow(clippy::excessive_precision)] // as published
pub fn exp(x: f32) -> f32 {
    const ROUND: f32 = 12_582_912.0; // 1.5 * 2^23: adding it rounds to an integer
    let clamped = x.clamp(-87.0, 88.0);
    let n = (clamped * std::f32::consts::LOG2_E + ROUND) - ROUND;
    let r = clamped - n * 0.693_359_4 - n * -2.121_944_4e-4;
    let mut p = 1.987_569_1e-4;
    p = p * r + 1.398_199_9e-3;
    p = p * r + 8.333_452e-3;
    p = p * r + 4.166_579_6e-2;
    p = p * r + 1.666_666_5e-1;
    p = p * r + 5.000_000_1e-1;
    let y = p * r * r + r + 1.0;
    let scale = f32::from_bits(((n as i32 + 127) << 23) as u32);
    if x < -87.0 { 0.0 } else { y * scale }
}

/// The normal distribution function and the normal density at `x`: (Phi(x), phi(x)).
///
/// Phi through erf by Abramowitz and Stegun 7.1.26, absolute error below 2e-7; the density shares its
/// exponential.
#[inline(always)]
pub fn normal(x: f32) -> (f32, f32) {
    let z = x.abs() * std::f32::consts::FRAC_1_SQRT_2;
    let t = 1.0 / (1.0 + 0.327_591_1 * z);
    let e = exp(-z * z);
    let poly =
        ((((1.061_405_4 * t - 1.453_152_1) * t + 1.421_413_8) * t - 0.284_496_74) * t + 0.254_829_6) * t;
    let tail = 0.5 * poly * e;
    let cdf = if x < 0.0 { tail } else { 1.0 - tail };
    (cdf, e * 0.398_942_3)
}

/// Sum in a fixed order: 16 interleaved partial sums, folded pairwise.
#[inline(always)]
pub fn sum(values: &[f32]) -> f32 {
    let mut lanes = [0.0f32; LANES];
    let (blocks, rest) = values.as_chunks::<LANES>();
    for block in blocks {
        for (lane, value) in lanes.iter_mut().zip(block) {
            *lane += value;
        }
    }
    for (lane, value) in lanes.iter_mut().zip(rest) {
        *lane += value;
    }
    fold(lanes)
}

/// Dot product in the order of [`sum`].
#[inline(always)]
pub fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut lanes = [0.0f32; LANES];
    let (a_blocks, a_rest) = a.as_chunks::<LANES>();
    let (b_blocks, b_rest) = b.as_chunks::<LANES>();
    for (a, b) in a_blocks.iter().zip(b_blocks) {
        for i in 0..LANES {
            lanes[i] += a[i] * b[i];
        }
    }
    for ((lane, a), b) in lanes.iter_mut().zip(a_rest).zip(b_rest) {
        *lane += a * b;
    }
    fold(lanes)
}

/// The dot products of `a` with four others, each with the bits of [`dot`]; `a` is read once.
#[inline(always)]
pub fn dot4(a: &[f32], others: [&[f32]; 4]) -> [f32; 4] {
    let mut lanes = [[0.0f32; LANES]; 4];
    let (a_blocks, a_rest) = a.as_chunks::<LANES>();
    let [b, c, d, e] = others.map(|other| other.as_chunks::<LANES>());
    for ((((a, b), c), d), e) in a_blocks.iter().zip(b.0).zip(c.0).zip(d.0).zip(e.0) {
        for i in 0..LANES {
            lanes[0][i] += a[i] * b[i];
            lanes[1][i] += a[i] * c[i];
            lanes[2][i] += a[i] * d[i];
            lanes[3][i] += a[i] * e[i];
        }
    }
    for (lanes, rest) in lanes.iter_mut().zip([b.1, c.1, d.1, e.1]) {
        for ((lane, a), b) in lanes.iter_mut().zip(a_rest).zip(rest) {
            *lane += a * b;
        }
    }
    lanes.map(fold)
}

/// Largest element; -infinity of an empty slice.
#[inline(always)]
pub fn max(values: &[f32]) -> f32 {
    let mut lanes = [f32::NEG_INFINITY; LANES];
    let (blocks, rest) = values.as_chunks::<LANES>();
    for block in blocks {
        for i in 0..LANES {
            lanes[i] = if block[i] > lanes[i] { block[i] } else { lanes[i] };
        }
    }
    for (lane, value) in lanes.iter_mut().zip(rest) {
        *lane = if *value > *lane { *value } else { *lane };
    }
    lanes.into_iter().fold(f32::NEG_INFINITY, f32::max)
}

#[inline(always)]
fn fold(mut lanes: [f32; LANES]) -> f32 {
    let mut width = LANES / 2;
    while width > 0 {
        for i in 0..width {
            lanes[i] += lanes[i + width];
        }
        width /= 2;
    }
    lanes[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_is_accurate() {
        for i in -8700..8800 {
            let x = i as f32 / 100.0;
            let expected = f64::from(x).exp();
            let relative = (f64::from(exp(x)) - expected).abs() / expected;
            assert!(relative < 4e-7, "exp({x}): relative error {relative}");
        }
        assert_eq!(exp(-1e30), 0.0);
        assert_eq!(exp(f32::NEG_INFINITY), 0.0);
    }

    #[test]
    fn normal_matches_numerical_integration() {
        // Simpson's rule over the density from 0 to x.
        for i in -60..=60 {
            let x = f64::from(i) / 10.0;
            let steps = 2000;
            let h = x / f64::from(steps);
            let density = |t: f64| (-t * t / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt();
            let mut integral = density(0.0) + density(x);
            for k in 1..steps {
                integral += density(f64::from(k) * h) * if k % 2 == 1 { 4.0 } else { 2.0 };
            }
            let expected = 0.5 + integral * h / 3.0;
            let (cdf, pdf) = normal(x as f32);
            assert!((f64::from(cdf) - expected).abs() < 3e-7, "Phi({x}) = {cdf}, not {expected}");
            assert!((f64::from(pdf) - density(x)).abs() < 3e-7, "phi({x})");
        }
    }

    #[test]
    fn reductions() {
        let values: Vec<f32> = (0..100).map(|i| i as f32).collect();
        assert_eq!(sum(&values), 4950.0);
        assert_eq!(dot(&values, &values), 328_350.0);
        let odd: Vec<f32> = values.iter().map(|value| (value * 0.37).sin()).collect();
        let others = [&values[..], &odd, &values, &odd];
        assert_eq!(dot4(&odd, others), others.map(|other| dot(&odd, other)));
        assert_eq!(max(&values), 99.0);
        assert_eq!(max(&[]), f32::NEG_INFINITY);
    }
}

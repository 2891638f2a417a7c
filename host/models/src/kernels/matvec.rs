//! Products of a few rows with weight matrices, for decoding: each weight is read once, and what a row gives does not
//! depend, to the last bit, on the rows beside it.
//!
//! A token's time is the time that the weights take from memory. The work is cut into pieces large enough to hide the
//! threads' meeting and small enough that no thread waits long for another.

use super::math::{dot, dot4};
use super::simd::simd;
use rayon::prelude::*;

/// Weights a piece of work, in numbers: 256 KiB.
const PIECE: usize = 1 << 16;
/// Columns a piece of work, in the layout `[in, out]`.
const COLUMNS: usize = 256;

/// A weight matrix `[out, in]`, with a bias `[out]` or none.
#[derive(Clone, Copy)]
pub struct Rows<'a> {
    pub weight: &'a [f32],
    pub bias: Option<&'a [f32]>,
}

/// x `[n, inputs]` to y `[n, out_1 + out_2 + ..]`: x W_i^T + b_i side by side. `scratch` is of any length, and grows
/// to y's.
pub fn project(y: &mut [f32], x: &[f32], inputs: usize, matrices: &[Rows<'_>], scratch: &mut Vec<f32>) {
    let tokens = x.len() / inputs.max(1);
    let outputs = y.len() / tokens.max(1);
    if y.is_empty() {
        return;
    }
    let rows = (PIECE / inputs.max(1)).next_multiple_of(4).max(4);
    if tokens == 1 {
        y.par_chunks_mut(rows).enumerate().for_each(|(piece, y)| {
            each_matrix(y, piece * rows, inputs, matrices, |y, weight| products_of_one(y, x, weight));
        });
        return;
    }
    scratch.resize(y.len(), 0.0);
    scratch.par_chunks_mut(rows * tokens).enumerate().for_each(|(piece, columns)| {
        each_matrix_of_many(columns, piece * rows, inputs, tokens, matrices, x);
    });
    for (token, y) in y.chunks_exact_mut(outputs).enumerate() {
        for (y, column) in y.iter_mut().zip(scratch.chunks_exact(tokens)) {
            *y = column[token];
        }
    }
}

/// Splits the outputs from `start` on by the matrix that they belong to, and adds its bias.
fn each_matrix(
    mut y: &mut [f32],
    mut start: usize,
    inputs: usize,
    matrices: &[Rows<'_>],
    products: impl Fn(&mut [f32], &[f32]),
) {
    for matrix in matrices {
        let outputs = matrix.weight.len() / inputs;
        if start >= outputs {
            start -= outputs;
            continue;
        }
        let count = (outputs - start).min(y.len());
        let (here, rest) = y.split_at_mut(count);
        products(here, &matrix.weight[start * inputs..(start + count) * inputs]);
        if let Some(bias) = matrix.bias {
            for (y, bias) in here.iter_mut().zip(&bias[start..]) {
                *y += bias;
            }
        }
        y = rest;
        start = 0;
    }
}

/// As [`each_matrix`], for columns of `tokens` results each.
fn each_matrix_of_many(
    mut columns: &mut [f32],
    mut start: usize,
    inputs: usize,
    tokens: usize,
    matrices: &[Rows<'_>],
    x: &[f32],
) {
    for matrix in matrices {
        let outputs = matrix.weight.len() / inputs;
        if start >= outputs {
            start -= outputs;
            continue;
        }
        let count = (outputs - start).min(columns.len() / tokens);
        let (here, rest) = columns.split_at_mut(count * tokens);
        products_of_many(here, x, &matrix.weight[start * inputs..(start + count) * inputs], inputs, tokens);
        if let Some(bias) = matrix.bias {
            for (column, bias) in here.chunks_exact_mut(tokens).zip(&bias[start..]) {
                column.iter_mut().for_each(|y| *y += bias);
            }
        }
        columns = rest;
        start = 0;
    }
}

simd! {
    /// y_i = x . row i of the weights.
    fn products_of_one(y: &mut [f32], x: &[f32], weight: &[f32]) {
        let inputs = x.len();
        let (fours, rest) = y.as_chunks_mut::<4>();
        let (weights, weights_rest) = weight.split_at(fours.len() * 4 * inputs);
        for (y, rows) in fours.iter_mut().zip(weights.chunks_exact(4 * inputs)) {
            let (ab, cd) = rows.split_at(2 * inputs);
            let ((a, b), (c, d)) = (ab.split_at(inputs), cd.split_at(inputs));
            *y = dot4(x, [a, b, c, d]);
        }
        for (y, row) in rest.iter_mut().zip(weights_rest.chunks_exact(inputs)) {
            *y = dot(x, row);
        }
    }
}

simd! {
    /// Column i, of `tokens` numbers: each row of x . row i of the weights.
    fn products_of_many(columns: &mut [f32], x: &[f32], weight: &[f32], inputs: usize, tokens: usize) {
        for (column, row) in columns.chunks_exact_mut(tokens).zip(weight.chunks_exact(inputs)) {
            let (fours, rest) = column.as_chunks_mut::<4>();
            let (xs, xs_rest) = x.split_at(fours.len() * 4 * inputs);
            for (y, x) in fours.iter_mut().zip(xs.chunks_exact(4 * inputs)) {
                let (ab, cd) = x.split_at(2 * inputs);
                let ((a, b), (c, d)) = (ab.split_at(inputs), cd.split_at(inputs));
                *y = dot4(row, [a, b, c, d]);
            }
            for (y, x) in rest.iter_mut().zip(xs_rest.chunks_exact(inputs)) {
                *y = dot(row, x);
            }
        }
    }
}

/// x `[n, in]` to y `[n, out]`: x W + b, W `[in, out]` as GPT-2's Conv1D has it.
pub fn conv1d(y: &mut [f32], x: &[f32], weight: &[f32], bias: &[f32]) {
    let outputs = bias.len();
    let inputs = weight.len() / outputs.max(1);
    for (y, x) in y.chunks_exact_mut(outputs).zip(x.chunks_exact(inputs)) {
        y.par_chunks_mut(COLUMNS).enumerate().for_each(|(piece, y)| {
            let start = piece * COLUMNS;
            y.copy_from_slice(&bias[start..start + y.len()]);
            add_rows_scaled(y, x, weight, start, outputs);
        });
    }
}

simd! {
    /// y += sum over i of x_i * W_i, columns `start` on of the rows of `width` numbers.
    fn add_rows_scaled(y: &mut [f32], x: &[f32], weight: &[f32], start: usize, width: usize) {
        let row = |i: usize| &weight[i * width + start..][..y.len()];
        let (fours, rest) = x.as_chunks::<4>();
        let mut sums = [0.0; COLUMNS];
        let sums = &mut sums[..y.len()];
        for (i, x) in fours.iter().enumerate() {
            let (a, b, c, d) = (row(4 * i), row(4 * i + 1), row(4 * i + 2), row(4 * i + 3));
            for ((((sum, a), b), c), d) in sums.iter_mut().zip(a).zip(b).zip(c).zip(d) {
                *sum += x[0] * a + x[1] * b + x[2] * c + x[3] * d;
            }
        }
        for (i, x) in rest.iter().enumerate() {
            for (sum, weight) in sums.iter_mut().zip(row(4 * fours.len() + i)) {
                *sum += x * weight;
            }
        }
        for (y, sum) in y.iter_mut().zip(sums) {
            *y += *sum;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::mix64;

    fn random(seed: u64, elements: usize) -> Vec<f32> {
        (0..elements as u64)
            .map(|i| (mix64((seed << 32) + i) >> 40) as f32 / (1u64 << 23) as f32 - 1.0)
            .collect()
    }

    /// Odd sizes, matrices that end within a piece, and one of several pieces.
    #[test]
    fn products_are_those_of_their_definition_whatever_stands_beside() {
        let inputs = 577;
        let sizes = [3, 130, 301];
        let weights = sizes.map(|outputs| random(outputs as u64, outputs * inputs));
        let bias = random(9, sizes[1]);
        let matrices: Vec<Rows<'_>> = weights
            .iter()
            .enumerate()
            .map(|(i, weight)| Rows { weight, bias: (i == 1).then_some(bias.as_slice()) })
            .collect();
        let total: usize = sizes.iter().sum();
        let x = random(1, 6 * inputs);
        let mut scratch = Vec::new();
        let mut together = vec![0.0; 6 * total];
        project(&mut together, &x, inputs, &matrices, &mut scratch);
        for (x, together) in x.chunks(inputs).zip(together.chunks(total)) {
            let mut alone = vec![0.0; total];
            project(&mut alone, x, inputs, &matrices, &mut scratch);
            assert!(alone == together);
            let expected = weights.iter().flat_map(|weight| {
                weight
                    .chunks(inputs)
                    .map(|row| row.iter().zip(x).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum())
            });
            for (i, (y, expected)) in alone.iter().zip(expected).enumerate() {
                let expected: f64 = expected;
                let bias = i.checked_sub(sizes[0]).and_then(|i| bias.get(i)).copied().unwrap_or(0.0);
                let expected = expected + f64::from(bias);
                assert!((f64::from(*y) - expected).abs() < 1e-4, "{i}: {y} and {expected}");
            }
        }
    }

    #[test]
    fn the_layout_of_conv1d() {
        let (inputs, outputs) = (45, 3 * COLUMNS + 7);
        let (weight, bias, x) = (random(1, inputs * outputs), random(2, outputs), random(3, 2 * inputs));
        let mut y = vec![0.0; 2 * outputs];
        conv1d(&mut y, &x, &weight, &bias);
        for (x, y) in x.chunks(inputs).zip(y.chunks(outputs)) {
            for (o, y) in y.iter().enumerate() {
                let sum: f64 =
                    (0..inputs).map(|i| f64::from(x[i]) * f64::from(weight[i * outputs + o])).sum();
                assert!((f64::from(*y) - sum - f64::from(bias[o])).abs() < 1e-5);
            }
        }
    }
}

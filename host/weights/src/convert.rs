//! Elements into float32.

use half::f16;
use half::slice::HalfFloatSliceExt;

use crate::dtype::Dtype;
use crate::quants;

/// `count` values in the order of the file. The caller has checked that `bytes` are as many as they take.
pub(crate) fn floats(dtype: Dtype, bytes: &[u8], count: usize) -> Vec<f32> {
    let mut values = Vec::with_capacity(count);
    append(dtype, bytes, &mut values);
    values
}

/// As [`floats`], to the end of `values`.
fn append(dtype: Dtype, bytes: &[u8], values: &mut Vec<f32>) {
    match dtype {
        Dtype::F64 => {
            values.extend(bytes.as_chunks().0.iter().map(|bytes| f64::from_le_bytes(*bytes) as f32))
        }
        Dtype::F32 => values.extend(bytes.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes))),
        Dtype::F16 => append_f16(bytes, values),
        Dtype::BF16 => values.extend(bytes.as_chunks().0.iter().map(|bytes| bf16(*bytes))),
        quantised => quants::append(quantised, bytes, values),
    }
}

fn append_f16(bytes: &[u8], values: &mut Vec<f32>) {
    // Many at once, which the processor has an instruction for, from where they are aligned.
    const MANY: usize = 512;
    let (mut halves, mut floats) = ([f16::ZERO; MANY], [0.0; MANY]);
    for chunk in bytes.chunks(2 * MANY) {
        let numbers = chunk.as_chunks().0;
        let (halves, floats) = (&mut halves[..numbers.len()], &mut floats[..numbers.len()]);
        halves.iter_mut().zip(numbers).for_each(|(half, bytes)| *half = f16::from_le_bytes(*bytes));
        halves.convert_to_f32_slice(floats);
        values.extend_from_slice(floats);
    }
}

fn bf16(bytes: [u8; 2]) -> f32 {
    f32::from_bits(u32::from(u16::from_le_bytes(bytes)) << 16)
}

/// The elements of a strided tensor, row-major.
pub(crate) fn strided(
    dtype: Dtype,
    bytes: &[u8],
    shape: &[usize],
    strides: &[usize],
    count: usize,
) -> Vec<f32> {
    match dtype {
        Dtype::F64 => {
            gather(bytes.as_chunks().0, shape, strides, count, |bytes| f64::from_le_bytes(bytes) as f32)
        }
        Dtype::F32 => gather(bytes.as_chunks().0, shape, strides, count, f32::from_le_bytes),
        Dtype::F16 => {
            gather(bytes.as_chunks().0, shape, strides, count, |bytes| f16::from_le_bytes(bytes).to_f32())
        }
        Dtype::BF16 => gather(bytes.as_chunks().0, shape, strides, count, bf16),
        // No format strides blocks.
        _ => Vec::new(),
    }
}

fn gather<const N: usize>(
    stored: &[[u8; N]],
    shape: &[usize],
    strides: &[usize],
    count: usize,
    read: impl Fn([u8; N]) -> f32,
) -> Vec<f32> {
    let mut values = Vec::with_capacity(count);
    let (Some((&width, outer)), Some((&step, outer_strides))) = (shape.split_last(), strides.split_last())
    else {
        values.extend(stored.first().map(|bytes| read(*bytes)));
        return values;
    };
    let mut index = vec![0; outer.len()];
    while values.len() < count {
        let start: usize = index.iter().zip(outer_strides).map(|(at, stride)| at * stride).sum();
        values.extend((0..width).map(|column| read(stored[start + column * step])));
        // The next row: the last dimension counts first.
        for (at, size) in index.iter_mut().zip(outer).rev() {
            *at += 1;
            if *at < *size {
                break;
            }
            *at = 0;
        }
    }
    values
}

/// Of a matrix with `columns` columns; the result has as many rows.
pub(crate) fn transpose(values: &[f32], columns: usize) -> Vec<f32> {
    // Square tiles, so that both sides stay in the cache.
    const TILE: usize = 32;
    let rows = values.len().checked_div(columns).unwrap_or(0);
    let mut transposed = vec![0.0; values.len()];
    for top in (0..rows).step_by(TILE) {
        for left in (0..columns).step_by(TILE) {
            for row in top..rows.min(top + TILE) {
                for column in left..columns.min(left + TILE) {
                    transposed[column * rows + row] = values[row * columns + column];
                }
            }
        }
    }
    transposed
}

/// Undoes llama.cpp's order of the rows of `heads` heads: row (head, half, i) stands at (head, i, half).
pub(crate) fn halves(dtype: Dtype, bytes: &[u8], rows: usize, heads: usize, count: usize) -> Vec<f32> {
    let mut values = Vec::with_capacity(count);
    let (of_row, of_head) = (bytes.len() / rows, rows / heads);
    for head in 0..heads {
        for half in 0..2 {
            for i in 0..of_head / 2 {
                let row = head * of_head + 2 * i + half;
                append(dtype, &bytes[row * of_row..][..of_row], &mut values);
            }
        }
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(values: &[f32]) -> Vec<u8> {
        values.iter().flat_map(|value| value.to_le_bytes()).collect()
    }

    fn counted(count: usize) -> Vec<f32> {
        (0..count).map(|i| i as f32).collect()
    }

    #[test]
    fn every_float_format_is_read() {
        assert_eq!(floats(Dtype::F64, &(-0.1f64).to_le_bytes(), 1), [-0.1]);
        assert_eq!(floats(Dtype::F32, &1.5f32.to_le_bytes(), 1), [1.5]);
        assert_eq!(floats(Dtype::BF16, &[0x80, 0x3f], 1), [1.0]);
        let numbers: Vec<u8> = (0..=u16::MAX).flat_map(u16::to_le_bytes).collect();
        let ours = floats(Dtype::F16, &numbers, 1 << 16);
        for (bits, value) in (0..=u16::MAX).zip(ours) {
            let theirs = f16::from_bits(bits).to_f32_const();
            assert!(
                value == theirs || (value.is_nan() && theirs.is_nan()),
                "{bits:#x}: {value} and {theirs}"
            );
        }
    }

    #[test]
    fn strides_are_followed() {
        let stored = bytes(&counted(12));
        let read = |shape: &[usize], strides: &[usize]| {
            strided(Dtype::F32, &stored, shape, strides, shape.iter().product())
        };
        assert_eq!(read(&[3, 4], &[4, 1]), counted(12));
        assert_eq!(read(&[4, 3], &[1, 4]), [0., 4., 8., 1., 5., 9., 2., 6., 10., 3., 7., 11.]);
        assert_eq!(read(&[2, 1, 2], &[6, 9, 2]), [0., 2., 6., 8.]);
        assert_eq!(read(&[2, 2], &[0, 1]), [0., 1., 0., 1.]);
        assert_eq!(read(&[], &[]), [0.]);
        assert_eq!(read(&[3, 0], &[1, 1]), [0.; 0]);
    }

    #[test]
    fn a_transposed_matrix_is_turned() {
        for (rows, columns) in [(1, 1), (3, 2), (33, 70), (64, 32)] {
            let turned = transpose(&counted(rows * columns), columns);
            for row in 0..rows {
                for column in 0..columns {
                    assert_eq!(turned[column * rows + row], (row * columns + column) as f32);
                }
            }
        }
    }

    #[test]
    fn rotary_halves_come_together() {
        // Two heads of four rows: Hugging Face's row r stands at place(r).
        let theirs = [0., 2., 1., 3., 4., 6., 5., 7.];
        assert_eq!(halves(Dtype::F32, &bytes(&theirs), 8, 2, 8), counted(8));
    }
}

//! ggml's quantised blocks, as its `dequantize_row_*` turn them into floats, bit for bit:
//! <https://github.com/ggml-org/ggml/blob/master/src/ggml-quants.c>.
//!
//! `d` is a block's scale, `m` its minimum, both in half precision; nibbles lie low halves first.

/// Blocks of 256 whose parts have scales of their own.
mod super_blocks;

use half::f16;

use crate::dtype::Dtype;

/// Adds what `bytes`, whole blocks, hold.
pub(crate) fn append(dtype: Dtype, bytes: &[u8], values: &mut Vec<f32>) {
    match dtype {
        Dtype::Q4_0 => blocks(bytes, values, q4_0),
        Dtype::Q4_1 => blocks(bytes, values, q4_1),
        Dtype::Q5_0 => blocks(bytes, values, q5_0),
        Dtype::Q5_1 => blocks(bytes, values, q5_1),
        Dtype::Q8_0 => blocks(bytes, values, q8_0),
        Dtype::Q2_K => blocks(bytes, values, super_blocks::q2_k),
        Dtype::Q3_K => blocks(bytes, values, super_blocks::q3_k),
        Dtype::Q4_K => blocks(bytes, values, super_blocks::q4_k),
        Dtype::Q5_K => blocks(bytes, values, super_blocks::q5_k),
        Dtype::Q6_K => blocks(bytes, values, super_blocks::q6_k),
        Dtype::F64 | Dtype::F32 | Dtype::F16 | Dtype::BF16 | Dtype::Other(_) => {}
    }
}

fn blocks<const BYTES: usize, const ELEMENTS: usize>(
    bytes: &[u8],
    values: &mut Vec<f32>,
    read: impl Fn(&[u8; BYTES], &mut [f32; ELEMENTS]),
) {
    let mut buffer = [0.0; ELEMENTS];
    for block in bytes.as_chunks().0 {
        read(block, &mut buffer);
        values.extend_from_slice(&buffer);
    }
}

fn half_at(block: &[u8], at: usize) -> f32 {
    f16::from_le_bytes([block[at], block[at + 1]]).to_f32()
}

fn q4_0(block: &[u8; 18], out: &mut [f32; 32]) {
    let d = half_at(block, 0);
    for (i, byte) in block[2..].iter().enumerate() {
        out[i] = d * (f32::from(byte & 15) - 8.0);
        out[i + 16] = d * (f32::from(byte >> 4) - 8.0);
    }
}

fn q4_1(block: &[u8; 20], out: &mut [f32; 32]) {
    let (d, m) = (half_at(block, 0), half_at(block, 2));
    for (i, byte) in block[4..].iter().enumerate() {
        out[i] = d * f32::from(byte & 15) + m;
        out[i + 16] = d * f32::from(byte >> 4) + m;
    }
}

fn q5_0(block: &[u8; 22], out: &mut [f32; 32]) {
    let d = half_at(block, 0);
    five_bits(&block[2..6], &block[6..], out, |five| d * (five - 16.0));
}

fn q5_1(block: &[u8; 24], out: &mut [f32; 32]) {
    let (d, m) = (half_at(block, 0), half_at(block, 2));
    five_bits(&block[4..8], &block[8..], out, |five| d * five + m);
}

/// The fifth bits of all elements lie together in `high`.
fn five_bits(high: &[u8], low: &[u8], out: &mut [f32; 32], value: impl Fn(f32) -> f32) {
    let fifth = |i: usize| (high[i / 8] >> (i % 8) & 1) << 4;
    for (i, byte) in low.iter().enumerate() {
        out[i] = value(f32::from(byte & 15 | fifth(i)));
        out[i + 16] = value(f32::from(byte >> 4 | fifth(i + 16)));
    }
}

fn q8_0(block: &[u8; 34], out: &mut [f32; 32]) {
    let d = half_at(block, 0);
    for (out, byte) in out.iter_mut().zip(&block[2..]) {
        *out = f32::from(*byte as i8) * d;
    }
}

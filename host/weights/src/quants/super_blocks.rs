//! ggml's "k-quants": 256 elements in parts of 16 or 32, whose scales (and minima) are integers themselves, scaled by
//! the block's `d` (and `dmin`).

use super::half_at;

/// Parts of 16 with scale and minimum of 4 bits each; elements of 2 bits.
pub fn q2_k(block: &[u8; 84], out: &mut [f32; 256]) {
    let (scales, quants) = (&block[..16], &block[16..80]);
    let (d, dmin) = (half_at(block, 80), half_at(block, 82));
    for (part, out) in out.as_chunks_mut::<16>().0.iter_mut().enumerate() {
        let (scale, minimum) = (d * f32::from(scales[part] & 15), dmin * f32::from(scales[part] >> 4));
        let (bytes, shift) = two_bits(quants, part);
        for (out, byte) in out.iter_mut().zip(bytes) {
            *out = scale * f32::from(byte >> shift & 3) - minimum;
        }
    }
}

/// Parts of 16 with scales of 6 bits; elements of 3 bits, whose third bit says that nothing is to be taken off.
pub fn q3_k(block: &[u8; 110], out: &mut [f32; 256]) {
    let (high, quants, scales) = (&block[..32], &block[32..96], &block[96..108]);
    let d = half_at(block, 108);
    for (part, out) in out.as_chunks_mut::<16>().0.iter_mut().enumerate() {
        // Four low bits in the first eight bytes, two high ones in the last four.
        let low = scales[part % 8] >> (4 * (part / 8)) & 15;
        let two = scales[8 + part % 4] >> (2 * (part / 4)) & 3;
        let scale = d * (f32::from(low | two << 4) - 32.0);
        let (bytes, shift) = two_bits(quants, part);
        for (i, (out, byte)) in out.iter_mut().zip(bytes).enumerate() {
            let offset = if high[part % 2 * 16 + i] >> (part / 2) & 1 == 1 { 0.0 } else { 4.0 };
            *out = scale * (f32::from(byte >> shift & 3) - offset);
        }
    }
}

/// Where the two bits of each element of a part of 16 lie: the bytes, and how far up in them.
fn two_bits(quants: &[u8], part: usize) -> (&[u8], usize) {
    // 128 elements share 32 bytes: four times 32 elements, one above the other.
    let (group, within) = (part / 8, part % 8);
    (&quants[group * 32 + within % 2 * 16..][..16], 2 * (within / 2))
}

/// Parts of 32 with scale and minimum of 6 bits each; elements of 4 bits.
pub fn q4_k(block: &[u8; 144], out: &mut [f32; 256]) {
    let (d, dmin, scales, quants) = (half_at(block, 0), half_at(block, 2), &block[4..16], &block[16..]);
    for (part, out) in out.as_chunks_mut::<32>().0.iter_mut().enumerate() {
        let (scale, minimum) = six_bits(scales, part);
        let (scale, minimum) = (d * scale, dmin * minimum);
        for (out, byte) in out.iter_mut().zip(&quants[part / 2 * 32..]) {
            *out = scale * f32::from(byte >> (4 * (part % 2)) & 15) - minimum;
        }
    }
}

/// As [`q4_k`], with the fifth bits of all elements together.
pub fn q5_k(block: &[u8; 176], out: &mut [f32; 256]) {
    let (d, dmin, scales) = (half_at(block, 0), half_at(block, 2), &block[4..16]);
    let (high, quants) = (&block[16..48], &block[48..]);
    for (part, out) in out.as_chunks_mut::<32>().0.iter_mut().enumerate() {
        let (scale, minimum) = six_bits(scales, part);
        let (scale, minimum) = (d * scale, dmin * minimum);
        for ((out, byte), high) in out.iter_mut().zip(&quants[part / 2 * 32..]).zip(high) {
            let five = byte >> (4 * (part % 2)) & 15 | (high >> part & 1) << 4;
            *out = scale * f32::from(five) - minimum;
        }
    }
}

/// Scale and minimum of a part of 32: the first four have their six bits together, the last four have their two high
/// bits in the bytes of the first.
fn six_bits(scales: &[u8], part: usize) -> (f32, f32) {
    let (scale, minimum) = match part {
        0..4 => (scales[part] & 63, scales[part + 4] & 63),
        _ => (
            scales[part + 4] & 15 | scales[part - 4] >> 6 << 4,
            scales[part + 4] >> 4 | scales[part] >> 6 << 4,
        ),
    };
    (f32::from(scale), f32::from(minimum))
}

/// Parts of 16 with signed scales of 8 bits; elements of 6 bits.
pub fn q6_k(block: &[u8; 210], out: &mut [f32; 256]) {
    let (low, high, scales) = (&block[..128], &block[128..192], &block[192..208]);
    let d = half_at(block, 208);
    for (part, out) in out.as_chunks_mut::<16>().0.iter_mut().enumerate() {
        let scale = d * f32::from(scales[part] as i8);
        // 128 elements share 64 bytes of low nibbles and 32 of high pairs; `quarter` of them has 32.
        let (group, quarter, start) = (part / 8, part % 8 / 2, part % 2 * 16);
        let low = &low[group * 64 + quarter % 2 * 32 + start..];
        let high = &high[group * 32 + start..];
        for ((out, low), high) in out.iter_mut().zip(low).zip(high) {
            let six = low >> (4 * (quarter / 2)) & 15 | (high >> (2 * quarter) & 3) << 4;
            *out = scale * (f32::from(six) - 32.0);
        }
    }
}

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// The place of the first `@`, `:` or digit in `bytes`, from `at` on; the length if there is none. Every find has one.
///
/// Eight bytes at a time by integer arithmetic, not SIMD, so that a component is much as fast as a native build.
pub(crate) fn next(bytes: &[u8], at: usize) -> usize {
    // Four blocks a step: where nothing is found, which is nearly everywhere, one question does for all.
    let (steps, _) = bytes[at..].as_chunks::<32>();
    let clean = steps.iter().take_while(|step| !has_trigger(step)).count();
    let mut place = at + 32 * clean;
    let (blocks, rest) = bytes[place..].as_chunks::<8>();
    for block in blocks {
        let found = triggers(u64::from_le_bytes(*block));
        if found != 0 {
            return place + found.trailing_zeros() as usize / 8;
        }
        place += 8;
    }
    place + rest.iter().position(|byte| is_trigger(*byte)).unwrap_or(rest.len())
}

fn has_trigger(step: &[u8; 32]) -> bool {
    let (blocks, _) = step.as_chunks::<8>();
    blocks.iter().fold(0, |found, block| found | triggers(u64::from_le_bytes(*block))) != 0
}

fn is_trigger(byte: u8) -> bool {
    // A colon follows the digits in ASCII.
    matches!(byte, b'0'..=b':' | b'@')
}

/// The high bit of each byte that is a trigger.
fn triggers(block: u64) -> u64 {
    let low = block & !HIGH;
    let from_0 = low + u64::from(0x80 - b'0') * ONES;
    let beyond_colon = low + u64::from(0x7f - b':') * ONES;
    let other_than_at = (low ^ (u64::from(b'@') * ONES)) + 0x7f * ONES;
    ((from_0 & !beyond_colon) | !other_than_at) & !block & HIGH
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_at_every_place_is_judged_rightly() {
        for place in 0..43 {
            for byte in 0..=u8::MAX {
                for other in [b'a', b'/', b';', 0xff, 0xb0, 0xc0] {
                    let mut bytes = [other; 43];
                    bytes[place] = byte;
                    let expected = if is_trigger(byte) { place } else { 43 };
                    assert_eq!(next(&bytes, 0), expected, "{byte:#x} at {place}");
                    assert_eq!(next(&bytes, place), expected);
                    assert_eq!(next(&bytes, place + 1), 43);
                }
            }
        }
    }
}

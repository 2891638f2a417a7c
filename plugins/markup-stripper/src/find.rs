const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// The place of the first `one` or `other`, both ASCII, in `bytes` from `at` on.
///
/// Eight bytes at a time by integer arithmetic, not SIMD, so that a component is much as fast as a native build.
pub(crate) fn find(bytes: &[u8], at: usize, one: u8, other: u8) -> Option<usize> {
    let mut place = at;
    let (blocks, rest) = bytes.get(at..)?.as_chunks::<8>();
    for block in blocks {
        let block = u64::from_le_bytes(*block);
        let found = equal(block, one) | equal(block, other);
        if found != 0 {
            return Some(place + found.trailing_zeros() as usize / 8);
        }
        place += 8;
    }
    rest.iter().position(|byte| *byte == one || *byte == other).map(|within| place + within)
}

/// Where `bytes` has `wanted`: the lowest flag is right.
fn equal(bytes: u64, wanted: u8) -> u64 {
    let differing = bytes ^ (u64::from(wanted) * ONES);
    differing.wrapping_sub(ONES) & !differing & HIGH
}

/// The place of the first `wanted` in `text` from `at` on.
pub(crate) fn find_text(text: &str, at: usize, wanted: &str) -> Option<usize> {
    text.get(at..)?.find(wanted).map(|within| at + within)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_found_at_every_place() {
        for place in 0..19 {
            for byte in 0..=u8::MAX {
                let mut bytes = *b"abcdefghijklmnopqrs";
                bytes[place] = byte;
                bytes[18] = byte;
                for at in 0..=19 {
                    let slowly = (at..19).find(|at| matches!(bytes[*at], b'<' | b'&'));
                    assert_eq!(find(&bytes, at, b'<', b'&'), slowly, "{byte} at {place} from {at}");
                }
            }
        }
        assert_eq!(find(b"", 1, b'<', b'&'), None);
    }
}

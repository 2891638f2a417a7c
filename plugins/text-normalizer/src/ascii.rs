const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// How many bytes from the start of `bytes`, in blocks of eight, need nothing: visible ASCII, single spaces,
/// and no `&` where `entities` are decoded. `after_space` says whether a space stands before the bytes, and
/// afterwards whether one ends what was passed.
///
/// Integer arithmetic and no SIMD, so that a WebAssembly engine runs it as fast as a native build does.
pub(crate) fn clean_blocks(bytes: &[u8], entities: bool, after_space: &mut bool) -> usize {
    let (blocks, _) = bytes.as_chunks::<8>();
    let mut passed = 0;
    // Of the byte before the block, as a flag in the place of the block's first byte.
    let mut before = if *after_space { 0x80 } else { 0 };
    for block in blocks {
        let block = u64::from_le_bytes(*block);
        let visible_or_space = block.wrapping_add(0x60 * ONES);
        let delete = block.wrapping_add(ONES);
        let spaces = equal(block, b' ');
        let ampersands = if entities { equal(block, b'&') } else { 0 };
        let doubled = spaces & (spaces << 8 | before);
        // The sums hold for bytes below 0x80: no carry leaves a byte. If another byte is there, `block`
        // itself has its high bit, and what the sums say does not matter.
        if (block | !visible_or_space | delete | ampersands | doubled) & HIGH != 0 {
            break;
        }
        before = spaces >> 56;
        passed += 8;
    }
    *after_space = before != 0;
    passed
}

/// The high bit of each byte of `block` that is `wanted`; right where all bytes are below 0x80.
fn equal(block: u64, wanted: u8) -> u64 {
    let differing = block ^ (u64::from(wanted) * ONES);
    !differing.wrapping_add(0x7f * ONES) & HIGH
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_at_every_place_is_judged_rightly() {
        for place in 0..8 {
            for byte in 0..=u8::MAX {
                for entities in [false, true] {
                    let mut bytes = *b"abcdefgh";
                    bytes[place] = byte;
                    let fine = (b' '..0x7f).contains(&byte) && !(entities && byte == b'&');
                    let mut after_space = false;
                    let passed = clean_blocks(&bytes, entities, &mut after_space);
                    assert_eq!(passed, if fine { 8 } else { 0 }, "{byte} at {place}");
                    assert_eq!(after_space, byte == b' ' && place == 7);
                }
            }
        }
    }

    #[test]
    fn two_spaces_are_seen_wherever_they_meet() {
        let passed = |text: &str, mut after_space| {
            let passed = clean_blocks(text.as_bytes(), true, &mut after_space);
            (passed, after_space)
        };
        assert_eq!(passed("a b c d e f g h ", false), (16, true));
        assert_eq!(passed("a b c d e f g  h", false), (8, true));
        assert_eq!(passed("abcdefg  bcdefgh", false), (8, true));
        assert_eq!(passed(" bcdefgh", true), (0, true));
        assert_eq!(passed("abcdefgh", true), (8, false));
        assert_eq!(passed("abcdefg", true), (0, true));
        assert_eq!(passed("a b c d  e f g h", false), (8, true));
    }
}

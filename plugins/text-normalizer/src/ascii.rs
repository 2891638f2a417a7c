const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// The place of the first byte of `bytes`, from `at` on, that needs a look: one that is neither visible ASCII nor
/// a single space, or that is `&` where `entities` are decoded; the length if none does. `after_space` says
/// whether a space stands before `at`, and afterwards whether one stands before the place found.
///
/// Eight bytes at a time by integer arithmetic, not SIMD, so that a component is much as fast as a native build.
pub(crate) fn skip_clean(bytes: &[u8], at: usize, entities: bool, after_space: &mut bool) -> usize {
    let (blocks, rest) = bytes[at..].as_chunks::<8>();
    let mut place = at;
    // Of the byte before the block: a flag as in the block's own lowest byte.
    let mut before = if *after_space { 0x80 } else { 0 };
    for block in blocks {
        let block = Block::new(u64::from_le_bytes(*block));
        let faults = block.faults(entities, before);
        if faults != 0 {
            let clean = faults.trailing_zeros() / 8;
            *after_space = block.space_before(clean, before);
            return place + clean as usize;
        }
        before = block.spaces >> 56;
        place += 8;
    }
    let mut last = [b'-'; 8];
    for (to, from) in last.iter_mut().zip(rest) {
        *to = *from;
    }
    let block = Block::new(u64::from_le_bytes(last));
    let clean = (block.faults(entities, before).trailing_zeros() / 8).min(rest.len() as u32);
    *after_space = block.space_before(clean, before);
    place + clean as usize
}

/// Makes the capitals in `bytes` small, which are ASCII; whether there were any.
pub(crate) fn lower(bytes: &mut [u8]) -> bool {
    let (blocks, rest) = bytes.as_chunks_mut::<8>();
    let mut found = 0;
    for block in blocks {
        let text = u64::from_le_bytes(*block);
        let from_a = text.wrapping_add((0x80 - u64::from(b'A')) * ONES);
        let beyond_z = text.wrapping_add((0x7f - u64::from(b'Z')) * ONES);
        let capitals = from_a & !beyond_z & HIGH;
        found |= capitals;
        *block = (text | capitals >> 2).to_le_bytes();
    }
    let in_rest = rest.iter().any(u8::is_ascii_uppercase);
    rest.make_ascii_lowercase();
    found != 0 || in_rest
}

/// Eight bytes of text, the first in the lowest place. Flags are the high bits of their bytes, right up to and
/// including the first byte that is not ASCII, because no carry leaves a byte below 0x80.
#[derive(Clone, Copy)]
struct Block {
    bytes: u64,
    spaces: u64,
}

impl Block {
    fn new(bytes: u64) -> Self {
        Self { bytes, spaces: equal(bytes, b' ') }
    }

    /// Where a byte needs a look.
    fn faults(self, entities: bool, before: u64) -> u64 {
        let visible_or_space = self.bytes.wrapping_add(0x60 * ONES);
        let delete = self.bytes.wrapping_add(ONES);
        let ampersands = if entities { equal(self.bytes, b'&') } else { 0 };
        let doubled = self.spaces & (self.spaces << 8 | before);
        (self.bytes | !visible_or_space | delete | ampersands | doubled) & HIGH
    }

    /// Whether a space stands before the byte `place`, from 0 to 8.
    fn space_before(self, place: u32, before: u64) -> bool {
        match place {
            0 => before != 0,
            place => self.spaces >> (8 * place - 1) & 1 != 0,
        }
    }
}

/// Where `bytes` has `wanted`.
fn equal(bytes: u64, wanted: u8) -> u64 {
    let differing = bytes ^ (u64::from(wanted) * ONES);
    !differing.wrapping_add(0x7f * ONES) & HIGH
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same, byte by byte.
    fn slowly(bytes: &[u8], at: usize, entities: bool, after_space: &mut bool) -> usize {
        for (place, byte) in bytes.iter().enumerate().skip(at) {
            let space = *byte == b' ';
            if !(b' '..0x7f).contains(byte) || (entities && *byte == b'&') || (space && *after_space) {
                return place;
            }
            *after_space = space;
        }
        bytes.len()
    }

    #[track_caller]
    fn agree(bytes: &[u8]) {
        for at in 0..=bytes.len() {
            for (entities, after_space) in [(false, false), (false, true), (true, false), (true, true)] {
                let (mut fast, mut slow) = (after_space, after_space);
                let places =
                    (skip_clean(bytes, at, entities, &mut fast), slowly(bytes, at, entities, &mut slow));
                assert_eq!(
                    (places.0, fast),
                    (places.1, slow),
                    "{bytes:?} from {at}, {entities} {after_space}"
                );
            }
        }
    }

    #[test]
    fn every_byte_at_every_place_is_judged_rightly() {
        for place in 0..19 {
            for byte in 0..=u8::MAX {
                for neighbour in [b'a', b' ', 0xff] {
                    let mut bytes = *b"abcdefghijklmnopqrs";
                    bytes[(place + 1) % 19] = neighbour;
                    bytes[place] = byte;
                    agree(&bytes);
                }
            }
        }
    }

    #[test]
    fn capitals_become_small() {
        let all: Vec<u8> = (0..0x80).collect();
        for (start, end) in [(0, 128), (0, 13), (60, 93), (65, 91), (64, 65), (91, 128), (5, 5)] {
            let mut bytes = all[start..end].to_vec();
            let found = lower(&mut bytes);
            assert_eq!(bytes, all[start..end].to_ascii_lowercase());
            assert_eq!(found, bytes != all[start..end]);
        }
    }

    #[test]
    fn spaces_are_seen_wherever_they_meet() {
        for text in [
            "",
            " ",
            "  ",
            "a b c d e f g h ",
            "a b c d e f g  h",
            "abcdefg  bcdefgh",
            "abcdefgh   ",
            "abcdefghi ",
        ] {
            agree(text.as_bytes());
        }
    }
}

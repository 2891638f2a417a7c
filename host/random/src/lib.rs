//! The random numbers of splits, batches and samples. For a seed they may never change: a split or an order of
//! batches that changed with a release would break "the same recipe gives the same weights".

/// SplitMix64 (Steele, Lea & Flood 2014, "Fast splittable pseudorandom number generators"; constants as in
/// Vigna's reference `splitmix64.c`).
#[derive(Clone, Debug)]
pub struct SplitMix64(u64);

impl SplitMix64 {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A stream of its own for each `(seed, name)`.
    pub fn named(seed: u64, name: &str) -> Self {
        // FNV-1a, 64 bits: short, and the same on every machine and in every release.
        let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        let mut mixed = Self(seed);
        Self(mixed.next_u64() ^ hash)
    }

    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`, by multiplication and shift; the bias is at most `bound` in 2^64. Zero if
    /// `bound` is zero.
    pub fn below(&mut self, bound: usize) -> usize {
        ((u128::from(self.next_u64()) * bound as u128) >> 64) as usize
    }

    /// Fisher and Yates, from the end.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for end in (1..items.len()).rev() {
            items.swap(end, self.below(end + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first numbers of the reference implementation for the seed 1234567.
    #[test]
    fn the_numbers_are_those_of_the_reference() {
        let mut random = SplitMix64::new(1234567);
        let numbers: Vec<u64> = (0..3).map(|_| random.next_u64()).collect();
        assert_eq!(numbers, [6457827717110365317, 3203168211198807973, 9817491932198370423]);
    }

    #[test]
    fn a_shuffle_is_a_permutation_and_never_changes() {
        let mut items: Vec<u32> = (0..10).collect();
        SplitMix64::named(7, "golden").shuffle(&mut items);
        assert_eq!(items, [1, 5, 7, 0, 9, 3, 2, 6, 4, 8]);
        items.sort_unstable();
        assert_eq!(items, (0..10).collect::<Vec<_>>());
    }
}

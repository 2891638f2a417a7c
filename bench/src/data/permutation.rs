//! An order of any number of things that takes no memory.

use pegbox_random::SplitMix64;

const ROUNDS: u64 = 4;

/// A bijection of `0..len` onto itself, each way in constant time: a Feistel network over the next power of four,
/// walked until the result is below `len` (Black and Rogaway 2002, "Ciphers with arbitrary finite domains").
#[derive(Clone, Debug)]
pub struct Permutation {
    len: u64,
    /// Bits of each half.
    half: u32,
    keys: [u64; ROUNDS as usize],
}

impl Permutation {
    /// One of `len` things, which may not be 0, for each seed and name.
    pub fn new(len: u64, seed: u64, name: &str) -> Self {
        let bits = u64::BITS - len.saturating_sub(1).leading_zeros();
        let mut random = SplitMix64::named(seed, name);
        Self { len, half: bits.div_ceil(2).max(1), keys: [(); ROUNDS as usize].map(|()| random.next_u64()) }
    }

    /// Where `index` goes. Both are below the length.
    pub fn of(&self, index: u64) -> u64 {
        self.walk(index, |mut left, mut right| {
            for key in self.keys {
                (left, right) = (right, left ^ self.round(right, key));
            }
            (left, right)
        })
    }

    /// What goes to `place`.
    pub fn at(&self, place: u64) -> u64 {
        self.walk(place, |mut left, mut right| {
            for key in self.keys.into_iter().rev() {
                (left, right) = (right ^ self.round(left, key), left);
            }
            (left, right)
        })
    }

    fn walk(&self, mut number: u64, step: impl Fn(u64, u64) -> (u64, u64)) -> u64 {
        let mask = (1 << self.half) - 1;
        loop {
            let (left, right) = step(number >> self.half, number & mask);
            number = left << self.half | right;
            if number < self.len {
                return number;
            }
        }
    }

    fn round(&self, half: u64, key: u64) -> u64 {
        SplitMix64::new(half ^ key).next_u64() & ((1 << self.half) - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_goes_somewhere_and_comes_back() {
        for len in [1, 2, 3, 4, 5, 100, 1000, 1025] {
            let order = Permutation::new(len, 7, "test");
            let mut places: Vec<u64> = (0..len).map(|index| order.of(index)).collect();
            assert!((0..len).all(|index| order.at(order.of(index)) == index), "{len}");
            places.sort_unstable();
            assert_eq!(places, (0..len).collect::<Vec<_>>());
        }
    }

    #[test]
    fn seeds_and_names_give_other_orders() {
        let order = |seed, name| -> Vec<u64> {
            let order = Permutation::new(100, seed, name);
            (0..100).map(|index| order.of(index)).collect()
        };
        assert_ne!(order(1, "a"), order(2, "a"));
        assert_ne!(order(1, "a"), order(1, "b"));
        assert_ne!(order(1, "a"), (0..100).collect::<Vec<_>>());
    }
}

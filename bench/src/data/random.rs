//! Small choices.

use pegbox_random::SplitMix64;

/// One of some, which may not be none.
pub fn pick<T: Copy>(some: &[T], random: &mut SplitMix64) -> T {
    some[random.below(some.len())]
}

/// True in so many of 1,000 cases.
pub fn chance(per_mille: usize, random: &mut SplitMix64) -> bool {
    random.below(1000) < per_mille
}

pub fn digits(count: usize, random: &mut SplitMix64) -> String {
    (0..count).map(|_| char::from(b'0' + random.below(10) as u8)).collect()
}

/// The stream of one row or cluster.
pub fn stream(seed: u64, name: &str, index: u64) -> SplitMix64 {
    SplitMix64::named(SplitMix64::new(seed ^ index.rotate_left(32)).next_u64(), name)
}

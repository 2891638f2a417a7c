//! MinHash sketches.
//!
//! Made by *fast similarity sketching* (Dahlgaard, Knudsen & Thorup 2017): in each round every shingle is thrown
//! into one of the bins and leaves its value there if that is the smallest of the first round that reached the
//! bin; once all bins are full, it ends. That takes about `bins * ln(bins)` throws for a short text and one or
//! two rounds for a long one, where the textbook's MinHash takes `bins` rounds; and unlike one-permutation
//! hashing, whose empty bins copy their neighbours, every bin is a fair draw of its own even if the text has
//! fewer shingles than there are bins. That is the usual case here.

use pegbox_random::SplitMix64;

const EMPTY: u64 = u64::MAX;

/// Makes sketches of one width.
#[derive(Debug)]
pub(crate) struct Sketcher {
    /// A salt and an odd factor for each round. In the first half of the rounds a shingle chooses its bin; in the
    /// second half each round has a bin of its own, so that all are full at the end.
    rounds: Vec<(u64, u64)>,
    bins: Vec<u64>,
}

impl Sketcher {
    pub(crate) fn new(width: usize, seed: u64) -> Self {
        let mut random = SplitMix64::named(seed, "sketch");
        let rounds = (0..2 * width).map(|_| (random.next_u64(), random.next_u64() | 1)).collect();
        Self { rounds, bins: vec![EMPTY; width] }
    }

    /// The sketch of a set of hashes; repeated ones do no harm. `None` if there are none.
    pub(crate) fn sketch(&mut self, hashes: &[u64]) -> Option<&[u64]> {
        if hashes.is_empty() {
            return None;
        }
        let width = self.bins.len();
        self.bins.fill(EMPTY);
        let mut empty = width;
        for (round, salt) in self.rounds[..width].iter().enumerate() {
            empty -= throw(&mut self.bins, hashes, round as u64, *salt);
            if empty == 0 {
                return Some(&self.bins);
            }
        }
        for (bin, salt) in self.rounds[width..].iter().enumerate() {
            if self.bins[bin] == EMPTY {
                let least = hashes.iter().map(|&hash| scramble(hash, *salt) >> 32).min().unwrap_or(0);
                self.bins[bin] = (width + bin) as u64 * ROUND + least;
            }
        }
        Some(&self.bins)
    }
}

/// A value of one round is below all of the next.
const ROUND: u64 = 1 << 32;

/// How many bins were empty before.
fn throw(bins: &mut [u64], hashes: &[u64], round: u64, salt: (u64, u64)) -> usize {
    let width = bins.len() as u64;
    let mut filled = 0;
    for &hash in hashes {
        let drawn = scramble(hash, salt);
        let bin = &mut bins[(((drawn >> 32) * width) >> 32) as usize];
        filled += usize::from(*bin == EMPTY);
        *bin = (*bin).min(round * ROUND + (drawn & 0xffff_ffff));
    }
    filled
}

fn scramble(hash: u64, (salt, factor): (u64, u64)) -> u64 {
    let mixed = (hash ^ salt).wrapping_mul(factor);
    (mixed ^ (mixed >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The share of equal bins estimates the Jaccard index without bias, and no worse than independent draws do,
    /// for sets far smaller than the sketch and far larger.
    #[test]
    fn the_estimate_is_fair_and_sharp() {
        const WIDTH: usize = 108;
        const PAIRS: usize = 400;
        let mut sketcher = Sketcher::new(WIDTH, 1);
        let mut random = SplitMix64::new(5);
        for (shared, apart) in [(1, 1), (4, 1), (8, 2), (40, 5), (40, 20), (400, 50), (50, 400)] {
            let truth = shared as f64 / (shared + 2 * apart) as f64;
            let (mut sum, mut squares) = (0.0, 0.0);
            for _ in 0..PAIRS {
                let mut draw = |count: usize| -> Vec<u64> { (0..count).map(|_| random.next_u64()).collect() };
                let common = draw(shared);
                let one = sketcher.sketch(&[&draw(apart)[..], &common].concat()).unwrap().to_vec();
                let other = sketcher.sketch(&[&common, &draw(apart)[..]].concat()).unwrap();
                let equal = one.iter().zip(other).filter(|(one, other)| one == other).count();
                let error = equal as f64 / WIDTH as f64 - truth;
                sum += error;
                squares += error * error;
            }
            let variance = truth * (1.0 - truth) / WIDTH as f64;
            let bias = sum / PAIRS as f64;
            assert!(bias.abs() < 4.0 * (variance / PAIRS as f64).sqrt(), "{shared}/{apart}: bias {bias}");
            let spread = squares / PAIRS as f64;
            assert!(spread < 1.35 * variance, "{shared}/{apart}: {spread} against {variance}");
        }
    }

    #[test]
    fn it_depends_on_the_set_alone() {
        let mut sketcher = Sketcher::new(64, 1);
        let once = sketcher.sketch(&[3, 1, 2]).unwrap().to_vec();
        assert_eq!(sketcher.sketch(&[1, 1, 2, 3, 2]).unwrap(), once);
        assert!(!once.contains(&EMPTY));
        assert!(sketcher.sketch(&[]).is_none());
        assert_ne!(Sketcher::new(64, 2).sketch(&[3, 1, 2]).unwrap(), once);
    }
}

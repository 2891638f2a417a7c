//! The distribution of lengths.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Lengths up to this one are counted in a table, the few that are longer in a map.
const TABLE: usize = 1 << 16;

/// How many rows have each length. Fed row by row, merged in any order; takes 8 bytes a length up to the longest,
/// at most half a MiB, and some more for each different length above 65,535.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Lengths {
    table: Vec<u64>,
    longer: BTreeMap<u32, u64>,
}

/// A bar of a histogram.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Bin {
    /// The shortest length in it.
    pub from: u32,
    /// The longest length in it.
    pub to: u32,
    pub rows: u64,
}

impl Lengths {
    pub fn add(&mut self, length: u32) {
        self.add_rows(length, 1);
    }

    pub fn merge(&mut self, other: &Self) {
        other.iter().for_each(|(length, rows)| self.add_rows(length, rows));
    }

    fn add_rows(&mut self, length: u32, rows: u64) {
        let place = length as usize;
        if place >= TABLE {
            *self.longer.entry(length).or_default() += rows;
            return;
        }
        if place >= self.table.len() {
            self.table.resize(place + 1, 0);
        }
        self.table[place] += rows;
    }

    /// Each length that rows have and how many have it, the shortest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (u32, u64)> {
        let table = self.table.iter().enumerate().map(|(length, rows)| (length as u32, *rows));
        let longer = self.longer.iter().map(|(length, rows)| (*length, *rows));
        table.chain(longer).filter(|(_, rows)| *rows > 0)
    }

    pub fn rows(&self) -> u64 {
        self.iter().map(|(_, rows)| rows).sum()
    }

    pub fn tokens(&self) -> u64 {
        self.iter().map(|(length, rows)| u64::from(length) * rows).sum()
    }

    /// Zero without rows.
    pub fn shortest(&self) -> u32 {
        self.iter().next().map_or(0, |(length, _)| length)
    }

    /// Zero without rows.
    pub fn longest(&self) -> u32 {
        self.iter().next_back().map_or(0, |(length, _)| length)
    }

    /// Zero without rows.
    pub fn mean(&self) -> f64 {
        self.tokens() as f64 / self.rows().max(1) as f64
    }

    /// By nearest rank: the smallest length that at least this percentage of the rows do not exceed. Zero without
    /// rows; percentages are cut to 0 and 100.
    pub fn percentile(&self, percentage: f64) -> u32 {
        let rows = self.rows();
        let rank = (percentage.clamp(0.0, 100.0) * rows as f64 / 100.0).ceil().max(1.0) as u64;
        let mut seen = 0;
        let at = |(_, rows): &(u32, u64)| {
            seen += rows;
            seen >= rank
        };
        self.iter().find(at).map_or(self.longest(), |(length, _)| length)
    }

    /// At most `most` bins of one width, which is 1, 2 or 5 times a power of ten, and behind them, if needed, one
    /// for the longest hundredth of the rows at most: a few very long rows do not flatten the rest. Bins
    /// without rows are there, too.
    pub fn histogram(&self, most: usize) -> Vec<Bin> {
        if self.rows() == 0 {
            return Vec::new();
        }
        let most = most.clamp(1, 1000) as u64;
        let (first, longest) = (u64::from(self.shortest()), u64::from(self.longest()));
        // All of it if that is not much wider than the bulk.
        let bulk = u64::from(self.percentile(99.0));
        let last = if longest - first < 2 * (bulk - first).max(1) { longest } else { bulk };
        let width = nice_widths().find(|width| last / width - first / width < most).unwrap_or(u64::MAX);
        let start = first / width;
        let mut bins: Vec<Bin> = (start..=last / width)
            .map(|bin| Bin {
                from: (bin * width) as u32,
                to: ((bin + 1) * width - 1).min(u64::from(u32::MAX)) as u32,
                rows: 0,
            })
            .collect();
        let bulk_end = bins.last().map_or(0, |bin| bin.to);
        if self.longest() > bulk_end {
            bins.push(Bin { from: bulk_end + 1, to: self.longest(), rows: 0 });
        }
        let tail = bins.len() - 1;
        for (length, rows) in self.iter() {
            let place = ((u64::from(length) / width - start) as usize).min(tail);
            bins[place].rows += rows;
        }
        bins
    }
}

impl Extend<u32> for Lengths {
    fn extend<I: IntoIterator<Item = u32>>(&mut self, lengths: I) {
        lengths.into_iter().for_each(|length| self.add(length));
    }
}

impl FromIterator<u32> for Lengths {
    fn from_iter<I: IntoIterator<Item = u32>>(lengths: I) -> Self {
        let mut counts = Self::default();
        counts.extend(lengths);
        counts
    }
}

/// 1, 2, 5, 10, 20, ... up to more than any length.
fn nice_widths() -> impl Iterator<Item = u64> {
    (0..11).flat_map(|power| [1, 2, 5].map(|step| step * 10u64.pow(power)))
}

#[cfg(test)]
mod tests {
    use pegbox_random::SplitMix64;

    use super::*;

    fn random_lengths(random: &mut SplitMix64) -> Vec<u32> {
        let (rows, most) = (1 + random.below(400), 1 + random.below(2000));
        let mut lengths: Vec<u32> = (0..rows).map(|_| random.below(most) as u32).collect();
        if random.below(3) == 0 {
            lengths.push(4_000_000_000);
        }
        lengths
    }

    #[test]
    fn figures_are_those_of_the_sorted_rows() {
        let mut random = SplitMix64::new(14);
        for _ in 0..200 {
            let mut rows = random_lengths(&mut random);
            let lengths: Lengths = rows.iter().copied().collect();
            rows.sort_unstable();
            let n = rows.len();
            for percentage in [0.0, 1.0, 25.0, 50.0, 90.0, 99.0, 99.9, 100.0] {
                let rank = ((percentage / 100.0 * n as f64).ceil() as usize).clamp(1, n);
                assert_eq!(lengths.percentile(percentage), rows[rank - 1]);
            }
            assert_eq!((lengths.shortest(), lengths.longest()), (rows[0], rows[n - 1]));
            assert_eq!(lengths.rows(), n as u64);
            assert_eq!(lengths.tokens(), rows.iter().map(|length| u64::from(*length)).sum::<u64>());
            let (one, other) = rows.split_at(random.below(n));
            let mut merged: Lengths = other.iter().copied().collect();
            merged.merge(&one.iter().copied().collect());
            assert_eq!(merged, lengths);
        }
    }

    #[test]
    fn bins_hold_every_row_where_it_belongs() {
        let mut random = SplitMix64::new(15);
        for _ in 0..200 {
            let rows = random_lengths(&mut random);
            let lengths: Lengths = rows.iter().copied().collect();
            let most = 1 + random.below(40);
            let bins = lengths.histogram(most);
            assert!(bins.len() <= most + 1);
            for bin in &bins {
                let inside = rows.iter().filter(|length| (bin.from..=bin.to).contains(length)).count();
                assert_eq!(inside as u64, bin.rows);
            }
            assert!(bins.windows(2).all(|pair| pair[0].to + 1 == pair[1].from));
            assert_eq!(bins.iter().map(|bin| bin.rows).sum::<u64>(), lengths.rows());
        }
    }

    #[test]
    fn one_long_row_does_not_flatten_the_rest() {
        let lengths: Lengths = (0..1000).map(|row| row % 40).chain([9000]).collect();
        let bins = lengths.histogram(20);
        assert_eq!(
            (bins.len(), bins[0], bins[20]),
            (21, Bin { from: 0, to: 1, rows: 50 }, Bin { from: 40, to: 9000, rows: 1 })
        );
        assert!(Lengths::default().histogram(20).is_empty());
        assert_eq!(Lengths::default().percentile(50.0), 0);
    }
}

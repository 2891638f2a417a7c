//! Rows packed into bins of a fixed number of tokens: first-fit decreasing.

use pegbox_random::SplitMix64;

use super::{length, tokens};

/// The rows of each bin of one epoch. Takes 4 bytes a row and a bin; some 12 more a row while it is made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PackPlan {
    capacity: usize,
    rows: Vec<u32>,
    /// Where each bin ends in `rows`.
    ends: Vec<u32>,
}

impl PackPlan {
    /// Every row once. Rows go into bins of `capacity` tokens, the longest first, each into the first bin with
    /// room for it; a row that is longer than a bin has one of its own. Which of the rows of one length goes
    /// where, and the order of the bins, is by seed and epoch. Takes O(n log n) steps.
    pub fn epoch(lengths: &[u32], capacity: usize, seed: u64, epoch: u64) -> Self {
        let mut random = SplitMix64::named(seed, &format!("packed epoch {epoch}"));
        let mut rows: Vec<u32> = (0..lengths.len()).map(|row| row as u32).collect();
        random.shuffle(&mut rows);
        // Stable: rows of one length stay shuffled.
        rows.sort_by_key(|row| std::cmp::Reverse(length(lengths, *row)));
        let (bins, count) = first_fit(&rows, lengths, capacity);

        let mut order: Vec<u32> = (0..count as u32).collect();
        random.shuffle(&mut order);
        let mut place_of = vec![0u32; count];
        for (place, bin) in order.iter().enumerate() {
            place_of[*bin as usize] = place as u32;
        }
        let mut ends = vec![0u32; count];
        for bin in &bins {
            ends[place_of[*bin as usize] as usize] += 1;
        }
        let mut total = 0;
        for end in &mut ends {
            // For now where the bin starts; filling it makes that its end.
            total += std::mem::replace(end, total);
        }
        let mut packed = vec![0u32; rows.len()];
        for (row, bin) in rows.iter().zip(&bins) {
            let next = &mut ends[place_of[*bin as usize] as usize];
            packed[*next as usize] = *row;
            *next += 1;
        }
        Self { capacity, rows: packed, ends }
    }

    /// The number of bins.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// How many tokens a bin holds.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// The rows that share a bin, the longest first; none past the end.
    pub fn bin(&self, number: usize) -> Option<&[u32]> {
        let start = if number == 0 { 0 } else { *self.ends.get(number - 1)? };
        self.rows.get(start as usize..*self.ends.get(number)? as usize)
    }

    /// All bins in order.
    pub fn iter(&self) -> impl Iterator<Item = &[u32]> {
        (0..self.len()).filter_map(|number| self.bin(number))
    }

    /// Positions of all bins, each padded to the capacity.
    pub fn positions(&self, lengths: &[u32]) -> u64 {
        self.iter().map(|bin| tokens(lengths, bin).max(self.capacity as u64)).sum()
    }
}

/// The bin of each of the rows, which come longest first, and the number of bins.
fn first_fit(rows: &[u32], lengths: &[u32], capacity: usize) -> (Vec<u32>, usize) {
    let mut bins: Vec<u32> = Vec::with_capacity(rows.len());
    let total: u64 = rows.iter().map(|row| u64::from(length(lengths, *row))).sum();
    // Of two neighbouring bins the second has a row that the first had no room for: together they are more than
    // full, so there are at most about twice as many as if all were full.
    let most = (2 * total / (capacity as u64).max(1) + 2).min(rows.len().max(1) as u64);
    // A longer row fills its bin.
    let capacity = capacity.min(u32::MAX as usize) as u32;
    let mut room = Room::new(most as usize, capacity);
    let mut count = 0;
    let mut found = (u32::MAX, 0);
    for row in rows {
        let wanted = length(lengths, *row).min(capacity);
        // Of rows of one length, none fits in front of where the one before it went.
        if found.0 != wanted || room.of(found.1) < wanted {
            found = (wanted, room.first(wanted));
        }
        room.take(found.1, wanted);
        count = count.max(found.1 + 1);
        bins.push(found.1 as u32);
    }
    (bins, count)
}

/// The room left in each bin: a tree over the bins in which each node holds the most of its children.
struct Room {
    leaves: usize,
    nodes: Vec<u32>,
}

impl Room {
    fn new(bins: usize, capacity: u32) -> Self {
        let leaves = bins.next_power_of_two();
        Self { leaves, nodes: vec![capacity; 2 * leaves] }
    }

    fn of(&self, bin: usize) -> u32 {
        self.nodes[self.leaves + bin]
    }

    /// The first bin with that much room.
    fn first(&self, wanted: u32) -> usize {
        let mut node = 1;
        while node < self.leaves {
            node *= 2;
            if self.nodes[node] < wanted {
                node += 1;
            }
        }
        node - self.leaves
    }

    fn take(&mut self, bin: usize, tokens: u32) {
        let mut node = self.leaves + bin;
        self.nodes[node] -= tokens;
        while node > 1 {
            let most = self.nodes[node].max(self.nodes[node ^ 1]);
            node /= 2;
            if self.nodes[node] == most {
                return;
            }
            self.nodes[node] = most;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lengths(random: &mut SplitMix64) -> Vec<u32> {
        let (rows, most) = (random.below(600), 1 + random.below(150));
        (0..rows).map(|_| random.below(most) as u32).collect()
    }

    /// First-fit decreasing as it is defined.
    fn by_definition(lengths: &[u32], capacity: u32) -> Vec<Vec<u32>> {
        let mut sorted = lengths.to_vec();
        sorted.sort_unstable_by(|a, b| b.cmp(a));
        let mut bins: Vec<(u32, Vec<u32>)> = Vec::new();
        for length in sorted {
            let wanted = length.min(capacity);
            match bins.iter_mut().find(|(room, _)| *room >= wanted) {
                Some((room, bin)) => {
                    *room -= wanted;
                    bin.push(length);
                }
                None => bins.push((capacity - wanted, vec![length])),
            }
        }
        bins.into_iter().map(|(_, bin)| bin).collect()
    }

    #[test]
    fn bins_are_those_of_the_definition() {
        let mut random = SplitMix64::new(8);
        for seed in 0..200 {
            let lengths = lengths(&mut random);
            let capacity = random.below(400);
            let plan = PackPlan::epoch(&lengths, capacity, seed, 0);
            let mut rows: Vec<u32> = plan.iter().flatten().copied().collect();
            rows.sort_unstable();
            assert!(rows.iter().copied().eq(0..lengths.len() as u32));
            let of = |bin: &[u32]| bin.iter().map(|row| lengths[*row as usize]).collect();
            let mut ours: Vec<Vec<u32>> = plan.iter().map(of).collect();
            let mut theirs = by_definition(&lengths, capacity as u32);
            ours.sort();
            theirs.sort();
            assert_eq!(ours, theirs);
            assert_eq!(plan.bin(plan.len()), None);
        }
    }

    #[test]
    fn seed_and_epoch_decide_who_meets() {
        let lengths = vec![7; 300];
        let plan = |seed, epoch| PackPlan::epoch(&lengths, 64, seed, epoch);
        assert_eq!(plan(1, 2), plan(1, 2));
        assert_ne!(plan(1, 2), plan(1, 3));
        assert_ne!(plan(1, 2), plan(2, 2));
    }

    #[test]
    fn the_bins_of_a_seed_never_change() {
        let lengths: Vec<u32> = (0..12).map(|row| row * 7 % 12 + 1).collect();
        let plan = PackPlan::epoch(&lengths, 24, 7, 3);
        let bins: Vec<&[u32]> = plan.iter().collect();
        assert_eq!(format!("{bins:?}"), "[[9, 7], [5, 10, 0], [3, 8, 4], [1, 6, 11, 2]]");
    }
}

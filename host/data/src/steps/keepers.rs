//! Which row is there in place of one that left.

use pegbox_duplicates::Clusters;

use crate::error::DataError;
use crate::rows::Shards;
use crate::state::State;

/// Of each row that left for another one: file and line of the first row of its cluster that stays. Takes four bytes
/// and a bit a row that left, and 12 a cluster.
#[derive(Debug, Default)]
pub(crate) struct Keepers {
    /// The rows that left for another one.
    left: Ranked,
    /// The place in `keepers` of each of them.
    places: Vec<u32>,
    keepers: Vec<(u32, u64)>,
}

/// The place of a row for which nothing is there.
const NOTHING: u32 = u32::MAX;

impl Keepers {
    pub fn find(clusters: Option<&Clusters>, states: &[State], shards: &Shards) -> Result<Self, DataError> {
        let Some(clusters) = clusters else { return Ok(Self::default()) };
        let of_clusters = of_clusters(clusters, states, shards)?;
        let place = |row: u32| {
            let root = clusters.of(row);
            of_clusters
                .binary_search_by_key(&root, |(other, ..)| *other)
                .map_or(NOTHING, |place| place as u32)
        };
        let left = Ranked::of(states.iter().map(|state| left_for_another(*state)));
        let rows = (0_u32..).zip(states).filter(|(_, state)| left_for_another(**state));
        let mut places = Vec::with_capacity(left.count());
        places.extend(rows.map(|(row, _)| place(row)));
        let keepers = of_clusters.iter().map(|(_, source, line)| (*source, *line)).collect();
        Ok(Self { left, places, keepers })
    }

    /// File and line of what is there in place of a row.
    pub fn of(&self, row: u32) -> Option<(u32, u64)> {
        let place = *self.places.get(self.left.rank(row)?)?;
        self.keepers.get(place as usize).copied()
    }
}

/// A set of rows, each with its number among them.
#[derive(Debug, Default)]
struct Ranked {
    words: Vec<u64>,
    /// How many rows lie before each word.
    before: Vec<u32>,
}

impl Ranked {
    fn of(rows: impl ExactSizeIterator<Item = bool>) -> Self {
        let mut words = vec![0_u64; rows.len().div_ceil(64)];
        for (row, _) in rows.enumerate().filter(|(_, is_in)| *is_in) {
            if let Some(word) = words.get_mut(row / 64) {
                *word |= 1 << (row % 64);
            }
        }
        let mut count = 0;
        let mut before = Vec::with_capacity(words.len());
        for word in &words {
            before.push(count);
            count += word.count_ones();
        }
        Self { words, before }
    }

    fn count(&self) -> usize {
        let last = |words: &[u64]| words.last().map_or(0, |word| word.count_ones());
        (self.before.last().copied().unwrap_or(0) + last(&self.words)) as usize
    }

    /// None if the row is not in the set.
    fn rank(&self, row: u32) -> Option<usize> {
        let (place, bit) = (row as usize / 64, row % 64);
        let word = *self.words.get(place)?;
        let within = (word & ((1 << bit) - 1)).count_ones();
        (word >> bit & 1 == 1).then_some(())?;
        Some((*self.before.get(place)? + within) as usize)
    }
}

fn left_for_another(state: State) -> bool {
    matches!(state, State::ExactDuplicate | State::NearDuplicate | State::LeftOut)
}

/// Root, file and line of the first row that stays of each cluster that lost a row, by the root.
fn of_clusters(
    clusters: &Clusters,
    states: &[State],
    shards: &Shards,
) -> Result<Vec<(u32, u32, u64)>, DataError> {
    let rows = || (0_u32..).zip(states);
    let mut wanted = vec![0_u64; states.len().div_ceil(64)];
    for (row, _) in rows().filter(|(_, state)| left_for_another(**state)) {
        let root = clusters.of(row);
        if let Some(word) = wanted.get_mut(root as usize / 64) {
            *word |= 1 << (root % 64);
        }
    }
    let is_wanted =
        |root: u32| wanted.get(root as usize / 64).is_some_and(|word| word >> (root % 64) & 1 == 1);
    let mut firsts: Vec<(u32, u32)> = rows()
        .filter(|(_, state)| state.part().is_some())
        .map(|(row, _)| (clusters.of(row), row))
        .filter(|(root, _)| is_wanted(*root))
        .collect();
    firsts.sort_unstable();
    firsts.dedup_by_key(|(root, _)| *root);
    firsts.sort_unstable_by_key(|(_, row)| *row);
    let mut keepers = Vec::with_capacity(firsts.len());
    for of_one in firsts.chunk_by(|(_, row), (_, next)| shards.of(*row) == shards.of(*next)) {
        let Some(shard) = of_one.first().map(|(_, row)| shards.of(*row)) else { continue };
        let (first, places) = (shards.first(shard), shards.places(shard)?);
        for (root, row) in of_one {
            let (source, line) = places.get((row - first) as usize).copied().unwrap_or_default();
            keepers.push((*root, source, line));
        }
    }
    keepers.sort_unstable();
    Ok(keepers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_a_set_are_numbered_in_order() {
        let is_in = |row: usize| row.is_multiple_of(3) || row > 190;
        let set = Ranked::of((0..200).map(is_in));
        let ranks: Vec<usize> = (0..300).filter_map(|row| set.rank(row)).collect();
        assert_eq!(ranks, (0..set.count()).collect::<Vec<_>>());
        assert_eq!(set.count(), (0..200).filter(|row| is_in(*row)).count());
        assert_eq!((set.rank(1), set.rank(3)), (None, Some(1)));
        assert_eq!((Ranked::default().count(), Ranked::default().rank(0)), (0, None));
    }
}

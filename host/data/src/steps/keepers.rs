//! Which row is there in place of one that left.

use pegbox_duplicates::Clusters;

use crate::error::DataError;
use crate::rows::Shards;
use crate::state::State;

/// Of each row that left for another one: row, and file and line of the first row of its cluster that stays.
#[derive(Debug, Default)]
pub(crate) struct Keepers(Vec<(u32, u32, u64)>);

impl Keepers {
    pub fn find(clusters: Option<&Clusters>, states: &[State], shards: &Shards) -> Result<Self, DataError> {
        let Some(clusters) = clusters else { return Ok(Self::default()) };
        let of_clusters = of_clusters(clusters, states, shards)?;
        let of = |row: u32| {
            let root = clusters.of(row);
            let place = of_clusters.binary_search_by_key(&root, |(other, ..)| *other).ok()?;
            of_clusters.get(place).map(|(_, source, line)| (row, *source, *line))
        };
        let left = (0_u32..).zip(states).filter(|(_, state)| left_for_another(**state));
        let mut keepers: Vec<_> = left.filter_map(|(row, _)| of(row)).collect();
        keepers.shrink_to_fit();
        Ok(Self(keepers))
    }

    /// File and line of what is there in place of a row.
    pub fn of(&self, row: u32) -> Option<(u32, u64)> {
        let place = self.0.binary_search_by_key(&row, |(other, ..)| *other).ok()?;
        self.0.get(place).map(|(_, source, line)| (*source, *line))
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

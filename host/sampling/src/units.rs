//! Rows that must stay together.

use std::collections::HashMap;
use std::ops::Deref;

use crate::error::SamplingError;

/// The id of a row that belongs to no cluster and no group.
pub const ALONE: u32 = u32::MAX;

/// Every row in exactly one unit, numbered by their first rows. Only rows that are not alone take memory: 8 to 16
/// bytes each, and about 20 while units are made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Units {
    /// All rows.
    count: u32,
    /// The first row of each unit of several rows, in order.
    firsts: Vec<u32>,
    /// Where each of these starts in `members`, and the end of the last.
    starts: Vec<u32>,
    /// The rows of units of several rows, unit by unit, each in order.
    members: Vec<u32>,
    /// The members that are not the first of their unit, in order: those before a row say the number of its unit.
    later: Vec<u32>,
}

/// What rows have in common: an id for each row, or [`ALONE`].
pub type Relation<'a> = &'a dyn Fn(u32) -> u32;

/// The rows of a unit, in order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum UnitRows<'a> {
    One(u32),
    Several(&'a [u32]),
}

impl Deref for UnitRows<'_> {
    type Target = [u32];

    fn deref(&self) -> &[u32] {
        match self {
            Self::One(row) => std::slice::from_ref(row),
            Self::Several(rows) => rows,
        }
    }
}

impl Units {
    /// Each row for itself.
    ///
    /// # Errors
    /// There are too many rows.
    pub fn single(rows: usize) -> Result<Self, SamplingError> {
        Self::related(rows, &[])
    }

    /// As [`Self::related`], by ids that lie in memory.
    ///
    /// # Errors
    /// There are too many rows, or not as many ids.
    pub fn joined(rows: usize, ids: &[&[u32]]) -> Result<Self, SamplingError> {
        if let Some(ids) = ids.iter().find(|ids| ids.len() != rows) {
            return Err(SamplingError::Rows { what: "unit ids", found: ids.len(), expected: rows });
        }
        let relations: Vec<_> =
            ids.iter().map(|ids| |row: u32| ids.get(row as usize).copied().unwrap_or(ALONE)).collect();
        let relations: Vec<Relation<'_>> =
            relations.iter().map(|relation| relation as Relation<'_>).collect();
        Self::related(rows, &relations)
    }

    /// The union of relations, such as the clusters of near-duplicates and a group that the user named: rows of
    /// equal id in any of them are together, and so is whatever hangs on them. Ids are any numbers.
    ///
    /// # Errors
    /// There are too many rows.
    pub fn related(rows: usize, relations: &[Relation<'_>]) -> Result<Self, SamplingError> {
        let count = u32::try_from(rows).ok().filter(|count| *count < ALONE);
        let count = count.ok_or(SamplingError::TooManyRows { rows })?;
        let mut links: Vec<(u32, u32)> = Vec::new();
        for relation in relations {
            link(count, relation, &mut links);
        }
        Ok(Self::of(count, &links))
    }

    /// From pairs of rows that are together, the earlier one first.
    fn of(count: u32, links: &[(u32, u32)]) -> Self {
        let mut rows: Vec<u32> = links.iter().flat_map(|(first, row)| [*first, *row]).collect();
        rows.sort_unstable();
        rows.dedup();
        let place = |row: u32| rows.partition_point(|other| *other < row) as u32;
        let mut parents: Vec<u32> = (0..rows.len() as u32).collect();
        for (first, row) in links {
            join(&mut parents, place(*first), place(*row));
        }
        let firsts: Vec<u32> =
            (0..).zip(&parents).filter(|(at, up)| at == *up).map(|(at, _)| rows[at as usize]).collect();
        let later =
            (0..).zip(&parents).filter(|(at, up)| at != *up).map(|(at, _)| rows[at as usize]).collect();
        let unit_of = number(parents);
        let mut starts = vec![0u32; firsts.len() + 1];
        for unit in &unit_of {
            starts[*unit as usize + 1] += 1;
        }
        for unit in 0..firsts.len() {
            starts[unit + 1] += starts[unit];
        }
        let mut next = starts.clone();
        let mut members = vec![0u32; rows.len()];
        for (row, unit) in rows.iter().zip(&unit_of) {
            let slot = &mut next[*unit as usize];
            members[*slot as usize] = *row;
            *slot += 1;
        }
        Self { count, firsts, starts, members, later }
    }

    /// The number of units.
    pub fn len(&self) -> usize {
        self.count as usize - self.later.len()
    }

    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The number of rows.
    pub fn row_count(&self) -> usize {
        self.count as usize
    }

    /// The rows of a unit in order; none past the last unit.
    pub fn rows(&self, unit: u32) -> UnitRows<'_> {
        if unit as usize >= self.len() {
            return UnitRows::Several(&[]);
        }
        // The unit's first row is the row behind which `unit` first rows and some later ones lie.
        let (mut least, mut most) = (0, self.later.len());
        while least < most {
            let middle = least + (most - least) / 2;
            if self.later[middle] - middle as u32 <= unit {
                least = middle + 1;
            } else {
                most = middle;
            }
        }
        let first = unit + least as u32;
        match self.firsts.binary_search(&first) {
            Ok(place) => UnitRows::Several(self.several(place)),
            Err(_) => UnitRows::One(first),
        }
    }

    /// The rows of all units in order.
    pub fn iter(&self) -> impl Iterator<Item = UnitRows<'_>> {
        (0..self.len() as u32).map(|unit| self.rows(unit))
    }

    /// The units of several rows, in order.
    pub fn shared(&self) -> impl Iterator<Item = &[u32]> {
        (0..self.firsts.len()).map(|place| self.several(place))
    }

    fn several(&self, place: usize) -> &[u32] {
        &self.members[self.starts[place] as usize..self.starts[place + 1] as usize]
    }

    pub(crate) fn size(&self, unit: u32) -> usize {
        self.rows(unit).len()
    }
}

/// Adds a pair for each row whose id an earlier row has: the first such row, and the row.
fn link(count: u32, relation: Relation<'_>, links: &mut Vec<(u32, u32)>) {
    let ids = || (0..count).map(|row| (row, relation(row))).filter(|(_, id)| *id != ALONE);
    let largest = ids().map(|(_, id)| id).max().unwrap_or(0);
    // Whether an id is there, and whether it is there again: most are not, and need no more than these two bits.
    let mut seen = Seen::up_to(largest, count);
    for (_, id) in ids() {
        seen.see(id);
    }
    let mut firsts: HashMap<u32, u32> = HashMap::new();
    for (row, id) in ids().filter(|(_, id)| seen.twice(*id)) {
        let first = *firsts.entry(id).or_insert(row);
        if first != row {
            links.push((first, row));
        }
    }
}

/// Which ids occur once, and which again: bits where ids are about as many as rows, else sets.
enum Seen {
    Bits { once: Vec<u64>, again: Vec<u64> },
    Counts(HashMap<u32, bool>),
}

impl Seen {
    fn up_to(largest: u32, rows: u32) -> Self {
        if largest / 32 <= rows {
            let words = largest as usize / 64 + 1;
            Self::Bits { once: vec![0; words], again: vec![0; words] }
        } else {
            Self::Counts(HashMap::new())
        }
    }

    fn see(&mut self, id: u32) {
        match self {
            Self::Bits { once, again } => {
                let (word, bit) = (id as usize / 64, 1 << (id % 64));
                again[word] |= once[word] & bit;
                once[word] |= bit;
            }
            Self::Counts(counts) => {
                counts.entry(id).and_modify(|again| *again = true).or_insert(false);
            }
        }
    }

    fn twice(&self, id: u32) -> bool {
        match self {
            Self::Bits { again, .. } => again[id as usize / 64] >> (id % 64) & 1 == 1,
            Self::Counts(counts) => counts.get(&id) == Some(&true),
        }
    }
}

fn root(parents: &mut [u32], mut row: u32) -> u32 {
    while parents[row as usize] != row {
        let grandparent = parents[parents[row as usize] as usize];
        parents[row as usize] = grandparent;
        row = grandparent;
    }
    row
}

/// The smaller root becomes the parent, so that a parent always comes before its children.
fn join(parents: &mut [u32], one: u32, other: u32) {
    let (one, other) = (root(parents, one), root(parents, other));
    parents[one.max(other) as usize] = one.min(other);
}

/// Turns parents into unit numbers, in place: a parent's number is known before its children are met.
fn number(mut parents: Vec<u32>) -> Vec<u32> {
    let mut units = 0;
    for row in 0..parents.len() {
        let parent = parents[row] as usize;
        parents[row] = if parent == row {
            units += 1;
            units - 1
        } else {
            parents[parent]
        };
    }
    parents
}

#[cfg(test)]
mod tests {
    use pegbox_random::SplitMix64;

    use super::*;

    fn lists(units: &Units) -> Vec<Vec<u32>> {
        units.iter().map(|rows| rows.to_vec()).collect()
    }

    #[test]
    fn relations_are_joined_and_numbered_by_first_rows() {
        let clusters = [ALONE, 7, ALONE, 7, 4_000_000_000, ALONE];
        let groups = [0, ALONE, ALONE, 1, 0, 1];
        assert_eq!(
            lists(&Units::joined(6, &[&clusters]).unwrap()),
            [vec![0], vec![1, 3], vec![2], vec![4], vec![5]]
        );
        assert_eq!(
            lists(&Units::joined(6, &[&clusters, &groups]).unwrap()),
            [vec![0, 4], vec![1, 3, 5], vec![2]]
        );
        let units = Units::joined(6, &[&clusters]).unwrap();
        assert_eq!((units.len(), units.row_count(), units.shared().count()), (5, 6, 1));
        assert_eq!(lists(&Units::single(2).unwrap()), [[0], [1]]);
        assert!(Units::single(0).unwrap().is_empty());
        assert!(Units::single(2).unwrap().rows(9).is_empty());
    }

    /// Against the closure, worked out by repeated passes.
    #[test]
    fn the_union_is_the_closure_of_both() {
        let mut random = SplitMix64::new(4);
        for _ in 0..200 {
            let rows = 1 + random.below(40);
            let wide = 1 + random.below(80);
            let mut ids = || -> Vec<u32> {
                (0..rows)
                    .map(|_| if random.below(3) == 0 { ALONE } else { random.below(wide) as u32 })
                    .collect()
            };
            let (one, other) = (ids(), ids());
            let together =
                |a: usize, b: usize| [&one, &other].iter().any(|ids| ids[a] == ids[b] && ids[a] != ALONE);
            let mut first: Vec<usize> = (0..rows).collect();
            for _ in 0..rows {
                for a in 0..rows {
                    for b in 0..rows {
                        if together(a, b) {
                            first[a] = first[a].min(first[b]);
                        }
                    }
                }
            }
            let units = Units::joined(rows, &[&one, &other]).unwrap();
            let mut seen = vec![usize::MAX; rows];
            for unit in units.iter() {
                for row in unit.iter() {
                    seen[*row as usize] = unit[0] as usize;
                }
            }
            assert_eq!(seen, first);
        }
    }

    #[test]
    fn ids_of_another_length_are_refused() {
        assert!(Units::joined(3, &[&[1, 2]]).unwrap_err().to_string().contains("2 unit ids for 3 rows"));
        assert!(Units::single(usize::MAX).is_err());
    }
}

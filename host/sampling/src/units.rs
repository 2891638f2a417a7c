//! Rows that must stay together.

use std::collections::HashMap;

use crate::error::SamplingError;

/// The id of a row that belongs to no cluster and no group.
pub const ALONE: u32 = u32::MAX;

/// Every row in exactly one unit, numbered by their first rows. Takes 8 bytes a row, 12 while it is made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Units {
    /// Where each unit starts in `rows`, and the end of the last.
    starts: Vec<u32>,
    rows: Vec<u32>,
}

impl Units {
    /// Each row for itself.
    pub fn single(rows: usize) -> Result<Self, SamplingError> {
        Self::joined(rows, &[])
    }

    /// The union of relations, such as the clusters of near-duplicates and a group that the user named: rows of
    /// equal id in any of them are together, and so is whatever hangs on them. Ids are any numbers, row by row;
    /// [`ALONE`] is none.
    pub fn joined(rows: usize, relations: &[&[u32]]) -> Result<Self, SamplingError> {
        if rows >= ALONE as usize {
            return Err(SamplingError::TooManyRows { rows });
        }
        let mut parents: Vec<u32> = (0..rows as u32).collect();
        for ids in relations {
            if ids.len() != rows {
                return Err(SamplingError::Rows { what: "unit ids", found: ids.len(), expected: rows });
            }
            let mut firsts = Firsts::for_ids(ids);
            for (row, id) in ids.iter().enumerate().filter(|(_, id)| **id != ALONE) {
                let first = firsts.of(*id, row as u32);
                if first != row as u32 {
                    join(&mut parents, first, row as u32);
                }
            }
        }
        Ok(Self::of(number(parents)))
    }

    /// From the unit of each row, numbered by first rows.
    fn of((unit_of, units): (Vec<u32>, usize)) -> Self {
        let mut starts = vec![0u32; units + 1];
        for unit in &unit_of {
            starts[*unit as usize + 1] += 1;
        }
        for unit in 0..units {
            starts[unit + 1] += starts[unit];
        }
        let mut next = starts.clone();
        let mut rows = vec![0u32; unit_of.len()];
        for (row, unit) in unit_of.iter().enumerate() {
            let slot = &mut next[*unit as usize];
            rows[*slot as usize] = row as u32;
            *slot += 1;
        }
        Self { starts, rows }
    }

    /// The number of units.
    pub fn len(&self) -> usize {
        self.starts.len() - 1
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number of rows.
    pub fn row_count(&self) -> usize {
        self.rows.len()
    }

    /// The rows of a unit in order; none past the last unit.
    pub fn rows(&self, unit: u32) -> &[u32] {
        let end = self.starts.get(unit as usize + 1).copied().unwrap_or(0);
        let start = self.starts.get(unit as usize).copied().unwrap_or(0);
        self.rows.get(start as usize..end as usize).unwrap_or(&[])
    }

    /// The rows of all units in order.
    pub fn iter(&self) -> impl Iterator<Item = &[u32]> {
        (0..self.len() as u32).map(|unit| self.rows(unit))
    }

    pub(crate) fn size(&self, unit: u32) -> usize {
        self.rows(unit).len()
    }
}

/// The first row of each id: a table where ids are about as many as rows, else a map.
enum Firsts {
    Table(Vec<u32>),
    Map(HashMap<u32, u32>),
}

impl Firsts {
    fn for_ids(ids: &[u32]) -> Self {
        let largest = ids.iter().filter(|id| **id != ALONE).max().map_or(0, |id| *id as usize);
        if largest <= ids.len().saturating_mul(2) {
            Self::Table(vec![ALONE; largest + 1])
        } else {
            Self::Map(HashMap::new())
        }
    }

    fn of(&mut self, id: u32, row: u32) -> u32 {
        match self {
            Self::Table(firsts) => {
                let first = &mut firsts[id as usize];
                if *first == ALONE {
                    *first = row;
                }
                *first
            }
            Self::Map(firsts) => *firsts.entry(id).or_insert(row),
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
fn number(mut parents: Vec<u32>) -> (Vec<u32>, usize) {
    let mut units = 0;
    for row in 0..parents.len() {
        let parent = parents[row] as usize;
        parents[row] = if parent == row {
            units += 1;
            units as u32 - 1
        } else {
            parents[parent]
        };
    }
    (parents, units)
}

#[cfg(test)]
mod tests {
    use pegbox_random::SplitMix64;

    use super::*;

    fn lists(units: &Units) -> Vec<Vec<u32>> {
        units.iter().map(<[u32]>::to_vec).collect()
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
                for row in unit {
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

//! Which rows stay.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use crate::clusters::{Clusters, EXAMPLES, Pair};
use crate::error::Error;
use crate::jaccard::{jaccard, near};
use crate::shard::{Shard, le_u64};
use crate::spill::Spill;
use crate::texts::{Loader, Sets};

/// Members of clusters that are looked at together: 40 bytes each. A larger cluster is looked at whole.
const MEMBERS: usize = if cfg!(test) { 300 } else { 1 << 19 };
/// Rows whose sets are loaded at a time, and shingles.
const BATCH: usize = 4096;
const SHINGLES: usize = 8 << 20;

/// The row of a cluster that is kept; of equals the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Keep {
    #[default]
    First,
    Last,
    /// The one with the longest normalised text, in bytes.
    Longest,
    /// The one that the caller gives the highest score.
    Best,
}

/// What a row must be to a kept one to be removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Linkage {
    /// Within the threshold of it. The rows of a cluster are taken in the order of the rule, and each is kept
    /// unless it is within the threshold of one that is kept already; so a chain keeps more than one row.
    /// In a cluster of `n` distinct texts of which `k` stay, that takes up to `n * k` comparisons.
    #[default]
    Star,
    /// In the same cluster, if only by other forms of rows: each keeps one row.
    Connected,
}

/// The rows that stay, one bit each.
#[derive(Clone, Debug, PartialEq)]
pub struct Kept {
    rows: u32,
    removed: Vec<u64>,
    /// Of the removed rows, those that have an equal one.
    equal: Vec<u64>,
    /// Removed rows whose text equals one that comes before them by the rule.
    pub exact: u32,
    /// The other removed rows.
    pub near: u32,
    /// The first removed rows, equal ones and near ones, with the row that is kept instead.
    pub examples: Vec<Pair>,
}

impl Kept {
    pub fn keeps(&self, row: u32) -> bool {
        row < self.rows && self.removed[row as usize / 64] >> (row % 64) & 1 == 0
    }

    /// Whether a removed row equals one that comes before it by the rule.
    pub fn is_exact(&self, row: u32) -> bool {
        self.equal.get(row as usize / 64).is_some_and(|word| word >> (row % 64) & 1 == 1)
    }

    pub fn count(&self) -> u32 {
        self.rows - self.exact - self.near
    }

    fn remove(&mut self, row: u32) {
        self.removed[row as usize / 64] |= 1 << (row % 64);
    }
}

impl Clusters {
    /// The rows that stay. `spill` is the one that the clusters were found in; `score` is asked only by
    /// [`Keep::Best`], and only for rows that have duplicates.
    ///
    /// # Errors
    /// [`Error::Unsigned`] or [`Error::Gap`] if `spill` has other shards; the disk's.
    pub fn keepers(
        &self,
        spill: &Spill,
        keep: Keep,
        linkage: Linkage,
        score: impl Fn(u32) -> u64,
    ) -> Result<Kept, Error> {
        let shards = spill.shards(self.shards)?;
        let found = shards.last().map_or(0, |shard| shard.first_row + shard.rows);
        if found != self.rows() {
            let folder = spill.folder().to_owned();
            return Err(Error::Gap { folder, shard: self.shards, expected: self.rows(), found });
        }
        let kept = Kept {
            rows: self.rows(),
            removed: vec![0; self.rows().div_ceil(64) as usize],
            equal: vec![0; self.rows().div_ceil(64) as usize],
            exact: 0,
            near: 0,
            examples: Vec::new(),
        };
        let mut choice = Choice {
            kept,
            linkage,
            threshold: spill.settings().threshold,
            loader: Loader::new(&shards, spill.settings().shingle),
            shown: [0; 2],
        };
        let together = |row: u32| self.of(row) != row;
        let mut leads = vec![0_u64; self.rows().div_ceil(64) as usize];
        (0..self.rows()).filter(|&row| together(row)).for_each(|row| {
            let root = self.of(row);
            leads[root as usize / 64] |= 1 << (root % 64);
        });
        let member = |row: u32| together(row) || leads[row as usize / 64] >> (row % 64) & 1 == 1;
        for roots in self.slices(member) {
            let mut members = Vec::new();
            let (mut hashes, mut ends) = (Vec::new(), Vec::new());
            for shard in &shards {
                read(shard, &mut hashes, &mut ends)?;
                for row in (shard.first_row..shard.first_row + shard.rows)
                    .filter(|&row| roots.contains(&self.of(row)) && member(row))
                {
                    let at = (row - shard.first_row) as usize;
                    let score = match keep {
                        Keep::First => 0,
                        Keep::Last => u64::from(row),
                        Keep::Longest => length(&ends, at),
                        Keep::Best => score(row),
                    };
                    let hash = le_u64(&hashes[16 * at..]);
                    members.push(Member { root: self.of(row), row, score, hash });
                }
            }
            members.sort_unstable_by_key(|member| (member.root, std::cmp::Reverse(member.score), member.row));
            for cluster in members.chunk_by(|one, other| one.root == other.root) {
                let pure = !cluster.iter().any(|member| self.has_forms(member.row));
                choice.cluster(cluster, pure)?;
            }
        }
        Ok(choice.kept)
    }

    /// Ranges of roots with at most [`MEMBERS`] members each, or one block of roots.
    fn slices(&self, member: impl Fn(u32) -> bool) -> Vec<std::ops::Range<u32>> {
        const BLOCK: u32 = 1 << 8;
        let mut blocks = vec![0_usize; self.rows().div_ceil(BLOCK) as usize];
        (0..self.rows())
            .filter(|&row| member(row))
            .for_each(|row| blocks[(self.of(row) / BLOCK) as usize] += 1);
        let mut slices = Vec::new();
        let (mut start, mut members) = (0, 0);
        for (block, &more) in (0_u32..).zip(&blocks) {
            if members > 0 && members + more > MEMBERS {
                slices.push(start..block * BLOCK);
                (start, members) = (block * BLOCK, 0);
            }
            members += more;
        }
        if members > 0 {
            slices.push(start..self.rows());
        }
        slices
    }
}

/// A row that has duplicates.
#[derive(Clone, Copy, Debug)]
struct Member {
    root: u32,
    row: u32,
    score: u64,
    /// Half of the text's hash: within a cluster that is plenty.
    hash: u64,
}

struct Choice<'a> {
    kept: Kept,
    linkage: Linkage,
    threshold: f64,
    loader: Loader<'a>,
    /// Examples so far, of equal texts and of near ones.
    shown: [usize; 2],
}

impl Choice<'_> {
    /// The members of one cluster, the best first. In a `pure` one it is the rows themselves that are near each other,
    /// and no other forms of them.
    fn cluster(&mut self, members: &[Member], pure: bool) -> Result<(), Error> {
        let mut seen = HashSet::with_capacity(members.len());
        let (distinct, repeated): (Vec<&Member>, Vec<&Member>) =
            members.iter().partition(|member| seen.insert(member.hash));
        for member in repeated {
            self.kept.remove(member.row);
            self.kept.equal[member.row as usize / 64] |= 1 << (member.row % 64);
            self.kept.exact += 1;
            if self.shown[0] < EXAMPLES {
                // The best of those with this text, whether it stays or not.
                let of =
                    distinct.iter().find(|other| other.hash == member.hash).map_or(member.row, |of| of.row);
                self.show(0, Pair { row: member.row, of, jaccard: 1.0 });
            }
        }
        let rows: Vec<u32> = distinct.iter().map(|member| member.row).collect();
        // Two distinct texts are one pure cluster only because they are near.
        let near = rows.len() < 2 || (pure && rows.len() == 2);
        if self.linkage == Linkage::Connected || near { self.one(&rows) } else { self.star(&rows) }
    }

    /// Keeps the first of them.
    fn one(&mut self, rows: &[u32]) -> Result<(), Error> {
        for &row in &rows[1..] {
            self.kept.remove(row);
            self.kept.near += 1;
        }
        if rows.len() > 1 && self.shown[1] < EXAMPLES {
            let (of, row) = (rows[0], rows[1]);
            let mut sets = Sets::default();
            self.loader.load(&[of.min(row), of.max(row)], usize::MAX, &mut sets)?;
            self.show(1, Pair { row, of, jaccard: jaccard(sets.of(of), sets.of(row)) });
        }
        Ok(())
    }

    /// Keeps those that are near none that is kept.
    fn star(&mut self, rows: &[u32]) -> Result<(), Error> {
        let mut keepers: Vec<(u32, Vec<u32>)> = Vec::new();
        let mut sets = Sets::default();
        for batch in rows.chunks(BATCH) {
            self.batch(batch, &mut keepers, &mut sets)?;
        }
        Ok(())
    }

    fn batch(
        &mut self,
        rows: &[u32],
        keepers: &mut Vec<(u32, Vec<u32>)>,
        sets: &mut Sets,
    ) -> Result<(), Error> {
        let mut ascending = rows.to_vec();
        ascending.sort_unstable();
        let limit = if rows.len() > 1 { SHINGLES } else { usize::MAX };
        if self.loader.load(&ascending, limit, sets)? < rows.len() {
            let (one, other) = rows.split_at(rows.len() / 2);
            self.batch(one, keepers, sets)?;
            return self.batch(other, keepers, sets);
        }
        for &row in rows {
            let set = sets.of(row);
            match keepers.iter().find(|(_, theirs)| near(theirs, set, self.threshold)) {
                None => keepers.push((row, set.to_vec())),
                Some(&(of, ref theirs)) => {
                    self.kept.remove(row);
                    self.kept.near += 1;
                    self.show(1, Pair { row, of, jaccard: jaccard(theirs, set) });
                }
            }
        }
        Ok(())
    }

    fn show(&mut self, kind: usize, pair: Pair) {
        if self.shown[kind] < EXAMPLES {
            self.shown[kind] += 1;
            self.kept.examples.push(pair);
        }
    }
}

fn read(shard: &Shard, hashes: &mut Vec<u8>, ends: &mut Vec<u8>) -> Result<(), Error> {
    shard.hashes(hashes)?;
    shard.ends(ends)
}

fn length(ends: &[u8], at: usize) -> u64 {
    let start = if at == 0 { 0 } else { le_u64(&ends[8 * (at - 1)..]) };
    le_u64(&ends[8 * at..]).saturating_sub(start)
}

//! The sets of shingles of spilled texts.

use crate::error::Error;
use crate::settings::Shingle;
use crate::shard::{Shard, Window, le_u64};
use crate::shingles::Shingler;

/// Of some rows.
#[derive(Debug, Default)]
pub(crate) struct Sets {
    rows: Vec<u32>,
    ends: Vec<usize>,
    shingles: Vec<u32>,
}

impl Sets {
    /// Empty for a row that has not been loaded.
    pub(crate) fn of(&self, row: u32) -> &[u32] {
        let Ok(at) = self.rows.binary_search(&row) else { return &[] };
        let start = if at == 0 { 0 } else { self.ends[at - 1] };
        &self.shingles[start..self.ends[at]]
    }
}

/// Reads them back.
#[derive(Debug)]
pub(crate) struct Loader<'a> {
    shards: &'a [Shard],
    shingler: Shingler,
}

impl<'a> Loader<'a> {
    pub(crate) fn new(shards: &'a [Shard], shingle: Shingle) -> Self {
        Self { shards, shingler: Shingler::new(shingle) }
    }

    /// Loads the sets of `rows`, which ascend, in place of what `sets` held; stops when there are `limit`
    /// shingles or more. Says how many rows it has loaded: at least one.
    pub(crate) fn load(&mut self, rows: &[u32], limit: usize, sets: &mut Sets) -> Result<usize, Error> {
        sets.rows.clear();
        sets.ends.clear();
        sets.shingles.clear();
        let shards = self.shards;
        for of_one in rows.chunk_by(|&row, &next| place(shards, row) == place(shards, next)) {
            let Some(shard) = self.shards.get(place(self.shards, of_one[0])) else { break };
            let (mut ends, mut texts) = (Window::open(&shard.columns)?, Window::open(&shard.texts)?);
            for &row in of_one {
                let (from, to) = bounds(shard, row, &mut ends)?;
                let bytes = texts.get(from, (to - from) as usize)?;
                let text = str::from_utf8(bytes).map_err(|_| {
                    Error::damaged(&shard.texts, format!("the text of row {row} is not UTF-8"))
                })?;
                self.shingler.set(text, &mut sets.shingles);
                sets.rows.push(row);
                sets.ends.push(sets.shingles.len());
                if sets.shingles.len() >= limit {
                    return Ok(sets.rows.len());
                }
            }
        }
        Ok(sets.rows.len())
    }
}

fn place(shards: &[Shard], row: u32) -> usize {
    // Shards without rows stand before the one that begins with the same row.
    shards.partition_point(|shard| shard.first_row <= row).saturating_sub(1)
}

fn bounds(shard: &Shard, row: u32, ends: &mut Window) -> Result<(u64, u64), Error> {
    let row = u64::from(row - shard.first_row);
    let (from, to) = if row == 0 {
        (0, le_u64(ends.get(shard.ends_at(), 8)?))
    } else {
        let bytes = ends.get(shard.ends_at() + 8 * (row - 1), 16)?;
        (le_u64(bytes), le_u64(&bytes[8..]))
    };
    if to < from || to - from > u64::from(u32::MAX) {
        return Err(Error::damaged(&shard.columns, "a text ends before it begins"));
    }
    Ok((from, to))
}

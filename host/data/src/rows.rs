//! The records between the steps: in shards on disk, numbered from 0 through all of them.

use std::ops::Range;
use std::path::PathBuf;

use pegbox_records::{Record, Schema, shard};

use crate::error::DataError;

/// A shard has at most so many rows, and is full when its values have so many bytes: what a thread holds at a time.
/// Batches, splits and ids do not depend on it, but cached steps do.
pub(crate) const SHARD_ROWS: usize = 4096;
pub(crate) const SHARD_BYTES: usize = 8 << 20;

/// Ids of the pieces of split records begin here in a shard; [`Shards::read`] makes them unique.
pub(crate) const PIECES: u64 = 1 << 63;

/// The files of other forms of some rows.
pub(crate) const FORMS: &str = "forms";

/// Records on disk.
#[derive(Clone, Debug)]
pub(crate) struct Shards {
    folder: PathBuf,
    schema: Schema,
    /// The first row of each shard, and behind them the number of all rows.
    starts: Vec<u32>,
    /// What the ids of each shard's pieces begin with.
    pieces: Vec<u64>,
    /// Other forms of some rows, numbered through all shards as the rows are; empty if there are none.
    forms: Vec<u32>,
}

impl Shards {
    /// Shards with so many rows and pieces; ids of records lie below `ids`.
    pub fn new(
        folder: PathBuf,
        schema: Schema,
        sizes: impl IntoIterator<Item = (u32, u64)>,
        ids: u64,
    ) -> Result<Self, DataError> {
        let (mut starts, mut pieces) = (vec![0_u32], Vec::new());
        let (mut rows, mut id) = (0_u32, ids);
        for (size, split) in sizes {
            pieces.push(id);
            id += split;
            rows = rows.checked_add(size).filter(|rows| *rows < u32::MAX).ok_or(DataError::TooManyRows)?;
            starts.push(rows);
        }
        Ok(Self { folder, schema, starts, pieces, forms: Vec::new() })
    }

    /// So many rows of each shard have another form, in a file beside the shard.
    pub fn with_forms(mut self, forms: impl IntoIterator<Item = u32>) -> Result<Self, DataError> {
        let mut starts = vec![0_u32];
        let mut all = 0_u32;
        for of_shard in forms {
            all = all.checked_add(of_shard).ok_or(DataError::TooManyRows)?;
            starts.push(all);
        }
        self.rows().checked_add(all).filter(|rows| *rows < u32::MAX).ok_or(DataError::TooManyRows)?;
        self.forms = if all > 0 { starts } else { Vec::new() };
        Ok(self)
    }

    /// The numbers of a shard's other forms.
    pub fn forms(&self, shard: usize) -> Range<u32> {
        let start = |shard: usize| self.forms.get(shard).or(self.forms.last()).copied().unwrap_or(0);
        start(shard)..start(shard + 1)
    }

    pub fn has_forms(&self) -> bool {
        !self.forms.is_empty()
    }

    /// The other forms of a shard's rows; the id of each is the row's place in the shard.
    pub fn read_forms(&self, number: usize) -> Result<Vec<Record>, DataError> {
        if self.forms(number).is_empty() {
            return Ok(Vec::new());
        }
        Ok(shard::read(&self.folder.join(format!("{number:05}.{FORMS}")), &self.schema)?)
    }

    /// The number of shards.
    pub fn len(&self) -> usize {
        self.pieces.len()
    }

    pub fn rows(&self) -> u32 {
        self.starts.last().copied().unwrap_or(0)
    }

    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// The number of a shard's first row.
    pub fn first(&self, shard: usize) -> u32 {
        self.starts.get(shard).copied().unwrap_or_else(|| self.rows())
    }

    /// The shard that holds a row.
    pub fn of(&self, row: u32) -> usize {
        // Empty shards begin with the same row as the next one.
        self.starts.partition_point(|start| *start <= row).saturating_sub(1)
    }

    pub fn read(&self, number: usize) -> Result<Vec<Record>, DataError> {
        let path = self.folder.join(format!("{number:05}.records"));
        let mut records = shard::read(&path, &self.schema)?;
        for record in &mut records {
            record.id = self.unique(number, record.id);
        }
        Ok(records)
    }

    /// File and line of each row, for less than [`Shards::read`] takes.
    pub fn places(&self, number: usize) -> Result<Vec<(u32, u64)>, DataError> {
        Ok(shard::read_places(&self.folder.join(format!("{number:05}.records")))?)
    }

    /// The id among all records of one that a shard numbers for itself.
    pub fn unique(&self, number: usize, id: u64) -> u64 {
        match id.checked_sub(PIECES) {
            Some(piece) => self.pieces.get(number).copied().unwrap_or(0) + piece,
            None => id,
        }
    }

    /// The records of some rows, which ascend.
    pub fn pick(&self, rows: &[u32]) -> Result<Vec<Record>, DataError> {
        let mut picked = Vec::with_capacity(rows.len());
        for of_one in rows.chunk_by(|row, next| self.of(*row) == self.of(*next)) {
            let Some(shard) = of_one.first().map(|row| self.of(*row)) else { continue };
            let mut records: Vec<Option<Record>> = self.read(shard)?.into_iter().map(Some).collect();
            let first = self.first(shard);
            picked.extend(of_one.iter().filter_map(|row| records.get_mut((row - first) as usize)?.take()));
        }
        Ok(picked)
    }
}

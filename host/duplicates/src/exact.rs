//! Equal texts.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::clusters::EXAMPLES;
use crate::error::Error;
use crate::forest::Forest;
use crate::parallel;
use crate::shard::{Shard, le_u64};

/// About how many rows are sorted at a time: 16 bytes each. The tests have several partitions, too.
const PARTITION: u32 = if cfg!(test) { 2_000 } else { 1 << 20 };

/// One bit a row.
#[derive(Debug)]
pub(crate) struct Bits(Vec<AtomicU64>);

impl Bits {
    pub(crate) fn new(rows: u32) -> Self {
        Self((0..rows.div_ceil(64)).map(|_| AtomicU64::new(0)).collect())
    }

    pub(crate) fn set(&self, row: u32) {
        self.0[row as usize / 64].fetch_or(1 << (row % 64), Relaxed);
    }

    pub(crate) fn get(&self, row: u32) -> bool {
        self.0[row as usize / 64].load(Relaxed) >> (row % 64) & 1 == 1
    }

    /// Those of the first rows.
    pub(crate) fn into_words(self, rows: u32) -> Vec<u64> {
        let words = self.0.into_iter().map(AtomicU64::into_inner);
        let mut words: Vec<u64> = words.take(rows.div_ceil(64) as usize).collect();
        if let (Some(last), 1..) = (words.last_mut(), rows % 64) {
            *last &= (1 << (rows % 64)) - 1;
        }
        words
    }
}

/// What [`join`] has found.
#[derive(Debug)]
pub(crate) struct Equal {
    /// The rows that have an equal one before them.
    pub repeated: Bits,
    /// The first of them, each with the first row that it equals.
    pub examples: BTreeMap<u32, u32>,
}

/// Joins the rows of equal texts.
pub(crate) fn join(shards: &[Shard], forest: &Forest, rows: u32, threads: usize) -> Result<Equal, Error> {
    let repeated = Bits::new(rows);
    let examples = Mutex::new(BTreeMap::new());
    let partitions = rows.div_ceil(PARTITION).max(1);
    let worker = || (Vec::new(), Vec::new());
    parallel::each(partitions as usize, threads, worker, |(keys, column), partition| {
        gather(shards, partition as u64, u64::from(partitions), keys, column)?;
        keys.sort_unstable();
        let mut shown = BTreeMap::new();
        for equal in keys.chunk_by(|one, other| one >> 32 == other >> 32) {
            let first = equal[0] as u32;
            for &key in &equal[1..] {
                forest.join(first, key as u32);
                repeated.set(key as u32);
            }
            if let Some(&second) = equal.get(1) {
                show(&mut shown, second as u32, first);
            }
        }
        if let Ok(mut examples) = examples.lock() {
            shown.into_iter().for_each(|(row, of)| show(&mut examples, row, of));
        }
        Ok(())
    })?;
    Ok(Equal { repeated, examples: examples.into_inner().unwrap_or_default() })
}

/// Keeps the smallest rows.
fn show(examples: &mut BTreeMap<u32, u32>, row: u32, of: u32) {
    if examples.len() < EXAMPLES || examples.last_key_value().is_some_and(|(&last, _)| row < last) {
        examples.insert(row, of);
        if examples.len() > EXAMPLES {
            examples.pop_last();
        }
    }
}

/// The hashes of one partition, each with its row in place of its last 32 bits. The 96 that stay suffice: of
/// five million texts some two would be taken for equal once in 10^16 runs.
fn gather(
    shards: &[Shard],
    partition: u64,
    partitions: u64,
    keys: &mut Vec<u128>,
    column: &mut Vec<u8>,
) -> Result<(), Error> {
    keys.clear();
    for shard in shards {
        shard.hashes(column)?;
        for (row, hash) in (shard.first_row..).zip(column.chunks_exact(16)) {
            let (low, high) = (le_u64(hash), le_u64(&hash[8..]));
            if ((high >> 32) * partitions) >> 32 == partition {
                keys.push(u128::from(high) << 64 | u128::from(low >> 32 << 32) | u128::from(row));
            }
        }
    }
    Ok(())
}

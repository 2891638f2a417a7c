//! Near-duplicates: texts that fall into the same bucket of any band, verified.

use crate::error::Error;
use crate::exact::Bits;
use crate::forest::Forest;
use crate::jaccard::near;
use crate::parallel;
use crate::settings::Settings;
use crate::shard::{Shard, le_u32};
use crate::texts::{Loader, Sets};

/// About how many rows of a band are sorted at a time: 8 bytes each. The tests have several partitions, too.
const PARTITION: u32 = if cfg!(test) { 2_000 } else { 2 << 20 };
/// In a bucket of at most so many rows, every pair is compared.
const SMALL: usize = 64;
/// In a larger one, each row is compared with at most so many leaders: rows that are not near a leader before
/// them. What that misses, if anything, other bands find: their buckets are other ones.
const LEADERS: usize = 64;
/// Rows whose sets are loaded at a time, and shingles: 32 MiB.
const BATCH: usize = 8192;
const SHINGLES: usize = 8 << 20;

/// Joins the near-duplicates among the rows that are not `repeated`. Which rows end up in one cluster does not
/// depend on the threads: a comparison is left out only where its outcome could not matter.
pub(crate) fn join(
    shards: &[Shard],
    settings: &Settings,
    forest: &Forest,
    repeated: &Bits,
    rows: u32,
    threads: usize,
) -> Result<(), Error> {
    let bands = settings.bands()?.bands;
    let partitions = rows.div_ceil(PARTITION).max(1);
    let worker = || Worker {
        threshold: settings.threshold,
        forest,
        loader: Loader::new(shards, settings.shingle),
        sets: Sets::default(),
        keys: Vec::new(),
        column: Vec::new(),
    };
    parallel::each((bands * partitions) as usize, threads, worker, |worker, task| {
        let (band, partition) = (task as u32 / partitions, task as u32 % partitions);
        worker.gather(shards, repeated, band, partition, partitions)?;
        worker.buckets()
    })
}

struct Worker<'a> {
    threshold: f64,
    forest: &'a Forest,
    loader: Loader<'a>,
    sets: Sets,
    /// A hash and a row in each.
    keys: Vec<u64>,
    column: Vec<u8>,
}

impl Worker<'_> {
    fn gather(
        &mut self,
        shards: &[Shard],
        repeated: &Bits,
        band: u32,
        partition: u32,
        partitions: u32,
    ) -> Result<(), Error> {
        self.keys.clear();
        for shard in shards {
            shard.band(band, &mut self.column)?;
            for (row, hash) in (shard.first_row..).zip(self.column.chunks_exact(4)) {
                let hash = u64::from(le_u32(hash));
                if (hash * u64::from(partitions)) >> 32 == u64::from(partition) && !repeated.get(row) {
                    self.keys.push(hash << 32 | u64::from(row));
                }
            }
        }
        self.keys.sort_unstable();
        Ok(())
    }

    fn buckets(&mut self) -> Result<(), Error> {
        let keys = std::mem::take(&mut self.keys);
        let mut batch: Vec<&[u64]> = Vec::new();
        let mut members = 0;
        for bucket in keys.chunk_by(|one, other| one >> 32 == other >> 32) {
            if bucket[1..].iter().all(|&key| self.forest.joined(bucket[0] as u32, key as u32)) {
                continue;
            }
            if bucket.len() > SMALL {
                self.large(bucket)?;
                continue;
            }
            batch.push(bucket);
            members += bucket.len();
            if members >= BATCH {
                self.small(&batch)?;
                batch.clear();
                members = 0;
            }
        }
        self.small(&batch)?;
        self.keys = keys;
        Ok(())
    }

    fn small(&mut self, buckets: &[&[u64]]) -> Result<(), Error> {
        let mut rows: Vec<u32> =
            buckets.iter().flat_map(|bucket| bucket.iter()).map(|&key| key as u32).collect();
        rows.sort_unstable();
        rows.dedup();
        // A single bucket is loaded whole, however long its texts.
        let limit = if buckets.len() > 1 { SHINGLES } else { usize::MAX };
        if self.loader.load(&rows, limit, &mut self.sets)? < rows.len() {
            let (one, other) = buckets.split_at(buckets.len() / 2);
            self.small(one)?;
            return self.small(other);
        }
        for bucket in buckets {
            for (at, &key) in bucket.iter().enumerate().skip(1) {
                let row = key as u32;
                for &before in &bucket[..at] {
                    let before = before as u32;
                    if !self.forest.joined(before, row)
                        && near(self.sets.of(before), self.sets.of(row), self.threshold)
                    {
                        self.forest.join(before, row);
                    }
                }
            }
        }
        Ok(())
    }

    fn large(&mut self, bucket: &[u64]) -> Result<(), Error> {
        let rows: Vec<u32> = bucket.iter().map(|&key| key as u32).collect();
        let mut leaders: Vec<(u32, Vec<u32>)> = Vec::new();
        let mut done = 0;
        while done < rows.len() {
            let next = &rows[done..rows.len().min(done + BATCH)];
            let loaded = self.loader.load(next, SHINGLES, &mut self.sets)?;
            if loaded == 0 {
                break;
            }
            for &row in &next[..loaded] {
                self.follow(row, &mut leaders);
            }
            done += loaded;
        }
        Ok(())
    }

    fn follow(&self, row: u32, leaders: &mut Vec<(u32, Vec<u32>)>) {
        let set = self.sets.of(row);
        let mut follows = false;
        for (leader, theirs) in leaders.iter() {
            // Before it follows one, it must not matter what other threads have joined.
            if follows && self.forest.joined(*leader, row) {
                continue;
            }
            if near(theirs, set, self.threshold) {
                follows = true;
                self.forest.join(*leader, row);
            }
        }
        if !follows && leaders.len() < LEADERS {
            leaders.push((row, set.to_vec()));
        }
    }
}

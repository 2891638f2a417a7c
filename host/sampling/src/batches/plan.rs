//! Batches of an epoch: grouped by length and padded to the longest row, or packed. For a seed they may never change.

use std::ops::Range;

use pegbox_random::SplitMix64;
use serde::{Deserialize, Serialize};

use super::packed::PackPlan;
use super::{length, tokens};

/// How large a batch is. In a recipe: `batch = { tokens = 2048 }`, `batch = { rows = 16 }` or `batch = { packed = 2048 }`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BatchSize {
    /// Rows times padded length is at most this; a longer row is a batch of its own.
    Tokens(usize),
    /// This many rows; the last batch may have fewer.
    Rows(usize),
    /// At most so many tokens, one text after the other, without padding; a longer row is a batch of its own.
    Packed(usize),
}

/// How rows become batches.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct BatchSettings {
    pub size: BatchSize,
    /// About how many batches are sorted by length together. More means less padding and less chance in
    /// which rows meet.
    pub bucket: usize,
}

impl BatchSettings {
    /// Buckets of 64 batches.
    pub fn new(size: BatchSize) -> Self {
        Self { size, bucket: 64 }
    }

    pub fn is_packed(&self) -> bool {
        matches!(self.size, BatchSize::Packed(_))
    }
}

/// The rows of each batch of one epoch, or of one evaluation. Takes 4 bytes a row and 8 a batch, twice that while
/// it is made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BatchPlan {
    rows: Vec<u32>,
    /// Where each batch ends in `rows`.
    ends: Vec<usize>,
    /// Whether the rows of a batch stand one after the other, instead of side by side.
    packed: bool,
}

impl BatchPlan {
    /// Every row once: shuffled, cut into buckets of many batches, sorted by length inside each bucket, cut
    /// into batches, and the batches shuffled. Packed ones are the bins of [`PackPlan::epoch`].
    pub fn epoch(lengths: &[u32], settings: &BatchSettings, seed: u64, epoch: u64) -> Self {
        if let BatchSize::Packed(most) = settings.size {
            let bins = PackPlan::epoch(lengths, most, seed, epoch);
            let mut plan = Self::with_room(settings, lengths.len(), bins.len());
            bins.iter().for_each(|bin| plan.push(bin));
            return plan;
        }
        let mut random = SplitMix64::named(seed, &format!("epoch {epoch}"));
        let mut rows = all_rows(lengths);
        random.shuffle(&mut rows);
        let mut batches: Vec<Range<usize>> = Vec::new();
        let mut start = 0;
        for bucket in rows.chunks_mut(bucket_rows(lengths, settings)) {
            // Stable: rows of one length stay shuffled.
            bucket.sort_by_key(|row| length(lengths, *row));
            batches.extend(
                cut(bucket, lengths, settings.size).map(|batch| start + batch.start..start + batch.end),
            );
            start += bucket.len();
        }
        random.shuffle(&mut batches);
        let mut plan = Self::with_room(settings, rows.len(), batches.len());
        batches.into_iter().for_each(|batch| plan.push(rows.get(batch).unwrap_or_default()));
        plan
    }

    /// Every row once, two of a label side by side, for losses that compare the rows of a batch: the rows of each label
    /// are shuffled and joined in pairs (the last of an odd number stays alone), the pairs are shuffled, cut into buckets
    /// of many batches, sorted by length inside each bucket, and cut into batches, which are shuffled. A row that is
    /// longer than a batch of tokens may be cut off from its partner. `labels` are as many as `lengths`.
    pub fn pairs(lengths: &[u32], labels: &[u32], settings: &BatchSettings, seed: u64, epoch: u64) -> Self {
        let mut random = SplitMix64::named(seed, &format!("pairs of epoch {epoch}"));
        let mut rows = all_rows(lengths);
        random.shuffle(&mut rows);
        let label = |row: &u32| labels.get(*row as usize).copied().unwrap_or_default();
        // Stable: rows of one label stay shuffled.
        rows.sort_by_key(label);
        let mut pairs: Vec<&[u32]> =
            rows.chunk_by(|a, b| label(a) == label(b)).flat_map(|of_one| of_one.chunks(2)).collect();
        random.shuffle(&mut pairs);
        let mut batches: Vec<Vec<u32>> = Vec::new();
        for bucket in pairs.chunks_mut(bucket_rows(lengths, settings).div_ceil(2)) {
            bucket.sort_by_key(|pair| pair.iter().map(|row| length(lengths, *row)).max());
            let rows = bucket.concat();
            let even = |batch: Range<usize>| rows.get(batch).unwrap_or_default().to_vec();
            batches.extend(cut(&rows, lengths, settings.size).map(even));
        }
        random.shuffle(&mut batches);
        let mut plan = Self::with_room(settings, rows.len(), batches.len());
        batches.iter().for_each(|batch| plan.push(batch));
        plan
    }

    /// Every row once, the shortest first.
    pub fn evaluation(lengths: &[u32], settings: &BatchSettings) -> Self {
        let mut rows = all_rows(lengths);
        rows.sort_by_key(|row| length(lengths, *row));
        Self::in_order(rows, lengths, settings)
    }

    /// Every row once, in the order of the rows: what grouping is compared with.
    pub fn naive(lengths: &[u32], settings: &BatchSettings) -> Self {
        Self::in_order(all_rows(lengths), lengths, settings)
    }

    fn in_order(rows: Vec<u32>, lengths: &[u32], settings: &BatchSettings) -> Self {
        let ends = cut(&rows, lengths, settings.size).map(|batch| batch.end).collect();
        Self { rows, ends, packed: settings.is_packed() }
    }

    fn with_room(settings: &BatchSettings, rows: usize, batches: usize) -> Self {
        Self {
            rows: Vec::with_capacity(rows),
            ends: Vec::with_capacity(batches),
            packed: settings.is_packed(),
        }
    }

    fn push(&mut self, batch: &[u32]) {
        self.rows.extend(batch);
        self.ends.push(self.rows.len());
    }

    /// The number of batches.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The numbers of the rows of a batch; none past the end.
    pub fn batch(&self, number: usize) -> Option<&[u32]> {
        let start = if number == 0 { 0 } else { *self.ends.get(number - 1)? };
        self.rows.get(start..*self.ends.get(number)?)
    }

    /// All batches in order.
    pub fn iter(&self) -> impl Iterator<Item = &[u32]> {
        (0..self.len()).filter_map(|number| self.batch(number))
    }

    /// Rows and their width, padding included, as the model computes a batch: packed ones are one row.
    pub fn shape(&self, batch: &[u32], lengths: &[u32]) -> [usize; 2] {
        if self.packed {
            return [1, tokens(lengths, batch) as usize];
        }
        let longest = batch.iter().map(|row| length(lengths, *row)).max().unwrap_or(0);
        [batch.len(), longest as usize]
    }

    /// Pairs of tokens that attention compares in a batch, padding included: those of each row, or of each packed text.
    pub fn compared(&self, batch: &[u32], lengths: &[u32]) -> u64 {
        if self.packed {
            return batch.iter().map(|row| u64::from(length(lengths, *row)).pow(2)).sum();
        }
        let [rows, width] = self.shape(batch, lengths);
        rows as u64 * (width as u64).pow(2)
    }

    /// Positions of all batches, padding included.
    pub fn positions(&self, lengths: &[u32]) -> u64 {
        self.iter().map(|batch| self.shape(batch, lengths)).map(|[rows, width]| (rows * width) as u64).sum()
    }
}

fn all_rows(lengths: &[u32]) -> Vec<u32> {
    (0..lengths.len()).map(|row| row as u32).collect()
}

/// About `settings.bucket` batches in rows; at least one row.
fn bucket_rows(lengths: &[u32], settings: &BatchSettings) -> usize {
    let batch = match settings.size {
        BatchSize::Rows(rows) => rows,
        BatchSize::Tokens(tokens) | BatchSize::Packed(tokens) => {
            let total: usize = lengths.iter().map(|length| *length as usize).sum();
            tokens.saturating_mul(lengths.len()) / total.max(1)
        }
    };
    batch.max(1).saturating_mul(settings.bucket.max(1))
}

/// Consecutive batches as large as `size` lets them be, as places in `rows`.
fn cut(rows: &[u32], lengths: &[u32], size: BatchSize) -> impl Iterator<Item = Range<usize>> {
    let mut start = 0;
    std::iter::from_fn(move || {
        let (mut longest, mut together) = (0, 0);
        let mut end = start;
        while let Some(row) = rows.get(end) {
            longest = longest.max(length(lengths, *row) as usize);
            together += length(lengths, *row) as usize;
            let full = match size {
                BatchSize::Rows(most) => end - start >= most.max(1),
                BatchSize::Tokens(most) => (end - start + 1).saturating_mul(longest) > most,
                BatchSize::Packed(most) => together > most,
            };
            if full && end > start {
                break;
            }
            end += 1;
        }
        let batch = start..end;
        start = end;
        (!batch.is_empty()).then_some(batch)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lengths(random: &mut SplitMix64, rows: usize) -> Vec<u32> {
        (0..rows).map(|_| 3 + random.below(20) as u32 * (1 + random.below(6) as u32)).collect()
    }

    fn plans(lengths: &[u32], settings: &BatchSettings, seed: u64) -> Vec<BatchPlan> {
        vec![
            BatchPlan::epoch(lengths, settings, seed, 0),
            BatchPlan::epoch(lengths, settings, seed, 1),
            BatchPlan::evaluation(lengths, settings),
            BatchPlan::naive(lengths, settings),
        ]
    }

    #[test]
    fn every_row_comes_once_and_no_batch_is_too_large() {
        let mut random = SplitMix64::new(5);
        for case in 0..60 {
            let rows = random.below(900);
            let lengths = lengths(&mut random, rows);
            let size = match case % 4 {
                0 => BatchSize::Rows(1 + random.below(40)),
                3 => BatchSize::Packed(1 + random.below(500)),
                1 => BatchSize::Tokens(1 + random.below(60)),
                _ => BatchSize::Tokens(512 + random.below(2048)),
            };
            for plan in plans(&lengths, &BatchSettings { size, bucket: 1 + random.below(20) }, case) {
                let mut seen: Vec<u32> = plan.iter().flatten().copied().collect();
                seen.sort_unstable();
                assert_eq!(seen, all_rows(&lengths));
                for batch in plan.iter() {
                    let [rows, width] = plan.shape(batch, &lengths);
                    assert!(plan.compared(batch, &lengths) <= (rows * width * width) as u64);
                    match size {
                        BatchSize::Rows(most) => assert!(rows == batch.len() && rows <= most),
                        BatchSize::Tokens(most) => assert!(batch.len() == 1 || rows * width <= most),
                        BatchSize::Packed(most) => {
                            assert!(rows == 1 && (batch.len() == 1 || width <= most))
                        }
                    }
                }
                assert_eq!(plan.batch(plan.len()), None);
            }
        }
    }

    #[test]
    fn a_plan_is_a_function_of_seed_and_epoch() {
        let lengths = lengths(&mut SplitMix64::new(6), 500);
        let settings = BatchSettings::new(BatchSize::Rows(16));
        let plan = |seed, epoch| BatchPlan::epoch(&lengths, &settings, seed, epoch);
        assert_eq!(plan(1, 2), plan(1, 2));
        assert_ne!(plan(1, 2), plan(1, 3));
        assert_ne!(plan(1, 2), plan(2, 2));
    }

    #[test]
    fn the_plan_of_a_seed_never_changes() {
        let lengths: Vec<u32> = (0..12).map(|row| row * 7 % 12 + 1).collect();
        let settings = BatchSettings { size: BatchSize::Tokens(24), bucket: 2 };
        let plan = BatchPlan::epoch(&lengths, &settings, 7, 3);
        let batches: Vec<&[u32]> = plan.iter().collect();
        assert_eq!(format!("{batches:?}"), "[[1, 8], [0, 7, 2, 9], [5], [4, 11, 6], [3, 10]]");
    }

    #[test]
    fn a_recipe_writes_tokens_or_rows() {
        let size: BatchSize = serde_json::from_str(r#"{"tokens": 2048}"#).unwrap();
        assert_eq!(size, BatchSize::Tokens(2048));
        let size: BatchSize = serde_json::from_str(r#"{"packed": 2048}"#).unwrap();
        assert_eq!(size, BatchSize::Packed(2048));
    }

    #[test]
    fn pairs_of_a_label_meet() {
        let mut random = SplitMix64::new(4);
        let lengths: Vec<u32> = (0..301).map(|_| 3 + random.below(20) as u32).collect();
        let labels: Vec<u32> = (0..301).map(|_| random.below(20) as u32).collect();
        let settings = BatchSettings::new(BatchSize::Rows(16));
        let plan = BatchPlan::pairs(&lengths, &labels, &settings, 7, 0);
        let mut rows: Vec<u32> = plan.iter().flatten().copied().collect();
        rows.sort_unstable();
        assert_eq!(rows, (0..301).collect::<Vec<u32>>(), "every row once");
        let alone: usize = plan
            .iter()
            .map(|batch| {
                let label = |row: &u32| labels[*row as usize];
                let has_partner =
                    |row: &&u32| batch.iter().filter(|other| label(other) == label(row)).count() > 1;
                batch.len() - batch.iter().filter(has_partner).count()
            })
            .sum();
        // At most one of each label, and those whose pair a batch's end parts.
        assert!(alone <= 20 + plan.len(), "{alone} rows have no partner");
        assert_eq!(plan, BatchPlan::pairs(&lengths, &labels, &settings, 7, 0));
        assert_ne!(plan, BatchPlan::pairs(&lengths, &labels, &settings, 7, 1));
    }
}

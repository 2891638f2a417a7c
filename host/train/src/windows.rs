//! Batches of the epochs, and where in them a run stands. Everything follows from lengths, settings and seed,
//! so that a checkpoint needs to hold three numbers.

use pegbox_data::{BatchPlan, BatchSettings};
use serde::{Deserialize, Serialize};

/// Where a run stands: the next batch to be trained on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Cursor {
    /// From 0.
    pub epoch: u32,
    /// In the epoch, from 0.
    pub batch: u64,
    /// Batches of all epochs so far; numbers the dropout masks.
    pub batches: u64,
}

/// The batches of all epochs.
pub struct Windows {
    lengths: Vec<u32>,
    /// The label of each row, where two of a label are to meet in a batch.
    pairs: Option<Vec<u32>>,
    settings: BatchSettings,
    seed: u64,
    epochs: u32,
    accumulation: u64,
    /// Optimizer steps of each epoch. A window of accumulation never reaches into the next epoch: the last
    /// of an epoch may be shorter.
    steps: Vec<u64>,
    plan: Option<(u32, BatchPlan)>,
}

impl Windows {
    /// `pairs` are the rows' labels, where two of a label are to meet in a batch.
    pub fn new(
        lengths: Vec<u32>,
        pairs: Option<Vec<u32>>,
        settings: BatchSettings,
        seed: u64,
        epochs: u32,
        accumulation: u32,
    ) -> Self {
        let accumulation = u64::from(accumulation.max(1));
        let mut windows =
            Self { lengths, pairs, settings, seed, epochs, accumulation, steps: Vec::new(), plan: None };
        windows.steps =
            (0..epochs).map(|epoch| (windows.make(epoch).len() as u64).div_ceil(accumulation)).collect();
        windows
    }

    fn make(&self, epoch: u32) -> BatchPlan {
        let Self { lengths, settings, seed, .. } = self;
        match &self.pairs {
            Some(labels) => BatchPlan::pairs(lengths, labels, settings, *seed, u64::from(epoch)),
            None => BatchPlan::epoch(lengths, settings, *seed, u64::from(epoch)),
        }
    }

    /// Optimizer steps of the whole training.
    pub fn total(&self) -> u64 {
        self.steps.iter().sum()
    }

    /// The rows of each batch of the next optimizer step, and where the run stands after it; none at the end.
    pub fn next(&mut self, at: Cursor) -> Option<(Vec<Vec<u32>>, Cursor)> {
        if at.epoch >= self.epochs {
            return None;
        }
        let most = self.accumulation;
        let plan = self.plan(at.epoch);
        let end = (at.batch + most).min(plan.len() as u64);
        let rows: Vec<Vec<u32>> =
            (at.batch..end).filter_map(|batch| plan.batch(batch as usize)).map(<[u32]>::to_vec).collect();
        let batches = at.batches + rows.len() as u64;
        let after = match end < plan.len() as u64 {
            true => Cursor { epoch: at.epoch, batch: end, batches },
            false => Cursor { epoch: at.epoch + 1, batch: 0, batches },
        };
        Some((rows, after))
    }

    fn plan(&mut self, epoch: u32) -> &BatchPlan {
        let made = match self.plan.take() {
            Some((of, plan)) if of == epoch => plan,
            _ => self.make(epoch),
        };
        &self.plan.insert((epoch, made)).1
    }
}

#[cfg(test)]
mod tests {
    use pegbox_data::BatchSize;

    use super::*;

    #[test]
    fn every_row_comes_once_an_epoch_and_the_last_window_may_be_short() {
        let lengths: Vec<u32> = (0..50).map(|row| 3 + row % 7).collect();
        let settings = BatchSettings::new(BatchSize::Rows(8));
        let mut windows = Windows::new(lengths, None, settings, 3, 2, 3);
        // 7 batches an epoch in windows of 3, 3 and 1.
        assert_eq!(windows.total(), 6);
        let (mut at, mut rows, mut sizes) = (Cursor::default(), Vec::new(), Vec::new());
        while let Some((window, after)) = windows.next(at) {
            sizes.push(window.len());
            rows.extend(window.into_iter().flatten());
            at = after;
        }
        assert_eq!(sizes, [3, 3, 1, 3, 3, 1]);
        assert_eq!(at, Cursor { epoch: 2, batch: 0, batches: 14 });
        rows.sort_unstable();
        assert_eq!(rows, (0..50).flat_map(|row| [row, row]).collect::<Vec<u32>>());
    }
}

//! A part of the dataset, batch by batch as a model gets it.

use pegbox_data::{BatchSettings, PaddedBatch, TokenSplit};

use crate::error::{Fault, TrainError};
use crate::masking::Masking;
use crate::write::Writing;

/// What decides which tokens are hidden in an evaluation: always the same.
pub const EVALUATION: u64 = 0x0E7A_1BA7;

/// Rows, how they become batches, whether tokens are hidden in them, and what answers are held to.
#[derive(Clone, Copy)]
pub struct Feed<'a> {
    pub split: &'a TokenSplit,
    pub batching: &'a BatchSettings,
    pub masking: Option<&'a Masking>,
    pub writing: Option<&'a Writing>,
}

impl Feed<'_> {
    /// The rows of these numbers, padded with `pad`. `seed` and `number` decide which tokens are hidden.
    ///
    /// # Errors
    /// There is no such row.
    pub fn batch(&self, rows: &[u32], pad: u32, seed: u64, number: u64) -> Result<PaddedBatch, TrainError> {
        let mut batch = self.split.collate(rows, pad).ok_or(Fault::RowMissing)?;
        batch.packed = self.batching.is_packed();
        if let Some(masking) = self.masking {
            masking.apply(&mut batch, seed, number);
        }
        Ok(batch)
    }
}

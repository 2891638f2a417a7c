//! What padding costs.

use serde::{Deserialize, Serialize};

use super::packed::PackPlan;
use super::plan::{BatchPlan, BatchSettings, BatchSize};

/// Shares of all positions that are padding, between 0 and 1.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct PaddingReport {
    /// Real tokens.
    pub tokens: u64,
    /// Each row padded to the maximal length.
    pub fixed: f64,
    /// Batches in the order of the rows, each padded to its longest row.
    pub naive: f64,
    /// Batches grouped by length (the first epoch), as training takes them unless it packs.
    pub grouped: f64,
    /// Rows packed into bins of the maximal length (the first epoch), each bin padded to it; 0 where training packs, as
    /// nothing is padded then.
    pub packed: f64,
    pub naive_batches: usize,
    pub grouped_batches: usize,
    pub bins: usize,
    /// Whether training packs.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub trains_packed: bool,
}

/// The share of padding `(positions - tokens) / positions` of each way.
pub fn padding(lengths: &[u32], settings: &BatchSettings, max_length: usize, seed: u64) -> PaddingReport {
    let tokens: u64 = lengths.iter().map(|length| u64::from(*length)).sum();
    let share = |positions: u64| {
        if positions == 0 { 0.0 } else { positions.saturating_sub(tokens) as f64 / positions as f64 }
    };
    // What packing is compared with are batches as large.
    let beside = match settings.size {
        BatchSize::Packed(most) => BatchSettings { size: BatchSize::Tokens(most), ..*settings },
        BatchSize::Tokens(_) | BatchSize::Rows(_) => *settings,
    };
    let (naive, naive_batches) = {
        let plan = BatchPlan::naive(lengths, &beside);
        (plan.positions(lengths), plan.len())
    };
    let (grouped, grouped_batches) = {
        let plan = BatchPlan::epoch(lengths, &beside, seed, 0);
        (plan.positions(lengths), plan.len())
    };
    let (packed, bins) = match settings.size {
        BatchSize::Packed(_) => (0.0, BatchPlan::epoch(lengths, settings, seed, 0).len()),
        BatchSize::Tokens(_) | BatchSize::Rows(_) => {
            let plan = PackPlan::epoch(lengths, max_length, seed, 0);
            (share(plan.positions(lengths)), plan.len())
        }
    };
    PaddingReport {
        tokens,
        fixed: share(lengths.len() as u64 * max_length as u64),
        naive: share(naive),
        grouped: share(grouped),
        packed,
        naive_batches,
        grouped_batches,
        bins,
        trains_packed: settings.is_packed(),
    }
}

#[cfg(test)]
mod tests {
    use pegbox_random::SplitMix64;

    use super::*;
    use crate::batches::BatchSize;

    #[test]
    fn grouping_and_packing_save_padding() {
        let mut random = SplitMix64::new(7);
        let lengths: Vec<u32> =
            (0..5000).map(|_| 3 + random.below(20) as u32 * (1 + random.below(6) as u32)).collect();
        let report = padding(&lengths, &BatchSettings::new(BatchSize::Tokens(2048)), 128, 0);
        assert!(
            report.packed < 0.01
                && report.grouped < 0.05
                && report.grouped < report.naive
                && report.naive < report.fixed,
            "{report:?}"
        );
        let packed = padding(&lengths, &BatchSettings::new(BatchSize::Packed(2048)), 128, 0);
        assert!(packed.trains_packed && packed.packed == 0.0 && packed.bins < report.grouped_batches);
        assert_eq!((packed.naive, packed.grouped), (report.naive, report.grouped));
        let none = padding(&[], &BatchSettings::new(BatchSize::Rows(4)), 128, 0);
        assert_eq!(none, PaddingReport::default());
    }
}

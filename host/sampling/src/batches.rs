//! Rows put together for a step. Pure functions of lengths, settings, seed and epoch, so that training resumes at
//! `(epoch, batch)` with nothing else stored.

mod packed;
mod padding;
mod plan;

pub use packed::PackPlan;
pub use padding::{PaddingReport, padding};
pub use plan::{BatchPlan, BatchSettings, BatchSize};

fn length(lengths: &[u32], row: u32) -> u32 {
    lengths.get(row as usize).copied().unwrap_or(0)
}

/// Of all rows together.
fn tokens(lengths: &[u32], rows: &[u32]) -> u64 {
    rows.iter().map(|row| u64::from(length(lengths, *row))).sum()
}

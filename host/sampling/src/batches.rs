//! Rows put together for a step. Pure functions of lengths, settings, seed and epoch, so that training resumes at
//! `(epoch, batch)` with nothing else stored.

mod collate;
mod packed;
mod padding;
mod plan;

pub use collate::{Packed, collate_packed};
pub use packed::{PackPlan, PackedRow};
pub use padding::{PaddingReport, padding};
pub use plan::{BatchPlan, BatchSettings, BatchSize};

fn length(lengths: &[u32], row: u32) -> u32 {
    lengths.get(row as usize).copied().unwrap_or(0)
}

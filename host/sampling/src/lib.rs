//! Which rows go into which part and which batch. Numbers only: rows, labels and clusters have numbers here,
//! lengths are tokens; texts and files are somebody else's.
//!
//! Everything is a function of its arguments and a seed. For a seed nothing here may ever change: golden tests
//! hold the results.

/// What the training rows hold of each class, and rows weighted, repeated or dropped to even it out.
pub mod balance;
/// Rows put together for a step: by length, in order, or packed.
pub mod batches;
mod error;
/// How long rows are, what a maximum costs, and what happens to rows that exceed it.
pub mod lengths;
/// Rows assigned to parts.
pub mod split;
mod units;

pub use error::SamplingError;
pub use units::{ALONE, Relation, UnitRows, Units};

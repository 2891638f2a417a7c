//! What the training rows hold of each class or group, and what can be done where it is uneven. Whoever calls
//! hands in training rows only: held-out rows are never weighted, repeated or dropped.

mod counts;
mod resample;
mod weights;

pub use counts::{Imbalance, count, imbalance};
pub use resample::{Target, expand, over_sample, under_sample};
pub use weights::{Weighting, class_weights, row_weights};

//! Agreement between annotators, aggregation of their labels, labels that are likely wrong.

/// The items that a person should look at, the most doubtful first.
pub mod adjudicate;
/// One label an item from several: majority, and Dawid and Skene's EM.
pub mod aggregate;
/// Percent agreement, Cohen's and Fleiss' kappa, Krippendorff's alpha, with intervals.
pub mod agreement;
/// Equal or near-equal texts that carry different labels.
pub mod conflicts;
/// What can be wrong with ratings and labels.
mod error;
/// Items that were rated alike, counted once.
mod patterns;
/// Who said what of which item.
mod ratings;
/// How far each annotator can be trusted.
pub mod reliability;
/// Labelled texts that are read several times and never held.
mod rows;
/// Labels that are likely wrong, by confident learning.
pub mod suspects;

pub use error::AnnotationError;
pub use ratings::{Rating, Ratings, RatingsBuilder};
pub use rows::{InMemory, Rows};

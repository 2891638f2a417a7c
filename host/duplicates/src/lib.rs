//! Exact and near duplicates among any number of texts, and overlap with benchmark files.
//!
//! Texts are signed one by one ([`Signer`]) and spilled shard by shard ([`Spill`]), in any order and by any
//! number of threads. [`Spill::cluster`] then finds the clusters, and [`Clusters::keepers`] says which rows stay.
//!
//! **What is equal.** Two texts are *exact* duplicates if they are equal after normalisation (lower case, white
//! space), and *near* duplicates if the Jaccard index of their sets of shingles is at least the threshold.
//! MinHash only proposes the pairs: every pair is verified on the sets themselves, so none is wrong.
//!
//! **What a cluster is.** A connected component: A and C are in one cluster if both are near B, even if they
//! are not near each other. That is the safe rule where a cluster may not straddle two parts of a split. It is
//! the wrong one for removal, where C would be lost for the sake of A, which does not resemble it; so by
//! default ([`Linkage::Star`]) a row is removed only if it is within the threshold of a row that is kept.

mod clusters;
mod error;
mod exact;
mod forest;
mod jaccard;
mod keep;
mod near;
mod normal;
mod overlap;
mod parallel;
mod settings;
mod shard;
mod shingles;
mod signer;
mod sketch;
mod spill;
#[cfg(test)]
mod tests;
mod texts;

pub use clusters::{Clusters, Forms, Pair, Summary};
pub use error::Error;
pub use keep::{Keep, Kept, Linkage};
pub use overlap::{NgramIndex, NgramIndexBuilder, Overlap};
pub use settings::{Bands, Settings, Shingle};
pub use signer::{Signature, Signer};
pub use spill::{ShardWriter, Spill};

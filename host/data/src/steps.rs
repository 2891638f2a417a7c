//! The steps of a preparation, one file each: what it takes from the one before, and what it leaves on disk.

/// Several annotators' labels made one.
pub(crate) mod annotate;
/// Weights, or rows repeated or left out.
pub(crate) mod balance;
/// Cleaners, shard by shard.
pub(crate) mod clean;
/// Equal and near-equal texts.
pub(crate) mod duplicates;
/// The training rows by class and by other fields.
pub(crate) mod groups;
/// What the later steps need to know of each row.
pub(crate) mod index;
/// Which row is there in place of one that left.
pub(crate) mod keepers;
/// Labels that conflict or are likely wrong.
pub(crate) mod labels;
/// Training rows that stand in benchmarks.
pub(crate) mod leakage;
/// The most frequent values of roles.
mod modes;
/// Files to shards of records.
pub(crate) mod read;
/// Texts to rows of token ids.
pub(crate) mod tokenize;
/// Validators, shard by shard.
pub(crate) mod validate;

//! Pegbox's data: from files of records to batches of token ids. No tensor and no model in here.
//!
//! Read, clean, validate, split, number the labels, tokenize, write: [`prepare`] does all of it, and each
//! step can be used alone.

/// The dataset's key: a digest of everything that its contents depend on.
mod cache;
/// Cleaners over all cores.
mod clean;
/// The prepared dataset on disk.
mod dataset;
/// Files that are there whole or not at all.
mod durable;
/// What can go wrong, where, and how to mend it.
mod error;
/// The label vocabulary.
mod labels;
/// Work over all cores with results in order.
mod parallel;
/// From files to a dataset.
mod prepare;
/// How far the work is.
mod progress;
/// What happened on the way.
mod report;
/// Training, validation and test.
mod split;
/// A plugin as a stage of the preparation.
mod stage;
/// Text to token ids.
mod tokenize;
/// Token ids of a part of the dataset.
mod tokens;
/// Validators over all cores.
mod validate;

pub use cache::{CleanerKey, FORMAT, KeyParts, SourceDigest, ValidatorKey};
pub use clean::{Cleaned, Dropped, clean};
pub use dataset::{Dataset, FileDigest, Manifest, RowLookup, RowText};
pub use error::DataError;
pub use labels::Labels;
pub use pegbox_random::SplitMix64;
pub use pegbox_records::{
    Field, Origin, Origins, Part, ReadError, ReadFault, ReadSettings, Record, Schema, SchemaError,
};
pub use pegbox_sampling::batches::{BatchPlan, BatchSettings, BatchSize, PaddingReport};
pub use prepare::{CacheOutcome, PrepareJob, Prepared, SourceFile, prepare};
pub use progress::Progress;
pub use report::{
    ChangeExample, ClassCount, CodeCount, FileReport, LengthReport, PrepareReport, StageReport,
    TruncationReport,
};
pub use split::{SplitSettings, stratified_split};
pub use stage::{
    CleanStage, MakeCleaner, MakeValidator, OnFailure, PLUGIN_FAILED, StageIdentity, ValidateStage,
};
pub use tokenize::{Encoded, OverLong, TextTokenizer, TokenSettings};
pub use tokens::{Example, PaddedBatch, TokenSplit, collate_ids};
pub use validate::{LocatedFinding, validate};

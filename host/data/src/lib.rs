//! Pegbox's data: from files of records to batches of token ids. No tensor and no model in here.
//!
//! [`prepare`] does all of it, step by step; every step leaves its results in the cache, shard by shard, so that memory
//! does not grow with the data and an interrupted preparation goes on.

/// The dataset's key: a digest of everything that its contents depend on.
mod cache;
/// Cleaners, one after the other.
mod clean;
/// The prepared dataset on disk.
mod dataset;
/// Files that are there whole or not at all.
mod durable;
/// What can go wrong, where, and how to mend it.
mod error;
/// What is to be prepared, and how.
mod job;
/// Files of JSON lines.
mod json_lines;
/// The label vocabulary.
mod labels;
/// Memory between the steps.
mod memory;
/// Work over all cores with results in order.
mod parallel;
/// From files to a dataset.
mod prepare;
/// How far the work is.
mod progress;
/// What happened on the way.
mod report;
/// The records between the steps.
mod rows;
/// Training, validation and test.
mod split;
/// A plugin as a stage of the preparation.
mod stage;
/// What becomes of each row.
mod state;
/// One step each.
mod steps;
/// What a row is to the model.
mod task;
/// Text to token ids.
mod tokenize;
/// Token ids of a part of the dataset.
mod tokens;
/// Validators.
mod validate;
/// The steps' folders in the cache.
mod work;

pub use cache::{CleanerKey, FORMAT, KeyParts, SourceDigest, ValidatorKey};
pub use clean::Dropped;
pub use dataset::{Dataset, FileDigest, Manifest, RowLookup, RowText};
pub use error::DataError;
pub use job::{
    Aggregate, AnnotationSettings, BalanceSettings, Balancing, DuplicateSettings, KeepRow, LeakageSettings,
    OnError, PrepareJob, Reading, SourceFile, SuspectAction, Ties,
};
pub use labels::Labels;
pub use pegbox_duplicates::Shingle;
pub use pegbox_generation::chat::TemplateSource;
pub use pegbox_random::SplitMix64;
pub use pegbox_records::{
    Field, Format, Layout, Origin, Origins, Part, ReadError, ReadFault, ReadSettings, Record, Schema,
    SchemaError,
};
pub use pegbox_sampling::balance::{Target, Weighting};
pub use pegbox_sampling::batches::{BatchPlan, BatchSettings, BatchSize, PaddingReport};
pub use pegbox_sampling::lengths::{OverLong, Side};
pub use prepare::{CacheOutcome, Prepared, prepare};
pub use progress::Progress;
pub use report::{
    AnnotationReport, BalanceReport, BenchmarkLeakage, ChangeExample, ClassCount, CodeCount, ConflictExample,
    ConflictReport, DuplicateExample, DuplicateReport, FileReport, GroupCount, GroupReport, LeakageExample,
    LeakageReport, LengthCandidate, LengthReport, PrepareReport, SplitReport, StageReport, SuspectExample,
    SuspectReport, TruncationReport,
};
pub use split::SplitSettings;
pub use stage::{
    CleanStage, MakeCleaner, MakeValidator, Modes, OnFailure, PLUGIN_FAILED, StageIdentity, ValidateStage,
};
pub use task::Task;
pub use tokenize::{Encoded, IGNORED, Rows, TargetSettings, TextTokenizer, TokenSettings, WordCache};
pub use tokens::{Example, PaddedBatch, RowTarget, Targets, TokenSplit, collate_ids};
pub use validate::LocatedFinding;

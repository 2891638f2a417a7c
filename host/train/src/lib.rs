//! Pegbox's training core: objective, optimizer, schedule, loop, checkpoints, evaluation. It prints nothing:
//! what happens is told to a [`TrainObserver`].

/// One batch forward and backward.
mod backward;
/// Losses and metrics that are part of Pegbox, by the same traits as plugins.
mod builtin;
/// Checkpoints: whole or not at all, verified by hash.
mod checkpoint;
/// How deep in the model each parameter lies.
/// What can go wrong, where, and how to mend it.
mod error;
/// Scores of a model on a part of the dataset.
mod evaluate;
/// What training tells.
mod event;
/// A part of the dataset, batch by batch as a model gets it.
mod feed;
/// The tokens that a decoder learns to foretell.
mod foretold;
/// Which parameters stay as they are.
mod freeze;
/// What training is given, and what comes of it.
mod job;
/// Metrics whose failure does not end the run.
mod lenient;
/// Tokens hidden from a masked language model.
mod masking;
/// Peak memory of this process.
mod memory;
/// The model's updates: AdamW, accumulation, clipping.
mod optimizer;
/// What a training takes, before it begins.
pub mod plan;
/// Labels for texts.
mod predict;
/// Steps on trial.
mod probe;
/// The folder of one training.
mod run;
/// The learning rate of each step.
mod schedule;
/// How to train.
mod settings;
/// A batch and the model's answer, as losses and metrics see it.
mod step;
/// Tags for the words of texts.
mod tag;
/// The contract's tensors on Burn.
pub mod tensor_engine;
/// The loop.
mod trainer;
/// Several losses as one.
mod weighted_sum;
/// Batches of the epochs, and where in them a run stands.
mod windows;
/// Texts that a model writes.
mod write;

pub use builtin::{identity as builtin_identity, loss as builtin_loss, metric as builtin_metric};
pub use checkpoint::{Best, Checkpoint, load_best, load_last};
pub use error::TrainError;
pub use evaluate::{Evaluation, evaluate};
pub use event::{Event, Flow, TrainObserver};
pub use feed::Feed;
pub use job::{Start, TrainJob, TrainSummary, train};
pub use lenient::LenientMetric;
pub use masking::Masking;
pub use memory::resident;
pub use predict::{Likely, Prediction, predict};
pub use probe::{Probe, Trial, probe, probe_spread};
pub use run::{RunFolder, RunIdentity};
pub use settings::{Decay, Freeze, FrozenLayers, Schedule, TrainSettings, Warmup};
pub use tag::{Entity, Tagged, TaggedWord, tag};
pub use weighted_sum::{Term, WeightedSum};
pub use write::{Writing, write};

//! What training tells while it goes.

use std::path::PathBuf;

use pegbox_runtime::Score;
use serde::Serialize;

/// One thing that happened.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum Event {
    Started {
        /// Of the model.
        parameters: u64,
        /// Of them, those that are trained.
        trained: u64,
        /// Of the whole training.
        steps: u64,
        epochs: u32,
        /// Steps that were done before.
        resumed_at: Option<u64>,
    },
    /// A checkpoint that was not as it was written; the one before it is used.
    DamagedCheckpoint {
        path: PathBuf,
        what: String,
    },
    Step {
        /// Steps done, from 1.
        step: u64,
        /// From 1.
        epoch: u32,
        /// Weighted mean over the step's labels.
        loss: f64,
        /// L2 norm over all trained parameters, before clipping.
        gradient_norm: f64,
        learning_rate: f64,
        /// Tokens of this step without padding.
        tokens: u64,
        tokens_per_second: f64,
        seconds_left: f64,
    },
    /// A batch on which the loss failed, and which the recipe lets pass.
    LeftOut {
        step: u64,
        what: String,
    },
    Validation {
        step: u64,
        epoch: u32,
        scores: Vec<Score>,
        /// By the training's own loss.
        loss: Option<f64>,
        /// The best so far.
        best: bool,
        seconds: f64,
    },
    Checkpoint {
        step: u64,
        path: PathBuf,
        seconds: f64,
    },
    EarlyStop {
        step: u64,
        patience: u32,
    },
    Finished {
        steps: u64,
        seconds: f64,
    },
}

/// Whether to go on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Flow {
    Continue,
    /// Commit a checkpoint and return.
    Stop,
}

/// Who is told. `Stop` counts after the event of a step.
pub trait TrainObserver {
    fn event(&mut self, event: &Event) -> Flow;
}

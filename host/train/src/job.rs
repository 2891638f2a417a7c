//! What training is given, and what comes of it.

use std::path::PathBuf;
use std::sync::Arc;

use burn::tensor::Device;
use pegbox_data::{BatchSettings, TokenSplit};
use pegbox_models::Model;
use pegbox_runtime::{Loss, Metric, PluginIdentity};

use crate::checkpoint::Best;
use crate::error::TrainError;
use crate::event::TrainObserver;
use crate::feed::Feed;
use crate::masking::Masking;
use crate::run::{RunFolder, RunIdentity};
use crate::settings::TrainSettings;
use crate::trainer::Trainer;
use crate::write::Writing;

/// Everything that a training needs.
pub struct TrainJob<'a> {
    /// With the weights to begin with, on `device` without autodiff.
    pub model: Model,
    pub device: Device,
    pub train: &'a TokenSplit,
    /// May be empty: then nothing is validated, and the last checkpoint counts as the best.
    pub validation: &'a TokenSplit,
    pub batching: BatchSettings,
    /// Which tokens are hidden, for a masked language model.
    pub masking: Option<Masking>,
    /// What answers are held to, for a model that writes texts.
    pub writing: Option<Writing>,
    /// Names of the model's outputs, index = class id; empty where they have none.
    pub classes: Vec<String>,
    pub loss: Box<dyn Loss>,
    /// Who computes the loss, for errors.
    pub loss_identity: Arc<PluginIdentity>,
    /// Plugins of the loss whose failure leaves the batch out instead of ending the training.
    pub lenient: Vec<String>,
    pub metrics: Vec<Box<dyn Metric>>,
    pub settings: TrainSettings,
    pub identity: RunIdentity,
}

impl TrainJob<'_> {
    /// The training rows.
    pub(crate) fn training(&self) -> Feed<'_> {
        Feed {
            split: self.train,
            batching: &self.batching,
            masking: self.masking.as_ref(),
            writing: self.writing.as_ref(),
        }
    }

    /// The validation rows.
    pub(crate) fn validating(&self) -> Feed<'_> {
        Feed { split: self.validation, ..self.training() }
    }
}

/// Where to begin.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Start {
    Fresh,
    /// At the run's last whole checkpoint.
    Resume,
}

/// How a training ended.
#[derive(Clone, PartialEq, Debug)]
pub struct TrainSummary {
    /// Optimizer steps done, those before a resume included.
    pub steps: u64,
    pub best: Option<Best>,
    pub stopped_early: bool,
    /// Of this call.
    pub seconds: f64,
    /// Folder of the last checkpoint.
    pub last: PathBuf,
}

/// Trains in `run` until the end, until nothing improves any more, or until the observer stops it.
///
/// With the same job and device the weights are the same bit for bit, also when the training was killed at any
/// moment and resumed.
///
/// # Errors
/// Whatever goes wrong; the last checkpoint stays as it is, and the error names it.
pub fn train(
    job: TrainJob<'_>,
    run: &RunFolder,
    start: Start,
    observer: &mut dyn TrainObserver,
) -> Result<TrainSummary, TrainError> {
    let mut trainer = Trainer::begin(job, run, start, observer)?;
    let result = trainer.run_to_the_end(observer);
    result.map_err(|error| error.safe_at(trainer.last_checkpoint()))
}

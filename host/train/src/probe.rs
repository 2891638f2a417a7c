//! Steps on trial: what would go wrong after an hour, found in seconds.

use std::time::Instant;

use pegbox_data::{BatchPlan, PaddedBatch};
use pegbox_models::Parameters;

use crate::backward::backward;
use crate::error::{Fault, TrainError};
use crate::evaluate;
use crate::job::TrainJob;
use crate::memory;
use crate::optimizer::{Optimizer, Window};
use crate::step::{self, Stage};

/// What one step takes.
#[derive(Clone, PartialEq, Debug)]
pub struct Probe {
    pub rows: usize,
    /// Padding included.
    pub tokens: usize,
    /// Forward, backward and update.
    pub seconds: f64,
    pub loss: f64,
    pub gradient_norm: f64,
    /// Of this process so far, in bytes.
    pub peak_memory: Option<u64>,
}

/// A training whose steps are taken one by one, on any batch, without a run's folder: for `check` and for
/// measuring.
pub struct Trial<'a> {
    job: TrainJob<'a>,
    stage: Stage,
    optimizer: Optimizer,
    step: u64,
}

impl<'a> Trial<'a> {
    /// Begins with the job's weights. Every metric is asked for its scores once.
    ///
    /// # Errors
    /// Whatever training would begin with.
    pub fn new(mut job: TrainJob<'a>) -> Result<Self, TrainError> {
        let names: Vec<String> = job.model.parameters().into_iter().map(|(name, _)| name).collect();
        let trained = job.settings.freeze.trained(&job.model.config(), &names)?;
        let optimizer = Optimizer::new(&mut job.model, &trained, job.settings.layer_decay, &job.device);
        let stage = Stage::new(&job.device, job.model.head(), &job.classes);
        let mut metrics = std::mem::take(&mut job.metrics);
        let feed = if job.validation.is_empty() { job.training() } else { job.validating() };
        let report = evaluate::one_batch(&job.model, &stage, feed, &mut metrics)?;
        job.metrics = metrics;
        evaluate::selected(&report.scores, job.settings.select_by.as_deref())?;
        Ok(Self { job, stage, optimizer, step: 0 })
    }

    /// Forward, backward and update; the rate is the highest.
    ///
    /// # Errors
    /// Whatever a step of training would fail with.
    pub fn step(&mut self, batch: &PaddedBatch) -> Result<Probe, TrainError> {
        let Self { job, stage, optimizer, step: number } = self;
        let started = Instant::now();
        let mut window = Window::default();
        let loss = backward(job, stage, optimizer, batch, *number, *number, &mut window)?;
        let gradient_norm = window.norm();
        if !gradient_norm.is_finite() {
            let records = batch.records.clone();
            let what = "gradient norm";
            return Err(Fault::NotFinite { what, value: gradient_norm, step: *number, records }.into());
        }
        optimizer.step(&mut job.model, &window, gradient_norm, 1.0, &job.settings);
        *number += 1;
        Ok(Probe {
            rows: batch.rows,
            tokens: step::positions(batch),
            seconds: started.elapsed().as_secs_f64(),
            loss,
            gradient_norm,
            peak_memory: memory::peak(),
        })
    }
}

/// Trains one step on the largest batch of the first epoch.
///
/// # Errors
/// Whatever training would fail with.
pub fn probe(job: TrainJob<'_>) -> Result<Probe, TrainError> {
    let mut probes = probe_spread(job, 0)?;
    Ok(probes.swap_remove(0))
}

/// Trains one step on the largest batch of the first epoch, then one each on `count` batches that are spread over the
/// epoch.
///
/// # Errors
/// Whatever training would fail with.
pub fn probe_spread(job: TrainJob<'_>, count: usize) -> Result<Vec<Probe>, TrainError> {
    let lengths = job.train.lengths();
    let plan = BatchPlan::epoch(&lengths, &job.batching, job.settings.seed, 0);
    let positions = |rows: &&[u32]| plan.shape(rows, &lengths).iter().product::<usize>();
    let largest = plan.iter().max_by_key(positions).ok_or(Fault::NoRows { part: "training" })?;
    let every = (plan.iter().count() / count.max(1)).max(1);
    let spread = plan.iter().step_by(every).take(count);
    let batch = |(number, rows): (usize, &[u32])| {
        job.training().batch(rows, job.model.pad_token_id(), job.settings.seed, number as u64)
    };
    let batches = std::iter::once(largest).chain(spread).enumerate().map(batch);
    let batches = batches.collect::<Result<Vec<_>, _>>()?;
    let mut trial = Trial::new(job)?;
    batches.iter().map(|batch| trial.step(batch)).collect()
}

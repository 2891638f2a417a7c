//! One step on trial: what would go wrong after an hour, found in seconds.

use std::time::Instant;

use pegbox_data::BatchPlan;
use pegbox_models::Parameters;

use crate::error::{Fault, TrainError};
use crate::evaluate;
use crate::job::{TrainJob, backward};
use crate::memory;
use crate::optimizer::{Optimizer, Window};
use crate::step::Stage;

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

/// Trains one step on the largest batch of the first epoch, and asks every metric for its scores. The job's
/// model is changed.
///
/// # Errors
/// Whatever training would fail with.
pub fn probe(job: &mut TrainJob<'_>) -> Result<Probe, TrainError> {
    let names: Vec<String> = job.model.parameters().into_iter().map(|(name, _)| name).collect();
    let trained = job.settings.freeze.trained(&names)?;
    let mut optimizer = Optimizer::new(&mut job.model, &trained, &job.device);
    let stage = Stage::new(&job.device, &job.classes);

    let part = if job.validation.is_empty() { job.train } else { job.validation };
    let report = evaluate::one_batch(&job.model, &stage, part, &job.batching, &mut job.metrics)?;
    evaluate::selected(&report.scores, job.settings.select_by.as_deref())?;

    let lengths = job.train.lengths();
    let plan = BatchPlan::epoch(&lengths, &job.batching, job.settings.seed, 0);
    let positions = |rows: &&[u32]| {
        let longest = rows.iter().filter_map(|row| lengths.get(*row as usize)).max().copied().unwrap_or(0);
        rows.len() as u64 * u64::from(longest)
    };
    let rows = plan.iter().max_by_key(positions).ok_or(Fault::NoRows { part: "training" })?;
    let batch = job.train.collate(rows, job.model.config.pad_token_id).ok_or(Fault::RowMissing)?;

    let started = Instant::now();
    let mut window = Window::default();
    let loss = backward(job, &stage, &optimizer, &batch, 0, 0, &mut window)?;
    let gradient_norm = window.norm();
    if !gradient_norm.is_finite() {
        let records = batch.records;
        return Err(Fault::NotFinite { what: "gradient norm", value: gradient_norm, step: 0, records }.into());
    }
    optimizer.step(&mut job.model, &window, gradient_norm, 1.0, &job.settings);
    Ok(Probe {
        rows: batch.rows,
        tokens: batch.rows * batch.width,
        seconds: started.elapsed().as_secs_f64(),
        loss,
        gradient_norm,
        peak_memory: memory::peak(),
    })
}

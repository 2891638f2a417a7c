//! Scores of a model on a part of the dataset, batch by batch: no more than one batch's logits are in memory.

use burn::tensor::Device;
use pegbox_data::{BatchPlan, PaddedBatch};
use pegbox_models::{Logits, Mode, Model};
use pegbox_runtime::{Loss, Metric, Report, Score};

use crate::error::{Fault, TrainError};
use crate::feed::{EVALUATION, Feed};
use crate::step::{self, Stage};
use crate::tensor_engine::into_floats;

/// What was measured.
#[derive(Clone, PartialEq, Debug)]
pub struct Evaluation {
    /// Scores and details of all metrics.
    pub report: Report,
    pub rows: usize,
    /// Weighted mean over all rows.
    pub loss: Option<f64>,
}

/// Measures `model` on `feed`, without dropout and gradients. The metrics are reset before and after.
///
/// # Errors
/// A metric, the loss or the model fails, or two metrics give scores of the same name.
pub fn evaluate(
    model: &Model,
    device: &Device,
    feed: Feed<'_>,
    classes: &[String],
    metrics: &mut [Box<dyn Metric>],
    mut loss: Option<&mut dyn Loss>,
) -> Result<Evaluation, TrainError> {
    let stage = Stage::new(device, model.head(), classes).writing(model, feed.writing);
    reset(metrics)?;
    let (mut losses, mut weights) = (0.0, 0.0);
    for (rows, number) in BatchPlan::evaluation(&feed.split.lengths(), feed.batching).iter().zip(0..) {
        let batch = feed.batch(rows, model.pad_token_id(), EVALUATION, number)?;
        let view = stage.view(&batch, logits(model, &batch)?, number, false)?;
        for metric in metrics.iter_mut() {
            metric.update(view.clone()).map_err(|error| error.at_step(number, &batch.records))?;
        }
        if let Some(loss) = &mut loss {
            let value = loss.compute(view).map_err(|error| error.at_step(number, &batch.records))?;
            let value = into_floats::<1>("compute", &value)?.into_scalar::<f32>();
            losses += step::weight(&batch) * f64::from(value);
            weights += step::weight(&batch);
        }
    }
    let report = report(metrics)?;
    reset(metrics)?;
    Ok(Evaluation { report, rows: feed.split.len(), loss: loss.map(|_| losses / weights) })
}

/// The metrics' report on the first batch alone: which scores there are, and that every metric works.
pub fn one_batch(
    model: &Model,
    stage: &Stage,
    feed: Feed<'_>,
    metrics: &mut [Box<dyn Metric>],
) -> Result<Report, TrainError> {
    reset(metrics)?;
    let stage = stage.clone().writing(model, feed.writing);
    let plan = BatchPlan::evaluation(&feed.split.lengths(), feed.batching);
    if let Some(rows) = plan.batch(0) {
        let batch = feed.batch(rows, model.pad_token_id(), EVALUATION, 0)?;
        let view = stage.view(&batch, logits(model, &batch)?, 0, false)?;
        for metric in metrics.iter_mut() {
            metric.update(view.clone()).map_err(|error| error.at_step(0, &batch.records))?;
        }
    }
    let report = report(metrics)?;
    reset(metrics)?;
    Ok(report)
}

/// The score that decides: the one of that name, else the first; none where there are no scores at all.
///
/// # Errors
/// No metric gives a score of that name.
pub fn selected<'a>(scores: &'a [Score], name: Option<&str>) -> Result<Option<&'a Score>, TrainError> {
    let Some(name) = name else { return Ok(scores.first()) };
    match scores.iter().find(|score| score.name == name) {
        Some(score) => Ok(Some(score)),
        None => {
            let known = scores.iter().map(|score| score.name.clone()).collect();
            Err(Fault::SelectBy { name: name.to_string(), known }.into())
        }
    }
}

fn logits(model: &Model, batch: &PaddedBatch) -> Result<Logits, TrainError> {
    Ok(model.forward(&step::batch(batch)?, Mode::default())?.logits)
}

fn reset(metrics: &mut [Box<dyn Metric>]) -> Result<(), TrainError> {
    metrics.iter_mut().try_for_each(|metric| metric.reset().map_err(TrainError::from))
}

fn report(metrics: &mut [Box<dyn Metric>]) -> Result<Report, TrainError> {
    let mut all = Report::default();
    for metric in metrics {
        let report = metric.compute()?;
        for score in &report.scores {
            if all.scores.iter().any(|other| other.name == score.name) {
                return Err(Fault::ScoreTwice { name: score.name.clone() }.into());
            }
        }
        all.scores.extend(report.scores);
        all.details.extend(report.details);
    }
    Ok(all)
}

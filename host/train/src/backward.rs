//! One batch forward and backward: its loss, checked, and its gradients.

use std::sync::Arc;

use pegbox_data::PaddedBatch;
use pegbox_models::{DropoutKey, Mode, Parameters};
use pegbox_runtime::{Cause, PluginError, PluginIdentity, Trust};

use crate::error::{Fault, TrainError};
use crate::job::TrainJob;
use crate::optimizer::{Optimizer, Window};
use crate::step::{self, Stage};
use crate::tensor_engine::into_floats;

/// The loss of one batch, whose gradients go into `window`. `step` is the optimizer's, `number` the batch's in
/// the whole run.
pub fn backward(
    job: &mut TrainJob<'_>,
    stage: &Stage,
    optimizer: &Optimizer,
    batch: &PaddedBatch,
    step: u64,
    number: u64,
    window: &mut Window,
) -> Result<f64, TrainError> {
    let mut graph = job.model.tracked(&|name| optimizer.is_trained(name));
    let dropout = Some(DropoutKey { seed: job.settings.seed, step: number });
    let output = graph.forward(&step::batch(batch)?, Mode { dropout, hidden_states: false })?;
    let view = stage.view(batch, output.logits, step, true)?;
    let loss = job.loss.compute(view).map_err(|error| error.at_step(step, &batch.records))?;
    let loss = into_floats::<1>("compute", &loss)?;

    let value = f64::from(loss.clone().into_scalar::<f32>());
    if !value.is_finite() {
        return Err(unusable(&job.loss_identity, value, step, &batch.records));
    }
    if !loss.is_tracked() {
        return Err(disconnected(&job.loss_identity, step, &batch.records));
    }
    let mut gradients = loss.backward();
    if !window.add(&mut graph, &mut gradients, step::weight(batch)) {
        return Err(disconnected(&job.loss_identity, step, &batch.records));
    }
    Ok(value)
}

/// A loss that is NaN or infinite: the plugin's fault where it is a plugin's.
fn unusable(by: &Arc<PluginIdentity>, value: f64, step: u64, records: &[u64]) -> TrainError {
    if by.trust == Trust::BuiltIn {
        return Fault::NotFinite { what: "loss", value, step, records: records.to_vec() }.into();
    }
    let what = format!("the loss is {value}");
    let help = "the optimizer did not step; look for a logarithm of 0, a division by 0 or an overflow in the \
                plugin, or lower the learning rate";
    let cause = Cause::Contract { what, help: Some(help.to_string()) };
    PluginError::new(Arc::clone(by), "loss.compute", cause).at_step(step, records).into()
}

fn disconnected(by: &Arc<PluginIdentity>, step: u64, records: &[u64]) -> TrainError {
    let what = "the loss does not depend on the logits, so there is nothing to learn from it".to_string();
    let help = "compute it from `step.logits()` without `detach`, or join its gradient by `with-gradient`";
    let cause = Cause::Contract { what, help: Some(help.to_string()) };
    PluginError::new(Arc::clone(by), "loss.compute", cause).at_step(step, records).into()
}

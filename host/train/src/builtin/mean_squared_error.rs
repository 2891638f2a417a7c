//! Mean squared error, for regression.

use std::sync::Arc;

use pegbox_runtime::{AnyTensor, Cause, Loss, PluginError, PluginIdentity, StepView, TensorError};
use serde::Deserialize;
use serde_json::Value;

use crate::tensor_engine::{float, into_floats};

/// `sum_i w_i (z_i - y_i)^2 / sum_i w_i`: with equal weights `torch.nn.functional.mse_loss`.
pub struct MeanSquaredError(Arc<PluginIdentity>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

impl MeanSquaredError {
    /// Takes an empty configuration.
    ///
    /// # Errors
    /// It has keys.
    pub fn new(name: &str, config: &Value) -> Result<Self, PluginError> {
        let Nothing {} = super::configuration(name, config)?;
        Ok(Self(super::identity(name)))
    }

    fn on_burn(step: &dyn StepView) -> Result<AnyTensor, TensorError> {
        const OP: &str = "compute";
        let error = into_floats::<2>(OP, &step.logits())? - into_floats::<2>(OP, &step.labels())?;
        let weights = into_floats::<2>(OP, &step.weights())?;
        float((error.powi_scalar(2) * weights.clone()).sum() / weights.sum())
    }
}

impl Loss for MeanSquaredError {
    fn compute(&mut self, step: Arc<dyn StepView>) -> Result<AnyTensor, PluginError> {
        Self::on_burn(&*step).map_err(|error| {
            PluginError::new(self.0.clone(), "loss.compute", Cause::Tensor(error))
                .at_step(step.number(), step.record_ids())
        })
    }
}

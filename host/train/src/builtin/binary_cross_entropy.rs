//! Binary cross-entropy over classes of which any may hold.

use std::sync::Arc;

use burn::tensor::activation::log_sigmoid;
use pegbox_runtime::{AnyTensor, Cause, Loss, PluginError, PluginIdentity, StepView, TensorError};
use serde::Deserialize;
use serde_json::Value;

use crate::tensor_engine::{float, into_floats, into_ints};

/// `sum_ic w_i l_ic / sum_ic w_i` with `l = -y log s(z) - (1 - y) log(1 - s(z))`, s the sigmoid and y 1 where the class
/// holds: with equal weights `torch.nn.functional.binary_cross_entropy_with_logits`.
pub struct BinaryCrossEntropy(Arc<PluginIdentity>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

impl BinaryCrossEntropy {
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
        let logits = into_floats::<2>(OP, &step.logits())?;
        let holds = into_ints::<2>(OP, &step.labels())?.float();
        let weights = into_floats::<2>(OP, &step.weights())?;
        let (yes, no) = (log_sigmoid(logits.clone()), log_sigmoid(logits.neg()));
        let each = yes * holds.clone() + no * (holds * -1.0 + 1.0);
        float((each * weights.clone()).sum().neg() / weights.sum())
    }
}

impl Loss for BinaryCrossEntropy {
    fn compute(&mut self, step: Arc<dyn StepView>) -> Result<AnyTensor, PluginError> {
        Self::on_burn(&*step).map_err(|error| {
            PluginError::new(self.0.clone(), "loss.compute", Cause::Tensor(error))
                .at_step(step.number(), step.record_ids())
        })
    }
}

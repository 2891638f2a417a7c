//! Cross-entropy and focal loss (Lin et al. 2017) over classes, with label smoothing (Szegedy et al. 2016).

use std::sync::Arc;

use burn::tensor::{Int, Tensor, activation::log_softmax};
use pegbox_runtime::{AnyTensor, Cause, Loss, PluginError, PluginIdentity, StepView, TensorError};
use serde::Deserialize;
use serde_json::Value;

use super::counted::{Counted, counted};
use crate::tensor_engine::{float, into_floats};

const OP: &str = "compute";

/// `sum_i w_i l_i / sum_i w_i` over the labels that count (those of rows, or of tokens where the mask holds), with
/// `l = (1 - s) f(y) + s / C * sum_c f(c)` and `f(c) = -(1 - p_c)^gamma log p_c`.
/// With `gamma` = 0 this is `torch.nn.functional.cross_entropy(..., label_smoothing=s)`.
pub struct FocalCrossEntropy {
    identity: Arc<PluginIdentity>,
    gamma: f32,
    smoothing: f32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct Focal {
    gamma: f32,
    label_smoothing: f32,
}

impl Default for Focal {
    fn default() -> Self {
        Self { gamma: 2.0, label_smoothing: 0.0 }
    }
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct Plain {
    label_smoothing: f32,
}

impl FocalCrossEntropy {
    /// Takes `label-smoothing`, in [0, 1); 0 by default.
    ///
    /// # Errors
    /// Another key, or a value out of range.
    pub fn cross_entropy(name: &str, config: &Value) -> Result<Self, PluginError> {
        let Plain { label_smoothing } = super::configuration(name, config)?;
        Self::new(name, 0.0, label_smoothing)
    }

    /// Takes `gamma`, at least 0 (2 by default), and `label-smoothing`.
    ///
    /// # Errors
    /// As [`Self::cross_entropy`].
    pub fn focal(name: &str, config: &Value) -> Result<Self, PluginError> {
        let Focal { gamma, label_smoothing } = super::configuration(name, config)?;
        Self::new(name, gamma, label_smoothing)
    }

    fn new(name: &str, gamma: f32, smoothing: f32) -> Result<Self, PluginError> {
        let identity = super::identity(name);
        let refuse = |path: &str, fault: String| {
            let cause = Cause::Configuration { path: path.to_string(), fault };
            Err(PluginError::new(identity.clone(), "lifecycle.configure", cause))
        };
        if !(gamma >= 0.0 && gamma.is_finite()) {
            return refuse("/gamma", format!("{gamma} is not a number of at least 0"));
        }
        if !(0.0..1.0).contains(&smoothing) {
            return refuse("/label-smoothing", format!("{smoothing} is not at least 0 and below 1"));
        }
        Ok(Self { identity, gamma, smoothing })
    }

    fn on_burn(&self, step: &dyn StepView) -> Result<AnyTensor, TensorError> {
        let Some(Counted { logits, labels, weights }) = counted(step)? else {
            // Nothing is to be learned from this batch; its loss is connected, and its gradient 0.
            return float((into_floats::<3>(OP, &step.logits())? * 0.0).sum());
        };
        let labels: Tensor<2, Int> = labels.unsqueeze_dim(1);
        let classes = logits.dims()[1];
        let log_p = log_softmax(logits, 1);
        let of_label = self.penalty(log_p.clone().gather(1, labels)).squeeze_dim::<1>(1);
        let each = if self.smoothing > 0.0 {
            let of_all = self.penalty(log_p).sum_dim(1).squeeze_dim::<1>(1);
            of_label * (1.0 - self.smoothing) + of_all * (self.smoothing / classes as f32)
        } else {
            of_label
        };
        float((each * weights.clone()).sum() / weights.sum())
    }

    fn penalty(&self, log_p: Tensor<2>) -> Tensor<2> {
        if self.gamma == 0.0 {
            return -log_p;
        }
        let miss = -log_p.clone().exp() + 1.0;
        let factor = match self.gamma {
            1.0 => miss,
            // The slope of x^gamma at 0 is infinite then; a p of exactly 1 must not become NaN.
            0.0..1.0 => miss.clamp(f32::EPSILON, 1.0).powf_scalar(self.gamma),
            _ => miss.powf_scalar(self.gamma),
        };
        -(factor * log_p)
    }
}

impl Loss for FocalCrossEntropy {
    fn compute(&mut self, step: Arc<dyn StepView>) -> Result<AnyTensor, PluginError> {
        self.on_burn(&*step).map_err(|error| {
            PluginError::new(self.identity.clone(), "loss.compute", Cause::Tensor(error))
                .at_step(step.number(), step.record_ids())
        })
    }
}

//! The share of labels that are right.

use std::sync::Arc;

use pegbox_runtime::{Cause, Metric, PluginError, PluginIdentity, Report, Score, StepView, TensorError};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::tensor_engine::{into_bools, into_classes};

/// Counts where the largest logit is the label's, over the labels where the mask holds.
pub struct Accuracy {
    identity: Arc<PluginIdentity>,
    counts: Counts,
}

#[derive(Clone, Copy, Default, Serialize, Deserialize)]
struct Counts {
    right: u64,
    all: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

impl Accuracy {
    /// Takes an empty configuration.
    ///
    /// # Errors
    /// It has keys.
    pub fn new(name: &str, config: &Value) -> Result<Self, PluginError> {
        let Nothing {} = super::configuration(name, config)?;
        Ok(Self { identity: super::identity(name), counts: Counts::default() })
    }

    fn count(&mut self, step: &dyn StepView) -> Result<(), TensorError> {
        let engine = step.engine();
        let predicted = into_classes(&*engine, &step.logits())?;
        let labels = engine.read_ints(&step.labels())?;
        let mask = into_bools(&*engine, &step.mask())?;
        for ((predicted, label), counts) in predicted.iter().zip(&labels).zip(mask) {
            if counts {
                self.counts.all += 1;
                self.counts.right += u64::from(predicted == label);
            }
        }
        Ok(())
    }
}

impl Metric for Accuracy {
    fn update(&mut self, step: Arc<dyn StepView>) -> Result<(), PluginError> {
        self.count(&*step).map_err(|error| {
            PluginError::new(self.identity.clone(), "metric.update", Cause::Tensor(error))
                .at_step(step.number(), step.record_ids())
        })
    }

    fn state(&mut self) -> Result<Vec<u8>, PluginError> {
        Ok(serde_json::to_vec(&self.counts).unwrap_or_default())
    }

    fn merge(&mut self, state: &[u8]) -> Result<(), PluginError> {
        let other: Counts = serde_json::from_slice(state).map_err(|error| {
            let cause = Cause::Host { message: format!("a metric's state makes no sense: {error}") };
            PluginError::new(self.identity.clone(), "metric.merge", cause)
        })?;
        self.counts.right += other.right;
        self.counts.all += other.all;
        Ok(())
    }

    fn compute(&mut self) -> Result<Report, PluginError> {
        let value = self.counts.right as f64 / self.counts.all.max(1) as f64;
        let score = Score { name: "accuracy".into(), value, higher_is_better: true };
        Ok(Report { scores: vec![score], details: Vec::new() })
    }

    fn reset(&mut self) -> Result<(), PluginError> {
        self.counts = Counts::default();
        Ok(())
    }
}

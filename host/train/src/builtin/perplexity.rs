//! How many tokens a language model is, on average, undecided between.

use burn::tensor::activation::log_softmax;
use pegbox_runtime::{StepView, TensorError};
use serde::{Deserialize, Serialize};

use super::counted::{Counted, counted};
use super::gathering::{Gathered, Nothing};

/// `exp(-mean log p(label))` over the labels where the mask holds, whatever their weights.
#[derive(Default, Serialize, Deserialize)]
pub struct Perplexity {
    /// Of -log p.
    sum: f64,
    labels: u64,
}

impl Gathered for Perplexity {
    type Settings = Nothing;

    fn add(&mut self, step: &dyn StepView, _: &Nothing) -> Result<(), TensorError> {
        let Some(Counted { logits, labels, .. }) = counted(step)? else { return Ok(()) };
        self.labels += labels.dims()[0] as u64;
        let log_p = log_softmax(logits, 1).gather(1, labels.unsqueeze_dim(1));
        self.sum -= f64::from(log_p.sum().into_scalar::<f32>());
        Ok(())
    }

    fn merge(&mut self, other: Self) {
        self.sum += other.sum;
        self.labels += other.labels;
    }

    fn scores(&self) -> Vec<(&'static str, f64, bool)> {
        vec![("perplexity", (self.sum / self.labels.max(1) as f64).exp(), false)]
    }
}

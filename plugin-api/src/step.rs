//! One forward pass, as a loss or a metric sees it.

use crate::host;
use crate::tensor::Tensor;

/// The step that a call is about. In shapes, B is the number of rows, C the number of classes (vocabulary
/// size for language modelling), T the padded length in tokens, H the hidden size.
///
/// Every method that returns a [`Tensor`] makes a new handle to the same data; keep it in a variable rather
/// than asking twice.
#[repr(transparent)]
pub struct Step(pub(crate) host::StepHandle);

impl Step {
    /// Number of this optimizer step, from 0; of this batch, for a metric.
    pub fn number(&self) -> u64 {
        host::step_number(&self.0)
    }

    /// True while training, false while validating or testing.
    pub fn training(&self) -> bool {
        host::step_training(&self.0)
    }

    /// Numbers of the records in this batch, length B.
    pub fn record_ids(&self) -> Vec<u64> {
        host::step_record_ids(&self.0)
    }

    /// Class names, index = class id, length C; empty for language modelling.
    pub fn classes(&self) -> Vec<String> {
        host::step_classes(&self.0)
    }

    /// Float `[B, C]` for classification, `[B, T, C]` for tagging and language modelling. Differentiable.
    pub fn logits(&self) -> Tensor {
        Tensor::new(host::step_logits(&self.0))
    }

    /// Int `[B]` for classification, `[B, T]` otherwise: class ids in `[0, C)`, also where the mask is false
    /// (there the value means nothing).
    pub fn labels(&self) -> Tensor {
        Tensor::new(host::step_labels(&self.0))
    }

    /// Bool of the shape of the labels: true where a label counts.
    pub fn mask(&self) -> Tensor {
        Tensor::new(host::step_mask(&self.0))
    }

    /// Float of the shape of the labels: the weight of each example; 1 where the recipe gives none.
    pub fn weights(&self) -> Tensor {
        Tensor::new(host::step_weights(&self.0))
    }

    /// Float of the shape of the logits, not differentiable; only with a teacher (distillation).
    pub fn teacher_logits(&self) -> Option<Tensor> {
        host::step_teacher_logits(&self.0).map(Tensor::new)
    }

    /// Number of hidden states at hand: layers + 1 (the first is the embeddings' output), or 0 when the
    /// recipe does not ask for them.
    pub fn hidden_state_count(&self) -> u32 {
        host::step_hidden_state_count(&self.0)
    }

    /// Float `[B, T, H]`, differentiable. Ends the call when `layer` is not below
    /// [`Step::hidden_state_count`].
    pub fn hidden_state(&self, layer: u32) -> Tensor {
        Tensor::new(host::step_hidden_state(&self.0, layer))
    }

    /// What a loss returns, from one loss a label: `sum(w * x) / sum(w)` over the labels where the mask
    /// holds, w being [`Step::weights`]. Float `[1]`; 0 when no label counts or all weights are 0, and then
    /// without a gradient.
    ///
    /// `per_label` is float of the shape of the labels. A NaN where the mask does not hold does not matter.
    pub fn weighted_mean(&self, per_label: &Tensor) -> Tensor {
        let left_out = self.mask().logical_not();
        let weights = self.weights().masked_fill(&left_out, 0.0);
        let kept = per_label.masked_fill(&left_out, 0.0);
        (kept * &weights).sum(&[]) / weights.sum(&[]).or_tiny()
    }
}

//! One forward pass, as a loss or a metric sees it.

use std::sync::Arc;

use crate::tensors::{AnyTensor, TensorEngine, TensorError};

/// What `wit/steps.wit` promises, and in the same shapes: B rows, C classes, T tokens, H hidden size.
pub trait StepView: Send + Sync {
    /// Runs the operations on this step's tensors.
    fn engine(&self) -> Arc<dyn TensorEngine>;
    /// Number of the optimizer step from 0; of the batch, for a metric.
    fn number(&self) -> u64;
    fn training(&self) -> bool;
    /// Length B.
    fn record_ids(&self) -> &[u64];
    /// Length C; empty for language modelling.
    fn classes(&self) -> &[String];
    /// Float `[B, C]` or `[B, T, C]`, differentiable.
    fn logits(&self) -> AnyTensor;
    /// Int `[B]` or `[B, T]`, in `[0, C)`.
    fn labels(&self) -> AnyTensor;
    /// Boolean of the labels' shape.
    fn mask(&self) -> AnyTensor;
    /// Float of the labels' shape.
    fn weights(&self) -> AnyTensor;
    /// Float of the logits' shape, not differentiable; only with a teacher.
    fn teacher_logits(&self) -> Option<AnyTensor>;
    /// Layers + 1, or 0 when the recipe does not ask for them.
    fn hidden_state_count(&self) -> u32;
    /// Float `[B, T, H]`; none from `hidden_state_count` on.
    fn hidden_state(&self, layer: u32) -> Option<AnyTensor>;

    /// What the model writes by itself, in a search with so many beams (1: the likeliest token at each place), beside what
    /// is wanted; none where it writes no texts, and while training. It is computed when it is asked for. Not in the contract: of the host's own metrics.
    ///
    /// # Errors
    /// The model's.
    fn written(&self, _beams: usize) -> Result<Option<Vec<Written>>, TensorError> {
        Ok(None)
    }
}

/// The tokens of one row, without those that end a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    pub answer: Vec<u32>,
    pub wanted: Vec<u32>,
}

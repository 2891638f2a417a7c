//! One trait for each kind of plugin. Components, native libraries and what is built into the host
//! implement the same traits, so the rest of Pegbox never asks which one it has.
//!
//! An object is one instance: it is used by one thread at a time. After an error that ended the instance
//! (a trap, a deadline) the next call works on a new one, which has forgotten what it had gathered.

use std::sync::Arc;

use crate::artifact::{Bundle, ModelView};
use crate::error::PluginError;
use crate::step::StepView;
use crate::tensors::AnyTensor;
use pegbox_plugin_abi::measurement::Report;
use pegbox_plugin_abi::records::{Outcome, RowBatch};
use pegbox_plugin_abi::validation::Finding;

/// Rewrites, drops or splits records.
pub trait Cleaner: Send {
    /// One outcome a row, in order; a row's outcome depends on that row alone. Guaranteed to callers: as
    /// many outcomes as rows, every replacement as long as `batch.fields`, no empty split.
    fn clean(&mut self, batch: &RowBatch) -> Result<Vec<Outcome>, PluginError>;
}

/// Finds faults, changes nothing.
pub trait Validator: Send {
    /// Findings that need no more than the row. Rows must come in the order of their ids. Guaranteed to
    /// callers: every finding is about a row and a field of this batch, or about none.
    fn validate(&mut self, batch: &RowBatch) -> Result<Vec<Finding>, PluginError>;
    /// What was gathered for `finish`, in the plugin's own encoding.
    fn state(&mut self) -> Result<Vec<u8>, PluginError>;
    /// Takes in another instance's state; merge in the order of the rows.
    fn merge(&mut self, state: &[u8]) -> Result<(), PluginError>;
    /// Findings that need the whole set; once, on the instance into which all others were merged.
    fn finish(&mut self) -> Result<Vec<Finding>, PluginError>;
}

/// The training objective.
pub trait Loss: Send {
    /// The loss to be minimised: float, shape `[1]` (guaranteed to callers), the weighted mean over the
    /// labels where the mask holds. The caller checks that it is finite and connected to the logits.
    fn compute(&mut self, step: Arc<dyn StepView>) -> Result<AnyTensor, PluginError>;
}

/// Quality, streaming and mergeable.
pub trait Metric: Send {
    /// Takes in one batch.
    fn update(&mut self, step: Arc<dyn StepView>) -> Result<(), PluginError>;
    /// Everything gathered, in the plugin's own encoding.
    fn state(&mut self) -> Result<Vec<u8>, PluginError>;
    /// Takes in another instance's state.
    fn merge(&mut self, state: &[u8]) -> Result<(), PluginError>;
    /// The scores of what was gathered.
    fn compute(&mut self) -> Result<Report, PluginError>;
    /// Forgets what was gathered.
    fn reset(&mut self) -> Result<(), PluginError>;
}

/// Writes a trained model as a deployable artifact.
pub trait Exporter: Send {
    /// Writes `model` to `bundle`. After an error the caller throws the bundle away.
    fn export(&mut self, model: Arc<dyn ModelView>, bundle: Arc<dyn Bundle>) -> Result<(), PluginError>;
}

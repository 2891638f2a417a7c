//! What a plugin implements: [`Plugin`], and the trait of each kind that it is.

use pegbox_plugin_abi::measurement::Report;
use pegbox_plugin_abi::records::{Outcome, RowBatch};
use pegbox_plugin_abi::validation::Finding;
use serde::de::DeserializeOwned;

use crate::error::Error;

/// One configured instance of a plugin. The host makes several, and uses each from one thread at a time.
pub trait Plugin: Sized + Send + 'static {
    /// `team/name`, as `plugin.toml` has it: [`crate::manifest_name!`] takes it from there. The version is the
    /// crate's.
    const NAME: &'static str;
    /// JSON Schema (draft 2020-12) of the object that `configure` takes. The host validates a recipe against
    /// it before `configure` sees the recipe; give a `description` to each property.
    const CONFIGURATION_SCHEMA: &'static str;

    /// Takes the recipe's configuration, a JSON object (`{}` where the recipe gives none);
    /// [`parse_configuration`] reads it.
    ///
    /// # Errors
    /// Refuses the recipe.
    fn configure(json: &str) -> Result<Self, Error>;
}

/// Reads a configuration into a type of the plugin's own.
///
/// # Errors
/// `json` is not a `T`; the message says where.
pub fn parse_configuration<T: DeserializeOwned>(json: &str) -> Result<T, Error> {
    serde_json::from_str(json)
        .map_err(|error| Error::new(format!("the configuration cannot be read: {error}")))
}

/// Rewrites, drops or splits records.
pub trait Cleaner: Plugin {
    /// One outcome for each row, in order; a row's outcome depends on that row alone.
    ///
    /// # Errors
    /// Ends the preparation.
    fn clean(&mut self, batch: RowBatch) -> Result<Vec<Outcome>, Error>;
}

/// Finds faults in records, changes nothing.
pub trait Validator: Plugin {
    /// Findings that need no more than the row itself. Rows come in the order of their ids.
    ///
    /// # Errors
    /// Ends the preparation.
    fn validate(&mut self, batch: RowBatch) -> Result<Vec<Finding>, Error>;

    /// What was gathered for [`Validator::finish`], in an encoding of the plugin's own.
    ///
    /// # Errors
    /// Ends the preparation.
    fn state(&self) -> Result<Vec<u8>, Error> {
        Ok(Vec::new())
    }

    /// Takes in another instance's state; states come in the order of their rows.
    ///
    /// # Errors
    /// Ends the preparation.
    fn merge(&mut self, state: &[u8]) -> Result<(), Error> {
        let _ = state;
        Ok(())
    }

    /// Findings that need the whole set. Called once, on the instance into which all others were merged.
    ///
    /// # Errors
    /// Ends the preparation.
    fn finish(&mut self) -> Result<Vec<Finding>, Error> {
        Ok(Vec::new())
    }
}

/// Computes the training objective from handles to the host's tensors.
pub trait Loss: Plugin {
    /// The loss to be minimised: float, shape `[1]`, the weighted mean over the labels where the mask holds.
    /// Takes `&self`: what an instance remembered from step to step would be lost when a run is resumed.
    ///
    /// # Errors
    /// Ends the training; the last checkpoint stays.
    fn compute(&self, step: &crate::Step) -> Result<crate::Tensor, Error>;
}

/// Measures quality, streaming and mergeable.
pub trait Metric: Plugin {
    /// Takes in one batch.
    ///
    /// # Errors
    /// Ends the evaluation.
    fn update(&mut self, step: &crate::Step) -> Result<(), Error>;

    /// Everything gathered, in an encoding of the plugin's own.
    ///
    /// # Errors
    /// Ends the evaluation.
    fn state(&self) -> Result<Vec<u8>, Error>;

    /// Takes in another instance's state. Gives the scores that one instance would have given for all
    /// batches.
    ///
    /// # Errors
    /// Ends the evaluation.
    fn merge(&mut self, state: &[u8]) -> Result<(), Error>;

    /// The scores of what was gathered; does not change it.
    ///
    /// # Errors
    /// Ends the evaluation.
    fn compute(&self) -> Result<Report, Error>;

    /// Forgets what was gathered; the configuration stays.
    fn reset(&mut self);
}

/// Writes a trained model as a deployable artifact.
pub trait Exporter: Plugin {
    /// Writes `model` to `bundle`. Large tensors are read and appended piece by piece.
    ///
    /// # Errors
    /// Ends the export; nothing of the artifact remains.
    fn export(&mut self, model: &crate::Model, bundle: &crate::Bundle) -> Result<(), Error>;
}

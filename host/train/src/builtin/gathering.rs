//! What all built-in metrics do alike: gather batch by batch, hand on and join what was gathered, and make scores of
//! it.

use std::sync::Arc;

use pegbox_runtime::{Cause, Metric, PluginError, PluginIdentity, Report, Score, StepView, TensorError};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Something that is gathered.
pub trait Gathered: Default + Send + Serialize + DeserializeOwned {
    /// What the recipe's `config` says.
    type Settings: DeserializeOwned + Send;
    /// Takes in one batch.
    fn add(&mut self, step: &dyn StepView, settings: &Self::Settings) -> Result<(), TensorError>;
    /// Takes in what another instance gathered.
    fn merge(&mut self, other: Self);
    /// Name, value, and whether higher is better.
    fn scores(&self) -> Vec<(&'static str, f64, bool)>;
}

/// A metric that gathers.
pub struct Gathering<G: Gathered> {
    identity: Arc<PluginIdentity>,
    settings: G::Settings,
    gathered: G,
}

/// Of a metric that needs no configuration.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

impl<G: Gathered> Gathering<G> {
    /// # Errors
    /// A configuration that makes no [`Gathered::Settings`].
    pub fn new(name: &str, config: &Value) -> Result<Self, PluginError> {
        let settings = super::configuration(name, config)?;
        Ok(Self { identity: super::identity(name), settings, gathered: G::default() })
    }
}

impl<G: Gathered> Metric for Gathering<G> {
    fn update(&mut self, step: Arc<dyn StepView>) -> Result<(), PluginError> {
        self.gathered.add(&*step, &self.settings).map_err(|error| {
            PluginError::new(self.identity.clone(), "metric.update", Cause::Tensor(error))
                .at_step(step.number(), step.record_ids())
        })
    }

    fn state(&mut self) -> Result<Vec<u8>, PluginError> {
        Ok(serde_json::to_vec(&self.gathered).unwrap_or_default())
    }

    fn merge(&mut self, state: &[u8]) -> Result<(), PluginError> {
        let other = serde_json::from_slice(state).map_err(|error| {
            let cause = Cause::Host { message: format!("a metric's state makes no sense: {error}") };
            PluginError::new(self.identity.clone(), "metric.merge", cause)
        })?;
        self.gathered.merge(other);
        Ok(())
    }

    fn compute(&mut self) -> Result<Report, PluginError> {
        let score = |(name, value, higher_is_better): (&str, f64, bool)| Score {
            name: name.to_owned(),
            value,
            higher_is_better,
        };
        Ok(Report { scores: self.gathered.scores().into_iter().map(score).collect(), details: Vec::new() })
    }

    fn reset(&mut self) -> Result<(), PluginError> {
        self.gathered = G::default();
        Ok(())
    }
}

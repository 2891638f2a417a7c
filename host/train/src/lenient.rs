//! A metric whose failure does not end the run.

use std::sync::Arc;

use pegbox_runtime::{Metric, PluginError, Report, StepView};

/// Passes over what a metric fails on: the batch, or from the first failure on everything.
pub struct LenientMetric {
    inner: Box<dyn Metric>,
    /// Leave out one batch; else give the metric up.
    skip: bool,
    /// What was gathered before this batch: a metric that traps forgets it.
    before: Vec<u8>,
    given_up: bool,
}

impl LenientMetric {
    /// Leaves out the batches that `inner` fails on.
    pub fn skipping(inner: Box<dyn Metric>) -> Self {
        Self { inner, skip: true, before: Vec::new(), given_up: false }
    }

    /// Gives no scores any more once `inner` has failed.
    pub fn giving_up(inner: Box<dyn Metric>) -> Self {
        Self { skip: false, ..Self::skipping(inner) }
    }

    fn failed(&mut self, error: &PluginError) -> Result<(), PluginError> {
        let cause = error.cause();
        if !self.skip {
            tracing::warn!("{error}: {cause}; its scores are left out from now on");
            self.given_up = true;
            return Ok(());
        }
        tracing::warn!("{error}: {cause}; the batch is not measured");
        self.inner.reset()?;
        if self.before.is_empty() { Ok(()) } else { self.inner.merge(&self.before) }
    }
}

impl Metric for LenientMetric {
    fn update(&mut self, step: Arc<dyn StepView>) -> Result<(), PluginError> {
        if self.given_up {
            return Ok(());
        }
        match self.inner.update(step) {
            Ok(()) if self.skip => {
                self.before = self.inner.state()?;
                Ok(())
            }
            Ok(()) => Ok(()),
            Err(error) => self.failed(&error),
        }
    }

    fn state(&mut self) -> Result<Vec<u8>, PluginError> {
        self.inner.state()
    }

    fn merge(&mut self, state: &[u8]) -> Result<(), PluginError> {
        self.inner.merge(state)
    }

    fn compute(&mut self) -> Result<Report, PluginError> {
        let nothing = Report { scores: Vec::new(), details: Vec::new() };
        if self.given_up {
            return Ok(nothing);
        }
        match self.inner.compute() {
            Err(error) if !self.skip => {
                self.failed(&error)?;
                Ok(nothing)
            }
            result => result,
        }
    }

    fn reset(&mut self) -> Result<(), PluginError> {
        self.before.clear();
        if self.given_up { Ok(()) } else { self.inner.reset() }
    }
}

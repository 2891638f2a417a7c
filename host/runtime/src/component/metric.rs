//! A component as a metric.

use std::sync::Arc;

use wasmtime::component::Resource;

use super::bindings::exports::pegbox::plugin::measurement as wit;
use super::instance::Sandbox;
use super::program::Program;
use crate::checks;
use crate::error::PluginError;
use crate::kinds::Metric;
use crate::services::Scene;
use crate::step::StepView;
use pegbox_plugin_abi::measurement::{Detail, Report, Score};

pub struct ComponentMetric(Sandbox<wit::Guest>);

impl ComponentMetric {
    pub fn new(program: Arc<Program>, configuration: String) -> Result<Self, PluginError> {
        Ok(Self(Sandbox::new(program, configuration)?))
    }
}

impl Metric for ComponentMetric {
    fn update(&mut self, step: Arc<dyn StepView>) -> Result<(), PluginError> {
        self.0
            .call("metric.update", Scene::step(Arc::clone(&step)), |guest, store| {
                guest.call_update(store, Resource::new_borrow(0))
            })
            .map_err(|error| error.at_step(step.number(), step.record_ids()))
    }

    fn state(&mut self) -> Result<Vec<u8>, PluginError> {
        self.0.call("metric.state", Scene::Records, |guest, store| guest.call_state(store))
    }

    fn merge(&mut self, state: &[u8]) -> Result<(), PluginError> {
        self.0.call("metric.merge", Scene::Records, |guest, store| guest.call_merge(store, state))
    }

    fn compute(&mut self) -> Result<Report, PluginError> {
        const CALL: &str = "metric.compute";
        let found = self.0.call(CALL, Scene::Records, |guest, store| guest.call_compute(store))?;
        checks::report(report(found)).map_err(|cause| self.0.error(CALL, cause))
    }

    fn reset(&mut self) -> Result<(), PluginError> {
        self.0.call("metric.reset", Scene::Records, |guest, store| Ok(Ok(guest.call_reset(store)?)))?;
        self.0.tidy();
        Ok(())
    }
}

fn report(report: wit::Report) -> Report {
    let scores = report.scores.into_iter().map(|score| Score {
        name: score.name,
        value: score.value,
        higher_is_better: score.higher_is_better,
    });
    let details = report.details.into_iter().map(|detail| Detail {
        name: detail.name,
        media_type: detail.media_type,
        content: detail.content,
    });
    Report { scores: scores.collect(), details: details.collect() }
}

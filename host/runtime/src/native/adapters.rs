//! Native plugins as each kind.

use std::sync::Arc;

use pegbox_plugin_abi::measurement::Report;
use pegbox_plugin_abi::records::{Outcome, RowBatch};
use pegbox_plugin_abi::validation::Finding;
use pegbox_plugin_abi::wire::{Bytes, Method, TensorHandle};

use super::instance::NativeInstance;
use super::library::Library;
use super::serve::number;
use crate::artifact::{Bundle, ModelView};
use crate::checks;
use crate::error::{Cause, PluginError};
use crate::kinds::{Cleaner, Exporter, Loss, Metric, Validator};
use crate::services::{Scene, Services};
use crate::step::StepView;
use crate::tensors::AnyTensor;

macro_rules! adapter {
    ($($name:ident: $what:literal),+) => { $(
        #[doc = $what]
        pub struct $name(NativeInstance);

        impl $name {
            pub fn new(library: Arc<Library>, configuration: &str) -> Result<Self, PluginError> {
                Ok(Self(NativeInstance::new(library, configuration)?))
            }
        }
    )+ };
}

adapter!(
    NativeCleaner: "A native cleaner.",
    NativeValidator: "A native validator.",
    NativeLoss: "A native loss.",
    NativeMetric: "A native metric.",
    NativeExporter: "A native exporter."
);

impl Cleaner for NativeCleaner {
    fn clean(&mut self, batch: &RowBatch) -> Result<Vec<Outcome>, PluginError> {
        self.0
            .call("cleaner.clean", Method::Clean, batch, Scene::Records, |outcomes, _| {
                checks::outcomes(batch, outcomes)
            })
            .map_err(|error| error.at_records(checks::ids(batch)))
    }
}

impl Validator for NativeValidator {
    fn validate(&mut self, batch: &RowBatch) -> Result<Vec<Finding>, PluginError> {
        self.0
            .call("validator.validate", Method::Validate, batch, Scene::Records, |findings, _| {
                checks::findings(batch, findings)
            })
            .map_err(|error| error.at_records(checks::ids(batch)))
    }

    fn state(&mut self) -> Result<Vec<u8>, PluginError> {
        self.0.call("validator.state", Method::ValidatorState, &(), Scene::Records, bytes)
    }

    fn merge(&mut self, state: &[u8]) -> Result<(), PluginError> {
        let state = Bytes(state.to_vec());
        self.0.call("validator.merge", Method::ValidatorMerge, &state, Scene::Records, done)
    }

    fn finish(&mut self) -> Result<Vec<Finding>, PluginError> {
        self.0.call("validator.finish", Method::ValidatorFinish, &(), Scene::Records, |found, _| {
            Ok(checks::shown(found))
        })
    }
}

impl Loss for NativeLoss {
    fn compute(&mut self, step: Arc<dyn StepView>) -> Result<AnyTensor, PluginError> {
        let scene = Scene::step(Arc::clone(&step));
        self.0
            .call("loss.compute", Method::LossCompute, &(), scene, |loss: TensorHandle, services| {
                checks::loss(services.take_tensor(number(loss))?)
            })
            .map_err(|error| error.at_step(step.number(), step.record_ids()))
    }
}

impl Metric for NativeMetric {
    fn update(&mut self, step: Arc<dyn StepView>) -> Result<(), PluginError> {
        let scene = Scene::step(Arc::clone(&step));
        self.0
            .call("metric.update", Method::MetricUpdate, &(), scene, done)
            .map_err(|error| error.at_step(step.number(), step.record_ids()))
    }

    fn state(&mut self) -> Result<Vec<u8>, PluginError> {
        self.0.call("metric.state", Method::MetricState, &(), Scene::Records, bytes)
    }

    fn merge(&mut self, state: &[u8]) -> Result<(), PluginError> {
        let state = Bytes(state.to_vec());
        self.0.call("metric.merge", Method::MetricMerge, &state, Scene::Records, done)
    }

    fn compute(&mut self) -> Result<Report, PluginError> {
        self.0.call("metric.compute", Method::MetricCompute, &(), Scene::Records, |found, _| {
            checks::report(found)
        })
    }

    fn reset(&mut self) -> Result<(), PluginError> {
        self.0.call("metric.reset", Method::MetricReset, &(), Scene::Records, done)
    }
}

impl Exporter for NativeExporter {
    fn export(&mut self, model: Arc<dyn ModelView>, bundle: Arc<dyn Bundle>) -> Result<(), PluginError> {
        let scene = Scene::export(model, bundle);
        self.0.call("exporter.export-model", Method::ExportModel, &(), scene, done)
    }
}

fn done((): (), _: &mut Services) -> Result<(), Cause> {
    Ok(())
}

fn bytes(Bytes(bytes): Bytes, _: &mut Services) -> Result<Vec<u8>, Cause> {
    Ok(bytes)
}

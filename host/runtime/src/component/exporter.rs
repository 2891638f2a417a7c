//! A component as an exporter.

use std::sync::Arc;

use wasmtime::component::Resource;

use super::bindings::exports::pegbox::plugin::exporting::Guest;
use super::instance::Sandbox;
use super::program::Program;
use crate::artifact::{Bundle, ModelView};
use crate::error::PluginError;
use crate::kinds::Exporter;
use crate::services::Scene;

pub struct ComponentExporter(Sandbox<Guest>);

impl ComponentExporter {
    pub fn new(program: Arc<Program>, configuration: String) -> Result<Self, PluginError> {
        Ok(Self(Sandbox::new(program, configuration)?))
    }
}

impl Exporter for ComponentExporter {
    fn export(&mut self, model: Arc<dyn ModelView>, bundle: Arc<dyn Bundle>) -> Result<(), PluginError> {
        self.0.call("exporter.export-model", Scene::export(model, bundle), |guest, store| {
            guest.call_export_model(store, Resource::new_borrow(0), Resource::new_borrow(1))
        })
    }
}

//! A component as a loss.

use std::sync::Arc;

use wasmtime::component::Resource;

use super::bindings::exports::pegbox::plugin::objective::Guest;
use super::instance::Sandbox;
use super::program::Program;
use crate::checks;
use crate::error::PluginError;
use crate::kinds::Loss;
use crate::services::Scene;
use crate::step::StepView;
use crate::tensors::AnyTensor;

pub struct ComponentLoss(Sandbox<Guest>);

impl ComponentLoss {
    pub fn new(program: Arc<Program>, configuration: String) -> Result<Self, PluginError> {
        Ok(Self(Sandbox::new(program, configuration)?))
    }
}

impl Loss for ComponentLoss {
    fn compute(&mut self, step: Arc<dyn StepView>) -> Result<AnyTensor, PluginError> {
        const CALL: &str = "loss.compute";
        let result = self.0.call(CALL, Scene::step(Arc::clone(&step)), |guest, store| {
            let loss = match guest.call_compute(&mut *store, Resource::new_borrow(0))? {
                Ok(loss) => loss,
                Err(error) => return Ok(Err(error)),
            };
            // Taken before the call's end lets go of all tensors.
            let taken = store.data_mut().services.take_tensor(loss.rep());
            store.data_mut().checked(taken).map(Ok)
        });
        // A loss gathers nothing.
        self.0.tidy();
        result
            .and_then(|loss| checks::loss(loss).map_err(|cause| self.0.error(CALL, cause)))
            .map_err(|error| error.at_step(step.number(), step.record_ids()))
    }
}

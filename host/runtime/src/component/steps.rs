//! `steps.wit` for components. A call has one step, so its handle's number means nothing.

use wasmtime::Result;
use wasmtime::component::Resource;

use super::bindings::pegbox::plugin::steps::{Host, HostStep};
use super::state::HostState;
use super::tensors::TensorRep;
use crate::step::StepView;

/// Stands for the step in wasmtime's types.
pub struct StepRep;

type This = Resource<StepRep>;

impl HostState {
    fn fact<T>(&mut self, get: impl FnOnce(&dyn StepView) -> T) -> Result<T> {
        let result = self.services.step_fact(get);
        self.checked(result)
    }
}

impl Host for HostState {}

impl HostStep for HostState {
    fn number(&mut self, _: This) -> Result<u64> {
        self.fact(|step| step.number())
    }

    fn training(&mut self, _: This) -> Result<bool> {
        self.fact(|step| step.training())
    }

    fn record_ids(&mut self, _: This) -> Result<Vec<u64>> {
        self.fact(|step| step.record_ids().to_vec())
    }

    fn classes(&mut self, _: This) -> Result<Vec<String>> {
        self.fact(|step| step.classes().to_vec())
    }

    fn logits(&mut self, _: This) -> Result<Resource<TensorRep>> {
        let result = self.services.step_tensor("logits", |step| step.logits());
        self.owned(result)
    }

    fn labels(&mut self, _: This) -> Result<Resource<TensorRep>> {
        let result = self.services.step_tensor("labels", |step| step.labels());
        self.owned(result)
    }

    fn mask(&mut self, _: This) -> Result<Resource<TensorRep>> {
        let result = self.services.step_tensor("mask", |step| step.mask());
        self.owned(result)
    }

    fn weights(&mut self, _: This) -> Result<Resource<TensorRep>> {
        let result = self.services.step_tensor("weights", |step| step.weights());
        self.owned(result)
    }

    fn teacher_logits(&mut self, _: This) -> Result<Option<Resource<TensorRep>>> {
        let result = self.services.teacher_logits();
        Ok(self.checked(result)?.map(Resource::new_own))
    }

    fn hidden_state_count(&mut self, _: This) -> Result<u32> {
        self.fact(|step| step.hidden_state_count())
    }

    fn hidden_state(&mut self, _: This, layer: u32) -> Result<Resource<TensorRep>> {
        let result = self.services.hidden_state(layer);
        self.owned(result)
    }

    // Plugins only ever borrow the step.
    fn drop(&mut self, _: This) -> Result<()> {
        Ok(())
    }
}

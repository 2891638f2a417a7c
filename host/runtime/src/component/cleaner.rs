//! A component as a cleaner.

use std::sync::Arc;

use super::bindings::exports::pegbox::plugin::cleaning::{Guest, Outcome as WitOutcome};
use super::bindings::pegbox::plugin::records as wit;
use super::instance::Sandbox;
use super::program::Program;
use crate::checks;
use crate::error::PluginError;
use crate::kinds::Cleaner;
use crate::services::Scene;
use pegbox_plugin_abi::records::{Outcome, RowBatch};

pub struct ComponentCleaner(Sandbox<Guest>);

impl ComponentCleaner {
    pub fn new(program: Arc<Program>, configuration: String) -> Result<Self, PluginError> {
        Ok(Self(Sandbox::new(program, configuration)?))
    }
}

impl Cleaner for ComponentCleaner {
    fn clean(&mut self, batch: &RowBatch) -> Result<Vec<Outcome>, PluginError> {
        const CALL: &str = "cleaner.clean";
        let sent = to_wit(batch);
        let result = self.0.call(CALL, Scene::Records, |guest, store| guest.call_clean(store, &sent));
        result
            .and_then(|outcomes| {
                let outcomes = outcomes.into_iter().map(outcome).collect();
                checks::outcomes(batch, outcomes).map_err(|cause| self.0.error(CALL, cause))
            })
            .map_err(|error| error.at_records(checks::ids(batch)))
    }
}

/// The batch in wasmtime's types.
pub fn to_wit(batch: &RowBatch) -> wit::Batch {
    let rows = batch.rows.iter().map(|row| wit::Row { id: row.id, values: row.values.clone() }).collect();
    wit::Batch { fields: batch.fields.clone(), rows }
}

fn outcome(outcome: WitOutcome) -> Outcome {
    match outcome {
        WitOutcome::Keep => Outcome::Keep,
        WitOutcome::Replace(values) => Outcome::Replace(values),
        WitOutcome::Drop(reason) => Outcome::Drop(reason),
        WitOutcome::Split(records) => Outcome::Split(records),
    }
}

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
use pegbox_plugin_abi::records::{Outcome, Row, RowBatch};

pub struct ComponentCleaner(Sandbox<Guest>);

impl ComponentCleaner {
    pub fn new(program: Arc<Program>, configuration: String) -> Result<Self, PluginError> {
        Ok(Self(Sandbox::new(program, configuration)?))
    }
}

impl Cleaner for ComponentCleaner {
    fn clean(&mut self, batch: &RowBatch) -> Result<Vec<Outcome>, PluginError> {
        const CALL: &str = "cleaner.clean";
        let lent = Lent::new(batch);
        lent.show(|sent| self.0.call(CALL, Scene::Records, |guest, store| guest.call_clean(store, sent)))
            .and_then(|outcomes| {
                let outcomes = outcomes.into_iter().map(outcome).collect();
                checks::outcomes(batch, outcomes).map_err(|cause| self.0.error(CALL, cause))
            })
            .map_err(|error| error.at_records(checks::ids(batch)))
    }
}

/// A batch in wasmtime's types, which point into it.
pub struct Lent<'a> {
    fields: Vec<&'a str>,
    /// The values of all rows, one row after the other.
    values: Vec<Option<&'a str>>,
    batch: &'a RowBatch,
}

impl<'a> Lent<'a> {
    pub fn new(batch: &'a RowBatch) -> Self {
        let values = batch.rows.iter().flat_map(|row| row.values.iter().map(Option::as_deref)).collect();
        Self { fields: batch.fields.iter().map(String::as_str).collect(), values, batch }
    }

    /// Shows the batch to `work`.
    pub fn show<R>(&self, work: impl FnOnce(wit::Batch<'_>) -> R) -> R {
        let mut rest = self.values.as_slice();
        let row = |row: &Row| {
            // As many as `new` took from it.
            let (values, after) = rest.split_at(row.values.len());
            rest = after;
            wit::Row { id: row.id, values }
        };
        let rows: Vec<wit::Row<'_>> = self.batch.rows.iter().map(row).collect();
        work(wit::Batch { fields: &self.fields, rows: &rows })
    }
}

fn outcome(outcome: WitOutcome) -> Outcome {
    match outcome {
        WitOutcome::Keep => Outcome::Keep,
        WitOutcome::Replace(values) => Outcome::Replace(values),
        WitOutcome::Drop(reason) => Outcome::Drop(reason),
        WitOutcome::Split(records) => Outcome::Split(records),
    }
}

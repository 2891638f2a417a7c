//! A component as a validator.

use std::sync::Arc;

use super::bindings::exports::pegbox::plugin::validation as wit;
use super::cleaner::Lent;
use super::instance::Sandbox;
use super::program::Program;
use crate::checks;
use crate::error::PluginError;
use crate::kinds::Validator;
use crate::services::Scene;
use pegbox_plugin_abi::records::RowBatch;
use pegbox_plugin_abi::validation::{Finding, Fix, Severity};

pub struct ComponentValidator(Sandbox<wit::Guest>);

impl ComponentValidator {
    pub fn new(program: Arc<Program>, configuration: String) -> Result<Self, PluginError> {
        Ok(Self(Sandbox::new(program, configuration)?))
    }
}

impl Validator for ComponentValidator {
    fn validate(&mut self, batch: &RowBatch) -> Result<Vec<Finding>, PluginError> {
        const CALL: &str = "validator.validate";
        let lent = Lent::new(batch);
        lent.show(|sent| self.0.call(CALL, Scene::Records, |guest, store| guest.call_validate(store, sent)))
            .and_then(|findings| {
                let findings = findings.into_iter().map(finding).collect();
                checks::findings(batch, findings).map_err(|cause| self.0.error(CALL, cause))
            })
            .map_err(|error| error.at_records(checks::ids(batch)))
    }

    fn state(&mut self) -> Result<Vec<u8>, PluginError> {
        self.0.call("validator.state", Scene::Records, |guest, store| guest.call_state(store))
    }

    fn merge(&mut self, state: &[u8]) -> Result<(), PluginError> {
        self.0.call("validator.merge", Scene::Records, |guest, store| guest.call_merge(store, state))
    }

    fn finish(&mut self) -> Result<Vec<Finding>, PluginError> {
        const CALL: &str = "validator.finish";
        let found = self.0.call(CALL, Scene::Records, |guest, store| guest.call_finish(store))?;
        let found = found.into_iter().map(finding).collect();
        checks::final_findings(self.0.fields(), found).map_err(|cause| self.0.error(CALL, cause))
    }
}

fn finding(finding: wit::Finding) -> Finding {
    Finding {
        level: match finding.level {
            wit::Severity::Info => Severity::Info,
            wit::Severity::Warning => Severity::Warning,
            wit::Severity::Error => Severity::Error,
        },
        row: finding.row,
        field: finding.field,
        code: finding.code,
        message: finding.message,
        proposed_fix: finding.proposed_fix.map(|fix| Fix { field: fix.field, value: fix.value }),
    }
}

//! A plugin as a stage of the preparation.

use std::collections::BTreeMap;
use std::sync::Arc;

use pegbox_runtime::{Cleaner, PluginError, PluginIdentity, Row, RowBatch, Severity, Validator};
use serde::{Deserialize, Serialize};

use crate::error::DataError;
use pegbox_records::{Origins, Record, Schema};

/// Records that cross to a plugin in one call.
pub const BATCH: usize = 256;

/// Which plugin with which configuration: what the dataset's key holds of a stage.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct StageIdentity {
    /// `team/name`.
    pub plugin: String,
    pub version: String,
    /// None for what is built into the host.
    pub digest: Option<String>,
    pub configuration: serde_json::Value,
}

impl StageIdentity {
    pub fn of(plugin: &PluginIdentity, configuration: &serde_json::Value) -> Self {
        Self {
            plugin: plugin.name.clone(),
            version: plugin.version.to_string(),
            digest: plugin.digest.clone(),
            configuration: configuration.clone(),
        }
    }
}

/// The most frequent values of some roles, the most frequent first.
pub type Modes = BTreeMap<String, Vec<String>>;

/// Makes an instance, which is told the modes that it asks for; called once for each worker thread.
pub type MakeCleaner = Arc<dyn Fn(&Modes) -> Result<Box<dyn Cleaner>, PluginError> + Send + Sync>;

/// Makes an instance; called once for each worker thread.
pub type MakeValidator = Arc<dyn Fn() -> Result<Box<dyn Validator>, PluginError> + Send + Sync>;

/// What a failed call means for the preparation.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnFailure {
    /// It ends.
    #[default]
    Fail,
    /// The records that the plugin fails on, each alone, are passed over: dropped, or not looked at.
    Skip,
    /// It goes on as if the stage were not there.
    Disable,
}

/// Under this reason a record is dropped that a cleaner failed on; under this code a validator's failure is a
/// finding.
pub const PLUGIN_FAILED: &str = "plugin-failed";

/// A cleaner in its place.
#[derive(Clone)]
pub struct CleanStage {
    pub identity: StageIdentity,
    /// The roles that the plugin's manifest names; only these fields cross.
    pub roles: Vec<String>,
    /// The roles whose most frequent values the plugin is told.
    pub modes: Vec<String>,
    pub make: MakeCleaner,
    pub on_failure: OnFailure,
}

/// A validator in its place.
#[derive(Clone)]
pub struct ValidateStage {
    pub identity: StageIdentity,
    /// The roles that the plugin's manifest names; only these fields cross.
    pub roles: Vec<String>,
    pub make: MakeValidator,
    pub on_failure: OnFailure,
    /// Findings at this level or above stop the run, after all validators have run.
    pub fail_on: Option<Severity>,
}

/// The fields that cross to one plugin, and their places in a record.
pub struct Crossing<'a> {
    plugin: &'a str,
    roles: &'a [String],
    places: Vec<usize>,
}

impl<'a> Crossing<'a> {
    pub fn new(identity: &'a StageIdentity, roles: &'a [String], schema: &Schema) -> Result<Self, DataError> {
        let places = roles
            .iter()
            .map(|role| {
                schema.role(role).ok_or_else(|| DataError::Role {
                    plugin: identity.plugin.clone(),
                    role: role.clone(),
                    known: schema.fields().iter().map(|field| field.role.clone()).collect(),
                })
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { plugin: &identity.plugin, roles, places })
    }

    /// The places of the fields in [`Record::values`].
    pub fn places(&self) -> &[usize] {
        &self.places
    }

    /// The records as the plugin sees them.
    pub fn batch(&self, records: &[Record]) -> RowBatch {
        let rows = records.iter().map(|record| Row { id: record.id, values: self.values(record) }).collect();
        RowBatch { fields: self.roles.to_vec(), rows }
    }

    /// The values of the fields that cross.
    pub fn values(&self, record: &Record) -> Vec<Option<String>> {
        self.places.iter().map(|place| record.values.get(*place).cloned().flatten()).collect()
    }

    /// A call that failed on `records`.
    pub fn failed(&self, error: PluginError, records: &[Record], origins: &Origins) -> DataError {
        let ids = error.record_ids();
        // An error that names records is about those; else about the whole batch.
        let named = records.iter().filter(|record| ids.is_empty() || ids.contains(&record.id));
        let origins = named.map(|record| origins.of(record).to_string()).collect();
        DataError::Plugin { error, origins }
    }

    /// An answer of the wrong size. The runtime checks plugins; this is for what is built in.
    pub fn broken(
        &self,
        expected: String,
        found: String,
        records: &[Record],
        origins: &Origins,
    ) -> DataError {
        let origins = records.iter().map(|record| origins.of(record).to_string()).collect();
        DataError::Contract { plugin: self.plugin.to_owned(), expected, found, origins }
    }
}

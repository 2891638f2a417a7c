//! Validators: an instance for each shard, the states merged in the order of the rows, then finished.

use pegbox_runtime::{Finding, Fix, PluginError, Severity, Validator};
use serde::{Deserialize, Serialize};

use crate::clean::told;
use crate::error::DataError;
use crate::stage::{BATCH, Crossing, OnFailure, PLUGIN_FAILED, ValidateStage};
use pegbox_records::{Origins, Record, Schema};

/// A finding with its place in the files.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct LocatedFinding {
    pub plugin: String,
    pub level: Severity,
    /// None for the dataset as a whole.
    pub record: Option<u64>,
    /// `train.jsonl:8811`.
    pub origin: Option<String>,
    /// The field as the files call it.
    pub field: Option<String>,
    /// Findings are counted by it.
    pub code: String,
    pub message: String,
    pub proposed_fix: Option<Fix>,
}

impl LocatedFinding {
    /// `train.jsonl:8811: conflicting-label: ...`.
    pub fn line(&self) -> String {
        let place = self.origin.as_ref().map(|origin| format!("{origin}: ")).unwrap_or_default();
        format!("{place}{}: {}", self.code, self.message)
    }
}

/// What a validator says of some rows: its findings so far, and its state.
pub(crate) struct Validated {
    pub findings: Vec<LocatedFinding>,
    /// For [`Validator::merge`].
    pub state: Vec<u8>,
}

/// A validator in its place, for any number of threads.
pub(crate) struct Inspection<'a> {
    stage: &'a ValidateStage,
    schema: &'a Schema,
    origins: &'a Origins,
    crossing: Crossing<'a>,
}

impl<'a> Inspection<'a> {
    /// # Errors
    /// The plugin reads a field that the records lack.
    pub fn new(
        stage: &'a ValidateStage,
        schema: &'a Schema,
        origins: &'a Origins,
    ) -> Result<Self, DataError> {
        let crossing = Crossing::new(&stage.identity, &stage.roles, schema)?;
        Ok(Self { stage, schema, origins, crossing })
    }

    /// A fresh instance looks at `records`, which ascend by their ids.
    pub fn look(&self, records: &[Record]) -> Result<Validated, DataError> {
        let whole = |error| self.whole(error);
        let mut validator = self.make()?;
        let mut findings = Vec::new();
        for batch in records.chunks(BATCH) {
            let before = match self.stage.on_failure {
                // A validator that traps forgets what it saw.
                OnFailure::Skip => Some(validator.state().map_err(whole)?),
                OnFailure::Fail | OnFailure::Disable => None,
            };
            match (validator.validate(&self.crossing.batch(batch)), before) {
                (Ok(found), _) => findings.extend(found),
                (Err(_), Some(before)) => {
                    validator = self.make()?;
                    validator.merge(&before).map_err(whole)?;
                    let found = one_by_one(&mut validator, self.stage, &self.crossing, batch);
                    findings.extend(found.map_err(whole)?);
                }
                (Err(error), None) => return Err(self.crossing.failed(error, batch, self.origins)),
            }
        }
        let state = validator.state().map_err(whole)?;
        let find = |id: u64| {
            let place = records.binary_search_by_key(&id, |record| record.id).ok()?;
            records.get(place).map(|record| self.origins.of(record).to_string())
        };
        let findings = findings.into_iter().map(|finding| self.located(finding, &find)).collect();
        Ok(Validated { findings, state })
    }

    /// Merges the states of all shards, in their order, and asks for what there is to say of the whole set. Findings
    /// about a row bear its id, and no origin.
    pub fn conclude<E: From<DataError>>(
        &self,
        states: impl IntoIterator<Item = Result<Vec<u8>, E>>,
    ) -> Result<Vec<LocatedFinding>, E> {
        let mut validator = self.make()?;
        for state in states {
            validator.merge(&state?).map_err(|error| self.whole(error))?;
        }
        let findings = validator.finish().map_err(|error| self.whole(error))?;
        Ok(findings.into_iter().map(|finding| self.located(finding, &|_| None)).collect())
    }

    /// The validator failed, and the recipe lets that pass: its failure is its only finding.
    pub fn disabled(&self, error: &DataError) -> LocatedFinding {
        LocatedFinding {
            plugin: self.stage.identity.plugin.clone(),
            level: Severity::Warning,
            record: None,
            origin: None,
            field: None,
            code: PLUGIN_FAILED.to_owned(),
            message: told(error),
            proposed_fix: None,
        }
    }

    fn make(&self) -> Result<Box<dyn Validator>, DataError> {
        (self.stage.make)().map_err(|error| self.whole(error))
    }

    /// An error that is about no record.
    fn whole(&self, error: PluginError) -> DataError {
        self.crossing.failed(error, &[], self.origins)
    }

    fn located(&self, finding: Finding, origin: &dyn Fn(u64) -> Option<String>) -> LocatedFinding {
        let named = |role: &str| self.schema.name_of(role).to_owned();
        LocatedFinding {
            plugin: self.stage.identity.plugin.clone(),
            level: finding.level,
            record: finding.row,
            origin: finding.row.and_then(origin),
            field: finding.field.map(|role| named(&role)),
            code: finding.code,
            message: finding.message,
            proposed_fix: finding.proposed_fix.map(|fix| Fix { field: named(&fix.field), ..fix }),
        }
    }
}

/// A batch that a validator failed on, again: what it fails on by itself is a finding, and not looked at.
fn one_by_one(
    validator: &mut Box<dyn Validator>,
    stage: &ValidateStage,
    crossing: &Crossing<'_>,
    batch: &[Record],
) -> Result<Vec<Finding>, PluginError> {
    let mut findings = Vec::new();
    for record in batch {
        let before = validator.state()?;
        match validator.validate(&crossing.batch(std::slice::from_ref(record))) {
            Ok(found) => findings.extend(found),
            Err(error) => {
                *validator = (stage.make)()?;
                validator.merge(&before)?;
                findings.push(Finding {
                    level: Severity::Warning,
                    row: Some(record.id),
                    field: None,
                    code: PLUGIN_FAILED.to_owned(),
                    message: format!("{error}: {}", error.cause()),
                    proposed_fix: None,
                });
            }
        }
    }
    Ok(findings)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use pegbox_runtime::{PluginError, RowBatch};

    use super::*;
    use crate::stage::StageIdentity;

    /// Finds empty texts; at the end, says which ids it saw in which order.
    #[derive(Default)]
    struct Test(Vec<u64>);

    impl Validator for Test {
        fn validate(&mut self, batch: &RowBatch) -> Result<Vec<Finding>, PluginError> {
            self.0.extend(batch.rows.iter().map(|row| row.id));
            let empty = batch.rows.iter().filter(|row| row.values[0].as_deref() == Some(""));
            Ok(empty
                .map(|row| Finding {
                    level: Severity::Error,
                    row: Some(row.id),
                    field: Some("text".to_owned()),
                    code: "empty".to_owned(),
                    message: "no text".to_owned(),
                    proposed_fix: None,
                })
                .collect())
        }

        fn state(&mut self) -> Result<Vec<u8>, PluginError> {
            Ok(self.0.iter().flat_map(|id| id.to_le_bytes()).collect())
        }

        fn merge(&mut self, state: &[u8]) -> Result<(), PluginError> {
            self.0.extend(state.chunks(8).map(|id| u64::from_le_bytes(id.try_into().unwrap())));
            Ok(())
        }

        fn finish(&mut self) -> Result<Vec<Finding>, PluginError> {
            Ok(vec![Finding {
                level: Severity::Info,
                row: None,
                field: None,
                code: "seen".to_owned(),
                message: format!("{} in order: {}", self.0.len(), self.0.is_sorted()),
                proposed_fix: None,
            }])
        }
    }

    fn records(rows: u64) -> Vec<Record> {
        (0..rows)
            .map(|row| Record {
                id: row * 2,
                source: 0,
                line: row + 2,
                values: vec![Some(if row % 700 == 5 { String::new() } else { row.to_string() }), None],
            })
            .collect()
    }

    /// In shards of `size` rows.
    fn run(rows: u64, size: usize) -> Vec<LocatedFinding> {
        let schema = Schema::new([("text", "body"), ("label", "y")]).unwrap();
        let stage = ValidateStage {
            identity: StageIdentity {
                plugin: "acme/test".to_owned(),
                version: "1.0.0".to_owned(),
                digest: None,
                configuration: serde_json::Value::Null,
            },
            roles: vec!["text".to_owned()],
            make: Arc::new(|| Ok(Box::new(Test::default()))),
            on_failure: OnFailure::Fail,
            fail_on: None,
        };
        let origins = Origins::new(&["a.csv"]);
        let inspection = Inspection::new(&stage, &schema, &origins).unwrap();
        let looks: Vec<Validated> =
            records(rows).chunks(size).map(|shard| inspection.look(shard).unwrap()).collect();
        let states = looks.iter().map(|look| Ok::<_, DataError>(look.state.clone()));
        let last = inspection.conclude(states).unwrap();
        looks.into_iter().flat_map(|look| look.findings).chain(last).collect()
    }

    #[test]
    fn findings_come_in_order_with_their_places_whatever_the_shards() {
        let findings = run(5000, 5000);
        assert_eq!(findings, run(5000, 1000));
        assert_eq!(findings.len(), 8 + 1);
        assert_eq!(findings[1].line(), "a.csv:707: empty: no text");
        assert_eq!(findings[1].field.as_deref(), Some("body"));
        assert_eq!(findings[8].line(), "seen: 5000 in order: true");
    }

    #[test]
    fn a_set_without_rows_is_finished_too() {
        assert_eq!(run(0, 4)[0].line(), "seen: 0 in order: true");
    }
}

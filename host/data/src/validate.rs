//! Validators over all cores: each instance on its share of the rows, then merged in order, then finished.

use std::sync::atomic::{AtomicU64, Ordering};

use pegbox_runtime::{Finding, Fix, PluginError, Severity, Validator};
use serde::{Deserialize, Serialize};

use crate::clean::told;
use crate::error::DataError;
use crate::parallel;
use crate::progress::Progress;
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

/// The findings of one validator. If it fails and the recipe lets that pass, its failure is the only one.
///
/// # Errors
/// The plugin fails, or reads a field that the records lack.
pub fn validate(
    records: &[Record],
    schema: &Schema,
    origins: &Origins,
    stage: &ValidateStage,
    threads: usize,
    progress: &dyn Progress,
) -> Result<Vec<LocatedFinding>, DataError> {
    match findings(records, schema, origins, stage, threads, progress) {
        Err(error @ DataError::Plugin { .. }) if stage.on_failure == OnFailure::Disable => {
            Ok(vec![LocatedFinding {
                plugin: stage.identity.plugin.clone(),
                level: Severity::Warning,
                record: None,
                origin: None,
                field: None,
                code: PLUGIN_FAILED.to_owned(),
                message: told(&error),
                proposed_fix: None,
            }])
        }
        findings => findings,
    }
}

/// The findings of one validator: those of the rows in the order of the rows, then those of the whole set.
/// Threads (0: one a core) get contiguous shares of the rows, so that states merge in the order of the rows.
fn findings(
    records: &[Record],
    schema: &Schema,
    origins: &Origins,
    stage: &ValidateStage,
    threads: usize,
    progress: &dyn Progress,
) -> Result<Vec<LocatedFinding>, DataError> {
    let crossing = Crossing::new(&stage.identity, &stage.roles, schema)?;
    let name = format!("validate {}", stage.identity.plugin);
    let total = records.len() as u64;
    let done = AtomicU64::new(0);
    progress.at(&name, 0, Some(total));

    // A share is whole batches, so that no thread pays for an instance that sees few rows.
    let batches = records.len().div_ceil(BATCH).max(1);
    let share = batches.div_ceil(parallel::threads(threads)) * BATCH;
    let shares: Vec<&[Record]> = records.chunks(share).collect();
    let whole = |error| crossing.failed(error, &[], origins);
    let work = |share: &[Record]| -> Result<(Box<dyn Validator>, Vec<Finding>), DataError> {
        let mut validator = (stage.make)().map_err(|error| crossing.failed(error, &[], origins))?;
        let mut findings = Vec::new();
        for batch in share.chunks(BATCH) {
            let before = match stage.on_failure {
                // A validator that traps forgets what it saw.
                OnFailure::Skip => Some(validator.state().map_err(whole)?),
                OnFailure::Fail | OnFailure::Disable => None,
            };
            match (validator.validate(&crossing.batch(batch)), before) {
                (Ok(found), _) => findings.extend(found),
                (Err(_), Some(before)) => {
                    validator = (stage.make)().map_err(whole)?;
                    validator.merge(&before).map_err(whole)?;
                    findings.extend(one_by_one(&mut validator, stage, &crossing, batch).map_err(whole)?);
                }
                (Err(error), None) => return Err(crossing.failed(error, batch, origins)),
            }
            let rows = batch.len() as u64;
            progress.at(&name, done.fetch_add(rows, Ordering::Relaxed) + rows, Some(total));
        }
        Ok((validator, findings))
    };
    let worked = parallel::ordered(
        // Without rows the set as a whole is still looked at.
        shares.len().max(1),
        parallel::threads(threads),
        || Ok(()),
        |(), number| work(shares.get(number).copied().unwrap_or_default()),
    )?;

    let mut findings = Vec::new();
    let mut first: Option<Box<dyn Validator>> = None;
    for (mut validator, found) in worked {
        findings.extend(found);
        match &mut first {
            None => first = Some(validator),
            Some(first) => {
                let state = validator.state().map_err(whole)?;
                first.merge(&state).map_err(whole)?;
            }
        }
    }
    if let Some(first) = &mut first {
        findings.extend(first.finish().map_err(whole)?);
    }
    Ok(findings.into_iter().map(|finding| located(finding, records, schema, origins, stage)).collect())
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

fn located(
    finding: Finding,
    records: &[Record],
    schema: &Schema,
    origins: &Origins,
    stage: &ValidateStage,
) -> LocatedFinding {
    let record = finding.row.and_then(|id| {
        let place = records.binary_search_by_key(&id, |record| record.id).ok()?;
        records.get(place)
    });
    LocatedFinding {
        plugin: stage.identity.plugin.clone(),
        level: finding.level,
        record: finding.row,
        origin: record.map(|record| origins.of(record).to_string()),
        field: finding.field.map(|role| schema.name_of(&role).to_owned()),
        code: finding.code,
        message: finding.message,
        proposed_fix: finding
            .proposed_fix
            .map(|fix| Fix { field: schema.name_of(&fix.field).to_owned(), ..fix }),
    }
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

    fn run(rows: u64, threads: usize) -> Vec<LocatedFinding> {
        let schema = Schema::new([("text", "body"), ("label", "y")]).unwrap();
        let records: Vec<Record> = (0..rows)
            .map(|row| Record {
                id: row * 2,
                source: 0,
                line: row + 2,
                values: vec![Some(if row % 700 == 5 { String::new() } else { row.to_string() }), None],
            })
            .collect();
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
        validate(&records, &schema, &Origins::new(&["a.csv"]), &stage, threads, &()).unwrap()
    }

    #[test]
    fn findings_come_in_order_with_their_places_whatever_the_threads() {
        let findings = run(5000, 1);
        assert_eq!(findings, run(5000, 4));
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

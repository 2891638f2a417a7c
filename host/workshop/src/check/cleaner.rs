//! A cleaner's case: the outcomes, and that they depend on the record alone.

use pegbox_runtime::{Cleaner, Outcome, PluginError, Row, RowBatch};
use serde_json::{Value, json};

use super::{Checked, Make, at, text};
use crate::case::cleaner::CleanerCase;
use crate::report::Failure;

pub fn check(
    case: &CleanerCase,
    source: &str,
    fields: &[String],
    make: Make<'_, dyn Cleaner>,
) -> Result<Checked, PluginError> {
    let batch = case.batch(fields);
    let outcomes = make()?.clean(&batch)?;
    let mut checked = Checked::default();
    let tell = |outcome: &Outcome| text::outcome(fields, outcome);
    let at_record = |index: usize, failure: Failure| match case.records.get(index) {
        Some(record) => at(failure, source, record.span()),
        None => failure,
    };

    match case.expected(fields) {
        Some(expected) => {
            for (index, (expected, found)) in expected.iter().zip(&outcomes).enumerate() {
                if expected != found {
                    let given = batch.rows.get(index).map_or(&[][..], |row| &row.values);
                    let what = format!("record {}, {}", index + 1, text::record(fields, given));
                    checked.failures.push(at_record(index, Failure::of(what, tell(expected), tell(found))));
                }
            }
        }
        None => checked.golden = Some(outcomes.iter().map(|outcome| as_json(fields, outcome)).collect()),
    }

    for (index, alone) in one_by_one(&batch, make)?.iter().enumerate() {
        if let Some(together) = outcomes.get(index).filter(|together| *together != alone) {
            let what = format!("record {} comes out otherwise in a batch of its own", index + 1);
            let help =
                "a record's outcome may depend on that record alone: the host forms batches as it likes";
            let failure = Failure::of(what, tell(together), tell(alone)).help(help);
            checked.failures.push(at_record(index, failure));
        }
    }
    checked.notes.push("the same one by one".to_owned());

    if case.idempotent {
        let (again, origins) = results(&batch, &outcomes);
        for (index, (row, second)) in again.rows.iter().zip(make()?.clean(&again)?).enumerate() {
            let unchanged = second == Outcome::Keep || second == Outcome::Replace(row.values.clone());
            if !unchanged {
                let origin = origins.get(index).copied().unwrap_or_default();
                let what = format!("record {}, cleaned once more: not idempotent", origin + 1);
                let failure = Failure::of(what, text::record(fields, &row.values), tell(&second));
                checked.failures.push(at_record(origin, failure));
            }
        }
        checked.notes.push("idempotent".to_owned());
    }
    Ok(checked)
}

/// On one instance, the last record first.
fn one_by_one(batch: &RowBatch, make: Make<'_, dyn Cleaner>) -> Result<Vec<Outcome>, PluginError> {
    let mut cleaner = make()?;
    let mut outcomes = Vec::new();
    for row in batch.rows.iter().rev() {
        let alone = RowBatch { fields: batch.fields.clone(), rows: vec![row.clone()] };
        outcomes.extend(cleaner.clean(&alone)?);
    }
    outcomes.reverse();
    Ok(outcomes)
}

/// The records that come of the cleaning, and for each the place of the one that it came from.
fn results(batch: &RowBatch, outcomes: &[Outcome]) -> (RowBatch, Vec<usize>) {
    let (mut rows, mut origins) = (Vec::new(), Vec::new());
    for (index, (row, outcome)) in batch.rows.iter().zip(outcomes).enumerate() {
        let new = match outcome {
            Outcome::Keep => vec![row.values.clone()],
            Outcome::Replace(values) => vec![values.clone()],
            Outcome::Drop(_) => Vec::new(),
            Outcome::Split(all) => all.clone(),
        };
        for values in new {
            rows.push(Row { id: rows.len() as u64 + 1, values });
            origins.push(index);
        }
    }
    (RowBatch { fields: batch.fields.clone(), rows }, origins)
}

fn as_json(fields: &[String], outcome: &Outcome) -> Value {
    let record = |values: &Vec<Option<String>>| -> Value {
        fields.iter().zip(values).map(|(field, value)| (field.clone(), json!(value))).collect()
    };
    match outcome {
        Outcome::Keep => json!("keep"),
        Outcome::Replace(values) => json!({ "replace": record(values) }),
        Outcome::Drop(reason) => json!({ "drop": reason }),
        Outcome::Split(all) => json!({ "split": all.iter().map(record).collect::<Vec<_>>() }),
    }
}

//! A validator's case: the findings, and that they are the same whatever the batching.

use pegbox_runtime::{Finding, PluginError, RowBatch, Validator};
use serde_json::{Value, json};
use toml::Spanned;

use super::{Checked, Make, at, text};
use crate::case::validator::{Expected, ValidatorCase};
use crate::report::Failure;

/// Cuts between two instances that are tried at most.
const CUTS: usize = 16;

/// What one way of feeding the records gave.
#[derive(PartialEq)]
struct Found {
    by_row: Vec<Finding>,
    finish: Vec<Finding>,
}

pub fn check(
    case: &ValidatorCase,
    source: &str,
    fields: &[String],
    make: Make<'_, dyn Validator>,
) -> Result<Checked, PluginError> {
    let batch = case.batch(fields);
    let found = whole(&batch, make)?;
    let mut checked = Checked::default();

    if case.has_expectations() {
        compare(case, source, fields, &batch, &found, &mut checked.failures);
    } else {
        let as_json = |all: &[Finding]| all.iter().map(as_json).collect::<Value>();
        checked.golden =
            Some(json!({ "validate": as_json(&found.by_row), "finish": as_json(&found.finish) }));
    }

    let help = "`validate` may find only what needs no more than the row; `state` and `merge` must carry all \
                that `finish` needs";
    let mut differs = |how: String, other: &Found| {
        for (what, one, two) in
            [("validate", &found.by_row, &other.by_row), ("finish", &found.finish, &other.finish)]
        {
            if one != two {
                let what = format!("`{what}` finds something else {how}");
                checked.failures.push(Failure::of(what, text::findings(one), text::findings(two)).help(help));
            }
        }
    };
    differs("when the records come one by one".to_owned(), &one_by_one(&batch, make)?);
    let count = batch.rows.len();
    let step = (count + 1).div_ceil(CUTS).max(1);
    for cut in (0..=count).step_by(step) {
        let how = format!("when two instances share the records ({cut} and {}) and are merged", count - cut);
        differs(how, &shared(&batch, cut, make)?);
    }
    if count >= 3 {
        differs("when three instances share the records and are merged".to_owned(), &by_three(&batch, make)?);
    }
    checked.notes.push("the same one by one and merged".to_owned());
    Ok(checked)
}

fn whole(batch: &RowBatch, make: Make<'_, dyn Validator>) -> Result<Found, PluginError> {
    let mut validator = make()?;
    let by_row = if batch.rows.is_empty() { Vec::new() } else { validator.validate(batch)? };
    Ok(Found { by_row, finish: validator.finish()? })
}

fn one_by_one(batch: &RowBatch, make: Make<'_, dyn Validator>) -> Result<Found, PluginError> {
    let mut validator = make()?;
    let mut by_row = Vec::new();
    for index in 0..batch.rows.len() {
        by_row.extend(validator.validate(&part(batch, index, index + 1))?);
    }
    Ok(Found { by_row, finish: validator.finish()? })
}

fn shared(batch: &RowBatch, cut: usize, make: Make<'_, dyn Validator>) -> Result<Found, PluginError> {
    merged(&[part(batch, 0, cut), part(batch, cut, batch.rows.len())], make)
}

fn by_three(batch: &RowBatch, make: Make<'_, dyn Validator>) -> Result<Found, PluginError> {
    let count = batch.rows.len();
    let (a, b) = (count / 3, 2 * count / 3);
    merged(&[part(batch, 0, a), part(batch, a, b), part(batch, b, count)], make)
}

/// An instance a part; the first takes in the others.
fn merged(parts: &[RowBatch], make: Make<'_, dyn Validator>) -> Result<Found, PluginError> {
    let mut first = make()?;
    let mut by_row = Vec::new();
    for (index, part) in parts.iter().enumerate() {
        let rows = !part.rows.is_empty();
        if index == 0 {
            if rows {
                by_row.extend(first.validate(part)?);
            }
            continue;
        }
        let mut other = make()?;
        if rows {
            by_row.extend(other.validate(part)?);
        }
        first.merge(&other.state()?)?;
    }
    Ok(Found { by_row, finish: first.finish()? })
}

fn part(batch: &RowBatch, from: usize, to: usize) -> RowBatch {
    let rows = batch.rows.get(from..to).unwrap_or_default().to_vec();
    RowBatch { fields: batch.fields.clone(), rows }
}

fn compare(
    case: &ValidatorCase,
    source: &str,
    fields: &[String],
    batch: &RowBatch,
    found: &Found,
    failures: &mut Vec<Failure>,
) {
    for (record, row) in case.records.iter().zip(&batch.rows) {
        let about: Vec<Finding> =
            found.by_row.iter().filter(|finding| finding.row == Some(row.id)).cloned().collect();
        let expected = record.as_ref().finds.as_deref().unwrap_or_default();
        if !same(expected, &about, Some(row.id)) {
            let what = format!("record {}, {}", row.id, text::record(fields, &row.values));
            let failure = Failure::of(what, told(expected), text::findings(&about));
            failures.push(at(failure, source, record.span()));
        }
    }
    let nowhere = found.by_row.iter().filter(|finding| finding.row.is_none()).cloned();
    let finish: Vec<Finding> = nowhere.chain(found.finish.iter().cloned()).collect();
    let expected = case.finish.as_deref().unwrap_or_default();
    if !same(expected, &finish, None) {
        let failure = Failure::of("`finish`", told(expected), text::findings(&finish));
        let span = expected.first().map(Spanned::span);
        failures.push(match span {
            Some(span) => at(failure, source, span),
            None => failure,
        });
    }
}

/// In order; `row` is the record that all are about, where it is not for each to say.
fn same(expected: &[Spanned<Expected>], found: &[Finding], row: Option<u64>) -> bool {
    let one = |(expected, found): (&Spanned<Expected>, &Finding)| {
        let expected = expected.as_ref();
        let message = expected.message.as_ref().is_none_or(|message| *message == found.message);
        let fix = expected.fix.as_ref().is_none_or(|fix| {
            let found = found.proposed_fix.as_ref();
            found.is_some_and(|found| (&found.field, &found.value) == (&fix.field, &fix.value))
        });
        expected.level == found.level
            && expected.code == found.code
            && expected.field == found.field
            && expected.record.or(row) == found.row
            && message
            && fix
    };
    expected.len() == found.len() && expected.iter().zip(found).all(one)
}

fn told(expected: &[Spanned<Expected>]) -> String {
    let one = |expected: &Spanned<Expected>| {
        let expected = expected.as_ref();
        let level = format!("{:?}", expected.level).to_lowercase();
        let row = expected.record.map_or(String::new(), |row| format!(", record {row}"));
        let field = expected.field.as_ref().map_or(String::new(), |field| format!(", field {field}"));
        let fix = expected.fix.as_ref();
        let fix = fix.map_or(String::new(), |fix| format!(", fix {} = {:?}", fix.field, fix.value));
        let message = expected.message.as_ref().map_or(String::new(), |message| format!(": {message:?}"));
        format!("{level} {}{row}{field}{fix}{message}", expected.code)
    };
    match expected {
        [] => "nothing".to_owned(),
        all => all.iter().map(one).collect::<Vec<_>>().join("\n"),
    }
}

fn as_json(finding: &Finding) -> Value {
    json!({
        "level": finding.level,
        "record": finding.row,
        "field": finding.field,
        "code": finding.code,
        "message": finding.message,
        "fix": finding.proposed_fix.as_ref().map(|fix| json!({ "field": fix.field, "value": fix.value })),
    })
}

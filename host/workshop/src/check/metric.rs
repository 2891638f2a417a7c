//! A metric's case: its scores, and that they are the same however the batches are shared out.

use std::sync::Arc;

use burn::tensor::Device;
use pegbox_runtime::{Cause, Metric, PluginError, Report, Score};
use serde_json::{Value, json};

use super::{Checked, Make, Refusal, at, close};
use crate::case::metric::MetricCase;
use crate::report::Failure;
use crate::step::GivenStep;

/// Sums in another order differ in their last digits.
const MERGED: f64 = 1e-9;

pub fn check(
    case: &MetricCase,
    source: &str,
    device: &Device,
    make: Make<'_, dyn Metric>,
) -> Result<Checked, Refusal> {
    let steps = steps(case, device)?;
    let mut metric = fed(&steps, make)?;
    let report = metric.compute()?;
    let mut checked = Checked { tolerance: case.tolerance, ..Checked::default() };

    match &case.scores {
        Some(_) => compare(case, source, &report, &mut checked.failures),
        None => checked.golden = Some(as_json(&report)),
    }
    for (name, expected) in &case.details {
        let found = report.details.iter().find(|detail| detail.name == *name);
        if found.is_none_or(|found| found.content != *expected.as_ref()) {
            let found = found.map_or("no such detail".to_owned(), |found| found.content.clone());
            let failure = Failure::of(format!("the detail {name}"), expected.as_ref(), found);
            checked.failures.push(at(failure, source, expected.span()));
        }
    }

    let mut differs = |how: String, other: &Report, help: &str| {
        if !same(&report, other) {
            let failure = Failure::of(format!("the scores {how}"), scores(&report), scores(other));
            checked.failures.push(failure.help(help));
        }
    };
    differs("computed again".to_owned(), &metric.compute()?, "`compute` must not change what was gathered");
    for cut in 0..=steps.len() {
        let (first, second) = steps.split_at(cut);
        let mut one = fed(first, make)?;
        one.merge(&fed(second, make)?.state()?)?;
        let how = format!("after merging two instances ({cut} batches and {})", second.len());
        differs(how, &one.compute()?, "`state` must carry everything that `merge` and `compute` need");
    }
    metric.reset()?;
    checked.failures.extend(remembers(make()?.compute(), metric.compute())?);
    checked.notes.push("the same merged; reset forgets".to_owned());
    Ok(checked)
}

/// Whether an instance that was reset differs from a new one. Without a batch a metric may well decline.
fn remembers(
    fresh: Result<Report, PluginError>,
    after: Result<Report, PluginError>,
) -> Result<Option<Failure>, PluginError> {
    let declined = |error: &PluginError| matches!(error.cause(), Cause::Refused { .. });
    let tell = |result: &Result<Report, PluginError>| match result {
        Ok(report) => scores(report),
        Err(error) => error.cause().to_string(),
    };
    let equal = match (&fresh, &after) {
        (Ok(fresh), Ok(after)) => same(fresh, after),
        (Err(fresh), Err(after)) => declined(fresh) && declined(after) && fresh.cause() == after.cause(),
        _ => false,
    };
    if equal {
        return Ok(None);
    }
    // What is no refusal, such as a trap, speaks for itself.
    if let Some(error) = fresh.as_ref().err().or(after.as_ref().err()).filter(|error| !declined(error)) {
        return Err(error.clone());
    }
    let failure = Failure::of("the scores after `reset`", tell(&fresh), tell(&after));
    Ok(Some(failure.help("`reset` forgets everything that was gathered")))
}

fn steps(case: &MetricCase, device: &Device) -> Result<Vec<Arc<GivenStep>>, Refusal> {
    let one = |(number, batch): (usize, &toml::Spanned<crate::case::batch::Batch>)| {
        let mut arrays = batch.as_ref().arrays(&batch.span()).map_err(|fault| Refusal {
            error: fault.what,
            cause: None,
            help: fault.help,
        })?;
        arrays.number = number as u64;
        Ok(GivenStep::new(&arrays, device, false)?)
    };
    case.batches.iter().enumerate().map(one).collect()
}

fn fed(steps: &[Arc<GivenStep>], make: Make<'_, dyn Metric>) -> Result<Box<dyn Metric>, PluginError> {
    let mut metric = make()?;
    for step in steps {
        metric.update(Arc::clone(step) as Arc<dyn pegbox_runtime::StepView>)?;
    }
    Ok(metric)
}

fn compare(case: &MetricCase, source: &str, report: &Report, failures: &mut Vec<Failure>) {
    let expected = case.scores.iter().flatten();
    for (name, expected) in expected.clone() {
        let (span, expected) = (expected.span(), expected.as_ref());
        let direction = |higher: bool| if higher { "higher" } else { "lower" };
        let Some(found) = report.scores.iter().find(|score| score.name == *name) else {
            let failure =
                Failure::of(format!("the score {name}"), expected.value().to_string(), "no such score");
            failures.push(at(failure, source, span));
            continue;
        };
        if !close(expected.value(), found.value, case.tolerance) {
            let (wanted, found) = (expected.value().to_string(), found.value.to_string());
            failures.push(at(Failure::of(format!("the score {name}"), wanted, found), source, span.clone()));
        }
        if let Some(higher) = expected.higher_is_better().filter(|higher| *higher != found.higher_is_better) {
            let what = format!("which is better in {name}");
            let failure = Failure::of(what, direction(higher), direction(found.higher_is_better));
            failures.push(at(failure, source, span));
        }
    }
    let known = |score: &&Score| !expected.clone().any(|(name, _)| *name == score.name);
    for score in report.scores.iter().filter(known) {
        let what = format!("the score {} is not in the case's `scores`", score.name);
        failures.push(Failure::of(what, "nothing", score.value.to_string()));
    }
}

fn same(one: &Report, two: &Report) -> bool {
    let score = |(one, two): (&Score, &Score)| one.name == two.name && close(one.value, two.value, MERGED);
    one.scores.len() == two.scores.len()
        && one.scores.iter().zip(&two.scores).all(score)
        && one.details.len() == two.details.len()
        && one.details.iter().zip(&two.details).all(|(one, two)| one.name == two.name)
}

fn scores(report: &Report) -> String {
    let one = |score: &Score| format!("{} = {}", score.name, score.value);
    report.scores.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn as_json(report: &Report) -> Value {
    let score = |score: &Score| {
        let value = json!({ "value": score.value, "higher-is-better": score.higher_is_better });
        (score.name.clone(), value)
    };
    let scores: Value = report.scores.iter().map(score).collect();
    let details: Value =
        report.details.iter().map(|detail| (detail.name.clone(), json!(detail.content))).collect();
    json!({ "scores": scores, "details": details })
}

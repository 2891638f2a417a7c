//! Measuring the best checkpoint on the test records, or on the validation records where there are none.

use std::fs;
use std::path::Path;

use pegbox_data::Part;
use pegbox_models::device;
use pegbox_runtime::Report as Measured;
use pegbox_train::{Evaluation, Feed, RunFolder, TrainError, evaluate, load_best};
use serde_json::{Value, json};

use super::runs::{Done, Stages, key, write_whole};
use super::training::Material;
use super::{adapter, dataset};
use crate::console::{Outcome, print};
use crate::report::Report;

/// The file in a run's folder that holds the scores: `{part: {metric: score}}` and what they were taken from.
pub const SCORES: &str = "evaluation.json";

/// Evaluates on `part`, or on the usual one, unless the run holds the result already.
pub fn bring(material: &Material<'_>, run: &RunFolder, part: Option<Part>) -> Result<Outcome, Box<Report>> {
    let best = load_best(run)?;
    let part = measured(material, part)?;
    let metrics = material.plugins.metrics.iter().map(|metric| metric.identity()).collect::<Vec<_>>();
    let key = key(&["eval", &material.key()?, &best.step.to_string(), &part.to_string(), &metrics.join(";")]);
    // What artifacts say of the model is measured on one part; the others stand beside it.
    let (name, file) = match part == measured(material, None)? {
        true => ("eval".to_owned(), SCORES.to_owned()),
        false => (format!("eval {part}"), format!("evaluation-{part}.json")),
    };
    let file = run.path().join(file);
    let stage = material.session.console.stage("eval");
    if Stages::read(run.path()).is_done(&name, &key)
        && let Some(summary) = read_summary(&file, &part.to_string())
    {
        print(&table(&summary));
        return Ok(stage.unchanged(&format!("{part} records, step {}", best.step)));
    }

    let evaluation =
        measure(material, Some(&best.weights), part)?.map_err(|error| material.locate(error, run))?;

    write_details(run, &part.to_string(), &evaluation.report)?;
    let summary = summary(&part.to_string(), best.step, &evaluation);
    write_whole(&file, format!("{summary:#}\n").as_bytes())?;
    print(&table(&summary));
    let outcome = stage.finish(&format!("{} {part} records, step {}", evaluation.rows, best.step));
    Stages::note(run.path(), &name, Done { key, seconds: outcome.seconds, finished: true })?;
    Ok(outcome)
}

/// Measures the base model, and keeps nothing.
pub fn base(material: &Material<'_>, part: Option<Part>) -> Result<(), Box<Report>> {
    let part = measured(material, part)?;
    let stage = material.session.console.stage("eval");
    let evaluation = measure(material, None, part)??;
    print(&table(&summary(&part.to_string(), 0, &evaluation)));
    stage.finish(&format!("{} {part} records, the base model before any training", evaluation.rows));
    Ok(())
}

/// The part that is measured.
fn measured(material: &Material<'_>, wanted: Option<Part>) -> Result<Part, Box<Report>> {
    let rows = |part: Part| material.dataset.len(part);
    match wanted {
        Some(part) if rows(part) == 0 => Err(Report::usage(format!("there are no {part} records"))
            .help("name files for them in [data], or a share of the training records in [data].split")),
        Some(part) => Ok(part),
        None if rows(Part::Test) == 0 => Ok(Part::Validation),
        None => Ok(Part::Test),
    }
}

/// The base model where there is no checkpoint; with the adapter that its training begins with. The outer error is of what an evaluation begins with, the inner one of the evaluation.
fn measure(
    material: &Material<'_>,
    checkpoint: Option<&Path>,
    part: Part,
) -> Result<Result<Evaluation, TrainError>, Box<Report>> {
    let recipe = material.recipe;
    let device = device::parse(&material.session.global.device)?;
    let classes = material.dataset.labels().names().to_vec();
    let adapter::Adapted { model, .. } = match checkpoint {
        Some(weights) => material.resume(weights, &device)?,
        None => material.begin(&device)?,
    };
    let mut measured = material.plugins.make_metrics()?;
    let mut loss = material.plugins.make_loss()?;
    let (batching, masking) = (dataset::batching(recipe), material.base.masking(recipe)?);
    let writing = material.base.writing(recipe)?;
    let split = material.dataset.split(part)?;
    let feed = Feed { split, batching: &batching, masking: masking.as_ref(), writing: writing.as_ref() };
    Ok(evaluate(&model, &device, feed, &classes, &mut measured, Some(loss.as_mut())))
}

/// The scores of a run by part and metric, for artifacts: `{"test": {"accuracy": 0.93}}`.
pub fn scores(run: &RunFolder) -> Value {
    let summary: Option<Value> =
        fs::read(run.path().join(SCORES)).ok().and_then(|text| serde_json::from_slice(&text).ok());
    summary.and_then(|summary| summary.get("scores").cloned()).unwrap_or_else(|| json!({}))
}

fn read_summary(file: &Path, part: &str) -> Option<Value> {
    let summary: Value = serde_json::from_slice(&fs::read(file).ok()?).ok()?;
    (summary.get("part")?.as_str()? == part).then_some(summary)
}

fn summary(part: &str, step: u64, evaluation: &Evaluation) -> Value {
    let mut scores: serde_json::Map<String, Value> =
        evaluation.report.scores.iter().map(|score| (score.name.clone(), json!(score.value))).collect();
    if let Some(loss) = evaluation.loss {
        scores.insert("loss".into(), json!(loss));
    }
    json!({ "part": part, "step": step, "rows": evaluation.rows, "scores": { part: scores } })
}

/// Confusion matrices and the like go to `reports/<part>/` in the run's folder.
fn write_details(run: &RunFolder, part: &str, report: &Measured) -> Result<(), Box<Report>> {
    for detail in &report.details {
        // The contract's own rule; a built-in metric is held to it, too.
        let plain = !detail.name.starts_with('.')
            && detail.name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
        if plain {
            write_whole(
                &run.path().join("reports").join(part).join(&detail.name),
                detail.content.as_bytes(),
            )?;
        }
    }
    Ok(())
}

fn table(summary: &Value) -> String {
    let part = summary.get("part").and_then(Value::as_str).unwrap_or_default();
    let rows = summary.get("rows").and_then(Value::as_u64).unwrap_or_default();
    let mut text = format!("{part}, {rows} rows\n");
    let scores = summary.get("scores").and_then(|scores| scores.get(part)).and_then(Value::as_object);
    for (name, value) in scores.into_iter().flatten() {
        text.push_str(&format!("  {name:<20} {:.4}\n", value.as_f64().unwrap_or(f64::NAN)));
    }
    text
}

//! `pegbox prepare`: the dataset, and a report of what happened to the records.

use pegbox_data::{CodeCount, FileReport, Part, PrepareReport, StageReport};
use pegbox_runtime::Severity;

use super::Ground;
use crate::console::print;
use crate::report::Report;
use crate::session::Session;
use pegbox_recipe::Recipe;

pub fn run(session: &Session, recipe: &Recipe) -> Result<(), Box<Report>> {
    let ground = Ground::new(session, recipe.clone())?;
    print(&summary(&ground.prepared.report));
    let folder = ground.prepared.dataset.folder();
    session.console.say(format!("prepare: the whole report is {}", folder.join("report.json").display()));
    Ok(())
}

/// What a user wants to know of a preparation, on one screen.
pub fn summary(report: &PrepareReport) -> String {
    let mut lines = Vec::new();
    for FileReport { name, part, rows } in &report.files {
        lines.push(format!("read        {rows} {part} rows from {name}"));
    }
    lines.extend(report.stages.iter().map(cleaned));
    lines.extend(report.findings.iter().map(found));
    if report.findings.is_empty() {
        lines.push("findings    none".to_string());
    }
    let rows = |part: Part| report.rows.get(&part).copied().unwrap_or(0);
    let [train, validation, test] = Part::ALL.map(rows);
    lines.push(format!(
        "split       {train} training, {validation} validation and {test} test rows, {} labels",
        report.classes.len()
    ));
    for (part, rows) in report.leaked.iter().filter(|(_, rows)| **rows > 0) {
        lines.push(format!("leak        {rows} {part} rows have a text that is in the training rows, too"));
    }
    let lengths = &report.lengths;
    lines.push(format!(
        "lengths     {} tokens at most, half of the rows up to {}, 99% up to {}",
        lengths.max, lengths.p50, lengths.p99
    ));
    let cut = &report.truncation;
    if cut.rows > 0 {
        lines.push(format!("truncated   {} rows lost {} tokens at max-length", cut.rows, cut.tokens));
    }
    let padding = &report.padding;
    lines.push(format!(
        "padding     {} of all positions at a fixed length, {} in batches as the rows come, {} grouped by length",
        percent(padding.fixed),
        percent(padding.naive),
        percent(padding.grouped),
    ));
    lines.push(String::new());
    lines.join("\n")
}

fn cleaned(stage: &StageReport) -> String {
    if let Some(why) = &stage.disabled {
        return format!("cleaned     {}@{}: left out, because {why}", stage.plugin, stage.version);
    }
    let mut parts = vec![format!("{} kept", stage.kept), format!("{} changed", stage.changed)];
    if stage.split > 0 {
        parts.push(format!("{} split", stage.split));
    }
    parts.extend(stage.dropped.iter().map(|(reason, rows)| format!("{rows} dropped: {reason}")));
    format!("cleaned     {}@{}: {}", stage.plugin, stage.version, parts.join(", "))
}

fn found(count: &CodeCount) -> String {
    let level = match count.level {
        Severity::Info => "info",
        Severity::Warning => "warning",
        Severity::Error => "error",
    };
    let example = count.examples.first();
    let example = example.map(|found| format!(", such as {}", found.line())).unwrap_or_default();
    format!("finding     {}: {} {level}, {} times{example}", count.plugin, count.code, count.count)
}

fn percent(share: f64) -> String {
    format!("{:.1}%", share * 100.0)
}

//! `pegbox prepare`: the dataset, and a report of what happened to the records.

use std::path::PathBuf;

use pegbox_data::{
    AnnotationReport, BenchmarkLeakage, CodeCount, ConflictReport, DuplicateReport, FileReport, Part,
    PrepareReport, Prepared, StageReport, SuspectReport,
};
use pegbox_report::About;
use pegbox_runtime::Severity;

use crate::console::print;
use crate::plugins::RecipePlugins;
use crate::report::Report;
use crate::session::Session;
use crate::stages::base::{self, TokenizerParts};
use crate::stages::dataset;
use pegbox_recipe::Recipe;

pub fn run(session: &Session, recipe: &Recipe) -> Result<(), Box<Report>> {
    let plugins = RecipePlugins::load(session, recipe)?;
    plugins.try_all()?;
    let TokenizerParts { tokenizer, chat } = base::tokenizer(session, recipe)?;
    let (prepared, _) = dataset::bring(session, recipe, &tokenizer, chat.as_ref(), &plugins)?;
    print(&summary(&prepared.report));
    let page = write_page(recipe, &prepared)?;
    session.console.say(format!("prepare: the whole report is {}", page.display()));
    Ok(())
}

/// The report as a page, beside the dataset.
fn write_page(recipe: &Recipe, prepared: &Prepared) -> Result<PathBuf, Box<Report>> {
    let dataset = &prepared.dataset;
    let about = About {
        recipe: recipe.path.display().to_string(),
        dataset_key: dataset.key().to_owned(),
        // The dataset is the same whenever it is made.
        created: String::new(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    let page = dataset.folder().join("report.html");
    pegbox_durable::write_file(&page, pegbox_report::html(&prepared.report, &about).as_bytes())
        .map_err(|error| Report::new(format!("cannot write {}: {error}", page.display())))?;
    Ok(page)
}

/// What a user wants to know of a preparation, on one screen.
pub fn summary(report: &PrepareReport) -> String {
    let mut lines = Vec::new();
    lines.extend(report.files.iter().map(read));
    if let Some(first) = report.quarantine.first() {
        let count = report.quarantined;
        lines.push(format!("quarantined {count} rows, such as {}: {}", first.origin, first.reason));
    }
    lines.extend(report.stages.iter().map(cleaned));
    lines.extend(report.annotations.as_ref().map(annotated));
    lines.extend(report.duplicates.as_ref().map(duplicates));
    lines.extend(report.findings.iter().map(found));
    if report.findings.is_empty() {
        lines.push("findings    none".to_string());
    }
    let rows = |part: Part| report.rows.get(&part).copied().unwrap_or(0);
    let [train, validation, test] = Part::ALL.map(rows);
    lines.push(format!(
        "split       {train} training, {validation} validation and {test} test rows{}",
        if report.classes.is_empty() { String::new() } else { format!(", {} labels", report.classes.len()) }
    ));
    if report.split.left_out > 0 {
        let rows = report.split.left_out;
        lines.push(format!("left out    {rows} rows say what a validation or test row says"));
    }
    lines.extend(report.conflicts.as_ref().filter(|found| found.conflicts > 0).map(conflicting));
    lines.extend(report.suspects.as_ref().map(suspected));
    lines.extend(report.leakage.iter().flat_map(|found| &found.benchmarks).map(leaked));
    let balance = &report.balance;
    if balance.method != "none" {
        lines.push(format!(
            "balanced    by {}: {} training rows became {}",
            balance.method, balance.rows_before, balance.rows_after
        ));
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
    if cut.dropped > 0 {
        lines.push(format!("over-long   {} training rows were dropped at max-length", cut.dropped));
    }
    if cut.split > 0 {
        lines.push(format!("over-long   {} training rows became {}", cut.split, cut.pieces));
    }
    let padding = &report.padding;
    lines.push(format!(
        "padding     {} of all positions at a fixed length, {} in batches as the rows come, {} grouped by length, {} packed",
        percent(padding.fixed),
        percent(padding.naive),
        percent(padding.grouped),
        percent(padding.packed),
    ));
    lines.push(String::new());
    lines.join("\n")
}

fn read(file: &FileReport) -> String {
    let layout = if file.layout == "fields" { String::new() } else { format!(", layout {}", file.layout) };
    format!("read        {} {} rows from {}{layout}", file.rows, file.part, file.name)
}

fn annotated(report: &AnnotationReport) -> String {
    let alpha = report.agreement_of_labels.as_ref().unwrap_or(&report.agreement).alpha_nominal.value;
    let alpha = alpha.map(|alpha| format!(", Krippendorff's alpha {alpha:.3}")).unwrap_or_default();
    format!(
        "annotations {} ratings of {} items by {} annotators{alpha}; {} disputed, {} dropped, by {}",
        report.ratings,
        report.items,
        report.annotators.len(),
        report.disputed,
        report.dropped,
        report.aggregate,
    )
}

fn duplicates(report: &DuplicateReport) -> String {
    let near = match report.threshold {
        Some(threshold) => format!(" and {} near duplicates (Jaccard {threshold})", report.near_removed),
        None => String::new(),
    };
    format!("duplicates  {} exact{near} removed, {} clusters", report.exact_removed, report.clusters)
}

fn conflicting(report: &ConflictReport) -> String {
    let near = if report.near { "equal or near-equal texts" } else { "equal texts" };
    format!("conflicts   {} {near} have several labels, on {} rows", report.conflicts, report.rows)
}

fn suspected(report: &SuspectReport) -> String {
    let dropped = if report.dropped { ", dropped" } else { "" };
    format!("suspects    {} of {} labels are likely wrong{dropped}", report.suspects, report.rows)
}

fn leaked(benchmark: &BenchmarkLeakage) -> String {
    format!(
        "leakage     {} training rows stand in {} ({} texts)",
        benchmark.rows, benchmark.name, benchmark.texts
    )
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

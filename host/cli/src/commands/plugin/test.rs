//! `pegbox plugin test`: runs the cases in a plugin's folder `tests`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use pegbox_runtime::Resolved;
use pegbox_workshop::{CaseReport, Failure, Options, Summary, Verdict};
use serde_json::json;

use super::trying;
use crate::console::print;
use crate::report::Report;
use crate::session::Session;

#[derive(Debug, Args)]
pub struct Test {
    /// The plugin's folder
    #[arg(default_value = ".")]
    pub folder: PathBuf,
    /// Write the results of cases without a written expectation to their golden files, which are expected from now on
    #[arg(long)]
    pub bless: bool,
    /// Only this case: its file's name without `.toml`
    #[arg(long, value_name = "NAME")]
    pub case: Option<String>,
    /// The native build instead of the component; it runs outside the sandbox
    #[arg(long)]
    pub native: bool,
}

pub fn run(session: &Session, arguments: &Test) -> Result<(), Box<Report>> {
    let found = trying::built(session, &arguments.folder)?;
    let options = Options { bless: arguments.bless, case: arguments.case.clone() };
    let summary = cases(session, &found, &options, arguments.native)?;
    match summary.failed {
        0 => Ok(()),
        1 => Err(Report::new("1 case failed")),
        failed => Err(Report::new(format!("{failed} cases failed"))),
    }
}

/// Runs the cases and prints a line for each, and what is wrong with those that fail.
pub fn cases(
    session: &Session,
    found: &Resolved,
    options: &Options,
    native: bool,
) -> Result<Summary, Box<Report>> {
    let plugin = pegbox_workshop::open(session.runtime()?, found, native)?;
    let device = pegbox_models::device::parse(&session.global.device)?;
    print(&format!("{}\n", plugin.identity()));
    let mut told = |report: &CaseReport| {
        session.console.event(as_json(report));
        print(&line(report));
    };
    let reports = pegbox_workshop::run_cases(&plugin, &found.folder, &device, options, &mut told)?;
    let summary = Summary::of(&reports);
    print(&total(&summary));
    Ok(summary)
}

fn line(report: &CaseReport) -> String {
    let verdict = match &report.verdict {
        Verdict::Passed => "ok     ",
        Verdict::Blessed(_) => "blessed",
        Verdict::Failed(_) => "FAILED ",
    };
    let notes = report.notes.join("; ");
    let mut text = format!("  {verdict} {:<24} {:>8}  {notes}", report.name, time(report.took));
    text.truncate(text.trim_end().len());
    text.push('\n');
    if let Verdict::Failed(failures) = &report.verdict {
        for failure in failures {
            text.push_str(&shown(report, failure));
        }
    }
    text
}

fn shown(report: &CaseReport, failure: &Failure) -> String {
    let file = report.file.display();
    let place = failure.line.map_or(format!("{file}"), |line| format!("{file}:{line}"));
    let mut text = format!("    {place}: {}\n", failure.what);
    let mut part = |name: &str, value: &Option<String>| {
        if let Some(value) = value {
            text.push_str(&format!(
                "      {name:<9} {}\n",
                value.trim_end().replace('\n', "\n                ")
            ));
        }
    };
    part("expected", &failure.expected);
    part("found", &failure.found);
    part("help", &failure.help);
    text
}

fn total(summary: &Summary) -> String {
    let Summary { passed, failed, blessed } = summary;
    let blessed = if *blessed > 0 {
        format!(", {blessed} blessed: look at them before you keep them")
    } else {
        String::new()
    };
    format!("{} cases: {passed} passed, {failed} failed{blessed}\n", passed + failed + summary.blessed)
}

fn time(took: Duration) -> String {
    let ms = took.as_secs_f64() * 1e3;
    if ms < 1000.0 { format!("{ms:.0} ms") } else { format!("{:.1} s", ms / 1e3) }
}

fn as_json(report: &CaseReport) -> serde_json::Value {
    let failures = match &report.verdict {
        Verdict::Failed(failures) => failures.as_slice(),
        _ => &[],
    };
    let failure = |failure: &Failure| {
        json!({
            "line": failure.line, "what": failure.what, "expected": failure.expected, "found": failure.found,
            "help": failure.help,
        })
    };
    json!({
        "event": "case",
        "case": report.name,
        "verdict": match &report.verdict {
            Verdict::Passed => "passed",
            Verdict::Blessed(_) => "blessed",
            Verdict::Failed(_) => "failed",
        },
        "seconds": report.took.as_secs_f64(),
        "failures": failures.iter().map(failure).collect::<Vec<_>>(),
    })
}

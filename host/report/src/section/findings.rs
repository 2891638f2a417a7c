//! What the validators found.

use pegbox_data::{CodeCount, LocatedFinding};
use pegbox_plugin_abi::validation::Severity;

use super::*;
use crate::ask;
use crate::chart::bar;

pub fn section(report: &PrepareReport) -> Section {
    if report.findings.is_empty() {
        return Section::absent("findings", "Findings of validators", &ask::FINDINGS);
    }
    let mut findings: Vec<&CodeCount> = report.findings.iter().collect();
    findings.sort_by_key(|found| (std::cmp::Reverse(found.level), std::cmp::Reverse(found.count)));
    let most = findings.iter().map(|found| found.count).max().unwrap_or(0);
    let columns = [
        Column("Code", Set::Name),
        Column("Level", Set::Short),
        Column("Validator", Set::Name),
        Column("", Set::Bar),
        Column("Findings", Set::Number),
    ];
    let row = |found: &&CodeCount| {
        Row::new([
            html! { code { (Visible(&found.code)) } },
            level(found.level),
            name(&found.plugin),
            bar(found.count as f64, most as f64),
            number(found.count),
        ])
    };
    let table = Table {
        caption: "Findings by code",
        columns: &columns,
        rows: findings.iter().map(row).collect(),
        things: "codes",
    };
    let body = html! {
        (table.markup())
        @for found in findings.iter().filter(|found| !found.examples.is_empty()) {
            (examples(found))
        }
    };
    let all: u64 = report.findings.iter().map(|found| found.count).sum();
    Section::shown("findings", "Findings of validators", count(all), body)
}

/// Named as well as coloured.
fn level(level: Severity) -> Markup {
    match level {
        Severity::Error => html! { span.tag.problem { "error" } },
        Severity::Warning => html! { span.tag.look { "warning" } },
        Severity::Info => html! { span.tag { "info" } },
    }
}

fn examples(found: &CodeCount) -> Markup {
    html! {
        details.examples {
            summary { "Examples of " code { (Visible(&found.code)) } }
            ul.findings { @for one in &found.examples { li { (example(one)) } } }
        }
    }
}

fn example(found: &LocatedFinding) -> Markup {
    html! {
        @match &found.origin {
            Some(place) => (origin(place)),
            None => span.muted { "the dataset as a whole" },
        }
        @if let Some(field) = &found.field { span.muted { " field " } (name(field)) }
        p { (text(&found.message)) }
        @if let Some(fix) = &found.proposed_fix {
            p.muted { "Proposed for " (name(&fix.field)) ": " (text(&fix.value)) }
        }
    }
}

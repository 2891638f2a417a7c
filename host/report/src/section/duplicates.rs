//! Rows that were there already.

use pegbox_data::{DuplicateExample, DuplicateReport};

use super::*;
use crate::ask;
use crate::chart::bar;
use crate::format::{counted, decimal, share};

pub fn section(report: &PrepareReport) -> Section {
    let Some(duplicates) = &report.duplicates else {
        return Section::absent("duplicates", "Duplicates", &ask::DUPLICATES);
    };
    let removed = duplicates.exact_removed + duplicates.near_removed;
    let body = html! {
        p {
            @match duplicates.threshold {
                Some(threshold) => {
                    "Equal texts, and texts with a Jaccard index of " (decimal(threshold, 2))
                    " or more, are duplicates."
                },
                None => "Equal texts are duplicates; near-equal ones were not looked for.",
            }
            " Of each cluster, " (kept(&duplicates.keep)) " stays."
        }
        (facts([
            ("rows looked at", number(duplicates.rows_in)),
            ("equal, removed", number(duplicates.exact_removed)),
            ("near, removed", number(duplicates.near_removed)),
            ("removed in all", html! { (count(removed)) " " span.muted { (share(removed, duplicates.rows_in)) } }),
            ("clusters", number(duplicates.clusters)),
        ]))
        @if duplicates.held_out_kept > 0 {
            p.note {
                (counted(duplicates.held_out_kept, "duplicate", "duplicates"))
                " stayed in given validation and test files: such files are never changed."
            }
        }
        (sizes(duplicates))
        @if !duplicates.examples.is_empty() {
            h3 { "Examples" }
            @for example in &duplicates.examples { (one(example)) }
        }
    };
    Section::shown("duplicates", "Duplicates", count(removed), body)
}

fn kept(keep: &str) -> Markup {
    match keep {
        "first" => html! { "the first row" },
        "last" => html! { "the last row" },
        "longest" => html! { "the row with the longest text" },
        other => html! { "one row (" (Visible(other)) ")" },
    }
}

/// From this size on several sizes share a line.
const ALONE: u32 = 5;
const RANGES: [(u32, u32); 5] = [(6, 10), (11, 20), (21, 50), (51, 100), (101, u32::MAX)];

fn sizes(duplicates: &DuplicateReport) -> Markup {
    let ranges = (2..=ALONE).map(|size| (size, size)).chain(RANGES);
    let counted: Vec<(String, u64, u64)> = ranges
        .map(|(from, to)| {
            let inside = || duplicates.sizes.range(from..=to);
            let name = match to {
                to if to == from => from.to_string(),
                u32::MAX => format!("{from} and more"),
                _ => format!("{from} to {to}"),
            };
            let clusters = inside().map(|(_, clusters)| u64::from(*clusters)).sum();
            let rows = inside().map(|(size, clusters)| u64::from(*size) * u64::from(*clusters)).sum();
            (name, clusters, rows)
        })
        .filter(|(_, clusters, _)| *clusters > 0)
        .collect();
    if counted.is_empty() {
        return html! {};
    }
    let most = counted.iter().map(|(_, clusters, _)| *clusters).max().unwrap_or(0);
    let columns = [
        Column("Rows in a cluster", Set::Name),
        Column("", Set::Bar),
        Column("Clusters", Set::Number),
        Column("Rows", Set::Number),
    ];
    let row = |(name, clusters, rows): &(String, u64, u64)| {
        Row::new([html! { (name) }, bar(*clusters as f64, most as f64), number(*clusters), number(*rows)])
    };
    let rows = counted.iter().map(row).collect();
    Table { caption: "Clusters by size", columns: &columns, rows, things: "sizes" }.markup()
}

fn one(example: &DuplicateExample) -> Markup {
    html! {
        figure.example {
            figcaption {
                (origin(&example.origin)) " was removed, " (origin(&example.of)) " stays: "
                @if example.jaccard >= 1.0 && example.text == example.of_text { "equal" }
                @else { "Jaccard " (decimal(example.jaccard, 2)) }
            }
            @if example.text == example.of_text {
                div.diff.whole { div.side { p.text { (text(&example.text)) } } }
            } @else {
                (crate::diff::named_sides(["removed", "stays"], &example.text, &example.of_text))
            }
        }
    }
}

//! Labels that contradict each other, and labels that are likely wrong.

use pegbox_data::{ConflictExample, ConflictReport, SuspectExample, SuspectReport};

use super::*;
use crate::ask;
use crate::chart::bar;
use crate::format::{counted, percent, rows, share};

pub fn section(report: &PrepareReport) -> Section {
    if report.conflicts.is_none() && report.suspects.is_none() && report.classes.is_empty() {
        let body = html! { p.muted { "The rows have no classes." } };
        return Section::shown("labels", "Doubtful labels", None, body);
    }
    let suspects = report.suspects.as_ref().map(|suspects| counted(suspects.suspects, "suspect", "suspects"));
    let body = html! {
        h3 { "Conflicts" }
        @match &report.conflicts { Some(found) => (conflicts(found)), None => (ask::CONFLICTS.line()) }
        h3 { "Suspects" }
        @match &report.suspects { Some(found) => (suspicious(found)), None => (ask::SUSPECTS.line()) }
    };
    Section::shown("labels", "Doubtful labels", suspects, body)
}

fn conflicts(found: &ConflictReport) -> Markup {
    let things = if found.near { ("group of like texts", "groups of like texts") } else { ("text", "texts") };
    if found.conflicts == 0 {
        return html! { p { "No two " @if found.near { "like" } @else { "equal" } " texts carry different labels." } };
    }
    let columns =
        [Column("Text", Set::Text), Column("Labels and their rows", Set::Text), Column("Where", Set::Name)];
    let row = |conflict: &ConflictExample| {
        Row::new([
            text(&conflict.text),
            html! { ul.plain { @for (label, rows) in &conflict.labels {
                li { (name(label)) " " span.muted { "\u{d7}" (count(*rows)) } }
            } } },
            html! { ul.plain { @for place in &conflict.origins { li { (origin(place)) } } } },
        ])
    };
    let table = Table {
        caption: "Texts with more than one label",
        columns: &columns,
        rows: found.examples.iter().map(row).collect(),
        things: "texts",
    };
    html! {
        p {
            (counted(found.conflicts, things.0, things.1)) " with more than one label, over " (rows(found.rows)) "; "
            (rows(found.minority)) " with another label than most of their text."
        }
        (table.markup())
    }
}

fn suspicious(found: &SuspectReport) -> Markup {
    html! {
        p {
            "A quick model was trained on the other rows each time. It gives " (percent(found.accuracy))
            " of the " (count(found.rows)) " labels as well; "
            @if found.suspects == 0 { "none is likely wrong." } @else {
                (count(found.suspects)) " (" (share(found.suspects, found.rows)) ") "
                @if found.suspects == 1 { "is" } @else { "are" }
                " likely wrong, by confident learning. "
                @if found.dropped { "They left the training part." }
                @else { "They stayed; the recipe removes them by " (ask::DROP_SUSPECTS) "." }
            }
        }
        (confusions(found))
        (suspects(found))
    }
}

fn confusions(found: &SuspectReport) -> Markup {
    if found.confusions.is_empty() {
        return html! {};
    }
    let most = found.confusions.iter().map(|(.., rows)| *rows).max().unwrap_or(0);
    let columns = [
        Column("Label", Set::Name),
        Column("Likely label", Set::Name),
        Column("", Set::Bar),
        Column("Rows", Set::Number),
    ];
    let row = |(label, likely, rows): &(String, String, u64)| {
        Row::new([name(label), name(likely), bar(*rows as f64, most as f64), number(*rows)])
    };
    Table {
        caption: "Labels that are taken for each other",
        columns: &columns,
        rows: found.confusions.iter().map(row).collect(),
        things: "pairs of labels",
    }
    .markup()
}

fn suspects(found: &SuspectReport) -> Markup {
    if found.examples.is_empty() {
        return html! {};
    }
    let columns = [
        Column("Text", Set::Text),
        Column("Label", Set::Name),
        Column("Likely label", Set::Name),
        Column("Where", Set::Name),
    ];
    let row = |suspect: &SuspectExample| {
        let probability = |share| html! { " " span.muted { (percent(share)) } };
        Row::new([
            text(&suspect.text),
            html! { (name(&suspect.label)) (probability(suspect.given)) },
            html! { (name(&suspect.likely)) (probability(suspect.probability)) },
            origin(&suspect.origin),
        ])
    };
    let table = Table {
        caption: "The most suspect labels, with the quick model\u{2019}s probabilities",
        columns: &columns,
        rows: found.examples.iter().map(row).collect(),
        things: "labels",
    };
    html! {
        (table.markup())
        p.muted { "The worst of all of them are in " code { "suspects.jsonl" } "." }
    }
}

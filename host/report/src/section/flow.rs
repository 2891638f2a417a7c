//! The rows on their way: what each step left.

use super::*;
use crate::chart::{Piece, stacked};
use crate::flow::{rows_in, rows_out, steps};
use crate::format::{change, share};

pub fn section(report: &PrepareReport) -> Section {
    let came = rows_in(report);
    let steps = steps(report);
    let most = steps.iter().map(|step| step.after.max(step.before)).chain([came]).max().unwrap_or(0);
    let columns = [
        Column("Step", Set::Name),
        Column("", Set::Bar),
        Column("Rows after it", Set::Number),
        Column("Change", Set::Number),
        Column("Why", Set::Text),
    ];
    let start = Row::new([
        html! { "In the files" },
        stacked(&[Piece { rows: came, class: "stays", name: "rows" }], most),
        number(came),
        html! {},
        html! {},
    ]);
    let row = |step: &crate::flow::Step| {
        let stays = step.after.min(step.before);
        let pieces = [
            Piece { rows: stays, class: "stays", name: "stay" },
            Piece { rows: step.after - stays, class: "comes", name: "are added" },
            Piece { rows: step.before - stays, class: "goes", name: "go" },
        ];
        Row::new([
            name(&step.name),
            stacked(&pieces, most),
            number(step.after),
            html! { (change(step.change())) },
            html! { (Visible(&step.why)) },
        ])
    };
    let table = Table {
        caption: "Rows after each step",
        columns: &columns,
        rows: std::iter::once(start).chain(steps.iter().map(row)).collect(),
        things: "steps",
    };
    let out = rows_out(report);
    let body = html! {
        p.legend {
            span { svg.key aria-hidden="true" { rect.stays width="100%" height="100%" {} } "stay" }
            span { svg.key aria-hidden="true" { rect.goes width="100%" height="100%" {} } "leave at this step" }
            @if steps.iter().any(|step| step.change() > 0) {
                span { svg.key aria-hidden="true" { rect.comes width="100%" height="100%" {} } "are added" }
            }
        }
        (table.markup())
        @if !report.rows.is_empty() {
            p.muted {
                "Rows that left, each with the step and its reason, are in " code { "dropped.jsonl" } "."
            }
        }
    };
    Section::shown("flow", "The way of the rows", share(out, came), body)
}

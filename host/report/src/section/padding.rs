//! What batches waste.

use super::*;
use crate::chart::bar;
use crate::format::percent;

pub fn section(report: &PrepareReport) -> Section {
    let padding = &report.padding;
    if padding.tokens == 0 {
        return Section::shown("padding", "Padding", None, html! { p.muted { "No row was tokenized." } });
    }
    let columns = [
        Column("Batches", Set::Name),
        Column("", Set::Bar),
        Column("Padding", Set::Number),
        Column("Number", Set::Number),
    ];
    let ways = [
        ("every row at the maximum length", padding.fixed, None, false),
        ("in the order of the rows", padding.naive, Some(padding.naive_batches), false),
        ("grouped by length", padding.grouped, Some(padding.grouped_batches), !padding.trains_packed),
        ("rows packed together", padding.packed, Some(padding.bins), padding.trains_packed),
    ];
    let row = |(what, share, batches, default): (&str, f64, Option<usize>, bool)| {
        Row::new([
            html! { (what) @if default { " " span.tag { "as training does" } } },
            bar(share, 1.0),
            say(percent(share)),
            batches.map_or_else(|| say(crate::format::NONE), |batches| number(batches as u64)),
        ])
    };
    let table = Table {
        caption: "Positions that are padding, by how batches are made",
        columns: &columns,
        rows: ways.into_iter().map(row).collect(),
        things: "ways",
    };
    let body = html! {
        p {
            "The " (count(padding.tokens)) " tokens of the training rows, in batches of the recipe\u{2019}s size, in the "
            "first epoch."
        }
        (table.markup())
    };
    let trained = if padding.trains_packed { padding.packed } else { padding.grouped };
    Section::shown("padding", "Padding", percent(trained), body)
}

//! How long the rows are, and what a maximum length costs.

use pegbox_data::{LengthCandidate, LengthReport, TruncationReport};

use super::*;
use crate::chart::{bar, histogram};
use crate::format::{counted, decimal, percent, rows};

pub fn section(report: &PrepareReport) -> Section {
    let lengths = &report.lengths;
    if lengths.histogram.is_empty() {
        let body = html! { p.muted { "No row was tokenized." } };
        return Section::shown("lengths", "Lengths", None, body);
    }
    let body = html! {
        p {
            "Tokens of the training rows before any cut, special tokens included. The recipe\u{2019}s maximum length "
            "is " strong { (count(lengths.max_length.into())) } ". " (cost(&report.truncation))
        }
        @if let Some((recommended, why)) = &lengths.recommended {
            p.note { strong { (count((*recommended).into())) " is recommended" } ": " (Visible(why)) }
        }
        figure.chart {
            (histogram(lengths))
            figcaption { "Training rows by length in tokens; what is behind the line is over-long." }
        }
        (facts([
            ("shortest", number(lengths.min as u64)),
            ("mean", html! { (decimal(lengths.mean, 1)) }),
            ("half up to", number(lengths.p50 as u64)),
            ("90% up to", number(lengths.p90 as u64)),
            ("95% up to", number(lengths.p95 as u64)),
            ("99% up to", number(lengths.p99 as u64)),
            ("longest", number(lengths.max as u64)),
        ]))
        (candidates(lengths))
    };
    Section::shown("lengths", "Lengths", format!("99% \u{2264} {}", count(lengths.p99 as u64)), body)
}

/// Over all parts.
fn cost(cut: &TruncationReport) -> Markup {
    html! {
        @if cut.rows > 0 {
            (rows(cut.rows)) " lost " (counted(cut.tokens, "token", "tokens")) " at it. "
        }
        @if cut.dropped > 0 { (counted(cut.dropped, "training row was", "training rows were")) " dropped for it. " }
        @if cut.split > 0 {
            (counted(cut.split, "training row", "training rows")) " became "
            (counted(cut.pieces, "piece", "pieces")) ". "
        }
        @if cut.rows == 0 && cut.dropped == 0 && cut.split == 0 { "No row is longer." }
    }
}

fn candidates(lengths: &LengthReport) -> Markup {
    let recommended = lengths.recommended.as_ref().map(|(length, _)| *length);
    let columns = [
        Column("Maximum length", Set::Name),
        Column("Rows cut", Set::Number),
        Column("Tokens cut", Set::Number),
        Column("", Set::Bar),
        Column("Padding", Set::Number),
    ];
    let row = |candidate: &LengthCandidate| {
        let here = candidate.max_length;
        Row::new([
            html! {
                (count(here.into()))
                @if recommended == Some(here) { " " span.tag.good { "recommended" } }
                @if here == lengths.max_length { " " span.tag { "recipe" } }
            },
            number(candidate.rows_cut),
            number(candidate.tokens_cut),
            bar(candidate.padding, 1.0),
            say(percent(candidate.padding)),
        ])
        .marked(recommended == Some(here))
    };
    Table {
        caption: "What each maximum length costs, if all rows are padded to it",
        columns: &columns,
        rows: lengths.candidates.iter().map(row).collect(),
        things: "lengths",
    }
    .markup()
}

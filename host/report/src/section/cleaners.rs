//! What each cleaner did, with examples.

use pegbox_data::{ChangeExample, StageReport};

use super::*;
use crate::ask;
use crate::chart::{Piece, stacked};
use crate::diff;
use crate::format::{counted, rows, share};

pub fn section(report: &PrepareReport) -> Section {
    let stages = &report.stages;
    if stages.is_empty() {
        return Section::absent("cleaners", "Cleaners", &ask::CLEANERS);
    }
    let body = html! { @for stage in stages { (one(stage)) } };
    Section::shown("cleaners", "Cleaners", counted(stages.len() as u64, "cleaner", "cleaners"), body)
}

fn one(stage: &StageReport) -> Markup {
    let dropped: u64 = stage.dropped.values().sum();
    let pieces = [
        Piece { rows: stage.kept, class: "stays", name: "left as they were" },
        Piece { rows: stage.changed, class: "changed", name: "changed" },
        Piece { rows: stage.split, class: "comes", name: "split" },
        Piece { rows: dropped, class: "goes", name: "dropped" },
    ];
    html! {
        article.cleaner {
            h3 { (name(&stage.plugin)) " " span.version { (Visible(&stage.version)) } }
            @if let Some(why) = &stage.disabled {
                p.note.look { strong { "Left out. " } "It failed: " (Visible(why)) }
            } @else {
                (stacked(&pieces, stage.kept + stage.changed + stage.split + dropped))
                (facts([
                    ("rows in", number(stage.rows_in)),
                    ("left as they were", with_share(stage.kept, stage.rows_in, "stays")),
                    ("changed", with_share(stage.changed, stage.rows_in, "changed")),
                    ("split", with_share(stage.split, stage.rows_in, "comes")),
                    ("dropped", with_share(dropped, stage.rows_in, "goes")),
                ]))
                (reasons(stage))
                (examples(&stage.fields, &stage.examples))
            }
        }
    }
}

fn with_share(part: u64, whole: u64, class: &str) -> Markup {
    html! {
        svg.key aria-hidden="true" { rect class=(class) width="100%" height="100%" {} }
        (count(part)) @if part > 0 { " " span.muted { (share(part, whole)) } }
    }
}

fn reasons(stage: &StageReport) -> Markup {
    let mut reasons: Vec<_> = stage.dropped.iter().collect();
    reasons.sort_by_key(|(_, rows)| std::cmp::Reverse(**rows));
    let most = reasons.first().map_or(0, |(_, rows)| **rows);
    let columns = [Column("Reason", Set::Name), Column("", Set::Bar), Column("Rows", Set::Number)];
    match reasons.as_slice() {
        [] => html! {},
        [(reason, dropped)] => html! { p { (rows(**dropped)) " dropped: " (name(reason)) "." } },
        reasons => Table {
            caption: "Why rows were dropped",
            columns: &columns,
            rows: reasons
                .iter()
                .map(|(reason, rows)| {
                    Row::new([name(reason), crate::chart::bar(**rows as f64, most as f64), number(**rows)])
                })
                .collect(),
            things: "reasons",
        }
        .markup(),
    }
}

/// The first of each kind is open to view.
fn examples(names: &[String], examples: &[ChangeExample]) -> Markup {
    let mut kinds: Vec<&str> = Vec::new();
    for example in examples {
        if !kinds.contains(&example.what.as_str()) {
            kinds.push(&example.what);
        }
    }
    html! {
        @for kind in kinds {
            @let of_kind: Vec<_> = examples.iter().filter(|example| example.what == kind).collect();
            @if let [first, more @ ..] = of_kind.as_slice() {
                section.examples {
                    h4 { "Example, " (Visible(kind)) }
                    (example(names, first))
                    @if !more.is_empty() {
                        details {
                            summary { (counted(more.len() as u64, "more example", "more examples")) }
                            @for one in more { (example(names, one)) }
                        }
                    }
                }
            }
        }
    }
}

fn example(names: &[String], example: &ChangeExample) -> Markup {
    html! {
        figure.example {
            figcaption { (origin(&example.origin)) }
            @match example.after.as_slice() {
                [] => (values(names, "dropped", &example.before)),
                [after] => (fields(names, &example.before, after)),
                pieces => {
                    (values(names, "before", &example.before))
                    @for (place, piece) in pieces.iter().enumerate() {
                        (values(names, &format!("piece {}", place + 1), piece))
                    }
                },
            }
        }
    }
}

/// The fields that differ.
fn fields(names: &[String], before: &[Option<String>], after: &[Option<String>]) -> Markup {
    let same = before.iter().zip(after).filter(|(before, after)| before == after).count() as u64;
    let changed = before.iter().zip(after).enumerate().filter(|(_, (before, after))| before != after);
    html! {
        @for (place, (before, after)) in changed {
            (heading(names, place))
            @match (before, after) {
                (Some(before), Some(after)) => (diff::sides(before, after)),
                (before, after) => div.diff {
                    (one_side("before", before.as_deref()))
                    (one_side("after", after.as_deref()))
                },
            }
        }
        @if same > 0 {
            p.muted { (counted(same, "other field", "other fields")) " unchanged" }
        }
    }
}

fn values(names: &[String], which: &str, values: &[Option<String>]) -> Markup {
    html! {
        @for (place, value) in values.iter().enumerate() {
            (heading(names, place))
            div.diff.whole { (one_side(which, value.as_deref())) }
        }
    }
}

/// The field at a place; nothing where there is only one.
fn heading(names: &[String], place: usize) -> Markup {
    match names.get(place) {
        Some(name) if names.len() > 1 => html! { p.muted { "field " (Visible(name)) } },
        _ => html! {},
    }
}

fn one_side(which: &str, value: Option<&str>) -> Markup {
    html! {
        div.side {
            span.which { (which) }
            @match value {
                Some(value) => p.text { (text(value)) },
                None => p.muted { "no value" },
            }
        }
    }
}

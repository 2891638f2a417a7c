//! The document around the sections: head, verdict, figures, contents.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use pegbox_data::{BenchmarkLeakage, Part, PrepareReport};
use sha2::{Digest, Sha256};

use crate::chart::{Piece, stacked};
use crate::flow::{rows_in, rows_out};
use crate::format::{NONE, count, moment, share};
use crate::section::{self, Body, Section};
use crate::verdict::{Level, Verdict};
use crate::visible::{Visible, plain};

const STYLE: &str = include_str!("style.css");

/// What the report is about, beside what it reports.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct About {
    /// The recipe's file, as a person calls it.
    pub recipe: String,
    /// The dataset's key.
    pub dataset_key: String,
    /// RFC 3339; empty where it shall not be told.
    pub created: String,
    /// Pegbox's.
    pub version: String,
}

/// The report as one HTML file. The same report and the same `about` give the same bytes.
pub fn html(report: &PrepareReport, about: &About) -> String {
    let sections = section::all(report);
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy());
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="referrer" content="no-referrer";
                meta name="generator" content=(plain(&format!("Pegbox {}", about.version)));
                title { "Prepared data: " (plain(&about.recipe)) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                a.skip href="#verdict" { "To the verdict" }
                header { (heading(about)) }
                nav aria-label="Contents" { (contents(&sections)) }
                main {
                    (verdict(&Verdict::of(report)))
                    (figures(report))
                    @for section in &sections { (part(section)) }
                }
                footer { "Made by Pegbox " (Visible(&about.version)) ". This file loads nothing and runs nothing." }
            }
        }
    };
    page.into_string()
}

/// Nothing but the style that stands in the file itself.
fn policy() -> String {
    let digest = STANDARD.encode(Sha256::digest(STYLE));
    format!("default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'")
}

fn heading(about: &About) -> Markup {
    html! {
        p.kind { "Pegbox " span { "prepare" } }
        h1 { "Prepared data" }
        dl.about {
            div { dt { "Recipe" } dd { bdi { (Visible(&about.recipe)) } } }
            div { dt { "Dataset" } dd { code.origin { (Visible(&about.dataset_key)) } } }
            @if !about.created.is_empty() {
                div {
                    dt { "Made" }
                    dd { time datetime=(plain(&about.created)) { (Visible(&moment(&about.created))) } }
                }
            }
        }
    }
}

fn contents(sections: &[Section]) -> Markup {
    html! {
        ul {
            @for section in sections {
                @let absent = matches!(section.body, Body::Absent(_));
                li .absent[absent] {
                    a href=(format!("#{}", section.id)) { (section.title) }
                    @if let Some(figure) = &section.figure { span.figure { (Visible(figure)) } }
                }
            }
        }
    }
}

fn verdict(verdict: &Verdict) -> Markup {
    html! {
        section.verdict.(verdict.level.class()) #verdict aria-label="Verdict" {
            h2 { (symbol(verdict.level)) (verdict.level.headline()) }
            p { (verdict.sentences[0]) " " strong { (verdict.sentences[1]) } }
            @if !verdict.points.is_empty() {
                ul.points {
                    @for point in &verdict.points {
                        li.(point.level.class()) {
                            span.tag.(point.level.class()) { (point.level.word()) }
                            span {
                                (Visible(&point.text)) " "
                                a href=(format!("#{}", point.section)) { "More" span.hidden { " on this" } }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn symbol(level: Level) -> Markup {
    html! {
        svg.symbol viewBox="0 0 16 16" aria-hidden="true" focusable="false" {
            @match level {
                Level::Good => { circle cx="8" cy="8" r="7.5" {} path d="M4.5 8.4l2.4 2.4 4.6-5.2" {} },
                Level::Look => { path.shape d="M8 1l7.4 13.5H.6z" {} path d="M8 6v4M8 11.8v.6" {} },
                Level::Problem => { circle cx="8" cy="8" r="7.5" {} path d="M5.2 5.2l5.6 5.6M10.8 5.2l-5.6 5.6" {} },
            }
        }
    }
}

fn figures(report: &PrepareReport) -> Markup {
    let (came, out) = (rows_in(report), rows_out(report));
    let by_cleaners: u64 = report.stages.iter().flat_map(|stage| stage.dropped.values()).sum();
    let untied = report.annotations.as_ref().map_or(0, |annotations| annotations.dropped);
    let over_long = report.truncation.dropped;
    let files = crate::format::counted(report.files.len() as u64, "file", "files");
    html! {
        section.figures aria-label="Figures" {
            (figure("Rows in", Some(came), html! {
                (files) @if report.quarantined > 0 { ", " (count(report.quarantined)) " put aside" }
            }))
            (figure("Rows out", Some(out), html! { (parts(report)) }))
            (figure("Dropped", Some(by_cleaners + untied + over_long), html! {
                @if report.stages.is_empty() { "no cleaner" } @else { (share(by_cleaners, came)) " by cleaners" }
                @if untied > 0 { ", " (count(untied)) " tied" }
                @if over_long > 0 { ", " (count(over_long)) " over-long" }
            }))
            @let duplicates = report.duplicates.as_ref();
            (figure("Duplicates", duplicates.map(|found| found.exact_removed + found.near_removed), match duplicates {
                Some(found) => html! { (count(found.exact_removed)) " equal, " (count(found.near_removed)) " near" },
                None => html! { "not removed" },
            }))
            @let suspects = report.suspects.as_ref();
            (figure("Suspect labels", suspects.map(|found| found.suspects), match suspects {
                Some(found) => html! {
                    (share(found.suspects, found.rows)) ", " @if found.dropped { "dropped" } @else { "kept" }
                },
                None => html! { "not looked for" },
            }))
            (leakage(report))
        }
    }
}

fn figure(name: &str, value: Option<u64>, more: Markup) -> Markup {
    html! {
        div.tile {
            p.name { (name) }
            p.value .muted[value.is_none()] { (value.map_or(NONE.to_owned(), count)) }
            div.more { (more) }
        }
    }
}

fn leakage(report: &PrepareReport) -> Markup {
    let found = report.leakage.as_ref();
    let sum =
        |of: fn(&BenchmarkLeakage) -> u64| found.map(|found| found.benchmarks.iter().map(of).sum::<u64>());
    let (rows, texts) = (sum(|benchmark| benchmark.rows), sum(|benchmark| benchmark.texts));
    figure(
        "Leakage",
        rows,
        html! {
            @match (found, texts) {
                (Some(found), Some(texts)) => {
                    "in " (count(texts)) " held-out texts"
                    @if rows.is_some_and(|rows| rows > 0) { ", " @if found.dropped { "dropped" } @else { "kept" } }
                },
                _ => "not measured",
            }
        },
    )
}

/// A bar of the parts, with their names and numbers.
fn parts(report: &PrepareReport) -> Markup {
    let pieces = Part::ALL.map(|part| Piece {
        rows: report.rows.get(&part).copied().unwrap_or(0),
        class: part.name(),
        name: part.name(),
    });
    html! {
        (stacked(&pieces, pieces.iter().map(|piece| piece.rows).sum()))
        ul.parts {
            @for piece in &pieces {
                li {
                    svg.key aria-hidden="true" { rect class=(piece.class) width="100%" height="100%" {} }
                    span { (count(piece.rows)) " " (piece.name) }
                }
            }
        }
    }
}

fn part(section: &Section) -> Markup {
    html! {
        @match &section.body {
            Body::Shown(body) => section #(section.id) {
                h2 { (section.title) }
                (body)
            },
            Body::Absent(ask) => section.absent #(section.id) {
                h2 { (section.title) }
                (ask.line())
            },
        }
    }
}

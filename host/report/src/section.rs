//! What each section says. One file a section; each says where it stands in the list of contents and what its figure
//! there is.

mod agreement;
mod balance;
mod cleaners;
mod duplicates;
mod files;
mod findings;
mod flow;
mod labels;
mod leakage;
mod lengths;
mod padding;
mod seconds;
mod splits;

use maud::{Markup, html};
use pegbox_data::PrepareReport;

use crate::ask::Ask;
use crate::format::count;
use crate::table::{Column, Row, Set, Table, say};
use crate::visible::{Visible, excerpt};

/// Characters of a text that an example shows.
const EXCERPT: usize = 300;

/// A part of the page with a heading.
pub struct Section {
    /// Links point to it.
    pub id: &'static str,
    pub title: &'static str,
    /// The one number that the list of contents shows.
    pub figure: Option<String>,
    pub body: Body,
}

/// What is under the heading.
pub enum Body {
    Shown(Markup),
    /// The recipe does not ask for it.
    Absent(&'static Ask),
}

impl Section {
    fn shown(id: &'static str, title: &'static str, figure: impl Into<Option<String>>, body: Markup) -> Self {
        Self { id, title, figure: figure.into(), body: Body::Shown(body) }
    }

    fn absent(id: &'static str, title: &'static str, ask: &'static Ask) -> Self {
        Self { id, title, figure: None, body: Body::Absent(ask) }
    }
}

/// All of them, in the order of the work.
pub fn all(report: &PrepareReport) -> Vec<Section> {
    vec![
        files::section(report),
        flow::section(report),
        cleaners::section(report),
        duplicates::section(report),
        findings::section(report),
        agreement::section(report),
        labels::section(report),
        splits::section(report),
        leakage::section(report),
        balance::section(report),
        lengths::section(report),
        padding::section(report),
        seconds::section(report),
    ]
}

/// A text from outside in a cell.
fn text(text: &str) -> Markup {
    excerpt(text, EXCERPT)
}

/// A name from outside: a label, a file, an annotator.
fn name(name: &str) -> Markup {
    html! {
        @if name.is_empty() { span.muted { "no value" } }
        @else { bdi { (Visible(name)) } }
    }
}

/// Where a row comes from.
fn origin(origin: &str) -> Markup {
    html! { code.origin { (Visible(origin)) } }
}

fn number(number: u64) -> Markup {
    html! { (count(number)) }
}

/// A few facts beside each other: what, how much.
fn facts<const N: usize>(facts: [(&str, Markup); N]) -> Markup {
    html! {
        dl.facts {
            @for (what, value) in facts {
                div { dt { (what) } dd { (value) } }
            }
        }
    }
}

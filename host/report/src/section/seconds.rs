//! How long each step took.

use super::*;
use crate::chart::bar;
use crate::format::seconds;

pub fn section(report: &PrepareReport) -> Section {
    if report.seconds.is_empty() {
        return Section::shown("seconds", "Time", None, html! { p.muted { "No step was timed." } });
    }
    let total: f64 = report.seconds.iter().map(|(_, took)| took).sum();
    let most = report.seconds.iter().map(|(_, took)| *took).fold(0.0, f64::max);
    let columns = [Column("Step", Set::Name), Column("", Set::Bar), Column("Time", Set::Number)];
    let table = Table {
        caption: "Time of each step",
        columns: &columns,
        rows: report
            .seconds
            .iter()
            .map(|(step, took)| Row::new([name(step), bar(*took, most), say(seconds(*took))]))
            .collect(),
        things: "steps",
    };
    let body = html! {
        (table.markup())
        p.muted { "A step whose result was there already takes next to no time." }
    };
    Section::shown("seconds", "Time", seconds(total), body)
}

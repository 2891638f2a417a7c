//! What came in.

use super::*;

pub fn section(report: &PrepareReport) -> Section {
    let columns = [
        Column("File", Set::Name),
        Column("For", Set::Short),
        Column("Format", Set::Short),
        Column("Layout", Set::Short),
        Column("Rows", Set::Number),
        Column("Put aside", Set::Number),
    ];
    let row = |file: &pegbox_data::FileReport| {
        Row::new([
            name(&file.name),
            html! { (file.part) },
            name(&file.format),
            name(&file.layout),
            number(file.rows),
            number(file.quarantined),
        ])
    };
    let files = Table {
        caption: "Files in the order in which they were read",
        columns: &columns,
        rows: report.files.iter().map(row).collect(),
        things: "files",
    };
    let rows = report.files.iter().map(|file| file.rows).sum();
    Section::shown("files", "What came in", count(rows), html! { (files.markup()) (quarantine(report)) })
}

fn quarantine(report: &PrepareReport) -> Markup {
    if report.quarantined == 0 {
        return html! { p.muted { "Every row could be read." } };
    }
    let columns =
        [Column("Where", Set::Name), Column("What is wrong", Set::Text), Column("The row", Set::Text)];
    let table = Table {
        caption: "Rows that could not be read",
        columns: &columns,
        rows: report
            .quarantine
            .iter()
            .map(|row| {
                let raw = row.raw.as_deref().map_or(html! {}, |raw| html! { code { (text(raw)) } });
                Row::new([origin(&row.origin), text(&row.reason), raw])
            })
            .collect(),
        things: "rows",
    };
    html! {
        h3 { "Put aside" }
        p {
            (crate::format::rows(report.quarantined)) " could not be read. All of them are in "
            code { "quarantined.jsonl" } "; the first:"
        }
        (table.markup())
    }
}

//! How the rows came into their parts.

use pegbox_data::{ClassCount, Part};

use super::*;
use crate::chart::{Piece, stacked};
use crate::format::{counted, decimal, share};

pub fn section(report: &PrepareReport) -> Section {
    let split = &report.split;
    let body = html! {
        p { (method(&split.method)) }
        (facts([
            ("seed", html! { (split.seed) }),
            ("sets of rows kept together", number(split.units)),
            ("rows left out, said by a held-out row", number(split.left_out)),
            ("sets in more than one part", number(split.straddling)),
        ]))
        (parts(report))
        @if report.classes.is_empty() {
            p.muted { "The rows have no classes." }
        } @else {
            (classes(&report.classes))
        }
    };
    let of = |part: &Part| report.rows.get(part).copied().unwrap_or(0);
    let total: u64 = report.rows.values().sum();
    let figure = (total > 0).then(|| {
        let percent = |part| format!("{:.0}", of(&part) as f64 / total as f64 * 100.0);
        Part::ALL.map(percent).join("/")
    });
    Section::shown("splits", "Parts", figure, body)
}

fn method(method: &str) -> Markup {
    match method {
        "stratified" => html! { "Split at random, with the same share of every class in each part." },
        "iterative" => {
            html! { "Split so that each part has the same share of every label, by sets of labels." }
        }
        "random" => html! { "Split at random." },
        "group" => html! { "Split at random by group: rows of a group are in one part." },
        "time" => html! { "Split by time: the oldest rows train, the newest test." },
        "given" => html! { "Every row\u{2019}s file says which part it is for." },
        "" => html! { "The rows were not split." },
        other => html! { "Split by: " (Visible(other)) "." },
    }
}

fn parts(report: &PrepareReport) -> Markup {
    let total: u64 = report.rows.values().sum();
    let columns = [
        Column("Part", Set::Short),
        Column("", Set::Bar),
        Column("Rows", Set::Number),
        Column("Share", Set::Number),
        Column("Tokens", Set::Number),
        Column("Tokens a row", Set::Number),
    ];
    let row = |part: Part| {
        let rows = report.rows.get(&part).copied().unwrap_or(0);
        let tokens = report.tokens.get(&part).copied().unwrap_or(0);
        Row::new([
            html! { (part) },
            stacked(&[Piece { rows, class: part.name(), name: part.name() }], total),
            number(rows),
            say(share(rows, total)),
            number(tokens),
            say(if rows > 0 {
                decimal(tokens as f64 / rows as f64, 1)
            } else {
                crate::format::NONE.to_owned()
            }),
        ])
    };
    let rows = Part::ALL.into_iter().map(row).collect();
    Table { caption: "Parts of the dataset", columns: &columns, rows, things: "parts" }.markup()
}

/// The largest classes first.
fn classes(classes: &[ClassCount]) -> Markup {
    let all = |class: &ClassCount| class.train + class.validation + class.test;
    let mut sorted: Vec<&ClassCount> = classes.iter().collect();
    sorted.sort_by(|a, b| all(b).cmp(&all(a)).then_with(|| a.label.cmp(&b.label)));
    let most = sorted.first().map_or(0, |class| all(class));
    let columns = [
        Column("Class", Set::Name),
        Column("", Set::Bar),
        Column("train", Set::Number),
        Column("validation", Set::Number),
        Column("test", Set::Number),
    ];
    let row = |class: &&ClassCount| {
        let pieces = [
            Piece { rows: class.train, class: "train", name: "train" },
            Piece { rows: class.validation, class: "validation", name: "validation" },
            Piece { rows: class.test, class: "test", name: "test" },
        ];
        Row::new([
            name(&class.label),
            stacked(&pieces, most),
            number(class.train),
            number(class.validation),
            number(class.test),
        ])
    };
    let caption = format!("{} by part, the largest first", counted(classes.len() as u64, "class", "classes"));
    Table { caption: &caption, columns: &columns, rows: sorted.iter().map(row).collect(), things: "classes" }
        .markup()
}

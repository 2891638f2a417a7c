//! How even the training rows are.

use pegbox_data::{GroupCount, GroupReport};

use super::*;
use crate::ask;
use crate::chart::bar;
use crate::format::{NONE, change, decimal, share};

pub fn section(report: &PrepareReport) -> Section {
    let balance = &report.balance;
    let done = match balance.method.as_str() {
        "" | "none" => None,
        "weights" => Some(html! { "Rows of small classes weigh more in training." }),
        "over-sample" => Some(html! { "Rows of small classes were repeated." }),
        "under-sample" => Some(html! { "Rows of large classes were left out." }),
        other => Some(html! { "Evened out by " (Visible(other)) "." }),
    };
    if done.is_none() && balance.ratio == 0.0 && balance.groups.is_empty() {
        return Section::absent("balance", "Balance", &ask::BALANCE);
    }
    let by = i128::from(balance.rows_after) - i128::from(balance.rows_before);
    let body = html! {
        @match &done { Some(done) => p { (done) }, None => (ask::BALANCE.line()) }
        @if !report.classes.is_empty() {
            (facts([
                ("largest class over smallest", html! { (decimal(balance.ratio, 1)) "\u{d7}" }),
                ("as uneven as so many equal classes", html! {
                    (decimal(balance.effective_classes, 1)) " "
                    span.muted { "of " (count(report.classes.len() as u64)) }
                }),
                ("training rows before", number(balance.rows_before)),
                ("training rows after", html! {
                    (count(balance.rows_after)) @if by != 0 { " " span.muted { (change(by)) } }
                }),
            ]))
        }
        @for group in balance.groups.iter().filter(|group| tells(group)) { (one(group, balance.rows_after)) }
        @if !balance.groups.is_empty() {
            p.muted {
                "Characters: mean of a text. Diversity: different words over all words, among the first 10,000 of a "
                "group."
            }
        }
    };
    let ratio = (balance.ratio > 0.0).then(|| format!("{}\u{d7}", decimal(balance.ratio, 1)));
    Section::shown("balance", "Balance", ratio, body)
}

/// Rows without a value, all of them, tell nothing.
fn tells(group: &GroupReport) -> bool {
    group.groups.iter().any(|one| !one.name.is_empty())
}

fn one(group: &GroupReport, total: u64) -> Markup {
    let most = group.groups.iter().map(|group| group.rows).max().unwrap_or(0);
    let weighted = group.groups.iter().any(|group| group.weight.is_some());
    let mut columns = vec![
        Column("Group", Set::Name),
        Column("", Set::Bar),
        Column("Rows", Set::Number),
        Column("Share", Set::Number),
        Column("Characters", Set::Number),
        Column("Diversity", Set::Number),
    ];
    if weighted {
        columns.push(Column("Weight", Set::Number));
    }
    let row = |group: &GroupCount| {
        Row::new([
            name(&group.name),
            bar(group.rows as f64, most as f64),
            number(group.rows),
            say(share(group.rows, total)),
            say(decimal(group.mean_length, 1)),
            say(decimal(group.diversity, 2)),
            say(group.weight.map_or(NONE.to_owned(), |weight| decimal(weight, 2))),
        ])
    };
    let caption = format!("Training rows by {}", crate::visible::plain(&group.field));
    let table = Table {
        caption: &caption,
        columns: &columns,
        rows: group.groups.iter().map(row).collect(),
        things: "groups",
    };
    html! {
        (table.markup())
        @if group.more > 0 { p.muted { (count(group.more)) " smaller groups are not listed." } }
    }
}

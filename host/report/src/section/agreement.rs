//! Whether the annotators are of one mind.

use pegbox_annotations::adjudicate::Doubtful;
use pegbox_annotations::agreement::{Agreement, Estimate, Pair};
use pegbox_annotations::reliability::Annotator;
use pegbox_data::AnnotationReport;

use super::*;
use crate::ask;
use crate::chart::{bar, estimate, interval};
use crate::format::{NONE, decimal, percent, share};
use crate::verdict::{RELIABLE, TENTATIVE, telling};

pub fn section(report: &PrepareReport) -> Section {
    let Some(annotations) = &report.annotations else {
        return Section::absent("agreement", "Agreement of annotators", &ask::ANNOTATIONS);
    };
    let (_, figure) = telling(annotations);
    let agreement = &annotations.agreement;
    let body = html! {
        p {
            (count(annotations.ratings)) " ratings of " (count(annotations.items)) " items by "
            (count(agreement.annotators as u64)) " annotators became one label an item, "
            @match annotations.aggregate.as_str() {
                "majority" => "by majority.",
                "dawid-skene" => "by Dawid and Skene\u{2019}s model of each annotator\u{2019}s errors.",
                other => { "by " (Visible(other)) "." },
            }
        }
        (facts([
            ("items rated twice or more", number(agreement.compared as u64)),
            ("disputed", html! {
                (count(annotations.disputed)) " " span.muted { (share(annotations.disputed, annotations.items)) }
            }),
            ("ties", number(annotations.ties)),
            ("majority overruled by the model", number(annotations.overruled)),
            ("items without a label, dropped", number(annotations.dropped)),
        ]))
        @match &annotations.agreement_of_labels {
            None => (statistics("Agreement", agreement)),
            Some(of_labels) => {
                (statistics("Agreement on the labels", of_labels))
                (statistics("Agreement on the values as they were given", agreement))
            },
        }
        p.muted {
            "Intervals: " (count(agreement.resamples.into())) " resamples of the items. The thin lines are "
            "Krippendorff\u{2019}s customary bounds: below " (decimal(TENTATIVE, 3)) " agreement carries no conclusion, "
            "from " (decimal(RELIABLE, 1)) " it is reliable."
        }
        (annotators(&annotations.annotators))
        (pairs(agreement))
        (disputed(annotations))
    };
    let figure = figure.value.map(|value| format!("\u{3b1} {}", decimal(value, 2)));
    Section::shown("agreement", "Agreement of annotators", figure, body)
}

fn statistics(caption: &str, agreement: &Agreement) -> Markup {
    let cohen = &agreement.cohen.mean;
    let all: [(&str, Option<&Estimate>); 8] = [
        ("Percent agreement", Some(&agreement.percent)),
        ("Fleiss\u{2019} kappa", Some(&agreement.fleiss)),
        ("Krippendorff\u{2019}s alpha, nominal", Some(&agreement.alpha_nominal)),
        ("Krippendorff\u{2019}s alpha, ordinal", agreement.alpha_ordinal.as_ref()),
        ("Krippendorff\u{2019}s alpha, interval", agreement.alpha_interval.as_ref()),
        ("Cohen\u{2019}s kappa, mean of pairs", Some(&cohen.unweighted)),
        ("Cohen\u{2019}s kappa, linear weights", cohen.linear.as_ref()),
        ("Cohen\u{2019}s kappa, quadratic weights", cohen.quadratic.as_ref()),
    ];
    let there: Vec<(&str, &Estimate)> =
        all.into_iter().filter_map(|(name, estimate)| estimate.map(|estimate| (name, estimate))).collect();
    // Agreement below chance is rare; where there is any, the scale has room for it.
    let least =
        there.iter().flat_map(|(_, estimate)| [estimate.value, estimate.low]).flatten().fold(0.0, f64::min);
    let low = if least < 0.0 { -1.0 } else { 0.0 };
    let level = percent(agreement.level).replace(".0%", "%");
    let head = format!("{level} interval");
    let columns = [
        Column("Statistic", Set::Name),
        Column(if low < 0.0 { "\u{2212}1 to 1" } else { "0 to 1" }, Set::Bar),
        Column("Value", Set::Number),
        Column(&head, Set::Range),
    ];
    let rows = there
        .iter()
        .map(|(name, value)| {
            let bounds: &[f64] = if *name == "Percent agreement" { &[] } else { &[TENTATIVE, RELIABLE] };
            let (shown, range) = estimate(value);
            Row::new([say(*name), interval(value, low, bounds), say(shown), say(range)])
        })
        .collect();
    Table { caption, columns: &columns, rows, things: "statistics" }.markup()
}

fn annotators(annotators: &[Annotator]) -> Markup {
    let columns = [
        Column("Annotator", Set::Name),
        Column("", Set::Bar),
        Column("Likely right", Set::Number),
        Column("With majority", Set::Number),
        Column("Kappa", Set::Number),
        Column("Items", Set::Number),
    ];
    let of = |share: Option<f64>| say(share.map_or(NONE.to_owned(), percent));
    let row = |one: &Annotator| {
        Row::new([
            name(&one.name),
            bar(one.accuracy.or(one.with_majority).unwrap_or(0.0), 1.0),
            of(one.accuracy),
            of(one.with_majority),
            say(one.kappa.map_or(NONE.to_owned(), |kappa| decimal(kappa, 3))),
            number(one.items.into()),
        ])
    };
    Table {
        caption: "Annotators, the least reliable first",
        columns: &columns,
        rows: annotators.iter().map(row).collect(),
        things: "annotators",
    }
    .markup()
}

/// Cohen's kappa of each pair; folded, since there may be thousands.
fn pairs(agreement: &Agreement) -> Markup {
    /// As many as anybody reads; all of them are in the JSON report.
    const LISTED: usize = 100;
    let mut pairs: Vec<&Pair> = agreement.cohen.pairs.iter().collect();
    if pairs.is_empty() {
        return html! {};
    }
    let kappa = |pair: &Pair| pair.kappa.unweighted.value.unwrap_or(f64::INFINITY);
    pairs.sort_by(|a, b| kappa(a).total_cmp(&kappa(b)));
    let columns = [
        Column("Annotator", Set::Name),
        Column("and", Set::Name),
        Column("Common items", Set::Number),
        Column("Percent", Set::Number),
        Column("Kappa", Set::Number),
    ];
    let row = |pair: &&Pair| {
        Row::new([
            name(&pair.first),
            name(&pair.second),
            number(pair.items.into()),
            say(pair.percent.value.map_or(NONE.to_owned(), percent)),
            say(estimate(&pair.kappa.unweighted).0),
        ])
    };
    let table = Table {
        caption: "Pairs of annotators, the least agreeing first",
        columns: &columns,
        rows: pairs.iter().take(LISTED).map(row).collect(),
        things: "pairs",
    };
    html! {
        details {
            summary { (crate::format::counted(pairs.len() as u64, "pair", "pairs")) " of annotators" }
            (table.markup())
            @if pairs.len() > LISTED {
                p.muted { (count((pairs.len() - LISTED) as u64)) " more pairs are in " code { "report.json" } "." }
            }
        }
    }
}

fn disputed(annotations: &AnnotationReport) -> Markup {
    if annotations.examples.is_empty() {
        return html! {};
    }
    let columns = [
        Column("Item", Set::Name),
        Column("What each said", Set::Text),
        Column("Majority", Set::Name),
        Column("Likeliest", Set::Name),
        Column("Doubt, bits", Set::Number),
    ];
    let row = |item: &Doubtful| {
        Row::new([
            origin(&item.item),
            html! {
                @for (who, what) in &item.said {
                    span.said { span.muted { (name(who)) } " " (name(what)) } " "
                }
            },
            html! { (name(&item.majority)) @if item.tied { " " span.tag { "tied" } } },
            html! {
                @if let Some((label, probability)) = &item.likeliest {
                    (name(label)) " " span.muted { (percent(*probability)) }
                }
            },
            say(item.entropy.map_or(NONE.to_owned(), |bits| decimal(bits, 2))),
        ])
    };
    let table = Table {
        caption: "The most doubtful items",
        columns: &columns,
        rows: annotations.examples.iter().map(row).collect(),
        things: "items",
    };
    html! {
        h3 { "Disputed items" }
        p {
            "The annotators differ on " (count(annotations.disputed)) " items; a person can decide on those in "
            code { "adjudicate.jsonl" } "."
        }
        (table.markup())
    }
}

//! Whether training knows what it will be tested on.

use pegbox_data::{BenchmarkLeakage, LeakageExample, LeakageReport};

use super::*;
use crate::ask;
use crate::chart::bar;
use crate::format::{percent, rows};

pub fn section(report: &PrepareReport) -> Section {
    let Some(leakage) = &report.leakage else {
        return Section::absent("leakage", "Leakage", &ask::LEAKAGE);
    };
    let leaked: u64 = leakage.benchmarks.iter().map(|benchmark| benchmark.rows).sum();
    let body = html! {
        p {
            "A training row is leaked if at least " (percent(leakage.share)) " of its runs of "
            (leakage.ngram) " words stand in a benchmark or in the test part. "
            @if leaked == 0 { "There is none." }
            @else if leakage.dropped { (rows(leaked)) " left the training part for it." }
            @else { (rows(leaked)) " stayed; the recipe removes them by " (ask::DROP_LEAKED) "." }
        }
        (benchmarks(&leakage.benchmarks))
        (examples(leakage))
    };
    Section::shown("leakage", "Leakage", count(leaked), body)
}

fn benchmarks(benchmarks: &[BenchmarkLeakage]) -> Markup {
    let most = benchmarks.iter().map(|benchmark| benchmark.rows).max().unwrap_or(0);
    let columns = [
        Column("Benchmark", Set::Name),
        Column("", Set::Bar),
        Column("Training rows in it", Set::Number),
        Column("Its texts", Set::Number),
    ];
    let row = |benchmark: &BenchmarkLeakage| {
        Row::new([
            name(&benchmark.name),
            bar(benchmark.rows as f64, most as f64),
            number(benchmark.rows),
            number(benchmark.texts),
        ])
    };
    Table {
        caption: "Overlap of the training part",
        columns: &columns,
        rows: benchmarks.iter().map(row).collect(),
        things: "benchmarks",
    }
    .markup()
}

fn examples(leakage: &LeakageReport) -> Markup {
    if leakage.examples.is_empty() {
        return html! {};
    }
    let columns = [
        Column("Text", Set::Text),
        Column("Benchmark", Set::Name),
        Column("Share in it", Set::Number),
        Column("Longest run", Set::Number),
        Column("Where", Set::Name),
    ];
    let row = |example: &LeakageExample| {
        Row::new([
            text(&example.text),
            name(&example.benchmark),
            say(percent(example.share)),
            html! { (count(example.longest as u64)) " words" },
            origin(&example.origin),
        ])
    };
    Table {
        caption: "Training rows that stand in a benchmark",
        columns: &columns,
        rows: leakage.examples.iter().map(row).collect(),
        things: "rows",
    }
    .markup()
}

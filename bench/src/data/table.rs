//! The figures as Markdown.

use std::fmt::Write;

use super::measure::Measured;
use super::runs::Run;
use super::score::{Finds, Of, Scores};
use super::{Compared, truth};
use crate::page::processor;

/// The share of the memory for the corpus that a larger one may take.
const GROWTH: f64 = 1.2;

pub fn page(compared: &Compared) -> String {
    let Compared { ours, one_thread, peer, memory } = compared;
    let mut text = String::new();
    let _ = writeln!(
        text,
        "Machine: {}, {} threads. One run each, from the file to a dataset on disk; the model and compiled code are there \
         already. Memory in MiB: of all processes together (PSS, a look every 0.2 s), the same without pages of files, \
         and of the largest process (`ru_maxrss`).\n\n\
         | | rows | seconds | rows a second | memory | without files | largest process |\n\
         | --- | --- | --- | --- | --- | --- | --- |",
        processor(),
        std::thread::available_parallelism().map_or(0, usize::from),
    );
    let _ = writeln!(text, "{}", row("Pegbox, 2 threads", ours));
    let _ = writeln!(text, "{}", row("Pegbox, 1 thread", one_thread));
    if let Some([equal, theirs]) = peer {
        if equal.rows != ours.rows {
            let _ = writeln!(text, "{}", row("Pegbox, 2 threads", equal));
        }
        let _ = writeln!(text, "{}", row("datasets, 2 processes", theirs));
    }
    if let Some(memory) = memory {
        let _ = writeln!(text, "{}", row("Pegbox, 2 threads", memory));
    }
    let _ = writeln!(text);
    if let Some([equal, theirs]) = peer {
        let faster = theirs.measured.seconds / equal.measured.seconds;
        let _ = writeln!(text, "Speed at {} rows, `datasets` as 1: **{faster:.1}**", count(theirs.rows));
    }
    let scaling = one_thread.measured.seconds / ours.measured.seconds;
    let _ = writeln!(text, "Speed of two threads, one as 1: **{scaling:.2}**");
    if let Some(memory) = memory {
        let growth = memory.measured.memory as f64 / ours.measured.memory as f64;
        let _ = writeln!(
            text,
            "Memory for {} rows, that for {} as 1: **{growth:.2}** (to be {GROWTH} at most)",
            count(memory.rows),
            count(ours.rows)
        );
    }
    let _ = writeln!(text);
    let _ = writeln!(text, "{}", steps("Pegbox", ours));
    if let Some([_, theirs]) = peer {
        let _ = writeln!(text, "{}", steps("datasets", theirs));
    }
    let mut columns = Vec::new();
    let mut column = |name: String, run: &Run| {
        if let Some(scores) = &run.scores {
            columns.push((name, scores.clone()));
        }
    };
    column(format!("Pegbox, {} rows", count(ours.rows)), ours);
    if let Some([equal, theirs]) = peer {
        if equal.rows != ours.rows {
            column(format!("Pegbox, {} rows", count(equal.rows)), equal);
        }
        column(format!("datasets, {} rows", count(theirs.rows)), theirs);
    }
    let columns: Vec<(&str, &Scores)> =
        columns.iter().map(|(name, scores)| (name.as_str(), scores)).collect();
    let _ = writeln!(text, "\n{}", self::scores(&columns));
    text
}

/// A column for each of some outputs.
pub fn scores(columns: &[(&str, &Scores)]) -> String {
    let mut text = String::new();
    let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
    let _ = writeln!(text, "| against the truth | {} |", names.join(" | "));
    let _ = writeln!(text, "| --- |{}", " --- |".repeat(columns.len()));
    let mut line = |what: &str, value: &dyn Fn(&Scores) -> String| {
        let values: Vec<String> = columns.iter().map(|(_, scores)| value(scores)).collect();
        let _ = writeln!(text, "| {what} | {} |", values.join(" | "));
    };
    line("rows left: training, validation, test", &|scores| scores.parts.map(count).join(", "));
    let duplicates =
        format!("duplicates removed (Jaccard {} or more): precision, recall, F1", truth::THRESHOLD);
    line(&duplicates, &|scores| finds(scores.duplicates));
    line("personal data replaced: precision, recall, F1", &|scores| finds(scores.pii.finds()));
    for kind in super::text::PiiKind::ALL {
        line(&format!("{} gone", kind.name()), &|scores| {
            of(scores.pii.gone.get(&kind).copied().unwrap_or_default())
        });
    }
    line("rows without personal data that got a placeholder", &|scores| of(scores.pii.clean_rows));
    line("wrong labels suspected: precision, recall, F1", &|scores| finds(scores.flipped));
    line("clusters of duplicates that straddle the split", &|scores| count(scores.straddling.clusters));
    line("equal texts in two parts", &|scores| count(scores.straddling.texts));
    line("noise dropped", &|scores| of(scores.noise));
    line("rows without a text or label dropped", &|scores| of(scores.missing));
    line("malformed lines set aside", &|scores| of(scores.malformed));
    line("good rows lost", &|scores| count(scores.lost));
    line("rows gone without a reason", &|scores| count(scores.unexplained));
    text
}

fn row(name: &str, run: &Run) -> String {
    let Measured { seconds, memory, anonymous, largest } = run.measured;
    let mebibytes = |bytes: u64| count(bytes.div_ceil(1 << 20));
    format!(
        "| {name} | {} | {seconds:.1} | {} | {} | {} | {} |",
        count(run.rows),
        count((run.rows as f64 / seconds) as u64),
        mebibytes(memory),
        mebibytes(anonymous),
        mebibytes(largest)
    )
}

fn steps(name: &str, run: &Run) -> String {
    let steps: Vec<String> = run
        .steps
        .iter()
        .filter(|(_, seconds)| *seconds >= 0.05)
        .map(|(step, seconds)| format!("{step} {seconds:.1}"))
        .collect();
    format!("{name}'s seconds by step, {} rows: {}.\n", count(run.rows), steps.join(", "))
}

fn finds(finds: Finds) -> String {
    format!("{:.4}, {:.4}, **{:.4}**", finds.precision(), finds.recall(), finds.f1())
}

fn of(of: Of) -> String {
    format!("{} of {} ({:.2}%)", count(of.some), count(of.all), of.share() * 100.0)
}

/// With commas.
fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_easily() {
        let shown = [0, 12, 999, 1_000, 1_234_567].map(count);
        assert_eq!(shown, ["0", "12", "999", "1,000", "1,234,567"]);
        assert_eq!(of(Of { some: 1, all: 3 }), "1 of 3 (33.33%)");
        assert_eq!(finds(Finds { right: 9, wrong: 1, missed: 0 }), "0.9000, 1.0000, **0.9474**");
    }
}

//! The rows on their way through the steps: how many each step left, and why the others went.

use pegbox_data::PrepareReport;

use crate::format::{count, counted};

/// What a step left.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Step {
    /// May come from outside: a plugin's name.
    pub name: String,
    pub before: u64,
    pub after: u64,
    /// What became of the difference; reasons come from outside, too.
    pub why: String,
}

impl Step {
    pub fn change(&self) -> i128 {
        i128::from(self.after) - i128::from(self.before)
    }
}

/// Rows in the files, whether they could be read or not.
pub fn rows_in(report: &PrepareReport) -> u64 {
    report.files.iter().map(|file| file.rows).sum::<u64>() + report.quarantined
}

/// Rows in the dataset.
pub fn rows_out(report: &PrepareReport) -> u64 {
    report.rows.values().sum()
}

/// The steps in the order in which they work. What their own figures do not explain is told as a step of its own, so
/// that the last step leaves what is in the dataset.
pub fn steps(report: &PrepareReport) -> Vec<Step> {
    let mut steps = Steps { rows: rows_in(report), done: Vec::new() };
    let told = |number: u64, what: &str| (number > 0).then(|| format!("{} {what}", count(number)));
    steps.lose("Read", report.quarantined, told(report.quarantined, "could not be read"));
    for stage in &report.stages {
        let mut why: Vec<String> =
            stage.dropped.iter().map(|(reason, rows)| format!("{} {reason}", count(*rows))).collect();
        why.extend((stage.split > 0).then(|| format!("{} split", count(stage.split))));
        why.extend(stage.disabled.is_some().then(|| "it failed and was left out".to_owned()));
        let after = if stage.disabled.is_some() { steps.rows } else { stage.rows_out };
        steps.leave(&stage.plugin, after, why);
    }
    if let Some(annotations) = &report.annotations {
        let merged = steps.rows.saturating_sub(annotations.items);
        let why = [told(annotations.dropped, "tied"), told(merged, "merged into their item, or not rated")];
        let after = annotations.items.saturating_sub(annotations.dropped);
        steps.leave("Annotations", after, why.into_iter().flatten().collect());
    }
    if let Some(duplicates) = &report.duplicates {
        let why = [told(duplicates.exact_removed, "equal"), told(duplicates.near_removed, "near")];
        let removed = duplicates.exact_removed + duplicates.near_removed;
        steps.lose("Duplicates", removed, why.into_iter().flatten());
    }
    // A run that a validator stopped has no parts.
    if report.rows.is_empty() {
        return steps.done;
    }
    let left_out = report.split.left_out;
    steps.lose("Split", left_out, told(left_out, "say what a held-out row says"));
    if let Some(suspects) = report.suspects.as_ref().filter(|suspects| suspects.dropped) {
        steps.lose("Suspect labels", suspects.suspects, told(suspects.suspects, "likely mislabelled"));
    }
    if let Some(leakage) = report.leakage.as_ref().filter(|leakage| leakage.dropped) {
        let leaked = leakage.benchmarks.iter().map(|benchmark| benchmark.rows).sum();
        steps.lose("Leakage", leaked, told(leaked, "stand in a benchmark"));
    }
    let (before, after) = (report.balance.rows_before, report.balance.rows_after);
    if before != after {
        let rows = steps.rows.saturating_sub(before) + after;
        let what = if after > before { "repeated" } else { "of large classes left out" };
        steps.leave("Balance", rows, told(before.abs_diff(after), what).into_iter().collect());
    }
    let cut = &report.truncation;
    if cut.dropped > 0 || cut.split > 0 {
        let pieces = (cut.split > 0)
            .then(|| format!("{} became {}", count(cut.split), counted(cut.pieces, "piece", "pieces")));
        let rows = (steps.rows + cut.pieces).saturating_sub(cut.dropped + cut.split);
        steps.leave(
            "Over-long",
            rows,
            [told(cut.dropped, "too long"), pieces].into_iter().flatten().collect(),
        );
    }
    let out = rows_out(report);
    if steps.rows != out {
        steps.leave("Other", out, vec!["not told by the steps above".to_owned()]);
    }
    steps.done
}

struct Steps {
    rows: u64,
    done: Vec<Step>,
}

impl Steps {
    fn leave(&mut self, name: &str, after: u64, why: Vec<String>) {
        let before = std::mem::replace(&mut self.rows, after);
        self.done.push(Step { name: name.to_owned(), before, after, why: why.join(", ") });
    }

    fn lose(&mut self, name: &str, rows: u64, why: impl IntoIterator<Item = String>) {
        let after = self.rows.saturating_sub(rows);
        self.leave(name, after, why.into_iter().collect());
    }
}

#[cfg(test)]
mod tests {
    use pegbox_data::{
        BalanceReport, BenchmarkLeakage, FileReport, LeakageReport, Part, SplitReport, StageReport,
        SuspectReport, TruncationReport,
    };

    use super::*;

    fn report() -> PrepareReport {
        PrepareReport {
            files: vec![FileReport {
                name: "a.jsonl".into(),
                part: Part::Train,
                rows: 100,
                quarantined: 5,
                format: "jsonl".into(),
                layout: "fields".into(),
            }],
            quarantined: 5,
            stages: vec![StageReport {
                plugin: "team/cleaner".into(),
                version: "0.1.0".into(),
                rows_in: 100,
                rows_out: 93,
                kept: 80,
                changed: 10,
                split: 1,
                dropped: [("empty".to_owned(), 8)].into(),
                fields: vec!["text".into()],
                examples: Vec::new(),
                disabled: None,
            }],
            split: SplitReport { left_out: 3, ..SplitReport::default() },
            suspects: Some(SuspectReport { suspects: 4, dropped: true, ..SuspectReport::default() }),
            leakage: Some(LeakageReport {
                benchmarks: vec![BenchmarkLeakage { name: "test".into(), texts: 10, rows: 2 }],
                dropped: true,
                ..LeakageReport::default()
            }),
            balance: BalanceReport { rows_before: 70, rows_after: 90, ..BalanceReport::default() },
            truncation: TruncationReport { dropped: 1, split: 2, pieces: 5, ..TruncationReport::default() },
            rows: [(Part::Train, 92), (Part::Test, 14)].into(),
            ..PrepareReport::default()
        }
    }

    #[test]
    fn every_row_is_accounted_for() {
        let steps = steps(&report());
        let told: Vec<_> =
            steps.iter().map(|step| (step.name.as_str(), step.after, step.why.as_str())).collect();
        assert_eq!(
            told,
            [
                ("Read", 100, "5 could not be read"),
                ("team/cleaner", 93, "8 empty, 1 split"),
                ("Split", 90, "3 say what a held-out row says"),
                ("Suspect labels", 86, "4 likely mislabelled"),
                ("Leakage", 84, "2 stand in a benchmark"),
                ("Balance", 104, "20 repeated"),
                ("Over-long", 106, "1 too long, 2 became 5 pieces"),
            ]
        );
        assert_eq!(steps.last().map(|step| step.after), Some(rows_out(&report())));
        assert!(steps.windows(2).all(|pair| pair[0].after == pair[1].before));
    }

    #[test]
    fn what_nothing_explains_is_told() {
        let mut report = report();
        report.rows = [(Part::Train, 50)].into();
        let last = steps(&report).pop();
        assert_eq!(last.map(|step| (step.name.clone(), step.change())), Some(("Other".to_owned(), -56)));
    }

    #[test]
    fn a_stopped_run_ends_where_it_was_stopped() {
        let report = PrepareReport { rows: [].into(), ..report() };
        assert_eq!(steps(&report).last().map(|step| step.name.clone()), Some("team/cleaner".to_owned()));
    }
}

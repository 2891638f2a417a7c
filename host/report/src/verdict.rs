//! What the whole comes to: a sentence on what went in and came out, and what speaks against training on it.

use pegbox_annotations::agreement::Estimate;
use pegbox_data::{AnnotationReport, Part, PrepareReport};
use pegbox_plugin_abi::validation::Severity;

use crate::flow::{rows_in, rows_out};
use crate::format::{count, counted, decimal, percent, rows};

/// Below it, agreement is too low for most conclusions; from [`RELIABLE`] on it is good (Krippendorff, Content
/// Analysis, 2004, page 241).
pub const TENTATIVE: f64 = 0.667;
pub const RELIABLE: f64 = 0.8;
/// The largest class over the smallest from which uneven classes are worth a look.
const UNEVEN: f64 = 10.0;
/// The share of training rows that `max-length` cuts from which that is worth a look.
const CUT: f64 = 0.01;

/// How grave it is; the gravest last.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Level {
    Good,
    Look,
    Problem,
}

impl Level {
    pub fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Look => "look",
            Self::Problem => "problem",
        }
    }

    /// Over the verdict.
    pub fn headline(self) -> &'static str {
        match self {
            Self::Good => "Ready",
            Self::Look => "Worth a look",
            Self::Problem => "Not ready",
        }
    }

    /// Nobody needs to see colours.
    pub fn word(self) -> &'static str {
        match self {
            Self::Good => "Good",
            Self::Look => "Look",
            Self::Problem => "Problem",
        }
    }
}

/// Something that a person should know before they train.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Point {
    pub level: Level,
    pub text: String,
    /// The section that has more.
    pub section: &'static str,
}

/// What the whole comes to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Verdict {
    pub level: Level,
    pub sentences: [String; 2],
    /// The gravest first.
    pub points: Vec<Point>,
}

impl Verdict {
    pub fn of(report: &PrepareReport) -> Self {
        let mut points = points(report);
        points.sort_by_key(|point| std::cmp::Reverse(point.level));
        let level = points.iter().map(|point| point.level).max().unwrap_or(Level::Good);
        let grave = points.iter().filter(|point| point.level == Level::Problem).count() as u64;
        let all = points.len() as u64;
        let second = match level {
            Level::Good => "Nothing was found that speaks against training on it.".to_owned(),
            Level::Look if all == 1 => {
                "Nothing forbids training on it; one thing is worth a look.".to_owned()
            }
            Level::Look => format!("Nothing forbids training on it; {all} things are worth a look."),
            Level::Problem if grave == 1 => {
                "One problem should be solved before anybody trains on it.".to_owned()
            }
            Level::Problem => format!("{grave} problems should be solved before anybody trains on it."),
        };
        Self { level, sentences: [came_to(report), second], points }
    }
}

fn came_to(report: &PrepareReport) -> String {
    let came = format!("{} came in", rows(rows_in(report)));
    if report.rows.is_empty() {
        return format!("{came}, and the preparation was stopped before it had a dataset.");
    }
    let of = |part: Part| report.rows.get(&part).copied().unwrap_or(0);
    let parts =
        [(Part::Train, "to train on"), (Part::Validation, "to validate with"), (Part::Test, "to test with")];
    let parts: Vec<String> = parts
        .into_iter()
        .filter(|(part, _)| of(*part) > 0)
        .map(|(part, what)| format!("{} {what}", count(of(part))))
        .collect();
    let out = rows_out(report);
    let are = if out == 1 { "is" } else { "are" };
    format!("{came}; {} {are} in the dataset: {}.", rows(out), listed(&parts))
}

/// `a, b and c`.
fn listed(parts: &[String]) -> String {
    match parts {
        [] => "none".to_owned(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

fn points(report: &PrepareReport) -> Vec<Point> {
    let mut points = Vec::new();
    let mut point = |level, section, text: String| points.push(Point { level, text, section });
    let of = |part: Part| report.rows.get(&part).copied().unwrap_or(0);
    let stopped = report.rows.is_empty();

    if let Some(codes) = codes(report, Severity::Error) {
        point(Level::Problem, "findings", format!("Validators found errors: {codes}."));
    }
    if stopped {
        point(Level::Problem, "flow", "The preparation was stopped; see why in its output.".into());
    } else if of(Part::Train) == 0 {
        point(Level::Problem, "splits", "There is no row to train on.".into());
    } else if of(Part::Validation) == 0 {
        point(
            Level::Look,
            "splits",
            "There is no row to validate with: nothing can choose a checkpoint.".into(),
        );
    }
    if report.split.straddling > 0 {
        let sets = counted(
            report.split.straddling,
            "set of rows that belong together stands",
            "sets of rows that belong together stand",
        );
        point(Level::Problem, "splits", format!("{sets} in more than one part: scores will be too good."));
    }
    if let Some(leakage) = report.leakage.as_ref().filter(|leakage| !leakage.dropped) {
        let leaked: u64 = leakage.benchmarks.iter().map(|benchmark| benchmark.rows).sum();
        if leaked > 0 {
            let stand = if leaked == 1 { "stands" } else { "stand" };
            let text =
                format!("{} for training {stand} in the test part or a benchmark, and stayed.", rows(leaked));
            point(Level::Problem, "leakage", text);
        }
    }
    for stage in report.stages.iter().filter(|stage| stage.disabled.is_some()) {
        point(Level::Look, "cleaners", format!("The cleaner {} failed and was left out.", stage.plugin));
    }
    if let Some(codes) = codes(report, Severity::Warning) {
        point(Level::Look, "findings", format!("Validators warn: {codes}."));
    }
    if report.quarantined > 0 {
        let text = format!(
            "{} could not be read and {} put aside.",
            rows(report.quarantined),
            was(report.quarantined)
        );
        point(Level::Look, "files", text);
    }
    if let Some((name, alpha)) = report.annotations.as_ref().and_then(low_agreement) {
        let text =
            format!("The annotators agree little: {name} is {}, below {TENTATIVE}.", decimal(alpha, 3));
        point(Level::Look, "agreement", text);
    }
    if let Some(conflicts) = report.conflicts.as_ref().filter(|conflicts| conflicts.conflicts > 0) {
        let (one, many) = if conflicts.near {
            ("group of like texts carries", "groups of like texts carry")
        } else {
            ("text carries", "texts carry")
        };
        let text = format!(
            "{} more than one label, over {}.",
            counted(conflicts.conflicts, one, many),
            rows(conflicts.rows)
        );
        point(Level::Look, "labels", text);
    }
    if let Some(suspects) =
        report.suspects.as_ref().filter(|suspects| suspects.suspects > 0 && !suspects.dropped)
    {
        let (one, many) = ("label is likely wrong", "labels are likely wrong");
        let share = crate::format::share(suspects.suspects, suspects.rows);
        point(
            Level::Look,
            "labels",
            format!("{} ({share} of those looked at), and stayed.", counted(suspects.suspects, one, many)),
        );
    }
    let balance = &report.balance;
    if balance.ratio >= UNEVEN && matches!(balance.method.as_str(), "none" | "") {
        let text = format!(
            "The largest class has {} times the rows of the smallest, and nothing was done about it.",
            decimal(balance.ratio, 1)
        );
        point(Level::Look, "balance", text);
    }
    let cut = report.truncation.rows as f64 / rows_out(report).max(1) as f64;
    if cut >= CUT {
        let text = format!(
            "max-length cuts {} of the rows, {} in all.",
            percent(cut),
            counted(report.truncation.tokens, "token", "tokens")
        );
        point(Level::Look, "lengths", text);
    }
    points
}

fn was(number: u64) -> &'static str {
    if number == 1 { "was" } else { "were" }
}

/// Codes of findings that a sentence names.
const NAMED: usize = 3;

/// `unknown-label (1,200), empty (3) and 2 more codes`.
fn codes(report: &PrepareReport, level: Severity) -> Option<String> {
    let mut found: Vec<_> = report.findings.iter().filter(|found| found.level == level).collect();
    found.sort_by_key(|found| std::cmp::Reverse(found.count));
    let mut told: Vec<String> =
        found.iter().take(NAMED).map(|found| format!("{} ({})", found.code, count(found.count))).collect();
    let more = found.len().saturating_sub(NAMED) as u64;
    told.extend((more > 0).then(|| counted(more, "more code", "more codes")));
    (!told.is_empty()).then(|| listed(&told))
}

/// The statistic that counts: on the labels that are learnt, with their order where they have one.
pub fn telling(annotations: &AnnotationReport) -> (&'static str, &Estimate) {
    let agreement = annotations.agreement_of_labels.as_ref().unwrap_or(&annotations.agreement);
    match &agreement.alpha_ordinal {
        Some(ordinal) => ("Krippendorff\u{2019}s alpha (ordinal)", ordinal),
        None => ("Krippendorff\u{2019}s alpha", &agreement.alpha_nominal),
    }
}

fn low_agreement(annotations: &AnnotationReport) -> Option<(&'static str, f64)> {
    let (name, estimate) = telling(annotations);
    estimate.value.filter(|value| *value < TENTATIVE).map(|value| (name, value))
}

#[cfg(test)]
mod tests {
    use pegbox_data::{BenchmarkLeakage, FileReport, LeakageReport, SplitReport};

    use super::*;

    fn clean() -> PrepareReport {
        PrepareReport {
            files: vec![FileReport {
                name: "a.jsonl".into(),
                part: Part::Train,
                rows: 1200,
                quarantined: 0,
                format: "jsonl".into(),
                layout: "fields".into(),
            }],
            rows: [(Part::Train, 1000), (Part::Validation, 100), (Part::Test, 100)].into(),
            ..PrepareReport::default()
        }
    }

    #[test]
    fn a_clean_dataset_is_good() {
        let verdict = Verdict::of(&clean());
        assert_eq!((verdict.level, verdict.points.len()), (Level::Good, 0));
        assert_eq!(
            verdict.sentences[0],
            "1,200 rows came in; 1,200 rows are in the dataset: 1,000 to train on, 100 to validate with and 100 to \
             test with."
        );
    }

    #[test]
    fn the_gravest_comes_first() {
        let report = PrepareReport {
            quarantined: 1,
            split: SplitReport { straddling: 2, ..SplitReport::default() },
            leakage: Some(LeakageReport {
                benchmarks: vec![BenchmarkLeakage { name: "test part".into(), texts: 9, rows: 3 }],
                ..LeakageReport::default()
            }),
            ..clean()
        };
        let verdict = Verdict::of(&report);
        assert_eq!(verdict.level, Level::Problem);
        let levels: Vec<_> = verdict.points.iter().map(|point| point.level).collect();
        assert_eq!(levels, [Level::Problem, Level::Problem, Level::Look]);
        assert_eq!(verdict.sentences[1], "2 problems should be solved before anybody trains on it.");
        assert_eq!(verdict.points[2].text, "1 row could not be read and was put aside.");
    }

    #[test]
    fn a_stopped_run_has_no_dataset() {
        let verdict = Verdict::of(&PrepareReport { rows: [].into(), ..clean() });
        assert_eq!(verdict.level, Level::Problem);
        assert!(verdict.sentences[0].ends_with("stopped before it had a dataset."));
    }
}

//! What became of a case.

use std::path::PathBuf;
use std::time::Duration;

/// One case, run.
#[derive(Clone, Debug)]
pub struct CaseReport {
    /// The file's name without `.toml`.
    pub name: String,
    pub file: PathBuf,
    /// What the case says of itself.
    pub summary: Option<String>,
    pub verdict: Verdict,
    /// What was looked at beyond the expected values, one short line each.
    pub notes: Vec<String>,
    pub took: Duration,
}

#[derive(Clone, PartialEq, Debug)]
pub enum Verdict {
    Passed,
    /// The result was written to this golden file, which is now what is expected.
    Blessed(PathBuf),
    Failed(Vec<Failure>),
}

/// One thing that is not as it should be.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Failure {
    /// The line in the case's file, from 1.
    pub line: Option<usize>,
    /// What it is about: `record 2`, `the gradient at logits[0, 3]`.
    pub what: String,
    pub expected: Option<String>,
    pub found: Option<String>,
    pub help: Option<String>,
}

impl Failure {
    pub fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), ..Self::default() }
    }

    pub fn of(what: impl Into<String>, expected: impl Into<String>, found: impl Into<String>) -> Self {
        Self { expected: Some(expected.into()), found: Some(found.into()), ..Self::new(what) }
    }

    #[must_use]
    pub fn at(mut self, line: usize) -> Self {
        self.line = Some(line);
        self
    }

    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl CaseReport {
    pub fn is_failed(&self) -> bool {
        matches!(self.verdict, Verdict::Failed(_))
    }
}

/// How many cases came out how.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Summary {
    pub passed: usize,
    pub failed: usize,
    pub blessed: usize,
}

impl Summary {
    pub fn of(reports: &[CaseReport]) -> Self {
        let mut summary = Self::default();
        for report in reports {
            match report.verdict {
                Verdict::Passed => summary.passed += 1,
                Verdict::Blessed(_) => summary.blessed += 1,
                Verdict::Failed(_) => summary.failed += 1,
            }
        }
        summary
    }
}

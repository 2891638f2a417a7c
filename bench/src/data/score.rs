//! What a tool made of the corpus, against what is known of it.
//!
//! Every tool is judged by the same files, wherever it left them: Parquet tables of the parts with the columns
//! `origin` (`<file>:<line>`) and `text`, and JSON Lines of the rows that it dropped (`dropped.jsonl`, with `origin` and
//! `stage`) and of suspect labels (`suspects.jsonl`, with `origin`).

/// Duplicates removed, and clusters that straddle the split.
mod duplicates;
/// What a tool left.
mod output;
/// Personal data replaced.
mod personal;

use std::path::Path;

use anyhow::Result;

use output::Fate;
pub use output::Output;

use super::truth::{RowKind, Truth};

/// Right finds, wrong ones, and what was not found.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Finds {
    pub right: u64,
    pub wrong: u64,
    pub missed: u64,
}

impl Finds {
    pub fn precision(self) -> f64 {
        share(self.right, self.right + self.wrong)
    }

    pub fn recall(self) -> f64 {
        share(self.right, self.right + self.missed)
    }

    pub fn f1(self) -> f64 {
        share(2 * self.right, 2 * self.right + self.wrong + self.missed)
    }
}

/// 1 of nothing.
fn share(some: u64, all: u64) -> f64 {
    if all == 0 { 1.0 } else { some as f64 / all as f64 }
}

/// How many of some.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Of {
    pub some: u64,
    pub all: u64,
}

impl Of {
    pub fn share(self) -> f64 {
        share(self.some, self.all)
    }

    fn count(&mut self, one: bool) {
        self.all += 1;
        self.some += u64::from(one);
    }
}

#[derive(Clone, PartialEq, Debug, Default)]
pub struct Scores {
    /// Rows of training, validation and test part.
    pub parts: [u64; 3],
    pub duplicates: Finds,
    pub pii: personal::Scores,
    /// Wrong labels among the rows that are left, in the parts where any are suspected.
    pub flipped: Finds,
    pub straddling: duplicates::Straddling,
    /// Rows that should go, and went.
    pub noise: Of,
    pub missing: Of,
    pub malformed: Of,
    /// Good rows that were dropped, not as duplicates.
    pub lost: u64,
    /// Rows that are gone without a word.
    pub unexplained: u64,
}

/// Judges a tool's output folder.
pub fn score(known: &[Truth], folder: &Path) -> Result<Scores> {
    let mut pii = personal::Scores::default();
    let mut texts = duplicates::Texts::default();
    let output = Output::read(folder, known.len(), |line, part, text| {
        if let Some(truth) = known.get(line) {
            pii.count(truth, text);
        }
        texts.add(text, part);
    })?;
    let mut scores = Scores {
        parts: output.parts(),
        duplicates: duplicates::removal(known, &output.fates),
        pii,
        flipped: flipped(known, &output),
        straddling: texts.straddling(known, &output.fates),
        ..Scores::default()
    };
    for (truth, fate) in known.iter().zip(&output.fates) {
        let gone = !matches!(fate, Fate::Kept(_));
        match truth.kind {
            RowKind::Noise => scores.noise.count(gone),
            RowKind::Missing => scores.missing.count(gone),
            RowKind::Malformed => scores.malformed.count(gone),
            RowKind::Text => scores.lost += u64::from(*fate == Fate::Dropped),
        }
        scores.unexplained += u64::from(*fate == Fate::Unexplained);
    }
    Ok(scores)
}

fn flipped(known: &[Truth], output: &Output) -> Finds {
    let part = |line: &usize| match output.fates.get(*line) {
        Some(Fate::Kept(part)) => Some(*part),
        _ => None,
    };
    let mut searched = [false; 3];
    output.suspects.iter().filter_map(part).for_each(|part| searched[part] = true);
    let mut finds = Finds::default();
    for (line, truth) in known.iter().enumerate() {
        let judged = truth.kind == RowKind::Text && part(&line).is_some_and(|part| searched[part]);
        match (output.suspects.contains(&line), truth.flipped) {
            _ if !judged => {}
            (true, true) => finds.right += 1,
            (true, false) => finds.wrong += 1,
            (false, true) => finds.missed += 1,
            (false, false) => {}
        }
    }
    finds
}

#[cfg(test)]
mod tests;

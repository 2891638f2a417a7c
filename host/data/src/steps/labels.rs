//! The rows as the crate for annotations reads them: labels that conflict, labels that are likely wrong.

use pegbox_annotations::Rows;
use pegbox_annotations::conflicts::{Conflict, Same, conflicts};
use pegbox_annotations::suspects::{Suspect, SuspectSettings, Suspects, suspects_with};
use pegbox_duplicates::Clusters;
use pegbox_records::Origins;
use serde::{Deserialize, Serialize};

use super::index::Index;
use crate::error::DataError;
use crate::job::SuspectAction;
use crate::progress::Progress;
use crate::report::{ConflictExample, ConflictReport, EXAMPLES, SuspectExample, SuspectReport};
use crate::rows::Shards;
use crate::state::State;
use crate::work::Step;

/// Conflicts that are listed; all are counted.
const LISTED: usize = 20;
/// Pairs of labels that are often taken for each other.
const CONFUSIONS: usize = 30;
/// Characters of a text that an example shows.
const SHOWN: usize = 300;

/// The rows that stay and have a label, in order; numbered among themselves.
pub(crate) struct Labelled<'a> {
    shards: &'a Shards,
    index: &'a Index,
    /// The rows' numbers among all.
    rows: Vec<u32>,
    clusters: Option<&'a Clusters>,
    stage: &'a str,
    progress: &'a dyn Progress,
}

impl<'a> Labelled<'a> {
    /// Rows of the states that `wanted` says.
    pub fn new(
        shards: &'a Shards,
        index: &'a Index,
        clusters: Option<&'a Clusters>,
        wanted: impl Fn(State) -> bool,
        stage: &'a str,
        progress: &'a dyn Progress,
    ) -> Self {
        let known = index.names.len();
        let rows = (0_u32..)
            .zip(index.states.iter().zip(&index.labels))
            .filter(|(_, (state, label))| wanted(**state) && (**label as usize) < known)
            .map(|(row, _)| row)
            .collect();
        Self { shards, index, rows, clusters, stage, progress }
    }

    /// Among all rows, the row that has this number here.
    fn row(&self, number: u32) -> u32 {
        self.rows.get(number as usize).copied().unwrap_or(u32::MAX)
    }

    fn name(&self, label: u32) -> String {
        self.index.names.get(label as usize).cloned().unwrap_or_default()
    }

    /// Texts that are labelled in more than one way.
    pub fn conflicts(&self, origins: &Origins) -> Result<ConflictReport, DataError> {
        let same = if self.clusters.is_some() { Same::Group } else { Same::Text };
        let found = conflicts(self, same, LISTED)?;
        let example = |conflict: &Conflict| -> Result<ConflictExample, DataError> {
            let rows: Vec<u32> = conflict.rows.iter().take(EXAMPLES).map(|row| self.row(*row)).collect();
            let records = self.shards.pick(&rows)?;
            Ok(ConflictExample {
                text: conflict.text.clone(),
                labels: conflict
                    .labels
                    .iter()
                    .map(|(label, rows)| (self.name(*label), (*rows).into()))
                    .collect(),
                origins: records.iter().map(|record| origins.of(record).to_string()).collect(),
            })
        };
        Ok(ConflictReport {
            conflicts: found.conflicts.into(),
            rows: found.rows.into(),
            minority: found.minority.into(),
            near: same == Same::Group,
            examples: found.list.iter().take(EXAMPLES).map(example).collect::<Result<_, _>>()?,
        })
    }

    /// Labels that are likely wrong, by a quick model that is trained on the other rows.
    pub fn suspects(&self, step: &Step, seed: u64) -> Result<Judged, DataError> {
        if let Some(judged) = step.finished() {
            return Ok(judged);
        }
        let settings = SuspectSettings { seed, most: 0, ..SuspectSettings::default() };
        let mut list = Vec::new();
        let found = suspects_with(self, &settings, &mut |verdict| {
            if verdict.is_suspect {
                list.push(Suspect { row: self.row(verdict.suspect.row), ..verdict.suspect });
            }
        })?;
        let judged = Judged { found, list };
        step.finish(&judged)?;
        Ok(judged)
    }
}

impl Rows for Labelled<'_> {
    type Error = DataError;

    fn len(&self) -> u32 {
        self.rows.len() as u32
    }

    fn for_each(&self, each: &mut dyn FnMut(u32, &str, u32, u32)) -> Result<(), DataError> {
        let mut numbered = (0_u32..).zip(self.rows.iter().copied()).peekable();
        for shard in 0..self.shards.len() {
            let (first, end) = (self.shards.first(shard), self.shards.first(shard + 1));
            if numbered.peek().is_none_or(|(_, row)| *row >= end) {
                continue;
            }
            let records = self.shards.read(shard)?;
            while let Some((number, row)) = numbered.next_if(|(_, row)| *row < end) {
                let record = records.get((row - first) as usize);
                let text = record.and_then(|record| self.shards.schema().text(record)).unwrap_or_default();
                let label = self.index.labels.get(row as usize).copied().unwrap_or(0);
                let group = self.clusters.map_or(number, |clusters| clusters.of(row));
                each(number, text, label, group);
            }
            self.progress.at(self.stage, u64::from(end), Some(u64::from(self.shards.rows())));
        }
        Ok(())
    }
}

/// All suspect rows, in order.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Judged {
    found: Suspects,
    pub list: Vec<Suspect>,
}

impl Judged {
    /// Marks the suspect rows of the training part, and tells.
    pub fn apply(
        &self,
        action: SuspectAction,
        shards: &Shards,
        index: &mut Index,
        origins: &Origins,
    ) -> Result<SuspectReport, DataError> {
        if action == SuspectAction::Drop {
            for suspect in &self.list {
                if let Some(state @ State::Train) = index.states.get_mut(suspect.row as usize) {
                    *state = State::Suspect;
                }
            }
        }
        let mut worst: Vec<&Suspect> = self.list.iter().collect();
        worst.sort_by(|a, b| a.margin.total_cmp(&b.margin).then(a.row.cmp(&b.row)));
        worst.truncate(EXAMPLES);
        worst.sort_by_key(|suspect| suspect.row);
        let rows: Vec<u32> = worst.iter().map(|suspect| suspect.row).collect();
        let name = |label: u32| index.names.get(label as usize).cloned().unwrap_or_default();
        let examples = worst.iter().zip(shards.pick(&rows)?).map(|(suspect, record)| SuspectExample {
            origin: origins.of(&record).to_string(),
            text: shards.schema().text(&record).unwrap_or_default().chars().take(SHOWN).collect(),
            label: name(suspect.label),
            likely: name(suspect.likely),
            given: f64::from(suspect.given),
            probability: f64::from(suspect.probability),
        });
        let confusions = self.found.confusions.iter().take(CONFUSIONS);
        Ok(SuspectReport {
            rows: self.found.rows.into(),
            suspects: self.list.len() as u64,
            dropped: action == SuspectAction::Drop,
            accuracy: self.found.accuracy,
            examples: examples.collect(),
            confusions: confusions
                .map(|pair| (name(pair.label), name(pair.likely), u64::from(pair.rows)))
                .collect(),
        })
    }
}

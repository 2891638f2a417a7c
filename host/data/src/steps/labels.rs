//! The rows as the crate for annotations reads them: labels that conflict, labels that are likely wrong.

use std::sync::mpsc::sync_channel;
use std::thread;

use pegbox_annotations::Rows;
use pegbox_annotations::conflicts::{Conflict, Same, conflicts};
use pegbox_annotations::suspects::{Suspect, SuspectSettings, Suspects, suspects_with};
use pegbox_duplicates::Clusters;
use pegbox_records::{Origins, Record};
use serde::{Deserialize, Serialize};

use super::index::Index;
use crate::error::DataError;
use crate::job::SuspectAction;
use crate::memory;
use crate::progress::Progress;
use crate::report::{ConflictExample, ConflictReport, EXAMPLES, SuspectExample, SuspectReport};
use crate::rows::Shards;
use crate::state::State;
use crate::work::Step;

/// Conflicts that are listed; all are counted.
const LISTED: usize = 20;
/// Pairs of labels that are often taken for each other.
const CONFUSIONS: usize = 30;
/// After so many shards what they took is given back: the reading thread takes it, and another one frees it.
const TRIM: usize = 64;
/// Characters of a text that an example shows.
const SHOWN: usize = 300;

/// The rows of some states that have a label, in order, by their numbers among all rows.
pub(crate) struct Labelled<'a> {
    shards: &'a Shards,
    index: &'a Index,
    clusters: Option<&'a Clusters>,
    wanted: fn(State) -> bool,
    count: u32,
    stage: &'a str,
    progress: &'a dyn Progress,
}

impl<'a> Labelled<'a> {
    /// Rows of the states that `wanted` says.
    pub fn new(
        shards: &'a Shards,
        index: &'a Index,
        clusters: Option<&'a Clusters>,
        wanted: fn(State) -> bool,
        stage: &'a str,
        progress: &'a dyn Progress,
    ) -> Self {
        let mut all = Self { shards, index, clusters, wanted, count: 0, stage, progress };
        all.count = (0..shards.rows()).filter_map(|row| all.label(row)).count() as u32;
        all
    }

    /// None if the row is none of these.
    fn label(&self, row: u32) -> Option<u32> {
        let state = self.index.states.get(row as usize)?;
        let label = self.index.labels.get(row)?;
        ((self.wanted)(*state) && (label as usize) < self.index.names.len()).then_some(label)
    }

    fn group(&self, row: u32) -> u32 {
        self.clusters.map_or(row, |clusters| clusters.of(row))
    }

    fn name(&self, label: u32) -> String {
        self.index.names.get(label as usize).cloned().unwrap_or_default()
    }

    /// Texts that are labelled in more than one way.
    pub fn conflicts(&self, origins: &Origins) -> Result<ConflictReport, DataError> {
        let same = if self.clusters.is_some() { Same::Group } else { Same::Text };
        let found = conflicts(self, same, LISTED)?;
        let example = |conflict: &Conflict| -> Result<ConflictExample, DataError> {
            let rows: Vec<u32> = conflict.rows.iter().take(EXAMPLES).copied().collect();
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
                list.push(verdict.suspect);
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
        self.count
    }

    /// While some records are looked at, the next ones are read.
    fn for_each(&self, each: &mut dyn FnMut(u32, &str, u32, u32)) -> Result<(), DataError> {
        let total = u64::from(self.shards.rows());
        thread::scope(|scope| {
            let mut shards = 0;
            let (sender, receiver) = sync_channel(1);
            scope.spawn(move || {
                for shard in 0..self.shards.len() {
                    let rows = self.shards.first(shard)..self.shards.first(shard + 1);
                    if rows.clone().all(|row| self.label(row).is_none()) {
                        continue;
                    }
                    let read = self.shards.read(shard);
                    let failed = read.is_err();
                    // Nobody listens any more after an error.
                    if sender.send((rows, read)).is_err() || failed {
                        break;
                    }
                }
            });
            for (rows, read) in receiver {
                let end = rows.end;
                for (row, record) in rows.zip(read?) {
                    if let Some(label) = self.label(row) {
                        let text = self.shards.schema().text(&record).unwrap_or_default();
                        each(row, text, label, self.group(row));
                    }
                }
                self.progress.at(self.stage, u64::from(end), Some(total));
                shards += 1;
                if shards % TRIM == 0 {
                    memory::give_back();
                }
            }
            Ok(())
        })
    }

    fn for_each_label(&self, each: &mut dyn FnMut(u32, u32, u32)) -> Result<(), DataError> {
        for row in 0..self.shards.rows() {
            if let Some(label) = self.label(row) {
                each(row, label, self.group(row));
            }
        }
        Ok(())
    }

    fn texts(&self, rows: &[u32]) -> Result<Vec<String>, DataError> {
        let text = |record: &Record| self.shards.schema().text(record).unwrap_or_default().to_owned();
        Ok(self.shards.pick(rows)?.iter().map(text).collect())
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

//! Texts become rows of token ids: the Parquet files of the dataset.

/// The columns of these files, and their values.
mod table;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use pegbox_annotations::suspects::Suspect;
use pegbox_records::parquet_out::ParquetWriter;
use pegbox_records::{Origins, Part, Record};
use pegbox_sampling::lengths::{Lengths, OverLong, Side};
use serde::{Deserialize, Serialize};

use super::balance::Balance;
use super::groups::Groups;
use super::index::Index;
use super::keepers::Keepers;
use crate::clean::Dropped;
use crate::dataset::FileDigest;
use crate::error::DataError;
use crate::job::PrepareJob;
use crate::json_lines::JsonLines;
use crate::labels::Labels;
use crate::memory;
use crate::parallel;
use crate::progress::Progress;
use crate::report::TruncationReport;
use crate::rows::Shards;
use crate::state::State;
use crate::task::{MESSAGES, Task};
use crate::tokenize::{IGNORED, Rows, TargetSettings, TextTokenizer, WordCache};
use crate::work::Step;
use table::{Table, columns};

/// Shards whose rows go into one file a part.
pub(crate) const SHARDS_A_FILE: usize = 8;

/// Everything that is known of the rows by now.
pub(crate) struct Tokenizing<'a> {
    pub job: &'a PrepareJob,
    pub shards: &'a Shards,
    pub index: &'a Index,
    pub labels: &'a Labels,
    pub keepers: &'a Keepers,
    pub balance: &'a Balance,
    /// In the order of the rows.
    pub suspects: &'a [Suspect],
    pub origins: &'a Origins,
    pub tokenizer: &'a TextTokenizer,
}

/// What one file a part came to.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Tokenized {
    pub files: BTreeMap<String, FileDigest>,
    /// By the parts' places.
    pub rows: [u64; 3],
    pub tokens: [u64; 3],
    /// Of the training rows before truncation.
    pub lengths: Lengths,
    /// Of the training rows as they are, in their order.
    pub widths: Vec<u32>,
    pub truncation: TruncationReport,
    /// By label number of the index.
    pub classes: BTreeMap<u32, [u64; 3]>,
    /// The training rows by label, and by the roles that the recipe names.
    pub groups: Vec<Groups>,
    /// Where a long text is an error: the first, its tokens, and how many there are.
    pub over_long: Option<(String, usize, usize)>,
}

impl Tokenized {
    fn add(&mut self, later: Self) {
        self.files.extend(later.files);
        for part in 0..3 {
            self.rows[part] += later.rows[part];
            self.tokens[part] += later.tokens[part];
        }
        self.lengths.merge(&later.lengths);
        self.widths.extend(later.widths);
        self.truncation.add(later.truncation);
        for (label, counts) in later.classes {
            let all = self.classes.entry(label).or_default();
            all.iter_mut().zip(counts).for_each(|(all, count)| *all += count);
        }
        self.groups.resize_with(later.groups.len().max(self.groups.len()), Groups::default);
        self.groups.iter_mut().zip(later.groups).for_each(|(all, groups)| all.merge(groups));
        self.over_long = match (self.over_long.take(), later.over_long) {
            (Some((origin, tokens, count)), later) => {
                Some((origin, tokens, count + later.map_or(0, |(.., count)| count)))
            }
            (None, later) => later,
        };
    }
}

impl Tokenizing<'_> {
    /// Writes the files of all rows that are not written yet. Everything lies in the step's folder.
    pub fn all(&self, step: &Step, threads: usize, progress: &dyn Progress) -> Result<Tokenized, DataError> {
        let total = u64::from(self.shards.rows());
        let done = AtomicU64::new(0);
        progress.at("tokenize", 0, Some(total));
        let files = self.shards.len().div_ceil(SHARDS_A_FILE);
        parallel::ordered(
            files,
            threads,
            || Ok(WordCache::default()),
            |cache, number| {
                let name = Step::name(number);
                let shards = number * SHARDS_A_FILE..self.shards.len().min((number + 1) * SHARDS_A_FILE);
                let rows = u64::from(self.shards.first(shards.end) - self.shards.first(shards.start));
                let told = |rows: u64| {
                    progress.at("tokenize", done.fetch_add(rows, Ordering::Relaxed) + rows, Some(total));
                };
                if step.get::<Tokenized>(&name).is_some() {
                    told(rows);
                    return Ok(());
                }
                let mut file = OfFile::create(self, step, number, cache)?;
                for shard in shards {
                    file.shard(shard)?;
                    told(u64::from(self.shards.first(shard + 1) - self.shards.first(shard)));
                }
                step.put(&name, &file.finish()?)?;
                Ok::<_, DataError>(())
            },
        )?;
        memory::give_back();
        // Only now, when the room that the writers took is free: there is a number for each training row.
        let mut all = Tokenized::default();
        for number in 0..files {
            let name = Step::name(number);
            all.add(step.get(&name).ok_or_else(|| DataError::Damaged {
                file: step.folder().join(&name),
                what: "it is not as it was written".to_owned(),
            })?);
        }
        Ok(all)
    }

    /// The rows of token ids that a record becomes.
    fn encode(
        &self,
        record: &Record,
        part: Part,
        policy: OverLong,
        cache: &mut WordCache,
    ) -> Result<Rows, DataError> {
        let value = |role: &str| self.shards.schema().value(record, role).unwrap_or_default();
        let origin = || self.origins.of(record).to_string();
        let rows = match self.job.task {
            Task::Classification | Task::MultiLabel | Task::Regression | Task::MaskedLm => {
                self.tokenizer.rows(value("text"), policy, cache)
            }
            Task::Tagging => {
                let words = |role| value(role).split(' ').filter(|word: &&str| !word.is_empty());
                let (tokens, tags): (Vec<&str>, Vec<&str>) =
                    (words("tokens").collect(), words("tags").collect());
                if tokens.len() != tags.len() {
                    let (tokens, tags) = (tokens.len(), tags.len());
                    return Err(DataError::Tags { origin: origin(), tokens, tags });
                }
                let labels: Vec<i32> = tags
                    .iter()
                    .map(|tag| self.labels.id(tag).and_then(|id| i32::try_from(id).ok()).unwrap_or(IGNORED))
                    .collect();
                self.tokenizer.tagged_rows(&tokens, &labels, policy)
            }
            Task::Generation if self.job.tokens.chat.is_none() => {
                self.tokenizer.completion_rows(value("prompt"), value("completion"), policy)
            }
            Task::Generation if self.job.task.converses(self.shards.schema()) => {
                self.tokenizer.conversation_rows(value(MESSAGES), policy)
            }
            Task::Generation => {
                let system = Some(value("system")).filter(|system| !system.is_empty());
                self.tokenizer.exchange_rows(system, value("prompt"), value("completion"), policy)
            }
            Task::Seq2Seq => {
                self.tokenizer.pair_rows(value("source"), value("target"), policy, self.targets(part))
            }
        };
        rows.map_err(|what| DataError::Tokenize { origin: origin(), what })
    }

    /// The number that a row is to give.
    fn number(&self, record: &Record) -> Result<f32, DataError> {
        let value = self.shards.schema().value(record, "label").unwrap_or_default();
        value.trim().parse::<f32>().ok().filter(|number| number.is_finite()).ok_or_else(|| {
            DataError::Number { origin: self.origins.of(record).to_string(), value: value.to_owned() }
        })
    }

    /// The ids of a row's labels, ascending.
    fn label_ids(&self, record: &Record) -> Vec<i32> {
        let value = self.shards.schema().value(record, "label").unwrap_or_default();
        let names = value.split(' ').filter_map(|name| self.labels.id(name));
        let mut ids: Vec<i32> = names.filter_map(|id| i32::try_from(id).ok()).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    /// The policy for long texts of a part.
    fn policy(&self, part: Part) -> OverLong {
        policy_of(part, self.job.tokens.over_long)
    }

    /// The same of what is to be written.
    fn targets(&self, part: Part) -> TargetSettings {
        let targets = self.job.tokens.target.unwrap_or_default();
        TargetSettings { over_long: policy_of(part, targets.over_long), ..targets }
    }
}

/// A policy for training rows, as it is for those of `part`.
fn policy_of(part: Part, policy: OverLong) -> OverLong {
    match policy {
        OverLong::Drop | OverLong::Split { .. } if part != Part::Train => OverLong::Truncate(Side::Right),
        policy => policy,
    }
}

/// The names of the files of JSON lines beside the tables.
pub(crate) fn dropped_file(number: usize) -> String {
    format!("{number:05}.dropped.jsonl")
}

pub(crate) fn suspects_file(number: usize) -> String {
    format!("{number:05}.suspects.jsonl")
}

/// A suspect label as `suspects.jsonl` tells it.
#[derive(Serialize)]
struct SuspectLine<'a> {
    origin: String,
    text: &'a str,
    label: &'a str,
    likely: &'a str,
    given: f32,
    probability: f32,
    margin: f32,
}

/// Some shards on their way into a file a part.
struct OfFile<'a> {
    all: &'a Tokenizing<'a>,
    step: &'a Step,
    number: usize,
    writers: [Option<ParquetWriter>; 3],
    dropped: JsonLines,
    suspects: JsonLines,
    tokenized: Tokenized,
    /// Places of the roles that are counted beside the label.
    counted: Vec<usize>,
    cache: &'a mut WordCache,
}

impl<'a> OfFile<'a> {
    fn create(
        all: &'a Tokenizing<'a>,
        step: &'a Step,
        number: usize,
        cache: &'a mut WordCache,
    ) -> Result<Self, DataError> {
        let counted: Vec<usize> =
            all.job.balance.report.iter().filter_map(|role| all.shards.schema().role(role)).collect();
        let groups = std::iter::repeat_with(Groups::default).take(1 + counted.len()).collect();
        Ok(Self {
            all,
            step,
            number,
            writers: [None, None, None],
            dropped: JsonLines::create(&step.folder().join(dropped_file(number)))?,
            suspects: JsonLines::create(&step.folder().join(suspects_file(number)))?,
            tokenized: Tokenized { groups, ..Tokenized::default() },
            counted,
            cache,
        })
    }

    fn shard(&mut self, shard: usize) -> Result<(), DataError> {
        let all = self.all;
        let records = all.shards.read(shard)?;
        let first = all.shards.first(shard);
        self.tell_suspects(first, &records)?;
        let mut tables = [Table::default(), Table::default(), Table::default()];
        for (row, record) in (first..).zip(&records) {
            let state = all.index.states.get(row as usize).copied().unwrap_or(State::Unrated);
            match (state.part(), state.removal()) {
                (Some(part), _) => {
                    if let Some(table) = tables.get_mut(part.index()) {
                        self.row(row, record, part, table)?;
                    }
                }
                (None, Some((stage, reason))) => self.removed(row, record, stage, reason)?,
                (None, None) => {}
            }
        }
        for (part, table) in Part::ALL.into_iter().zip(tables) {
            self.write(part, table)?;
        }
        Ok(())
    }

    fn row(&mut self, row: u32, record: &Record, part: Part, table: &mut Table) -> Result<(), DataError> {
        let all = self.all;
        let policy = all.policy(part);
        // What is an error is counted first, and told when all are counted.
        let counted = if policy == OverLong::Fail { OverLong::Drop } else { policy };
        let Rows { rows: encoded, full_length } = all.encode(record, part, counted, self.cache)?;
        let max_length = all.tokenizer.max_length();
        let tokenized = &mut self.tokenized;
        if full_length > max_length && policy == OverLong::Fail {
            let origin = || all.origins.of(record).to_string();
            tokenized.over_long.get_or_insert_with(|| (origin(), full_length, 0)).2 += 1;
            return Ok(());
        }
        if part == Part::Train {
            tokenized.lengths.add(full_length as u32);
        }
        match encoded.as_slice() {
            [] => {
                // Of a short row nothing is left only where it has nothing to learn.
                let reason = if full_length > max_length { "over-long" } else { "nothing-to-learn" };
                tokenized.truncation.dropped += u64::from(part == Part::Train && full_length > max_length);
                return self.removed(row, record, "tokenize", reason);
            }
            [one] => {
                let cut = full_length.saturating_sub(one.ids.len()) as u64;
                tokenized.truncation.rows += u64::from(cut > 0);
                tokenized.truncation.tokens += cut;
            }
            pieces => {
                tokenized.truncation.split += 1;
                tokenized.truncation.pieces += pieces.len() as u64;
            }
        }
        let times = match (part, &all.balance.times) {
            (Part::Train, Some(times)) => times.get(row as usize).copied().unwrap_or(1) as usize,
            _ => 1,
        };
        let label = all.index.labels.get(row).unwrap_or_default();
        let name = all.index.names.get(label as usize).map(String::as_str).unwrap_or_default();
        if part == Part::Train {
            let text = all.job.task.text(all.shards.schema(), record).unwrap_or_default();
            self.count_groups(name, record, &text);
        }
        let weight = match (part, &all.balance.weights) {
            (Part::Train, Some(weights)) => weights.get(label as usize).copied().unwrap_or(1.0) as f32,
            _ => 1.0,
        };
        let tokenized = &mut self.tokenized;
        let rows = (encoded.len() * times) as u64;
        if let Some(count) = tokenized.classes.entry(label).or_default().get_mut(part.index()) {
            *count += rows;
        }
        tokenized.rows[part.index()] += rows;
        let origin = all.origins.of(record).to_string();
        for row in std::iter::repeat_n(&encoded, times).flatten() {
            tokenized.tokens[part.index()] += row.ids.len() as u64;
            if part == Part::Train {
                tokenized.widths.push(row.ids.len() as u32);
            }
            table.push(all, record, &origin, name, row, weight)?;
        }
        Ok(())
    }

    fn count_groups(&mut self, label: &str, record: &Record, text: &str) {
        let others = self
            .counted
            .iter()
            .map(|place| record.values.get(*place).and_then(Option::as_deref).unwrap_or("(none)"));
        for (groups, name) in self.tokenized.groups.iter_mut().zip(std::iter::once(label).chain(others)) {
            groups.add(name, text);
        }
    }

    fn removed(&mut self, row: u32, record: &Record, stage: &str, reason: &str) -> Result<(), DataError> {
        let keeper = self.all.keepers.of(row);
        let related = matches!(stage, "duplicates" | "split");
        let dropped = Dropped {
            id: record.id,
            origin: self.all.origins.of(record).to_string(),
            stage: stage.to_owned(),
            reason: reason.to_owned(),
            text: self.all.job.task.text(self.all.shards.schema(), record).map(|text| text.into_owned()),
            of: keeper
                .filter(|_| related)
                .map(|(source, line)| self.all.origins.at(source, line).to_string()),
        };
        self.dropped.add(&dropped)
    }

    fn tell_suspects(&mut self, first: u32, records: &[Record]) -> Result<(), DataError> {
        let list = self.all.suspects;
        let end = first + records.len() as u32;
        let from = list.partition_point(|suspect| suspect.row < first);
        let to = list.partition_point(|suspect| suspect.row < end);
        let name = |label: u32| self.all.index.names.get(label as usize).map_or("", String::as_str);
        for suspect in list.get(from..to).unwrap_or_default() {
            let Some(record) = records.get((suspect.row - first) as usize) else { continue };
            self.suspects.add(&SuspectLine {
                origin: self.all.origins.of(record).to_string(),
                text: self.all.shards.schema().text(record).unwrap_or_default(),
                label: name(suspect.label),
                likely: name(suspect.likely),
                given: suspect.given,
                probability: suspect.probability,
                margin: suspect.margin,
            })?;
        }
        Ok(())
    }

    fn write(&mut self, part: Part, table: Table) -> Result<(), DataError> {
        if table.is_empty() {
            return Ok(());
        }
        let path = self.step.folder().join(table_name(part, self.number));
        let converses = self.all.job.task.converses(self.all.shards.schema());
        let Some(slot) = self.writers.get_mut(part.index()) else { return Ok(()) };
        let writer = match slot {
            Some(writer) => writer,
            none => none.insert(ParquetWriter::create(&path, columns(self.all.job.task, converses))?),
        };
        Ok(writer.append(table.values(self.all.job.task))?)
    }

    fn finish(self) -> Result<Tokenized, DataError> {
        let mut tokenized = self.tokenized;
        for (part, writer) in Part::ALL.into_iter().zip(self.writers) {
            if let Some(writer) = writer {
                writer.finish()?;
                let name = table_name(part, self.number);
                let digest = FileDigest::of(&self.step.folder().join(&name))?;
                tokenized.files.insert(name, digest);
            }
        }
        self.dropped.finish()?;
        self.suspects.finish()?;
        Ok(tokenized)
    }
}

/// `train-00000.parquet`.
pub(crate) fn table_name(part: Part, number: usize) -> String {
    format!("{part}-{number:05}.parquet")
}

//! From files to a dataset: read, clean, validate, split, number the labels, tokenize, write.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use crate::cache::KeyParts;
use crate::clean::{Dropped, clean};
use crate::dataset::{self, Contents, Dataset, RowText};
use crate::error::DataError;
use crate::labels::Labels;
use crate::progress::Progress;
use crate::report::{ClassCount, CodeCount, FileReport, LengthReport, PrepareReport};
use crate::split::{SplitSettings, stratified_split};
use crate::stage::{CleanStage, ValidateStage};
use crate::tokenize::{Encoded, OverLong, TextTokenizer, TokenSettings};
use crate::tokens::{Example, TokenSplit};
use crate::validate::{LocatedFinding, validate};
use pegbox_records::{Layout, Origins, Part, ReadSettings, Record, Schema};
use pegbox_sampling::batches::{BatchSettings, padding};

/// Records between two calls to the progress while a file is read.
const TICK: u64 = 1024;

/// What to prepare.
pub struct PrepareJob {
    /// At least one for training.
    pub sources: Vec<SourceFile>,
    pub schema: Schema,
    pub cleaners: Vec<CleanStage>,
    /// They see the rows of all parts, cleaned.
    pub validators: Vec<ValidateStage>,
    /// The share of a part that has a file of its own does not count.
    pub split: SplitSettings,
    /// The bytes of the model's tokenizer.json.
    pub tokenizer: Vec<u8>,
    pub tokens: TokenSettings,
    /// For what the report says about padding; the dataset does not depend on it.
    pub batching: BatchSettings,
    /// 0: one a core. The dataset does not depend on it.
    pub threads: usize,
}

/// A file of records and the part that they are for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SourceFile {
    pub part: Part,
    pub path: PathBuf,
}

/// A dataset with what happened on the way.
#[derive(Debug)]
pub struct Prepared {
    pub dataset: Dataset,
    pub report: PrepareReport,
    pub outcome: CacheOutcome,
}

/// Whether there was anything to do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CacheOutcome {
    /// Nothing has changed since it was prepared.
    Loaded,
    Built,
    /// It was there, but damaged.
    Rebuilt {
        damage: String,
    },
}

/// Loads the dataset from `cache` if it is there, else prepares it and writes it there.
pub fn prepare(job: &PrepareJob, cache: &Path, progress: &dyn Progress) -> Result<Prepared, DataError> {
    let paths: Vec<&Path> = job.sources.iter().map(|source| source.path.as_path()).collect();
    let origins = Origins::new(&paths);
    check_roles(&job.schema)?;
    check_formats(job)?;
    let made_of = KeyParts::of(job, &origins)?;
    let key = made_of.key()?;
    let short: String = key.trim_start_matches("sha256:").chars().take(16).collect();
    let folder = cache.join(short);

    let mut outcome = CacheOutcome::Built;
    if folder.exists() {
        match load(&folder, &key) {
            Ok((dataset, report)) => {
                let report = with_padding(report, &dataset, job);
                return Ok(Prepared { dataset, report, outcome: CacheOutcome::Loaded });
            }
            Err(damage) => outcome = CacheOutcome::Rebuilt { damage: damage.to_string() },
        }
    }
    let mut preparation = Preparation { job, origins, progress, report: PrepareReport::default() };
    preparation.build(&folder, key, made_of)?;
    let dataset = Dataset::open(&folder)?;
    let report = with_padding(preparation.report, &dataset, job);
    Ok(Prepared { dataset, report, outcome })
}

/// A classifier learns from texts and their labels.
fn check_roles(schema: &Schema) -> Result<(), DataError> {
    match ["text", "label"].into_iter().find(|role| schema.role(role).is_none()) {
        None => Ok(()),
        Some(role) => Err(DataError::Schema { what: format!("no field has the role `{role}`") }),
    }
}

/// Fields by their names: the conventions of chat data have no texts and labels.
fn reading(job: &PrepareJob) -> ReadSettings {
    ReadSettings { layout: Some(Layout::Fields), ..ReadSettings::new(job.schema.clone()) }
}

/// Opening a file checks its name and that it is there, with a better message than its digest would give.
fn check_formats(job: &PrepareJob) -> Result<(), DataError> {
    for source in &job.sources {
        pegbox_records::open(&source.path, &reading(job), 0, 0)?;
    }
    Ok(())
}

fn load(folder: &Path, key: &str) -> Result<(Dataset, PrepareReport), DataError> {
    let dataset = Dataset::open(folder)?;
    if dataset.key() != key {
        let what = format!("it has the key {}, expected {key}", dataset.key());
        return Err(DataError::Damaged { file: folder.to_owned(), what });
    }
    let report = dataset.report()?;
    Ok((dataset, report))
}

/// The padding figures follow the batch settings, which are no part of the dataset.
fn with_padding(mut report: PrepareReport, dataset: &Dataset, job: &PrepareJob) -> PrepareReport {
    let lengths = dataset.train().lengths();
    report.padding = padding(&lengths, &job.batching, job.tokens.max_length, job.split.seed);
    report
}

/// A preparation under way.
struct Preparation<'a> {
    job: &'a PrepareJob,
    origins: Origins,
    progress: &'a dyn Progress,
    report: PrepareReport,
}

impl Preparation<'_> {
    fn build(&mut self, folder: &Path, key: String, made_of: KeyParts) -> Result<(), DataError> {
        let records = self.timed("read", Self::read)?;
        let (records, mut dropped) = self.timed("clean", |this| this.clean(records))?;
        let findings = self.timed("validate", |this| this.validate(&records))?;
        self.complete(&records)?;
        let parts = self.timed("split", |this| this.split(&records))?;
        let labels = self.labels(&records, &parts)?;
        let tokenizer =
            TextTokenizer::from_bytes(&self.job.tokenizer, "tokenizer.json", self.job.tokens.max_length)?;
        let (splits, rows) = self
            .timed("tokenize", |this| this.tokenize(&tokenizer, &records, &parts, &labels, &mut dropped))?;
        self.count(&splits, &rows, &labels)?;
        let contents = Contents {
            key,
            made_of,
            labels,
            pad_id: tokenizer.pad_id(),
            vocabulary_size: tokenizer.vocabulary_size(),
            splits: &splits,
            rows: &rows,
            dropped: &dropped,
            findings: &findings,
            report: &self.report,
        };
        dataset::write(folder, &contents)
    }

    fn timed<T>(
        &mut self,
        stage: &str,
        work: impl FnOnce(&mut Self) -> Result<T, DataError>,
    ) -> Result<T, DataError> {
        let start = Instant::now();
        let result = work(self);
        self.report.seconds.push((stage.to_owned(), start.elapsed().as_secs_f64()));
        result
    }

    fn read(&mut self) -> Result<Vec<Record>, DataError> {
        let mut records: Vec<Record> = Vec::new();
        for (number, source) in self.job.sources.iter().enumerate() {
            let before = records.len();
            let name = self.origins.files().get(number).cloned().unwrap_or_default();
            let stage = format!("read {name}");
            let reader =
                pegbox_records::open(&source.path, &reading(self.job), number as u32, before as u64)?;
            for record in reader {
                records.push(record?);
                let read = (records.len() - before) as u64;
                if read.is_multiple_of(TICK) {
                    self.progress.at(&stage, read, None);
                }
            }
            let rows = (records.len() - before) as u64;
            self.progress.at(&stage, rows, Some(rows));
            self.report.files.push(FileReport { name, part: source.part, rows });
        }
        Ok(records)
    }

    fn clean(&mut self, records: Vec<Record>) -> Result<(Vec<Record>, Vec<Dropped>), DataError> {
        let job = self.job;
        let cleaned = clean(records, &job.schema, &self.origins, &job.cleaners, job.threads, self.progress)?;
        self.report.stages = cleaned.stages;
        Ok((cleaned.records, cleaned.dropped))
    }

    /// Runs all validators before any of them stops the run, so that one look shows all there is to mend.
    fn validate(&mut self, records: &[Record]) -> Result<Vec<LocatedFinding>, DataError> {
        let job = self.job;
        let mut all = Vec::new();
        let mut stopping = None;
        for stage in &job.validators {
            let found = validate(records, &job.schema, &self.origins, stage, job.threads, self.progress)?;
            if let (Some(level), None) = (stage.fail_on, &stopping) {
                let grave: Vec<&LocatedFinding> =
                    found.iter().filter(|finding| finding.level >= level).collect();
                if !grave.is_empty() {
                    let examples: Vec<String> = grave.iter().take(10).map(|finding| finding.line()).collect();
                    stopping = Some((stage.identity.plugin.clone(), level, grave.len() as u64, examples));
                }
            }
            all.extend(found);
        }
        self.report.findings = CodeCount::count(&all);
        match stopping {
            None => Ok(all),
            Some((plugin, level, count, examples)) => {
                let report = Box::new(self.report.clone());
                Err(DataError::Findings { plugin, level, count, examples, report })
            }
        }
    }

    /// Every record has a text and a label now.
    fn complete(&self, records: &[Record]) -> Result<(), DataError> {
        let schema = &self.job.schema;
        type Read = fn(&Schema, &Record) -> bool;
        let lacks_text: Read = |schema, record| schema.text(record).is_none();
        let lacks_label: Read = |schema, record| schema.label(record).is_none();
        for (field, lacks) in [(schema.name_of("text"), lacks_text), (schema.name_of("label"), lacks_label)] {
            let mut without = records.iter().filter(|record| lacks(schema, record));
            if let Some(first) = without.next() {
                let origin = self.origins.of(first).to_string();
                return Err(DataError::Missing {
                    field: field.to_owned(),
                    origin,
                    count: 1 + without.count(),
                });
            }
        }
        Ok(())
    }

    /// The part of each record: that of its file, or what the split says for records of training files.
    fn split(&mut self, records: &[Record]) -> Result<Vec<Part>, DataError> {
        let sources = &self.job.sources;
        let mut parts: Vec<Part> = records
            .iter()
            .map(|record| sources.get(record.source as usize).map_or(Part::Train, |source| source.part))
            .collect();
        let has = |part| sources.iter().any(|source| source.part == part);
        let mut settings = self.job.split.clone();
        if has(Part::Validation) {
            settings.validation = 0.0;
        }
        if has(Part::Test) {
            settings.test = 0.0;
        }
        let training: Vec<usize> =
            (0..records.len()).filter(|row| parts.get(*row) == Some(&Part::Train)).collect();
        if training.is_empty() {
            return Err(DataError::Empty { part: Part::Train, why: "" });
        }
        let schema = &self.job.schema;
        let rows: Vec<(&str, &str)> = training
            .iter()
            .filter_map(|row| records.get(*row))
            .map(|record| (schema.text(record).unwrap_or_default(), schema.label(record).unwrap_or_default()))
            .collect();
        for (row, part) in training.into_iter().zip(stratified_split(&rows, &settings)?) {
            if let Some(slot) = parts.get_mut(row) {
                *slot = part;
            }
        }
        Ok(parts)
    }

    fn labels(&self, records: &[Record], parts: &[Part]) -> Result<Labels, DataError> {
        let schema = &self.job.schema;
        let of = |part: Part| {
            let rows = records.iter().zip(parts).filter(move |(_, other)| **other == part);
            rows.map(|(record, _)| (record, schema.label(record).unwrap_or_default()))
        };
        let labels = Labels::from_training(of(Part::Train).map(|(_, label)| label))?;
        for part in [Part::Validation, Part::Test] {
            let mut strangers = of(part).filter(|(_, label)| labels.id(label).is_none());
            if let Some((record, label)) = strangers.next() {
                let same = strangers.filter(|(_, other)| *other == label).count();
                return Err(DataError::UnknownLabel {
                    label: label.to_owned(),
                    part,
                    origin: self.origins.of(record).to_string(),
                    count: 1 + same,
                    nearest: labels.nearest(label).map(str::to_owned),
                });
            }
        }
        Ok(labels)
    }

    fn tokenize(
        &mut self,
        tokenizer: &TextTokenizer,
        records: &[Record],
        parts: &[Part],
        labels: &Labels,
        dropped: &mut Vec<Dropped>,
    ) -> Result<([TokenSplit; 3], Vec<RowText>), DataError> {
        let encoded = self.encode(tokenizer, records)?;
        let policy = self.job.tokens.over_long;
        let max_length = tokenizer.max_length();
        let mut over_long =
            records.iter().zip(&encoded).filter(|(_, encoded)| encoded.full_length > max_length);
        if policy == OverLong::Fail
            && let Some((record, first)) = over_long.next()
        {
            let origin = self.origins.of(record).to_string();
            let (tokens, count) = (first.full_length, 1 + over_long.count());
            return Err(DataError::OverLong { origin, tokens, max_length, count });
        }

        let schema = &self.job.schema;
        let mut splits = [TokenSplit::default(), TokenSplit::default(), TokenSplit::default()];
        let mut rows = Vec::with_capacity(records.len());
        let mut lengths = Vec::new();
        for ((record, part), encoded) in records.iter().zip(parts.iter().copied()).zip(&encoded) {
            let text = schema.text(record).unwrap_or_default();
            let label = schema.label(record).unwrap_or_default();
            let origin = self.origins.of(record).to_string();
            if part == Part::Train {
                lengths.push(encoded.full_length);
            }
            let cut = encoded.full_length.saturating_sub(encoded.ids.len()) as u64;
            if cut > 0 && policy == OverLong::Drop && part == Part::Train {
                self.report.truncation.dropped += 1;
                dropped.push(Dropped {
                    id: record.id,
                    origin,
                    stage: "tokenize".to_owned(),
                    reason: "over-long".to_owned(),
                    text: Some(text.to_owned()),
                });
                continue;
            }
            self.report.truncation.rows += u64::from(cut > 0);
            self.report.truncation.tokens += cut;
            let id = labels.id(label);
            if let (Some(split), Some(label)) = (splits.get_mut(part.index()), id) {
                let (ids, type_ids) = (&encoded.ids, &encoded.type_ids);
                split.push(Example { ids, type_ids, label, record: record.id, weight: 1.0 });
            }
            rows.push(RowText {
                id: record.id,
                part,
                origin,
                text: text.to_owned(),
                label: label.to_owned(),
            });
        }
        self.report.lengths = LengthReport::of(lengths);
        Ok((splits, rows))
    }

    fn encode(&self, tokenizer: &TextTokenizer, records: &[Record]) -> Result<Vec<Encoded>, DataError> {
        let schema = &self.job.schema;
        let texts: Vec<&str> = records.iter().map(|record| schema.text(record).unwrap_or_default()).collect();
        let total = texts.len() as u64;
        let done = AtomicU64::new(0);
        let tick = |rows: usize| {
            let rows = rows as u64;
            self.progress.at("tokenize", done.fetch_add(rows, Ordering::Relaxed) + rows, Some(total));
        };
        tokenizer.encode_all(&texts, self.job.threads, tick).map_err(|(row, what)| {
            let origin = records.get(row).map(|record| self.origins.of(record).to_string());
            DataError::Tokenize { origin: origin.unwrap_or_default(), what }
        })
    }

    /// Counts what is in the parts, and refuses parts without rows.
    fn count(
        &mut self,
        splits: &[TokenSplit; 3],
        rows: &[RowText],
        labels: &Labels,
    ) -> Result<(), DataError> {
        let mut classes: BTreeMap<&str, [u64; 3]> = BTreeMap::new();
        for row in rows {
            if let Some(count) = classes.entry(&row.label).or_default().get_mut(row.part.index()) {
                *count += 1;
            }
        }
        self.report.classes = labels
            .names()
            .iter()
            .map(|label| {
                let [train, validation, test] = classes.get(label.as_str()).copied().unwrap_or_default();
                ClassCount { label: label.clone(), train, validation, test }
            })
            .collect();
        let texts: HashSet<&str> =
            rows.iter().filter(|row| row.part == Part::Train).map(|row| row.text.as_str()).collect();
        for (part, split) in Part::ALL.into_iter().zip(splits) {
            let has_file = self.job.sources.iter().any(|source| source.part == part);
            if split.is_empty() && (part == Part::Train || has_file) {
                return Err(DataError::Empty { part, why: " left after cleaning" });
            }
            self.report.rows.insert(part, split.len() as u64);
            self.report.tokens.insert(part, split.tokens() as u64);
            if part != Part::Train {
                let leaked = rows.iter().filter(|row| row.part == part && texts.contains(row.text.as_str()));
                self.report.leaked.insert(part, leaked.count() as u64);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;

//! From files to a dataset: read, clean, aggregate annotations, remove duplicates, validate, judge labels, split, check
//! for leakage, balance, tokenize, publish.

/// The dataset's folder, from the files of the steps.
mod assemble;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use pegbox_annotations::adjudicate::Doubtful;
use pegbox_annotations::suspects::Suspect;
use pegbox_duplicates::Clusters;
use pegbox_records::{Origins, Part};
use pegbox_sampling::batches::{PaddingReport, padding};

use crate::cache::KeyParts;
use crate::dataset::{self, Contents, Dataset};
use crate::error::DataError;
use crate::job::PrepareJob;
use crate::labels::Labels;
use crate::memory;
use crate::parallel;
use crate::progress::Progress;
use crate::report::{ClassCount, LengthReport, PrepareReport};
use crate::rows::Shards;
use crate::split::split;
use crate::state::State;
use crate::steps::balance::{Balance, balance};
use crate::steps::index::{Index, index};
use crate::steps::keepers::Keepers;
use crate::steps::labels::{Judged, Labelled};
use crate::steps::tokenize::{Tokenized, Tokenizing};
use crate::steps::validate::Validation;
use crate::steps::{annotate, clean, duplicates, leakage, read, validate};
use crate::task::Task;
use crate::tokenize::TextTokenizer;
use crate::work::{Step, Workshop, short};
use assemble::Files;

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

/// Opens the dataset in `cache` if it is there, else prepares it and writes it there. What a step has finished stays in
/// the cache, so that an interrupted preparation goes on from its last shard, and steps whose inputs have not changed
/// are not done again.
pub fn prepare(job: &PrepareJob, cache: &Path, progress: &dyn Progress) -> Result<Prepared, DataError> {
    let paths: Vec<&Path> = job.sources.iter().map(|source| source.path.as_path()).collect();
    let origins = Origins::new(&paths);
    check_roles(job)?;
    check_formats(job)?;
    let made_of = KeyParts::of(job, &origins)?;
    let key = made_of.key()?;
    let folder = cache.join(short(&key));

    let mut outcome = CacheOutcome::Built;
    if folder.exists() {
        match load(&folder, &key) {
            Ok((dataset, mut report)) => {
                // The padding figures follow the batch settings, which are no part of the dataset.
                report.padding = padding_of(&dataset.lengths()?, job);
                return Ok(Prepared { dataset, report, outcome: CacheOutcome::Loaded });
            }
            Err(damage) => outcome = CacheOutcome::Rebuilt { damage: damage.to_string() },
        }
    }
    let workshop = Workshop::open(cache)?;
    let report = PrepareReport::default();
    let threads = parallel::threads(job.threads);
    let mut preparation = Preparation { job, origins, progress, workshop, made_of, key, threads, report };
    preparation.build(&folder)?;
    let dataset = Dataset::open(&folder)?;
    Ok(Prepared { dataset, report: preparation.report, outcome })
}

/// Every row has what the task learns from.
fn check_roles(job: &PrepareJob) -> Result<(), DataError> {
    let made = job.annotations.is_some() && job.schema.role("annotations").is_some();
    let label = (job.task == Task::Classification && !made).then_some("label");
    let wanted = job.task.roles(&job.schema).iter().copied().chain(label);
    if job.task.converses(&job.schema) && job.tokens.chat.is_none() {
        let what =
            "the role `messages` is a whole conversation, and there is no chat template for it".to_owned();
        return Err(DataError::Schema { what });
    }
    match wanted.into_iter().find(|role| job.schema.role(role).is_none()) {
        None => Ok(()),
        Some(role) => Err(DataError::Schema { what: format!("no field has the role `{role}`") }),
    }
}

/// Opening a file checks its name and that it is there, with a better message than its digest would give.
fn check_formats(job: &PrepareJob) -> Result<(), DataError> {
    for source in &job.sources {
        pegbox_records::open(&source.path, &job.reading.settings(&job.schema), 0, 0)?;
    }
    Ok(())
}

fn load(folder: &Path, key: &str) -> Result<(Dataset, PrepareReport), DataError> {
    let dataset = Dataset::open(folder)?;
    if dataset.key() != key {
        let what = format!("it has the key {}, expected {key}", dataset.key());
        return Err(DataError::Damaged { file: folder.to_owned(), what });
    }
    dataset.verify()?;
    let report = dataset.report()?;
    Ok((dataset, report))
}

fn padding_of(lengths: &[u32], job: &PrepareJob) -> PaddingReport {
    padding(lengths, &job.batching, job.tokens.max_length, job.split.seed)
}

/// A preparation under way.
struct Preparation<'a> {
    job: &'a PrepareJob,
    origins: Origins,
    progress: &'a dyn Progress,
    workshop: Workshop,
    made_of: KeyParts,
    key: String,
    threads: usize,
    report: PrepareReport,
}

impl Preparation<'_> {
    fn build(&mut self, folder: &Path) -> Result<(), DataError> {
        let mut tokenizer =
            TextTokenizer::from_bytes(&self.job.tokenizer, "tokenizer.json", self.job.tokens.max_length)?;
        if let Some(source) = &self.job.tokens.chat {
            tokenizer = tokenizer.with_chat(source)?;
        }
        let (read, shards) = self.timed("read", Self::read)?;
        let clean = self.timed("clean", |this| this.clean(&read, &shards))?;
        let (inputs, shards) = match &clean {
            Some((step, shards)) => (step.key().to_owned(), shards.clone()),
            None => (read.key().to_owned(), shards),
        };
        let labelled = self.job.task == Task::Classification && self.job.annotations.is_none();
        let mut index =
            self.timed("index", |this| index(&shards, this.job, &this.origins, labelled, this.threads))?;
        let adjudicate = self.timed("annotations", |this| this.annotate(&shards, &mut index))?;
        let clusters = self.timed("duplicates", |this| this.duplicates(&inputs, &shards, &mut index))?;
        let validation = self.timed("validate", |this| this.validate(&inputs, &shards, &index))?;
        let judged = self.timed("labels", |this| this.judge(&inputs, &shards, &index, clusters.as_ref()))?;
        self.timed("split", |this| {
            this.report.split = split(&mut index, clusters.as_ref(), &this.settings_of_split())?;
            this.check_parts(&index, "")
        })?;
        if let (Some(judged), Some(action)) = (&judged, self.job.suspects) {
            self.report.suspects = Some(judged.apply(action, &shards, &mut index, &self.origins)?);
        }
        self.timed("leakage", |this| this.leakage(&shards, &mut index))?;
        let labels = self.labels(&shards, &index)?;
        let balance = self.timed("balance", |this| match this.job.task {
            Task::Classification => balance(&mut index, &this.job.balance),
            _ => Ok(Balance::none(&index)),
        })?;
        // The clusters have served, and four bytes a row are free.
        let keepers = self.timed("keepers", |_| Keepers::find(clusters.as_ref(), &index.states, &shards))?;
        drop(clusters);
        let tokenizing = Tokenizing {
            job: self.job,
            shards: &shards,
            index: &index,
            labels: &labels,
            keepers: &keepers,
            balance: &balance,
            suspects: judged.as_ref().map_or(&[] as &[Suspect], |judged| &judged.list),
            origins: &self.origins.clone(),
            tokenizer: &tokenizer,
        };
        let step = self.workshop.step("tokenize", &self.key)?;
        let tokenized = self.timed("tokenize", |this| tokenizing.all(&step, this.threads, this.progress))?;
        self.tell(&tokenized, &index, &labels, &balance, tokenizer.max_length())?;
        let (job, report) = (self.job, &self.report);
        let files =
            Files { job, report, read, clean, validation, adjudicate, tokenize: &step, shards: shards.len() };
        let (draft, listed) = files.assemble(folder, &tokenized)?;
        let contents = Contents {
            key: self.key.clone(),
            made_of: self.made_of.clone(),
            pad_id: tokenizer.pad_id(),
            vocabulary_size: tokenizer.vocabulary_size(),
            rows: tokenized.rows,
            report: &self.report,
            labels,
        };
        dataset::publish(folder, draft, listed, contents)?;
        step.remove()?;
        self.workshop.forget_unused()
    }

    fn timed<T>(
        &mut self,
        step: &str,
        work: impl FnOnce(&mut Self) -> Result<T, DataError>,
    ) -> Result<T, DataError> {
        let start = Instant::now();
        let result = work(self);
        self.report.seconds.push((step.to_owned(), start.elapsed().as_secs_f64()));
        memory::give_back();
        result
    }

    fn read(&mut self) -> Result<(Step, Shards), DataError> {
        let KeyParts { format, sources, schema, reading, .. } = &self.made_of;
        let step = self.workshop.step("read", &(format, sources, schema, reading))?;
        let read = read::read(&step, self.job, &self.origins, self.threads, self.progress)?;
        let shards = read.shards(&step, &self.job.schema)?;
        self.report.files = read.files;
        (self.report.quarantined, self.report.quarantine) = (read.quarantined, read.quarantine);
        Ok((step, shards))
    }

    /// None where the recipe has no cleaners: then the records are those that were read.
    fn clean(&mut self, read: &Step, shards: &Shards) -> Result<Option<(Step, Shards)>, DataError> {
        if self.job.cleaners.is_empty() {
            return Ok(None);
        }
        let step = {
            let compared = clean::compared(self.job, shards.schema())?;
            self.workshop.step("clean", &(read.key(), &self.made_of.cleaners, compared))?
        };
        let (cleaning, cleaned) =
            clean::clean(&step, self.job, shards, &self.origins, self.threads, self.progress)?;
        self.report.stages = cleaning.stages;
        Ok(Some((step, cleaned)))
    }

    fn annotate(&mut self, shards: &Shards, index: &mut Index) -> Result<Vec<Doubtful>, DataError> {
        let Some(settings) = &self.job.annotations else { return Ok(Vec::new()) };
        let annotated = annotate::annotate(shards, index, settings, &self.origins, self.progress)?;
        self.report.annotations = Some(annotated.report);
        Ok(annotated.adjudicate)
    }

    fn duplicates(
        &mut self,
        inputs: &str,
        shards: &Shards,
        index: &mut Index,
    ) -> Result<Option<Clusters>, DataError> {
        let Some(settings) = &self.job.duplicates else { return Ok(None) };
        let step = self.workshop.step("duplicates", &(inputs, settings))?;
        let found = duplicates::duplicates(
            &step,
            shards,
            index,
            settings,
            &self.origins,
            self.threads,
            self.progress,
        )?;
        self.report.duplicates = Some(found.report);
        Ok(Some(found.clusters))
    }

    /// All validators run before any of them stops the run, so that one look shows all there is to mend.
    fn validate(
        &mut self,
        inputs: &str,
        shards: &Shards,
        index: &Index,
    ) -> Result<Option<(Step, Validation)>, DataError> {
        if self.job.validators.is_empty() {
            return Ok(None);
        }
        let KeyParts { annotations, duplicates, validators, .. } = &self.made_of;
        let step = self.workshop.step("validate", &(inputs, annotations, duplicates, validators))?;
        let validation = validate::validate(
            &step,
            self.job,
            shards,
            &index.states,
            &self.origins,
            self.threads,
            self.progress,
        )?;
        self.report.findings = validation.counts.clone();
        let grave = validation.grave().and_then(|(number, count, examples)| {
            let stage = self.job.validators.get(number)?;
            let plugin = stage.identity.plugin.clone();
            let report = Box::new(self.report.clone());
            Some(DataError::Findings { plugin, level: stage.fail_on?, count, examples, report })
        });
        grave.map_or(Ok(Some((step, validation))), Err)
    }

    /// Conflicting labels, and labels that are likely wrong. Given validation and test files are not judged: what is
    /// done about training rows must not depend on them.
    fn judge(
        &mut self,
        inputs: &str,
        shards: &Shards,
        index: &Index,
        clusters: Option<&Clusters>,
    ) -> Result<Option<Judged>, DataError> {
        if self.job.task != Task::Classification {
            return Ok(None);
        }
        let labelled =
            Labelled::new(shards, index, clusters, |state| state == State::Free, "labels", self.progress);
        self.report.conflicts = Some(labelled.conflicts(&self.origins)?);
        if self.job.suspects.is_none() {
            return Ok(None);
        }
        let KeyParts { annotations, duplicates, split, .. } = &self.made_of;
        let step = self.workshop.step("suspects", &(inputs, annotations, duplicates, split.seed))?;
        labelled.suspects(&step, split.seed).map(Some)
    }

    /// A part that has files of its own gets no share.
    fn settings_of_split(&self) -> crate::split::SplitSettings {
        let has = |part| self.job.sources.iter().any(|source| source.part == part);
        let mut settings = self.job.split.clone();
        if has(Part::Validation) {
            settings.validation = 0.0;
        }
        if has(Part::Test) {
            settings.test = 0.0;
        }
        settings
    }

    /// The training part has rows, and so has each part that has files.
    fn check_parts(&self, index: &Index, why: &'static str) -> Result<(), DataError> {
        let has_file = |part| self.job.sources.iter().any(|source| source.part == part);
        let empty = |part: &Part| {
            (*part == Part::Train || has_file(*part)) && !index.states.contains(&State::of(*part))
        };
        match Part::ALL.into_iter().find(empty) {
            Some(part) => Err(DataError::Empty { part, why }),
            None => Ok(()),
        }
    }

    fn leakage(&mut self, shards: &Shards, index: &mut Index) -> Result<(), DataError> {
        let Some(settings) = &self.job.leakage else { return Ok(()) };
        let report = leakage::leakage(
            self.job,
            settings,
            shards,
            &mut index.states,
            &self.origins,
            self.threads,
            self.progress,
        )?;
        self.report.leakage = Some(report);
        self.check_parts(index, " left after the leaked rows went")
    }

    /// The classes of the training rows; the other parts may have no others.
    fn labels(&self, shards: &Shards, index: &Index) -> Result<Labels, DataError> {
        if self.job.task != Task::Classification {
            return self.tags(index);
        }
        let rows = || (0_u32..).zip(index.states.iter().copied().zip(index.labels.iter()));
        let name = |label: u32| index.names.get(label as usize).map(String::as_str);
        let mut trained = vec![false; index.names.len()];
        for (_, (state, label)) in rows() {
            if let (State::Train, Some(trained)) = (state, trained.get_mut(label as usize)) {
                *trained = true;
            }
        }
        let known = trained.iter().zip(&index.names).filter(|(trained, _)| **trained);
        let labels = Labels::from_training(known.map(|(_, name)| name.as_str()))?;
        for part in [Part::Validation, Part::Test] {
            let stranger = |label: u32| trained.get(label as usize) == Some(&false);
            let first = rows().find(|(_, (state, label))| *state == State::of(part) && stranger(*label));
            let Some((row, (_, label))) = first else { continue };
            let same = rows().filter(|(_, (state, other))| *state == State::of(part) && *other == label);
            let record = shards.pick(&[row])?;
            let label = name(label).unwrap_or_default();
            return Err(DataError::UnknownLabel {
                label: label.to_owned(),
                part,
                origin: record.first().map(|record| self.origins.of(record).to_string()).unwrap_or_default(),
                count: same.count(),
                nearest: labels.nearest(label).map(str::to_owned),
            });
        }
        Ok(labels)
    }

    /// The tags or labels of all rows, whatever their part: which parts they are in is for the split to say.
    fn tags(&self, index: &Index) -> Result<Labels, DataError> {
        match self.job.task {
            Task::Tagging | Task::MultiLabel => Labels::from_training(index.tags.iter().map(String::as_str)),
            _ => Ok(Labels::none()),
        }
    }

    /// What the tokens came to.
    fn tell(
        &mut self,
        tokenized: &Tokenized,
        index: &Index,
        labels: &Labels,
        balance: &Balance,
        max_length: usize,
    ) -> Result<(), DataError> {
        if let Some((origin, tokens, count)) = tokenized.over_long.clone() {
            return Err(DataError::OverLong { origin, tokens, max_length, count });
        }
        for part in Part::ALL {
            let rows = tokenized.rows.get(part.index()).copied().unwrap_or(0);
            let has_file = self.job.sources.iter().any(|source| source.part == part);
            if rows == 0 && (part == Part::Train || has_file) {
                return Err(DataError::Empty { part, why: " left after cleaning" });
            }
            self.report.rows.insert(part, rows);
            self.report.tokens.insert(part, tokenized.tokens.get(part.index()).copied().unwrap_or(0));
        }
        let report = &mut self.report;
        report.lengths = LengthReport::of(&tokenized.lengths, max_length as u32);
        report.truncation = tokenized.truncation;
        report.padding = padding_of(&tokenized.widths, self.job);
        let counts: BTreeMap<&str, [u64; 3]> = tokenized
            .classes
            .iter()
            .filter_map(|(label, counts)| Some((index.names.get(*label as usize)?.as_str(), *counts)))
            .collect();
        let classes = if self.job.task == Task::Classification { labels.names() } else { &[] };
        report.classes = classes
            .iter()
            .map(|label| {
                let [train, validation, test] = counts.get(label.as_str()).copied().unwrap_or_default();
                ClassCount { label: label.clone(), train, validation, test }
            })
            .collect();
        report.balance = balance.report.clone();
        let fields = std::iter::once("label").chain(self.job.balance.report.iter().map(String::as_str));
        let weight = |name: &str| {
            let number = index.names.binary_search_by(|other| other.as_str().cmp(name)).ok()?;
            balance.weights.as_ref()?.get(number).copied()
        };
        report.balance.groups = fields
            .zip(&tokenized.groups)
            .map(|(field, groups)| groups.report(field, |name| weight(name).filter(|_| field == "label")))
            .collect();
        Ok(())
    }
}

#[cfg(test)]
mod tests;

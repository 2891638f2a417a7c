//! The prepared dataset on disk: a folder with
//!
//! - `manifest.json`: [`Manifest`]: what it was made of, the labels, and a digest of each other file;
//! - `train-00000.parquet` and so on, likewise `validation-` and `test-`: one row an example, with the columns `record`
//!   (uint64), `origin` (string), `input_ids` (list of uint32), `weight` (float), and, for classification, `text`,
//!   `label` (strings), `label_id` (uint32), `token_type_ids`; for several labels `labels` (list of int32) and for
//!   regression `target` (float) in the place of `label_id`; for masked language modelling no label; for tagging,
//!   `tokens`, `tags` (strings), `token_type_ids`,
//!   `labels` (list of int32: the tag at the first piece of each token, -100 elsewhere); for generation, `prompt`,
//!   `completion` (strings), `labels` (the ids of the completion, -100 in the prompt), or of whole conversations
//!   `messages` (string, JSON) in the place of the two; for seq2seq, `source`, `target`
//!   (strings), `labels` (the ids of the target). The numbers of a part's files ascend, and may have gaps;
//! - JSON lines: `dropped.jsonl`: [`crate::Dropped`]; `findings.jsonl`: [`crate::LocatedFinding`]; `suspects.jsonl`,
//!   `adjudicate.jsonl`, `quarantined.jsonl`; `report.json`: [`PrepareReport`];
//! - `train-lengths.u32`: the tokens of each training row, little-endian.
//!
//! `timings.json` is beside them and no part of the dataset: the same inputs give the same files, but not in the same
//! time.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use pegbox_records::Part;
use pegbox_records::parquet_out::{Batch, ParquetRows, Values};
use pegbox_sampling::batches::PaddingReport;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::cache::{FORMAT, KeyParts, digest, file_digest};
use crate::clean::Dropped;
use crate::durable::Draft;
use crate::error::DataError;
use crate::labels::Labels;
use crate::report::PrepareReport;
use crate::task::{MESSAGES, Task};
use crate::tokens::{Example, RowTarget, TokenSplit};
use crate::validate::LocatedFinding;

const MANIFEST: &str = "manifest.json";
const REPORT: &str = "report.json";
/// Tokens of each training row.
pub(crate) const LENGTHS: &str = "train-lengths.u32";
const TIMINGS: &str = "timings.json";

/// What a dataset is.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Manifest {
    /// `sha256:` of `made_of`.
    pub key: String,
    pub made_of: KeyParts,
    pub labels: Labels,
    /// Pads rows of a batch.
    pub pad_id: u32,
    /// Entries of the tokenizer's vocabulary.
    pub vocabulary_size: usize,
    /// Rows of each part.
    pub rows: BTreeMap<Part, u64>,
    /// The other files of the folder.
    pub files: BTreeMap<String, FileDigest>,
    /// `sha256:` of this manifest with an empty seal.
    pub seal: String,
}

/// A file as it was written.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct FileDigest {
    pub bytes: u64,
    /// `sha256:` and the hex digest.
    pub digest: String,
}

impl FileDigest {
    /// Reads the file.
    pub fn of(path: &Path) -> Result<Self, DataError> {
        let bytes = fs::metadata(path).map_err(DataError::io("read", path))?.len();
        Ok(Self { bytes, digest: file_digest(path)? })
    }
}

/// A row as a person reads it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RowText {
    /// The record's id.
    pub id: u64,
    pub part: Part,
    /// `train.jsonl:8811`.
    pub origin: String,
    pub text: String,
    pub label: String,
}

/// Rows by the id of their record.
#[derive(Clone, Debug, Default)]
pub struct RowLookup(HashMap<u64, RowText>);

impl RowLookup {
    pub fn get(&self, record: u64) -> Option<&RowText> {
        self.0.get(&record)
    }
}

/// A prepared dataset. Its rows are read when they are first asked for.
#[derive(Debug)]
pub struct Dataset {
    folder: PathBuf,
    manifest: Manifest,
    splits: [OnceLock<TokenSplit>; 3],
    lookup: OnceLock<RowLookup>,
}

/// What is written beside the files that are there already.
pub(crate) struct Contents<'a> {
    pub key: String,
    pub made_of: KeyParts,
    pub labels: Labels,
    pub pad_id: u32,
    pub vocabulary_size: usize,
    /// Rows of each part.
    pub rows: [u64; 3],
    pub report: &'a PrepareReport,
}

impl Dataset {
    /// Opens a dataset: verifies the manifest and the sizes of all files, and the digests of those that are no tables.
    /// A table is verified when it is read.
    pub fn open(folder: &Path) -> Result<Self, DataError> {
        let manifest = read_manifest(folder)?;
        for (name, expected) in &manifest.files {
            let path = folder.join(name);
            let found = fs::metadata(&path)
                .map_err(|error| damaged(folder, name, format!("the file cannot be read: {error}")))?
                .len();
            if found != expected.bytes {
                let what = format!("the file has {found} bytes, it was written with {}", expected.bytes);
                return Err(damaged(folder, name, what));
            }
            if !is_table(name) {
                verify(folder, &manifest, name)?;
            }
        }
        Ok(Self {
            folder: folder.to_owned(),
            manifest,
            splits: [const { OnceLock::new() }; 3],
            lookup: OnceLock::new(),
        })
    }

    /// Verifies the tables, too.
    pub fn verify(&self) -> Result<(), DataError> {
        let mut tables = self.manifest.files.keys().filter(|name| is_table(name));
        tables.try_for_each(|name| verify(&self.folder, &self.manifest, name))
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// `sha256:` of everything that the contents depend on.
    pub fn key(&self) -> &str {
        &self.manifest.key
    }

    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    pub fn labels(&self) -> &Labels {
        &self.manifest.labels
    }

    pub fn pad_id(&self) -> u32 {
        self.manifest.pad_id
    }

    /// Rows of a part.
    pub fn len(&self, part: Part) -> u64 {
        self.manifest.rows.get(&part).copied().unwrap_or(0)
    }

    /// The token ids of a part.
    pub fn split(&self, part: Part) -> Result<&TokenSplit, DataError> {
        let [train, validation, test] = &self.splits;
        let slot = match part {
            Part::Train => train,
            Part::Validation => validation,
            Part::Test => test,
        };
        if let Some(split) = slot.get() {
            return Ok(split);
        }
        let split = self.load(part)?;
        Ok(slot.get_or_init(|| split))
    }

    pub fn train(&self) -> Result<&TokenSplit, DataError> {
        self.split(Part::Train)
    }

    pub fn validation(&self) -> Result<&TokenSplit, DataError> {
        self.split(Part::Validation)
    }

    pub fn test(&self) -> Result<&TokenSplit, DataError> {
        self.split(Part::Test)
    }

    fn load(&self, part: Part) -> Result<TokenSplit, DataError> {
        let task = self.manifest.made_of.task;
        let target = match task {
            Task::Classification => "label_id",
            Task::Tagging | Task::MultiLabel | Task::Generation | Task::Seq2Seq => "labels",
            Task::Regression => "target",
            // Nothing is made of it: what is learned is the text.
            Task::MaskedLm => "origin",
        };
        // Where all tokens are of one type it is not written down.
        let columns: &[&str] = match task {
            Task::Generation | Task::Seq2Seq => &["input_ids", target, "record", "weight"],
            _ => &["input_ids", target, "record", "weight", "token_type_ids"],
        };
        let classes = self.labels().len();
        let mut split = TokenSplit::default();
        for name in self.tables(part) {
            verify(&self.folder, &self.manifest, name)?;
            for batch in ParquetRows::open(&self.folder.join(name), columns)?.batches()? {
                let unfit = || damaged(&self.folder, name, "its columns do not fit together".to_owned());
                append(&mut split, &batch?, task, classes).ok_or_else(unfit)?;
            }
        }
        Ok(split)
    }

    /// The names of a part's tables, in order.
    fn tables(&self, part: Part) -> impl Iterator<Item = &String> {
        let prefix = format!("{part}-");
        self.manifest.files.keys().filter(move |name| is_table(name) && name.starts_with(&prefix))
    }

    /// Texts, labels and origins by record.
    pub fn rows(&self) -> Result<&RowLookup, DataError> {
        if let Some(lookup) = self.lookup.get() {
            return Ok(lookup);
        }
        let texts: &[&str] = match self.manifest.made_of.task {
            Task::Classification | Task::MultiLabel | Task::Regression => &["text", "label"],
            Task::MaskedLm => &["text"],
            Task::Tagging => &["tokens", "tags"],
            Task::Generation if self.manifest.made_of.task.converses(&self.manifest.made_of.schema) => {
                &[MESSAGES]
            }
            Task::Generation => &["prompt", "completion"],
            Task::Seq2Seq => &["source", "target"],
        };
        let columns = [&["record", "origin"][..], texts].concat();
        let mut rows = HashMap::new();
        for part in Part::ALL {
            for name in self.tables(part) {
                for batch in ParquetRows::open(&self.folder.join(name), &columns)?.batches()? {
                    let unfit = || damaged(&self.folder, name, "its columns do not fit together".to_owned());
                    rows.extend(row_texts(part, batch?).ok_or_else(unfit)?);
                }
            }
        }
        Ok(self.lookup.get_or_init(|| RowLookup(rows)))
    }

    /// The origins of records as `train.jsonl:8811`; a record that is not known is shown by its number.
    pub fn origins(&self, records: &[u64]) -> Vec<String> {
        let rows = self.rows().ok();
        let origin = |record: &u64| rows.and_then(|rows| rows.get(*record)).map(|row| row.origin.clone());
        records.iter().map(|record| origin(record).unwrap_or_else(|| format!("record {record}"))).collect()
    }

    /// Tokens of each training row, in order.
    pub fn lengths(&self) -> Result<Vec<u32>, DataError> {
        let bytes = verified(&self.folder, &self.manifest, LENGTHS)?;
        let (lengths, _) = bytes.as_chunks::<4>();
        Ok(lengths.iter().map(|length| u32::from_le_bytes(*length)).collect())
    }

    /// The report of the preparation.
    pub fn report(&self) -> Result<PrepareReport, DataError> {
        let bytes = verified(&self.folder, &self.manifest, REPORT)?;
        let mut report: PrepareReport = serde_json::from_slice(&bytes)
            .map_err(|error| damaged(&self.folder, REPORT, error.to_string()))?;
        // They are worth nothing else, so nothing is lost without them.
        let timings = fs::read(self.folder.join(TIMINGS)).ok();
        report.seconds = timings.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
        Ok(report)
    }

    /// The records that left the dataset.
    pub fn dropped(&self) -> Result<Vec<Dropped>, DataError> {
        self.lines("dropped.jsonl")
    }

    /// All findings of all validators.
    pub fn findings(&self) -> Result<Vec<LocatedFinding>, DataError> {
        self.lines("findings.jsonl")
    }

    fn lines<T: DeserializeOwned>(&self, name: &str) -> Result<Vec<T>, DataError> {
        verified(&self.folder, &self.manifest, name)?
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
            .map(|line| {
                serde_json::from_slice(line).map_err(|error| damaged(&self.folder, name, error.to_string()))
            })
            .collect()
    }
}

/// The values of a batch of `input_ids`, what is learned, `record`, `weight` and, if there is one, `token_type_ids`;
/// none if they are others.
fn append(split: &mut TokenSplit, batch: &Batch, task: Task, classes: usize) -> Option<()> {
    let [Values::U32List(ids), targets, Values::U64(records), Values::F32(weights), types @ ..] =
        batch.values.as_slice()
    else {
        return None;
    };
    let mut one_type = Vec::new();
    for (row, (record, weight)) in records.iter().zip(weights).enumerate() {
        let ids = ids.get(row)?;
        let type_ids = match types {
            [] => {
                one_type.resize(ids.len().max(one_type.len()), 0);
                one_type.get(..ids.len())?
            }
            [Values::U32List(types)] => types.get(row)?,
            _ => return None,
        };
        let values;
        let target = match (task, targets) {
            (Task::Classification, Values::U32(classes)) => RowTarget::Class(*classes.get(row)?),
            (Task::Tagging, Values::I32List(labels)) => {
                RowTarget::Tokens(labels.get(row).filter(|row| row.len() == ids.len())?)
            }
            (Task::MultiLabel, Values::I32List(labels)) => {
                values = several_hot(labels.get(row)?, classes)?;
                RowTarget::Values(&values)
            }
            (Task::Generation, Values::I32List(labels)) => {
                RowTarget::Completion(labels.get(row).filter(|row| row.len() == ids.len())?)
            }
            (Task::Seq2Seq, Values::I32List(labels)) => RowTarget::Text(labels.get(row)?),
            (Task::Regression, Values::F32(numbers)) => RowTarget::Values(numbers.get(row..=row)?),
            (Task::MaskedLm, _) => RowTarget::Nothing,
            _ => return None,
        };
        if ids.len() != type_ids.len() {
            return None;
        }
        let example = Example { ids, type_ids, target, record: *record, weight: *weight };
        if !split.push(example) {
            return None;
        }
    }
    Some(())
}

/// 1 at the ids, 0 at all others; none if an id is out of range.
fn several_hot(ids: &[i32], classes: usize) -> Option<Vec<f32>> {
    let mut values = vec![0.0; classes];
    for id in ids {
        *values.get_mut(usize::try_from(*id).ok()?)? = 1.0;
    }
    Some(values)
}

/// The values of a batch of `record`, `origin`, a text and, if there is one, what is learned of it; none if they are
/// others.
fn row_texts(part: Part, batch: Batch) -> Option<Vec<(u64, RowText)>> {
    let mut values = batch.values.into_iter();
    let (Values::U64(records), Values::Text(origins), Values::Text(texts)) =
        (values.next()?, values.next()?, values.next()?)
    else {
        return None;
    };
    let labels = match values.next() {
        Some(Values::Text(labels)) => labels,
        None => vec![Some(String::new()); texts.len()],
        Some(_) => return None,
    };
    let rows = records.into_iter().zip(origins.into_iter().zip(texts.into_iter().zip(labels)));
    let row = |(id, (origin, (text, label)))| -> Option<(u64, RowText)> {
        Some((id, RowText { id, part, origin: origin?, text: text?, label: label? }))
    };
    rows.map(row).collect()
}

/// Adds the report and the manifest to a draft that holds everything else, and publishes it as `folder`; what stood
/// there is replaced.
pub(crate) fn publish(
    folder: &Path,
    draft: Draft,
    mut files: BTreeMap<String, FileDigest>,
    contents: Contents<'_>,
) -> Result<(), DataError> {
    let timeless =
        PrepareReport { seconds: Vec::new(), padding: PaddingReport::default(), ..contents.report.clone() };
    let report = json(folder, &timeless)?;
    draft.write(REPORT, &report)?;
    files.insert(REPORT.to_owned(), FileDigest { bytes: report.len() as u64, digest: digest(&report) });
    draft.write(TIMINGS, &json(folder, &contents.report.seconds)?)?;
    let mut manifest = Manifest {
        key: contents.key,
        made_of: contents.made_of,
        labels: contents.labels,
        pad_id: contents.pad_id,
        vocabulary_size: contents.vocabulary_size,
        rows: Part::ALL.into_iter().zip(contents.rows).collect(),
        files,
        seal: String::new(),
    };
    manifest.seal = digest(&json(folder, &manifest)?);
    draft.write(MANIFEST, &json(folder, &manifest)?)?;
    draft.publish(folder)
}

fn read_manifest(folder: &Path) -> Result<Manifest, DataError> {
    let path = folder.join(MANIFEST);
    let bytes = fs::read(&path).map_err(DataError::io("read", &path))?;
    let mut manifest: Manifest =
        serde_json::from_slice(&bytes).map_err(|error| damaged(folder, MANIFEST, error.to_string()))?;
    let seal = std::mem::take(&mut manifest.seal);
    if digest(&json(folder, &manifest)?) != seal {
        return Err(damaged(folder, MANIFEST, "the seal is not that of its contents".to_owned()));
    }
    if manifest.made_of.format != FORMAT {
        let what = format!("it has format {}, this Pegbox reads format {FORMAT}", manifest.made_of.format);
        return Err(damaged(folder, MANIFEST, what));
    }
    manifest.seal = seal;
    Ok(manifest)
}

/// The bytes of a file, if they are those that were written.
fn verified(folder: &Path, manifest: &Manifest, name: &str) -> Result<Vec<u8>, DataError> {
    let Some(expected) = manifest.files.get(name) else {
        return Err(damaged(folder, MANIFEST, format!("it does not list {name}")));
    };
    let bytes = fs::read(folder.join(name))
        .map_err(|error| damaged(folder, name, format!("the file cannot be read: {error}")))?;
    if bytes.len() as u64 != expected.bytes {
        let what = format!("the file has {} bytes, it was written with {}", bytes.len(), expected.bytes);
        return Err(damaged(folder, name, what));
    }
    if digest(&bytes) != expected.digest {
        return Err(damaged(folder, name, "the file has changed since it was written".to_owned()));
    }
    Ok(bytes)
}

/// As [`verified`], without holding the file.
fn verify(folder: &Path, manifest: &Manifest, name: &str) -> Result<(), DataError> {
    let Some(expected) = manifest.files.get(name) else {
        return Err(damaged(folder, MANIFEST, format!("it does not list {name}")));
    };
    if FileDigest::of(&folder.join(name))? != *expected {
        return Err(damaged(folder, name, "the file has changed since it was written".to_owned()));
    }
    Ok(())
}

fn is_table(name: &str) -> bool {
    name.ends_with(".parquet")
}

fn damaged(folder: &Path, name: &str, what: String) -> DataError {
    DataError::Damaged { file: folder.join(name), what }
}

fn json(folder: &Path, value: &impl Serialize) -> Result<Vec<u8>, DataError> {
    let mut bytes = serde_json::to_vec_pretty(value)
        .map_err(|error| damaged(folder, "report.json", error.to_string()))?;
    bytes.push(b'\n');
    Ok(bytes)
}

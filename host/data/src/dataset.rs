//! The prepared dataset on disk: a folder with
//!
//! - `manifest.json`: [`Manifest`]: what it was made of, the labels, and a digest of each other file;
//! - `train.safetensors`, `validation.safetensors`, `test.safetensors`: `ids` and `type_ids` U32 `[tokens]`
//!   (all rows one after the other), `offsets` U64 `[rows + 1]`, `labels` U32, `records` U64 and `weights`
//!   F32, each `[rows]`; a part without rows has no file;
//! - `rows.jsonl`: [`RowText`] of each row; `dropped.jsonl`: [`crate::Dropped`]; `findings.jsonl`:
//!   [`crate::LocatedFinding`]; `report.json`: [`PrepareReport`].

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use safetensors::tensor::{Dtype, TensorView};
use safetensors::{SafeTensors, serialize};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::cache::{FORMAT, KeyParts, digest};
use crate::clean::Dropped;
use crate::durable::Draft;
use crate::error::DataError;
use crate::labels::Labels;
use crate::report::PrepareReport;
use crate::tokens::TokenSplit;
use crate::validate::LocatedFinding;
use pegbox_records::Part;

const MANIFEST: &str = "manifest.json";

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

/// A prepared dataset, loaded.
#[derive(Debug)]
pub struct Dataset {
    folder: PathBuf,
    manifest: Manifest,
    splits: [TokenSplit; 3],
    /// The bytes of `rows.jsonl`, which are parsed when an error first asks for an origin.
    rows: Vec<u8>,
    lookup: OnceLock<RowLookup>,
}

/// What is written.
pub struct Contents<'a> {
    pub key: String,
    pub made_of: KeyParts,
    pub labels: Labels,
    pub pad_id: u32,
    pub vocabulary_size: usize,
    pub splits: &'a [TokenSplit; 3],
    pub rows: &'a [RowText],
    pub dropped: &'a [Dropped],
    pub findings: &'a [LocatedFinding],
    pub report: &'a PrepareReport,
}

impl Dataset {
    /// Loads a dataset and verifies the digest of every file.
    pub fn open(folder: &Path) -> Result<Self, DataError> {
        let manifest = read_manifest(folder)?;
        for name in manifest.files.keys() {
            verified(folder, &manifest, name)?;
        }
        let load = |part: Part| match manifest.files.contains_key(&shard_name(part)) {
            true => {
                let name = shard_name(part);
                unpack(&verified(folder, &manifest, &name)?).map_err(|what| damaged(folder, &name, what))
            }
            false => Ok(TokenSplit::default()),
        };
        let splits = [load(Part::Train)?, load(Part::Validation)?, load(Part::Test)?];
        let rows = verified(folder, &manifest, "rows.jsonl")?;
        Ok(Self { folder: folder.to_owned(), manifest, splits, rows, lookup: OnceLock::new() })
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

    pub fn split(&self, part: Part) -> &TokenSplit {
        let [train, validation, test] = &self.splits;
        match part {
            Part::Train => train,
            Part::Validation => validation,
            Part::Test => test,
        }
    }

    pub fn train(&self) -> &TokenSplit {
        self.split(Part::Train)
    }

    pub fn validation(&self) -> &TokenSplit {
        self.split(Part::Validation)
    }

    pub fn test(&self) -> &TokenSplit {
        self.split(Part::Test)
    }

    /// Texts, labels and origins by record.
    pub fn rows(&self) -> Result<&RowLookup, DataError> {
        if let Some(lookup) = self.lookup.get() {
            return Ok(lookup);
        }
        let mut rows = HashMap::new();
        for line in self.rows.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            let row: RowText = serde_json::from_slice(line)
                .map_err(|error| damaged(&self.folder, "rows.jsonl", error.to_string()))?;
            rows.insert(row.id, row);
        }
        Ok(self.lookup.get_or_init(|| RowLookup(rows)))
    }

    /// The origins of records as `train.jsonl:8811`; a record that is not known is shown by its number.
    pub fn origins(&self, records: &[u64]) -> Vec<String> {
        let rows = self.rows().ok();
        let origin = |record: &u64| rows.and_then(|rows| rows.get(*record)).map(|row| row.origin.clone());
        records.iter().map(|record| origin(record).unwrap_or_else(|| format!("record {record}"))).collect()
    }

    /// The report of the preparation.
    pub fn report(&self) -> Result<PrepareReport, DataError> {
        let bytes = verified(&self.folder, &self.manifest, "report.json")?;
        serde_json::from_slice(&bytes)
            .map_err(|error| damaged(&self.folder, "report.json", error.to_string()))
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

/// Writes a dataset as `folder`, whole or not at all; what stood there is replaced.
pub fn write(folder: &Path, contents: &Contents<'_>) -> Result<(), DataError> {
    let draft = Draft::new(folder.parent().unwrap_or(Path::new(".")))?;
    let mut files = BTreeMap::new();
    let mut put = |name: String, bytes: Vec<u8>| {
        draft.write(&name, &bytes)?;
        files.insert(name, FileDigest { bytes: bytes.len() as u64, digest: digest(&bytes) });
        Ok::<(), DataError>(())
    };
    let mut rows = BTreeMap::new();
    for (part, split) in Part::ALL.into_iter().zip(contents.splits) {
        rows.insert(part, split.len() as u64);
        if !split.is_empty() {
            let shard = pack(split).map_err(|what| damaged(folder, &shard_name(part), what))?;
            put(shard_name(part), shard)?;
        }
    }
    put("rows.jsonl".to_owned(), json_lines(folder, contents.rows)?)?;
    put("dropped.jsonl".to_owned(), json_lines(folder, contents.dropped)?)?;
    put("findings.jsonl".to_owned(), json_lines(folder, contents.findings)?)?;
    put("report.json".to_owned(), json(folder, contents.report)?)?;
    let mut manifest = Manifest {
        key: contents.key.clone(),
        made_of: contents.made_of.clone(),
        labels: contents.labels.clone(),
        pad_id: contents.pad_id,
        vocabulary_size: contents.vocabulary_size,
        rows,
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

fn damaged(folder: &Path, name: &str, what: String) -> DataError {
    DataError::Damaged { file: folder.join(name), what }
}

fn shard_name(part: Part) -> String {
    format!("{part}.safetensors")
}

fn json(folder: &Path, value: &impl Serialize) -> Result<Vec<u8>, DataError> {
    let mut bytes = serde_json::to_vec_pretty(value)
        .map_err(|error| damaged(folder, "report.json", error.to_string()))?;
    bytes.push(b'\n');
    Ok(bytes)
}

fn json_lines(folder: &Path, values: &[impl Serialize]) -> Result<Vec<u8>, DataError> {
    let mut bytes = Vec::new();
    for value in values {
        serde_json::to_writer(&mut bytes, value)
            .map_err(|error| damaged(folder, "rows.jsonl", error.to_string()))?;
        bytes.push(b'\n');
    }
    Ok(bytes)
}

/// A part as safetensors.
fn pack(split: &TokenSplit) -> Result<Vec<u8>, String> {
    let u32s = |values: &[u32]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
    let u64s = |values: &[u64]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
    let weights: Vec<u8> = split.weights.iter().flat_map(|value| value.to_le_bytes()).collect();
    let tensors = [
        ("ids", Dtype::U32, split.ids.len(), u32s(&split.ids)),
        ("type_ids", Dtype::U32, split.type_ids.len(), u32s(&split.type_ids)),
        ("offsets", Dtype::U64, split.offsets.len(), u64s(&split.offsets)),
        ("labels", Dtype::U32, split.labels.len(), u32s(&split.labels)),
        ("records", Dtype::U64, split.records.len(), u64s(&split.records)),
        ("weights", Dtype::F32, split.weights.len(), weights),
    ];
    let views = tensors
        .iter()
        .map(|(name, dtype, length, bytes)| Ok((*name, TensorView::new(*dtype, vec![*length], bytes)?)))
        .collect::<Result<Vec<_>, safetensors::SafeTensorError>>()
        .map_err(|error| error.to_string())?;
    serialize(views, None).map_err(|error| error.to_string())
}

/// A part from safetensors, with its sizes checked.
fn unpack(bytes: &[u8]) -> Result<TokenSplit, String> {
    let tensors = SafeTensors::deserialize(bytes).map_err(|error| error.to_string())?;
    let u32s = |name: &str| tensor(&tensors, name, Dtype::U32, u32::from_le_bytes);
    let u64s = |name: &str| tensor(&tensors, name, Dtype::U64, u64::from_le_bytes);
    let split = TokenSplit {
        ids: u32s("ids")?,
        type_ids: u32s("type_ids")?,
        offsets: u64s("offsets")?,
        labels: u32s("labels")?,
        records: u64s("records")?,
        weights: tensor(&tensors, "weights", Dtype::F32, f32::from_le_bytes)?,
    };
    let rows = split.labels.len();
    let sound = split.offsets.len() == rows + 1
        && split.records.len() == rows
        && split.weights.len() == rows
        && split.type_ids.len() == split.ids.len()
        && split.offsets.is_sorted()
        && split.offsets.first() == Some(&0)
        && split.offsets.last() == Some(&(split.ids.len() as u64));
    if sound { Ok(split) } else { Err("the sizes of the tensors do not fit together".to_owned()) }
}

fn tensor<const N: usize, T>(
    tensors: &SafeTensors<'_>,
    name: &str,
    dtype: Dtype,
    value: fn([u8; N]) -> T,
) -> Result<Vec<T>, String> {
    let view = tensors.tensor(name).map_err(|error| error.to_string())?;
    if view.dtype() != dtype {
        return Err(format!("the tensor `{name}` is {:?}, expected {dtype:?}", view.dtype()));
    }
    let (values, _) = view.data().as_chunks::<N>();
    Ok(values.iter().map(|bytes| value(*bytes)).collect())
}

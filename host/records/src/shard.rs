//! Records on disk between the stages: an Arrow IPC file, followed by 24 bytes that say whether it is as it
//! was written: its length, the XXH3 digest of its bytes, and `PEGSHRD1`. Nothing is decoded before they agree,
//! because the decoder trusts what it reads.
//!
//! The columns are `id`, `source`, `line`, and one for each role, called `values.` and the role.

use std::collections::HashMap;
use std::fs;
use std::io::{self, Cursor};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::builder::{GenericStringBuilder, UInt32Builder, UInt64Builder};
use arrow_array::cast::AsArray;
use arrow_array::types::{UInt32Type, UInt64Type};
use arrow_array::{Array, ArrayRef, GenericStringArray, OffsetSizeTrait, RecordBatch};
use arrow_ipc::CompressionType;
use arrow_ipc::reader::FileReader;
use arrow_ipc::writer::{FileWriter, IpcWriteOptions};
use arrow_schema::{ArrowError, DataType, Field};
use xxhash_rust::xxh3::xxh3_64;

use crate::record::{Record, Schema};

const MAGIC: &[u8; 8] = b"PEGSHRD1";
const SEAL: usize = 24;

/// A column with more bytes than this has wide offsets.
const NARROW: usize = i32::MAX as usize;

/// A shard that could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum ShardError {
    #[error("cannot {doing} {}: {source}", path.display())]
    Io { doing: &'static str, path: PathBuf, source: io::Error },
    /// It is not as it was written.
    #[error("{}: {what}", path.display())]
    Damaged { path: PathBuf, what: String },
    /// It has other fields than asked for.
    #[error("{}: the shard has the roles {found}, expected {expected}", path.display())]
    Schema { path: PathBuf, found: String, expected: String },
    #[error("cannot encode {}: {what}", path.display())]
    Encode { path: PathBuf, what: String },
}

impl ShardError {
    /// How to mend it.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Damaged { path, .. } | Self::Schema { path, .. } => {
                Some(format!("delete {} and run `pegbox prepare` again", path.display()))
            }
            Self::Io { .. } | Self::Encode { .. } => None,
        }
    }
}

/// Writes records, whole or not at all.
///
/// # Errors
/// The disk's, or if a record has not one value a field of the schema.
pub fn write(path: &Path, schema: &Schema, records: &[Record]) -> Result<(), ShardError> {
    let unfit = |what: String| ShardError::Encode { path: path.to_owned(), what };
    if let Some(record) = records.iter().find(|record| record.values.len() != schema.fields().len()) {
        return Err(unfit(format!(
            "record {} has {} values, the schema has {} fields",
            record.id,
            record.values.len(),
            schema.fields().len()
        )));
    }
    let mut bytes = encoded(schema, records).map_err(|error| unfit(error.to_string()))?;
    let length = bytes.len() as u64;
    let digest = xxh3_64(&bytes);
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(&digest.to_le_bytes());
    bytes.extend_from_slice(MAGIC);
    pegbox_durable::write_file(path, &bytes).map_err(|source| ShardError::Io {
        doing: "write",
        path: path.to_owned(),
        source,
    })
}

fn encoded(schema: &Schema, records: &[Record]) -> Result<Vec<u8>, ArrowError> {
    let mut fields = vec![
        Field::new("id", DataType::UInt64, false),
        Field::new("source", DataType::UInt32, false),
        Field::new("line", DataType::UInt64, false),
    ];
    let mut ids = UInt64Builder::with_capacity(records.len());
    let mut sources = UInt32Builder::with_capacity(records.len());
    let mut lines = UInt64Builder::with_capacity(records.len());
    for record in records {
        ids.append_value(record.id);
        sources.append_value(record.source);
        lines.append_value(record.line);
    }
    let mut columns: Vec<ArrayRef> =
        vec![Arc::new(ids.finish()), Arc::new(sources.finish()), Arc::new(lines.finish())];
    for (place, field) in schema.fields().iter().enumerate() {
        let values = || records.iter().map(move |record| record.values.get(place).and_then(Option::as_deref));
        let size: usize = values().flatten().map(str::len).sum();
        let column = if size > NARROW { texts::<i64>(values(), size) } else { texts::<i32>(values(), size) };
        let named = HashMap::from([("name".to_owned(), field.name.clone())]);
        let name = format!("values.{}", field.role);
        fields.push(Field::new(name, column.data_type().clone(), true).with_metadata(named));
        columns.push(column);
    }
    let schema = Arc::new(arrow_schema::Schema::new(fields));
    let batch = RecordBatch::try_new(schema.clone(), columns)?;
    let options = IpcWriteOptions::default()
        .try_with_compression(Some(CompressionType::ZSTD))?
        .try_with_compression_level(Some(1))?;
    let mut bytes = Vec::new();
    let mut writer = FileWriter::try_new_with_options(&mut bytes, &schema, options)?;
    writer.write(&batch)?;
    writer.finish()?;
    drop(writer);
    Ok(bytes)
}

fn texts<'a, O: OffsetSizeTrait>(
    values: impl ExactSizeIterator<Item = Option<&'a str>>,
    size: usize,
) -> ArrayRef {
    let mut texts = GenericStringBuilder::<O>::with_capacity(values.len(), size);
    values.for_each(|value| texts.append_option(value));
    Arc::new(texts.finish())
}

/// Reads the records of a shard that was written with this schema.
///
/// # Errors
/// The disk's, if the shard is not as it was written, or if it has another schema.
pub fn read(path: &Path, schema: &Schema) -> Result<Vec<Record>, ShardError> {
    let reader = open(path, None)?;
    let expected: Vec<String> = schema.fields().iter().map(|field| field.role.clone()).collect();
    let found = roles(&reader.schema());
    if found != expected {
        let (found, expected) = (found.join(", "), expected.join(", "));
        return Err(ShardError::Schema { path: path.to_owned(), found, expected });
    }
    let mut records = Vec::new();
    for batch in reader {
        let batch = batch.map_err(|error| damaged(path, &error))?;
        append(&batch, &mut records).ok_or_else(|| damaged(path, &"its columns are not a shard's"))?;
    }
    Ok(records)
}

/// Reads of each record the number of its file, and its line in it.
///
/// # Errors
/// The disk's, or if the shard is not as it was written.
pub fn read_places(path: &Path) -> Result<Vec<(u32, u64)>, ShardError> {
    let mut places = Vec::new();
    for batch in open(path, Some(vec![1, 2]))? {
        let batch = batch.map_err(|error| damaged(path, &error))?;
        let columns = match batch.columns() {
            [sources, lines] => {
                sources.as_primitive_opt::<UInt32Type>().zip(lines.as_primitive_opt::<UInt64Type>())
            }
            _ => None,
        };
        let (sources, lines) = columns.ok_or_else(|| damaged(path, &"its columns are not a shard's"))?;
        places.extend(sources.values().iter().copied().zip(lines.values().iter().copied()));
    }
    Ok(places)
}

/// Some columns of a shard, or all, after its seal was looked at.
fn open(path: &Path, columns: Option<Vec<usize>>) -> Result<FileReader<Cursor<Vec<u8>>>, ShardError> {
    let mut bytes =
        fs::read(path).map_err(|source| ShardError::Io { doing: "read", path: path.to_owned(), source })?;
    let length = unsealed(&bytes).map_err(|what| damaged(path, &what))?.len();
    bytes.truncate(length);
    FileReader::try_new(Cursor::new(bytes), columns).map_err(|error| damaged(path, &error))
}

fn damaged(path: &Path, what: &dyn std::fmt::Display) -> ShardError {
    ShardError::Damaged { path: path.to_owned(), what: what.to_string() }
}

/// The Arrow file inside, if the seal fits it.
fn unsealed(bytes: &[u8]) -> Result<&[u8], &'static str> {
    let (rest, magic) = bytes.split_last_chunk::<8>().ok_or("the shard is cut short")?;
    let (rest, digest) = rest.split_last_chunk::<8>().ok_or("the shard is cut short")?;
    let (arrow, length) = rest.split_last_chunk::<8>().ok_or("the shard is cut short")?;
    if magic != MAGIC || u64::from_le_bytes(*length) != (bytes.len() - SEAL) as u64 {
        return Err("the shard is cut short, or is none");
    }
    if u64::from_le_bytes(*digest) != xxh3_64(arrow) {
        return Err("the shard is damaged: its digest is another");
    }
    Ok(arrow)
}

fn roles(schema: &arrow_schema::Schema) -> Vec<String> {
    schema
        .fields()
        .iter()
        .filter_map(|field| field.name().strip_prefix("values."))
        .map(str::to_owned)
        .collect()
}

/// Adds the rows of a batch; none if its columns are of other types than a shard's.
fn append(batch: &RecordBatch, records: &mut Vec<Record>) -> Option<()> {
    let [ids, sources, lines, columns @ ..] = batch.columns() else {
        return None;
    };
    let ids = ids.as_primitive_opt::<UInt64Type>()?;
    let sources = sources.as_primitive_opt::<UInt32Type>()?;
    let lines = lines.as_primitive_opt::<UInt64Type>()?;
    let columns = columns.iter().map(Texts::of).collect::<Option<Vec<_>>>()?;
    records.reserve(batch.num_rows());
    let rows = ids.values().iter().zip(sources.values()).zip(lines.values());
    for (row, ((id, source), line)) in rows.enumerate() {
        let values = columns.iter().map(|texts| texts.value(row)).collect();
        records.push(Record { id: *id, source: *source, line: *line, values });
    }
    Some(())
}

/// A column of text.
enum Texts<'a> {
    Narrow(&'a GenericStringArray<i32>),
    Wide(&'a GenericStringArray<i64>),
}

impl<'a> Texts<'a> {
    fn of(column: &'a ArrayRef) -> Option<Self> {
        column.as_string_opt().map(Self::Narrow).or_else(|| column.as_string_opt().map(Self::Wide))
    }

    fn value(&self, row: usize) -> Option<String> {
        match self {
            Self::Narrow(texts) => texts.is_valid(row).then(|| texts.value(row).to_owned()),
            Self::Wide(texts) => texts.is_valid(row).then(|| texts.value(row).to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema() -> Schema {
        // A role of the same name as a column of the shard's own.
        Schema::new([("text", "body"), ("source", "origin")]).unwrap()
    }

    fn records() -> Vec<Record> {
        let record = |id: u64| Record {
            id: id * 3,
            source: (id % 2) as u32,
            line: id + 1,
            values: vec![
                Some(format!("row {id} é\0\n")),
                (!id.is_multiple_of(3)).then(|| "x".repeat(id as usize % 7)),
            ],
        };
        (0..500).map(record).collect()
    }

    #[test]
    fn records_come_back_as_they_went() {
        let folder = tempfile::tempdir().unwrap();
        for records in [records(), Vec::new()] {
            let path = folder.path().join("new/0.shard");
            write(&path, &schema(), &records).unwrap();
            assert_eq!(read(&path, &schema()).unwrap(), records);
            let places = records.iter().map(|record| (record.source, record.line));
            assert!(read_places(&path).unwrap().into_iter().eq(places));
        }
    }

    #[test]
    fn the_same_records_are_the_same_bytes() {
        assert_eq!(encoded(&schema(), &records()).unwrap(), encoded(&schema(), &records()).unwrap());
    }

    #[test]
    fn damage_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("0.shard");
        write(&path, &schema(), &records()).unwrap();
        let whole = fs::read(&path).unwrap();
        for place in (0..whole.len()).step_by(37).chain(whole.len() - SEAL..whole.len()) {
            let mut bytes = whole.clone();
            bytes[place] ^= 0x40;
            fs::write(&path, bytes).unwrap();
            assert!(matches!(read(&path, &schema()), Err(ShardError::Damaged { .. })), "byte {place}");
        }
        for length in [0, 7, 24, whole.len() / 2, whole.len() - 1] {
            fs::write(&path, &whole[..length]).unwrap();
            let error = read(&path, &schema()).unwrap_err();
            assert!(error.to_string().contains("0.shard: the shard is cut short"), "{error}");
            assert!(error.help().unwrap().contains("run `pegbox prepare` again"));
        }
        let missing = read(&folder.path().join("1.shard"), &schema()).unwrap_err();
        assert!(missing.to_string().starts_with("cannot read "), "{missing}");
    }

    #[test]
    fn another_schema_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("0.shard");
        write(&path, &schema(), &records()).unwrap();
        let other = Schema::new([("text", "body"), ("label", "intent")]).unwrap();
        let error = read(&path, &other).unwrap_err();
        assert!(error.to_string().ends_with("has the roles text, source, expected text, label"), "{error}");
        let unfit = write(&path, &Schema::new([("text", "a")]).unwrap(), &records()).unwrap_err();
        assert!(unfit.to_string().ends_with("record 0 has 2 values, the schema has 1 fields"), "{unfit}");
    }
}

//! Writing tables, whole or not at all.

use std::fs::{self, File};
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::builder::{ListBuilder, PrimitiveBuilder, StringBuilder};
use arrow_array::types::{Int32Type, UInt32Type};
use arrow_array::{ArrayRef, ArrowPrimitiveType, Float32Array, RecordBatch, UInt32Array, UInt64Array};
use arrow_schema::SchemaRef;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use pegbox_durable::Draft;

use super::{Column, Lists, TableError, Values, arrow_schema, element, io_error};

/// The rows of a row group: what is read at once by whoever reads the table in pieces.
const GROUP: usize = 1 << 16;

/// A table that is being written; it appears under its name when it is finished, and vanishes if it is not.
pub struct ParquetWriter {
    path: PathBuf,
    draft: Draft,
    schema: SchemaRef,
    columns: Vec<Column>,
    writer: ArrowWriter<BufWriter<File>>,
    rows: u64,
}

impl ParquetWriter {
    /// Begins a table of these columns; makes its folder if there is none.
    ///
    /// # Errors
    /// The disk's, or if a name is there twice.
    pub fn create(path: &Path, columns: Vec<Column>) -> Result<Self, TableError> {
        let unfit = |what: String| TableError::Unfit { path: path.to_owned(), what };
        for (place, column) in columns.iter().enumerate() {
            if columns.iter().take(place).any(|other| other.name == column.name) {
                return Err(unfit(format!("the column `{}` is there twice", column.name)));
            }
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let draft = Draft::new(folder).map_err(io_error("write", path))?;
        let file = File::create(draft.path().join(NAME)).map_err(io_error("write", path))?;
        let schema = arrow_schema(&columns);
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(
                ZstdLevel::try_new(1).map_err(|error| unfit(error.to_string()))?,
            ))
            .set_max_row_group_row_count(Some(GROUP))
            .set_created_by("pegbox".to_owned())
            .build();
        let writer = ArrowWriter::try_new(BufWriter::new(file), schema.clone(), Some(properties))
            .map_err(|error| unfit(error.to_string()))?;
        Ok(Self { path: path.to_owned(), draft, schema, columns, writer, rows: 0 })
    }

    /// The rows that were appended.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Appends rows: for each column, in its order, the same number of values.
    ///
    /// # Errors
    /// The disk's, or if the values are not of the columns' kinds or not equally many.
    pub fn append(&mut self, values: Vec<Values>) -> Result<(), TableError> {
        let rows = self.fitting(&values)?;
        if rows == 0 {
            return Ok(());
        }
        let arrays: Vec<ArrayRef> = values.into_iter().map(array).collect();
        let batch = RecordBatch::try_new(self.schema.clone(), arrays)
            .map_err(|error| TableError::Unfit { path: self.path.clone(), what: error.to_string() })?;
        self.writer.write(&batch).map_err(|error| failed(&self.path, error))?;
        self.rows += rows as u64;
        Ok(())
    }

    /// How many rows the values are.
    fn fitting(&self, values: &[Values]) -> Result<usize, TableError> {
        let unfit = |what: String| Err(TableError::Unfit { path: self.path.clone(), what });
        if values.len() != self.columns.len() {
            return unfit(format!(
                "{} columns were given, the table has {}",
                values.len(),
                self.columns.len()
            ));
        }
        let rows = values.first().map_or(0, Values::len);
        for (column, values) in self.columns.iter().zip(values) {
            if values.kind() != column.kind {
                let (name, kind, given) = (&column.name, column.kind, values.kind());
                return unfit(format!("the column `{name}` holds {kind:?}, {given:?} was given"));
            }
            if values.len() != rows {
                let (name, given) = (&column.name, values.len());
                return unfit(format!("the column `{name}` was given {given} values, the first {rows}"));
            }
        }
        Ok(rows)
    }

    /// Ends the table and puts it in its place; what stood there is replaced. Returns its rows.
    ///
    /// # Errors
    /// The disk's.
    pub fn finish(self) -> Result<u64, TableError> {
        let Self { path, draft, writer, rows, .. } = self;
        let buffered = writer.into_inner().map_err(|error| failed(&path, error))?;
        let file = buffered.into_inner().map_err(|error| io_error("write", &path)(error.into_error()))?;
        file.sync_all().map_err(io_error("write", &path))?;
        drop(file);
        fs::rename(draft.path().join(NAME), &path).map_err(io_error("write", &path))?;
        if let Some(folder) = draft.path().parent() {
            pegbox_durable::sync_folder(folder).map_err(io_error("write", &path))?;
        }
        Ok(rows)
    }
}

/// The table's name inside of its draft.
const NAME: &str = "table.parquet";

fn array(values: Values) -> ArrayRef {
    match values {
        Values::U64(values) => Arc::new(UInt64Array::from(values)),
        Values::U32(values) => Arc::new(UInt32Array::from(values)),
        Values::F32(values) => Arc::new(Float32Array::from(values)),
        Values::Text(values) => {
            let size = values.iter().flatten().map(String::len).sum();
            let mut texts = StringBuilder::with_capacity(values.len(), size);
            values.iter().for_each(|value| texts.append_option(value.as_deref()));
            Arc::new(texts.finish())
        }
        Values::U32List(lists) => listed::<UInt32Type>(&lists),
        Values::I32List(lists) => listed::<Int32Type>(&lists),
    }
}

fn listed<T: ArrowPrimitiveType>(lists: &Lists<T::Native>) -> ArrayRef {
    let numbers = PrimitiveBuilder::<T>::with_capacity(lists.flat().len());
    let mut builder = ListBuilder::with_capacity(numbers, lists.len()).with_field(element(T::DATA_TYPE));
    for list in lists.iter() {
        builder.values().append_slice(list);
        builder.append(true);
    }
    Arc::new(builder.finish())
}

fn failed(path: &Path, error: ParquetError) -> TableError {
    let message = error.to_string();
    match error {
        ParquetError::External(source) => match source.downcast::<std::io::Error>() {
            Ok(source) => io_error("write", path)(*source),
            Err(_) => TableError::Unfit { path: path.to_owned(), what: message },
        },
        _ => TableError::Unfit { path: path.to_owned(), what: message },
    }
}

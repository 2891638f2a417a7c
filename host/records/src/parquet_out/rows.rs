//! Reading tables again, only the columns that are needed.

use std::fs::File;
use std::ops::Range;
use std::path::{Path, PathBuf};

use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Int32Type, UInt32Type, UInt64Type};
use arrow_array::{Array, ArrayRef, ArrowPrimitiveType, RecordBatch};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};

use super::{Column, ColumnKind, Lists, TableError, Values, io_error};
use crate::read::guarded;

/// Rows that are decoded at once.
const BATCH: usize = 8192;

/// A table that was opened, of which some columns are read.
pub struct ParquetRows {
    path: PathBuf,
    file: File,
    metadata: ArrowReaderMetadata,
    columns: Vec<Column>,
    /// The place of each column in the file.
    roots: Vec<usize>,
}

/// Some rows of a table.
#[derive(Clone, PartialEq, Debug)]
pub struct Batch {
    /// The number of its first row in the table, from 0.
    pub first: u64,
    /// The values of the columns, in the order in which they were asked for.
    pub values: Vec<Values>,
}

impl ParquetRows {
    /// Opens a table to read the columns of these names, in this order; each name once.
    ///
    /// # Errors
    /// The disk's, if the file is damaged, lacks a column, or has it with a type that the writer never makes.
    pub fn open(path: &Path, names: &[&str]) -> Result<Self, TableError> {
        let file = File::open(path).map_err(io_error("open", path))?;
        let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
        let metadata = guarded(|| ArrowReaderMetadata::load(&file, options))
            .map_err(|what| TableError::Damaged { path: path.to_owned(), row_group: None, what })?;
        let fields = metadata.schema().fields();
        let mut columns = Vec::new();
        let mut roots = Vec::new();
        for name in names {
            let Some((root, field)) = fields.find(name) else {
                let present = fields.iter().map(|field| field.name().clone()).collect();
                let name = (*name).to_owned();
                return Err(TableError::Missing { path: path.to_owned(), name, present });
            };
            let Some(kind) = ColumnKind::of(field.data_type()) else {
                let (name, found) = ((*name).to_owned(), field.data_type().to_string());
                return Err(TableError::Kind { path: path.to_owned(), name, found });
            };
            columns.push(Column::new(*name, kind));
            roots.push(root);
        }
        Ok(Self { path: path.to_owned(), file, metadata, columns, roots })
    }

    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The rows of the table.
    pub fn rows(&self) -> u64 {
        (0..self.row_groups()).map(|group| self.group(group)).sum()
    }

    pub fn row_groups(&self) -> usize {
        self.metadata.metadata().num_row_groups()
    }

    /// The numbers of the rows that a row group holds, none if there are not so many.
    pub fn rows_of(&self, row_group: usize) -> Option<Range<u64>> {
        if row_group >= self.row_groups() {
            return None;
        }
        let first = (0..row_group).map(|group| self.group(group)).sum();
        Some(first..first + self.group(row_group))
    }

    fn group(&self, row_group: usize) -> u64 {
        u64::try_from(self.metadata.metadata().row_group(row_group).num_rows()).unwrap_or_default()
    }

    /// Reads all rows, some at a time.
    ///
    /// # Errors
    /// As the iterator's: if the file is damaged.
    pub fn batches(&self) -> Result<impl Iterator<Item = Result<Batch, TableError>>, TableError> {
        self.batches_of(0..self.row_groups())
    }

    /// Reads the rows of some row groups, some at a time.
    ///
    /// # Errors
    /// As the iterator's: if the file is damaged; also if there are not so many row groups.
    pub fn batches_of(
        &self,
        row_groups: Range<usize>,
    ) -> Result<impl Iterator<Item = Result<Batch, TableError>>, TableError> {
        if row_groups.end > self.row_groups() {
            let what = format!("row group {} of {}", row_groups.end - 1, self.row_groups());
            return Err(TableError::Unfit { path: self.path.clone(), what });
        }
        let file = self.file.try_clone().map_err(io_error("read", &self.path))?;
        let mask = ProjectionMask::roots(
            self.metadata.metadata().file_metadata().schema_descr(),
            self.roots.iter().copied(),
        );
        let mut ordered = self.roots.clone();
        ordered.sort_unstable();
        let order =
            self.roots.iter().filter_map(|root| ordered.iter().position(|other| other == root)).collect();
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(file, self.metadata.clone())
            .with_projection(mask)
            .with_row_groups(row_groups.clone().collect())
            .with_batch_size(BATCH);
        let damaged = |what| TableError::Damaged { path: self.path.clone(), row_group: None, what };
        let reader = guarded(|| builder.build()).map_err(damaged)?;
        let groups = row_groups.clone().map(|group| self.group(group)).collect();
        Ok(Batches {
            path: self.path.clone(),
            reader,
            kinds: self.columns.iter().map(|column| column.kind).collect(),
            order,
            next: self.rows_of(row_groups.start).map_or(0, |rows| rows.start),
            first_group: row_groups.start,
            groups,
            passed: 0,
            ended: false,
        })
    }
}

struct Batches {
    path: PathBuf,
    reader: ParquetRecordBatchReader,
    kinds: Vec<ColumnKind>,
    /// For each column asked for, its place in the reader's batches.
    order: Vec<usize>,
    /// The number of the next row.
    next: u64,
    first_group: usize,
    /// The rows of each row group.
    groups: Vec<u64>,
    passed: u64,
    ended: bool,
}

impl Iterator for Batches {
    type Item = Result<Batch, TableError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let read = guarded(|| self.reader.next().transpose())
            .and_then(|batch| batch.map(|batch| self.batch(&batch)).transpose());
        match read {
            Ok(Some(batch)) => Some(Ok(batch)),
            Ok(None) => {
                self.ended = true;
                // A file that ends early must not pass for a shorter table.
                let expected: u64 = self.groups.iter().sum();
                (self.passed != expected)
                    .then(|| Err(self.damaged(format!("it has {} rows, expected {expected}", self.passed))))
            }
            Err(what) => {
                self.ended = true;
                Some(Err(self.damaged(what)))
            }
        }
    }
}

impl Batches {
    fn batch(&mut self, batch: &RecordBatch) -> Result<Batch, String> {
        let values = self
            .kinds
            .iter()
            .zip(&self.order)
            .map(|(kind, place)| batch.columns().get(*place).and_then(|array| values(*kind, array)))
            .collect::<Option<Vec<_>>>()
            .ok_or("a value is missing where none may be")?;
        let first = self.next;
        self.next += batch.num_rows() as u64;
        self.passed += batch.num_rows() as u64;
        Ok(Batch { first, values })
    }

    fn damaged(&self, what: String) -> TableError {
        let mut end = 0;
        let group = self.groups.iter().position(|rows| {
            end += rows;
            self.passed < end
        });
        TableError::Damaged {
            path: self.path.clone(),
            row_group: group.map(|group| group + self.first_group),
            what,
        }
    }
}

/// The values of an array of this kind, none if it is of another or lacks some.
fn values(kind: ColumnKind, array: &ArrayRef) -> Option<Values> {
    if kind != ColumnKind::Text && array.null_count() > 0 {
        return None;
    }
    Some(match kind {
        ColumnKind::U64 => Values::U64(array.as_primitive_opt::<UInt64Type>()?.values().to_vec()),
        ColumnKind::U32 => Values::U32(array.as_primitive_opt::<UInt32Type>()?.values().to_vec()),
        ColumnKind::F32 => Values::F32(array.as_primitive_opt::<Float32Type>()?.values().to_vec()),
        ColumnKind::Text => {
            let texts = array.as_string_opt::<i32>()?;
            Values::Text(texts.iter().map(|text| text.map(str::to_owned)).collect())
        }
        ColumnKind::U32List => Values::U32List(lists::<UInt32Type>(array)?),
        ColumnKind::I32List => Values::I32List(lists::<Int32Type>(array)?),
    })
}

/// The lists of an array, none if their entries are of another type or some are missing.
fn lists<T: ArrowPrimitiveType>(array: &ArrayRef) -> Option<Lists<T::Native>> {
    let lists = array.as_list_opt::<i32>()?;
    let offsets = lists.value_offsets();
    let first = usize::try_from(*offsets.first()?).ok()?;
    let last = usize::try_from(*offsets.last()?).ok()?;
    let numbers = lists.values().as_primitive_opt::<T>()?;
    if numbers.null_count() > 0 {
        return None;
    }
    let ends = offsets
        .iter()
        .skip(1)
        .map(|end| usize::try_from(*end).ok()?.checked_sub(first))
        .collect::<Option<Vec<_>>>()?;
    Some(Lists { values: numbers.values().get(first..last)?.to_vec(), ends })
}

//! Parquet files that other tools read: the prepared dataset.

/// Reading them again, only the columns that are needed.
mod rows;
/// Writing them, whole or not at all.
mod writer;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_schema::{DataType, Field, SchemaRef};

pub use rows::{Batch, ParquetRows};
pub use writer::ParquetWriter;

/// A column of a table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Column {
    pub name: String,
    pub kind: ColumnKind,
}

/// What a column holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ColumnKind {
    U64,
    U32,
    F32,
    /// Strings, which may be missing.
    Text,
    /// Lists of numbers, such as token ids.
    U32List,
    /// Lists of numbers that may be negative, such as labels of tokens with -100 where there is none.
    I32List,
}

/// The values of a column, one a row.
#[derive(Clone, PartialEq, Debug)]
pub enum Values {
    U64(Vec<u64>),
    U32(Vec<u32>),
    F32(Vec<f32>),
    Text(Vec<Option<String>>),
    U32List(Lists<u32>),
    I32List(Lists<i32>),
}

/// Lists of numbers, one after the other.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Lists<T = u32> {
    values: Vec<T>,
    /// Where each list ends in `values`.
    ends: Vec<usize>,
}

/// A table that could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    #[error("cannot {doing} {}: {source}", path.display())]
    Io { doing: &'static str, path: PathBuf, source: io::Error },
    /// What was given does not make a table.
    #[error("{}: {what}", path.display())]
    Unfit { path: PathBuf, what: String },
    /// The file is no Parquet file, or not as it was written.
    #[error("{}: {}{what}", path.display(), group(*row_group))]
    Damaged {
        path: PathBuf,
        /// From 0.
        row_group: Option<usize>,
        what: String,
    },
    #[error("{}: the table has no column `{name}`; it has {}", path.display(), present.join(", "))]
    Missing { path: PathBuf, name: String, present: Vec<String> },
    #[error("{}: the column `{name}` holds {found}, which is none of uint64, uint32, float, string and list of uint32 or int32", path.display())]
    Kind { path: PathBuf, name: String, found: String },
}

impl TableError {
    /// How to mend it.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Damaged { path, .. } | Self::Missing { path, .. } | Self::Kind { path, .. } => {
                Some(format!("delete {} and run `pegbox prepare` again", path.display()))
            }
            Self::Io { .. } | Self::Unfit { .. } => None,
        }
    }
}

impl Column {
    pub fn new(name: impl Into<String>, kind: ColumnKind) -> Self {
        Self { name: name.into(), kind }
    }

    fn field(&self) -> Field {
        let nullable = self.kind == ColumnKind::Text;
        Field::new(&self.name, self.kind.data_type(), nullable)
    }
}

impl ColumnKind {
    fn data_type(self) -> DataType {
        match self {
            Self::U64 => DataType::UInt64,
            Self::U32 => DataType::UInt32,
            Self::F32 => DataType::Float32,
            Self::Text => DataType::Utf8,
            Self::U32List => DataType::List(element(DataType::UInt32)),
            Self::I32List => DataType::List(element(DataType::Int32)),
        }
    }

    fn of(kind: &DataType) -> Option<Self> {
        Some(match kind {
            DataType::UInt64 => Self::U64,
            DataType::UInt32 => Self::U32,
            DataType::Float32 => Self::F32,
            DataType::Utf8 => Self::Text,
            DataType::List(element) if *element.data_type() == DataType::UInt32 => Self::U32List,
            DataType::List(element) if *element.data_type() == DataType::Int32 => Self::I32List,
            _ => return None,
        })
    }
}

/// The entries of the lists, none of which is missing.
fn element(kind: DataType) -> Arc<Field> {
    Arc::new(Field::new("element", kind, false))
}

fn arrow_schema(columns: &[Column]) -> SchemaRef {
    Arc::new(arrow_schema::Schema::new(columns.iter().map(Column::field).collect::<Vec<_>>()))
}

impl Values {
    pub fn kind(&self) -> ColumnKind {
        match self {
            Self::U64(_) => ColumnKind::U64,
            Self::U32(_) => ColumnKind::U32,
            Self::F32(_) => ColumnKind::F32,
            Self::Text(_) => ColumnKind::Text,
            Self::U32List(_) => ColumnKind::U32List,
            Self::I32List(_) => ColumnKind::I32List,
        }
    }

    /// How many rows.
    pub fn len(&self) -> usize {
        match self {
            Self::U64(values) => values.len(),
            Self::U32(values) => values.len(),
            Self::F32(values) => values.len(),
            Self::Text(values) => values.len(),
            Self::U32List(lists) => lists.len(),
            Self::I32List(lists) => lists.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<T> Default for Lists<T> {
    fn default() -> Self {
        Self { values: Vec::new(), ends: Vec::new() }
    }
}

impl<T: Copy> Lists<T> {
    pub fn push(&mut self, list: &[T]) {
        self.values.extend_from_slice(list);
        self.ends.push(self.values.len());
    }

    pub fn len(&self) -> usize {
        self.ends.len()
    }

    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// One list, none if there are not so many.
    pub fn get(&self, row: usize) -> Option<&[T]> {
        let end = *self.ends.get(row)?;
        let start = row.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        self.values.get(start..end)
    }

    pub fn iter(&self) -> impl Iterator<Item = &[T]> {
        (0..self.len()).filter_map(|row| self.get(row))
    }

    /// The lists without what separates them.
    pub fn flat(&self) -> &[T] {
        &self.values
    }
}

impl<'a, T: Copy> FromIterator<&'a [T]> for Lists<T> {
    fn from_iter<I: IntoIterator<Item = &'a [T]>>(lists: I) -> Self {
        let mut made = Self::default();
        lists.into_iter().for_each(|list| made.push(list));
        made
    }
}

fn group(row_group: Option<usize>) -> String {
    row_group.map(|group| format!("row group {group}: ")).unwrap_or_default()
}

fn io_error(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> TableError {
    let path = path.to_owned();
    move |source| TableError::Io { doing, path, source }
}

#[cfg(test)]
mod tests;

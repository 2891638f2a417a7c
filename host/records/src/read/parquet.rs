//! Apache Parquet: only the columns that are wanted are read, some rows at a time.

/// Values of Arrow arrays as text.
mod value;

use std::collections::BTreeMap;
use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};

use arrow_array::RecordBatch;
use arrow_schema::DataType;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};

use parquet::basic::Compression;

use super::lines::MAXIMUM_LINE;
use super::plan::{Cell, Plan};
use super::{Fault, Rows};
use crate::error::ReadFault;

/// Rows that are decoded at once.
const BATCH: usize = 1024;

pub struct Parquet {
    reader: ParquetRecordBatchReader,
    batch: Option<RecordBatch>,
    /// The next row of the batch.
    next: usize,
    /// The rows of the batches before this one.
    passed: u64,
    /// Where each row group ends, in rows.
    ends: Vec<u64>,
    /// The column of the batch for each wanted field, with the field's name.
    places: Vec<(String, Option<usize>)>,
}

impl Parquet {
    pub fn new(file: File, plan: &Plan) -> Result<Self, Fault> {
        let builder = opened(file)?;
        let fields = builder.schema().fields();
        let mut roots = Vec::new();
        for wanted in plan.wanted() {
            let mut found = fields.iter().enumerate().filter(|(_, field)| *field.name() == wanted.name);
            match (found.next(), found.next()) {
                (Some((root, field)), None) => {
                    if !value::is_readable(field.data_type()) {
                        let (name, found) =
                            (wanted.name.as_str().into(), field.data_type().to_string().into());
                        return Err(Fault::whole(ReadFault::ColumnType { name, found }));
                    }
                    roots.push(Some(root));
                }
                (Some(_), Some(_)) => {
                    return Err(Fault::whole(ReadFault::HeaderTwice { name: wanted.name.clone() }));
                }
                (None, _) if wanted.required => {
                    let present = fields.iter().map(|field| field.name().clone()).collect();
                    return Err(Fault::whole(Plan::missing(wanted, plan.layout(), present)));
                }
                (None, _) => roots.push(None),
            }
        }
        // The batch has the columns in the file's order, each once.
        let mut read: Vec<usize> = roots.iter().copied().flatten().collect();
        read.sort_unstable();
        read.dedup();
        let place = |root: usize| read.iter().position(|other| *other == root);
        let names = plan.wanted().iter().map(|wanted| wanted.name.clone());
        let places = names.zip(roots.iter().map(|root| root.and_then(place))).collect();

        let mut rows: u64 = 0;
        let ends = builder
            .metadata()
            .row_groups()
            .iter()
            .map(|group| {
                rows = rows.saturating_add(u64::try_from(group.num_rows()).unwrap_or_default());
                rows
            })
            .collect();
        packing(&builder)?;
        let mask = ProjectionMask::roots(builder.parquet_schema(), read.iter().copied());
        let reader = guarded(|| builder.with_projection(mask).with_batch_size(BATCH).build())
            .map_err(|what| Fault::whole(ReadFault::Parquet { row_group: None, what }))?;
        Ok(Self { reader, batch: None, next: 0, passed: 0, ends, places })
    }

    /// Decodes the next rows; false at the end.
    fn advance(&mut self) -> Result<bool, Fault> {
        if let Some(batch) = self.batch.take() {
            self.passed += batch.num_rows() as u64;
        }
        self.next = 0;
        let decoded = guarded(|| self.reader.next().transpose());
        self.batch = decoded.map_err(|what| {
            let row_group = self.ends.iter().position(|end| self.passed < *end);
            Fault::at(self.passed + 1, None, ReadFault::Parquet { row_group, what }).fatal()
        })?;
        Ok(self.batch.is_some())
    }
}

impl Rows for Parquet {
    fn next_row(&mut self, cells: &mut [Cell]) -> Result<Option<u64>, Fault> {
        while self.batch.as_ref().is_none_or(|batch| self.next >= batch.num_rows()) {
            if !self.advance()? {
                return Ok(None);
            }
        }
        let Some(batch) = &self.batch else {
            return Ok(None);
        };
        let row = self.next;
        self.next += 1;
        let number = self.passed + row as u64 + 1;
        for (cell, (name, place)) in cells.iter_mut().zip(&self.places) {
            let Some(column) = place.and_then(|place| batch.columns().get(place)) else {
                continue;
            };
            let wrong = |fault| Fault::at(number, None, fault);
            *cell = value::cell(column, row, name).map_err(wrong)?;
            if let Cell::Text(text) | Cell::Json(text) = cell {
                if text.len() > MAXIMUM_LINE {
                    return Err(wrong(ReadFault::TooLong { what: "value", limit: MAXIMUM_LINE }));
                }
                if text.contains('\0') {
                    return Err(wrong(ReadFault::Nul));
                }
            }
        }
        Ok(Some(number))
    }
}

/// The columns, and whether they are lists.
pub fn columns(file: File) -> Result<BTreeMap<String, bool>, Fault> {
    let builder = opened(file)?;
    let is_list = |kind: &DataType| {
        matches!(kind, DataType::List(_) | DataType::LargeList(_) | DataType::FixedSizeList(..))
    };
    Ok(builder
        .schema()
        .fields()
        .iter()
        .map(|field| (field.name().clone(), is_list(field.data_type())))
        .collect())
}

fn opened(file: File) -> Result<ParquetRecordBatchReaderBuilder<File>, Fault> {
    // What other writers noted of their Arrow types is no part of Parquet, and may be anything.
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    guarded(|| ParquetRecordBatchReaderBuilder::try_new_with_options(file, options))
        .map_err(|what| Fault::whole(ReadFault::Parquet { row_group: None, what }))
}

/// Whether what the columns are packed with can be unpacked.
fn packing(builder: &ParquetRecordBatchReaderBuilder<File>) -> Result<(), Fault> {
    let mut chunks = builder.metadata().row_groups().iter().flat_map(|group| group.columns());
    match chunks.find(|chunk| matches!(chunk.compression(), Compression::BROTLI(_) | Compression::LZO)) {
        None => Ok(()),
        Some(chunk) => {
            let codec = match chunk.compression() {
                Compression::LZO => "LZO",
                _ => "Brotli",
            };
            Err(Fault::whole(ReadFault::Codec { codec }))
        }
    }
}

/// Runs the decoder. On damaged files it may panic where it should return an error; nothing of it is used
/// after that.
pub(crate) fn guarded<T, E: std::fmt::Display>(run: impl FnOnce() -> Result<T, E>) -> Result<T, String> {
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(result) => result.map_err(|error| error.to_string()),
        Err(_) => Err("its decoder gave up".to_owned()),
    }
}

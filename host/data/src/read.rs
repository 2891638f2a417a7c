//! Readers: JSONL and CSV, plain or gzipped, streaming.

/// Comma-separated values with a header.
mod csv;
/// One JSON object a line.
mod jsonl;
/// Lines and bytes with a count of both.
mod lines;

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;

use crate::error::{ReadError, ReadFault};
use crate::record::{Record, Schema};

pub use lines::MAXIMUM_LINE;

/// An iterator over the records of one file; it ends after the first error.
pub struct Reader {
    path: PathBuf,
    source: u32,
    next_id: u64,
    rows: Box<dyn Rows>,
    ended: bool,
}

/// The values of a row in the order of the schema, with the line on which it begins.
type RawRow = (u64, Vec<Option<String>>);

/// A format.
trait Rows: Send {
    /// The next row, none at the end.
    fn next_row(&mut self) -> Result<Option<RawRow>, Fault>;
}

/// A fault with its place, before the file's name is added.
struct Fault {
    line: Option<u64>,
    column: Option<u64>,
    fault: ReadFault,
}

impl Fault {
    fn at(line: u64, column: Option<u64>, fault: ReadFault) -> Self {
        Self { line: Some(line), column, fault }
    }
}

/// Opens `path`, whose name says the format: `.jsonl`, `.ndjson` or `.csv`, each also with `.gz`. Records
/// get the ids `first_id`, `first_id + 1` and so on, and `source` as the number of the file.
pub fn read_file(path: &Path, schema: &Schema, source: u32, first_id: u64) -> Result<Reader, ReadError> {
    let failed = |fault: Fault| ReadError {
        path: path.into(),
        line: fault.line,
        column: fault.column,
        fault: fault.fault,
    };
    let whole = |fault| failed(Fault { line: None, column: None, fault });
    let name = path.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    let (inner, gzipped) = match name.strip_suffix(".gz") {
        Some(inner) => (inner, true),
        None => (name.as_str(), false),
    };
    let extension = inner.rsplit_once('.').map_or("", |(_, extension)| extension);
    if !["jsonl", "ndjson", "csv"].contains(&extension) {
        return Err(whole(ReadFault::Format { extension: format!(".{extension}") }));
    }
    let file =
        BufReader::with_capacity(1 << 16, File::open(path).map_err(|error| whole(ReadFault::Open(error)))?);
    let input: Box<dyn BufRead + Send> = if gzipped {
        Box::new(BufReader::with_capacity(1 << 16, MultiGzDecoder::new(file)))
    } else {
        Box::new(file)
    };
    let lines = lines::Lines::new(input, gzipped);
    let rows: Box<dyn Rows> = match extension {
        "csv" => Box::new(csv::Csv::new(lines, schema).map_err(failed)?),
        _ => Box::new(jsonl::JsonLines::new(lines, schema.clone())),
    };
    Ok(Reader { path: path.to_owned(), source, next_id: first_id, rows, ended: false })
}

impl Iterator for Reader {
    type Item = Result<Record, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        match self.rows.next_row() {
            Ok(Some((line, values))) => {
                let id = self.next_id;
                self.next_id += 1;
                Some(Ok(Record { id, source: self.source, line, values }))
            }
            Ok(None) => {
                self.ended = true;
                None
            }
            Err(Fault { line, column, fault }) => {
                self.ended = true;
                Some(Err(ReadError { path: self.path.as_path().into(), line, column, fault }))
            }
        }
    }
}

/// The fault of a field that the schema names and the file lacks.
fn missing(role: &str, name: &str, present: Vec<String>) -> ReadFault {
    let nearest = pegbox_runtime::suggest::nearest(name, present.iter().map(String::as_str)).map(Box::from);
    ReadFault::FieldMissing { role: role.into(), name: name.into(), present: present.into(), nearest }
}

#[cfg(test)]
mod tests;

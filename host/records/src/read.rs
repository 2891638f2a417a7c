//! Readers, streaming: memory does not grow with the file.

/// One token a line, a blank line after each sentence.
mod conll;
/// Comma- and tab-separated values with a header.
mod csv;
/// JSON objects, one a line or in one array.
mod json;
/// Lines with their numbers, bounded in length.
mod lines;
/// Apache Parquet.
mod parquet;
/// Which fields of the files are read, and what becomes of them.
mod plan;
/// One record a line.
mod text;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;

use crate::error::{ReadError, ReadFault};
use crate::format::{Compression, Format};
use crate::layout::Layout;
use crate::record::{Record, Schema};
use plan::{Cell, Plan};

pub use lines::MAXIMUM_LINE;
pub(crate) use parquet::guarded;

/// How files are read.
#[derive(Clone, Debug)]
pub struct ReadSettings {
    pub schema: Schema,
    /// The format where the file's name does not tell it; the compression is then told by the first bytes.
    pub format: Option<Format>,
    /// The layout; detected where it is not given.
    pub layout: Option<Layout>,
    /// What stands between the fields of CSV, where it is no comma. An ASCII character.
    pub separator: Option<u8>,
    /// Whether fields may be quoted: by default in CSV, not in TSV.
    pub quotes: Option<bool>,
    /// The column of the token in CoNLL, from 1; the first by default.
    pub token_column: Option<usize>,
    /// The column of the tag in CoNLL, from 1; the last by default.
    pub tag_column: Option<usize>,
}

impl ReadSettings {
    /// With everything else told by the files.
    pub fn new(schema: Schema) -> Self {
        Self {
            schema,
            format: None,
            layout: None,
            separator: None,
            quotes: None,
            token_column: None,
            tag_column: None,
        }
    }
}

/// An iterator over the records of one file. A fault of one row ([`ReadError::is_of_row`]) does not end it:
/// what follows is the next row. Any other error does.
pub struct Reader {
    path: PathBuf,
    source: u32,
    next_id: u64,
    format: Format,
    plan: Plan,
    rows: Box<dyn Rows>,
    /// The cells of the row being read, kept for their memory.
    cells: Vec<Cell>,
    ended: bool,
}

/// A format.
trait Rows: Send {
    /// Puts the next row into `cells`, one for each field of the plan, and returns its number; none at the end.
    /// The cells come as [`Cell::Absent`].
    fn next_row(&mut self, cells: &mut [Cell]) -> Result<Option<u64>, Fault>;

    /// The bytes of the row read last, as far as they are known.
    fn raw(&self) -> Option<&[u8]> {
        None
    }
}

/// A fault with its place, before the file's name is added.
struct Fault {
    line: Option<u64>,
    column: Option<u64>,
    fault: ReadFault,
    of_row: bool,
}

impl Fault {
    /// A fault of the row that begins at `line`.
    fn at(line: u64, column: Option<u64>, fault: ReadFault) -> Self {
        Self { line: Some(line), column, fault, of_row: true }
    }

    /// A fault of the file as a whole.
    fn whole(fault: ReadFault) -> Self {
        Self { line: None, column: None, fault, of_row: false }
    }

    /// After this one the file cannot be read on.
    fn fatal(self) -> Self {
        Self { of_row: false, ..self }
    }

    fn into_error(self, path: &Path, raw: Option<&[u8]>) -> ReadError {
        let Self { line, column, fault, of_row } = self;
        ReadError { path: path.into(), line, column, fault, of_row, raw: raw.and_then(shown) }
    }
}

/// Opens `path`. Its name says the format unless the settings do, see [`Format::extensions`]. Records get the
/// ids `first_id`, `first_id + 1` and so on, and `source` as the number of the file.
///
/// # Errors
/// If the file cannot be opened, has no known format, or lacks a field that the schema names, so far as the
/// file's header tells.
pub fn open(path: &Path, settings: &ReadSettings, source: u32, first_id: u64) -> Result<Reader, ReadError> {
    let failed = |fault: Fault| fault.into_error(path, None);
    let opened = Opened::new(path, settings.format).map_err(failed)?;
    let format = opened.format;
    let layout = match settings.layout {
        Some(layout) => layout,
        None => Layout::detect(path, settings)?,
    };
    let plan = Plan::new(&settings.schema, layout);
    let rows = rows(opened, settings, &plan).map_err(failed)?;
    let cells = plan.wanted().iter().map(|_| Cell::Absent).collect();
    Ok(Reader { path: path.to_owned(), source, next_id: first_id, format, plan, rows, cells, ended: false })
}

fn rows(opened: Opened, settings: &ReadSettings, plan: &Plan) -> Result<Box<dyn Rows>, Fault> {
    Ok(match opened.format {
        Format::Jsonl => Box::new(json::Json::new(json::Objects::lines(opened.lines()?), plan)),
        Format::Json => Box::new(json::Json::new(json::Objects::array(opened.lines()?)?, plan)),
        Format::Csv | Format::Tsv => {
            let dialect = csv::Dialect::of(opened.format, settings)?;
            Box::new(csv::Csv::new(opened.lines()?, dialect, plan)?)
        }
        Format::Parquet => Box::new(parquet::Parquet::new(opened.file, plan)?),
        Format::Conll => Box::new(conll::Conll::new(opened.lines()?, settings, plan)?),
        Format::Text => Box::new(text::Text::new(opened.lines()?, plan)?),
    })
}

/// A file with its format and compression.
struct Opened {
    file: File,
    format: Format,
    compression: Compression,
}

impl Opened {
    fn new(path: &Path, format: Option<Format>) -> Result<Self, Fault> {
        let told = Format::of_name(path);
        let Some(format) = format.or(told.map(|(format, _)| format)) else {
            let name = path.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
            let (inner, _) = Compression::of_name(&name);
            let extension = inner.rsplit_once('.').map_or("", |(_, extension)| extension);
            return Err(Fault::whole(ReadFault::Format { extension: format!(".{extension}") }));
        };
        let file = File::open(path).map_err(|error| Fault::whole(ReadFault::Open(error)))?;
        let compression = match told {
            Some((_, compression)) if compression != Compression::None => compression,
            _ => Compression::of_magic(&start(&file).map_err(|error| Fault::whole(ReadFault::Io(error)))?),
        };
        if format == Format::Parquet && compression != Compression::None {
            return Err(Fault::whole(ReadFault::PackedParquet { compression: compression.name() }));
        }
        Ok(Self { file, format, compression })
    }

    fn lines(self) -> Result<lines::Lines, Fault> {
        let file = BufReader::with_capacity(BUFFER, self.file);
        let input: Box<dyn BufRead + Send> = match self.compression {
            Compression::None => Box::new(file),
            Compression::Gzip => Box::new(BufReader::with_capacity(BUFFER, MultiGzDecoder::new(file))),
            Compression::Zstd => {
                let decoder = zstd::Decoder::with_buffer(file)
                    .map_err(|error| Fault::whole(ReadFault::Packed { compression: "zstd", error }))?;
                Box::new(BufReader::with_capacity(BUFFER, decoder))
            }
        };
        Ok(lines::Lines::new(input, self.compression))
    }
}

const BUFFER: usize = 1 << 17;

/// The first bytes of a file, which is then again at its beginning.
fn start(mut file: &File) -> std::io::Result<Vec<u8>> {
    use std::io::{Read, Seek};
    let mut start = Vec::new();
    file.take(4).read_to_end(&mut start)?;
    file.rewind()?;
    Ok(start)
}

impl Layout {
    /// The layout that the first rows of a file have, at most sixteen of them: one whose fields they all
    /// have, else [`Layout::Fields`]. The schema and the layout of the settings don't matter.
    ///
    /// # Errors
    /// If the file cannot be opened or has no known format. What is wrong with its rows is left to be told
    /// when they are read.
    pub fn detect(path: &Path, settings: &ReadSettings) -> Result<Self, ReadError> {
        let failed = |fault: Fault| fault.into_error(path, None);
        let opened = Opened::new(path, settings.format).map_err(failed)?;
        let fields = match opened.format {
            Format::Jsonl => json::first_fields(json::Objects::lines(opened.lines().map_err(failed)?)),
            Format::Json => {
                let objects = opened.lines().and_then(json::Objects::array).map_err(failed)?;
                json::first_fields(objects)
            }
            Format::Csv | Format::Tsv => {
                let dialect = csv::Dialect::of(opened.format, settings).map_err(failed)?;
                csv::header(opened.lines().map_err(failed)?, dialect)
            }
            Format::Parquet => parquet::columns(opened.file).map_err(failed)?,
            Format::Conll | Format::Text => BTreeMap::new(),
        };
        Ok(Self::of_fields(&fields))
    }
}

impl Reader {
    pub fn format(&self) -> Format {
        self.format
    }

    /// The layout that was given or detected.
    pub fn layout(&self) -> Layout {
        self.plan.layout()
    }

    /// The id that the next record gets.
    pub fn next_id(&self) -> u64 {
        self.next_id
    }

    fn record(&mut self) -> Result<Option<Record>, Fault> {
        self.cells.fill_with(|| Cell::Absent);
        let Some(line) = self.rows.next_row(&mut self.cells)? else {
            return Ok(None);
        };
        let values = self.plan.values(&mut self.cells).map_err(|fault| Fault::at(line, None, fault))?;
        let id = self.next_id;
        self.next_id += 1;
        Ok(Some(Record { id, source: self.source, line, values }))
    }
}

impl Iterator for Reader {
    type Item = Result<Record, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        match self.record() {
            Ok(Some(record)) => Some(Ok(record)),
            Ok(None) => {
                self.ended = true;
                None
            }
            Err(fault) => {
                self.ended = !fault.of_row;
                let raw = if fault.of_row { self.rows.raw() } else { None };
                Some(Err(fault.into_error(&self.path, raw)))
            }
        }
    }
}

/// A row for people: cut, without its end of line, and with replacement characters where it is not UTF-8.
fn shown(raw: &[u8]) -> Option<Box<str>> {
    // A character is at most four bytes.
    let raw = raw.get(..4 * ReadError::RAW).unwrap_or(raw);
    let text: String = String::from_utf8_lossy(raw).chars().take(ReadError::RAW).collect();
    Some(text.trim_end_matches(['\r', '\n']).into())
}

#[cfg(test)]
mod tests;

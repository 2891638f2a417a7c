//! Comma- and tab-separated values with a header, as in RFC 4180: fields may be quoted, quoted fields may hold
//! separators, line breaks and doubled quotes. Blank lines are left out.
//!
//! Written here and not with the crate `csv`, because that crate reads a quote that is never closed as a
//! field that runs to the end of the file: rows would vanish without a word.

use std::collections::BTreeMap;

use super::lines::{Lines, MAXIMUM_LINE, at, text, trimmed};
use super::plan::{Cell, Plan};
use super::{Fault, ReadSettings, Rows};
use crate::error::ReadFault;
use crate::format::Format;

/// What separates fields, and whether they may be quoted.
#[derive(Clone, Copy)]
pub struct Dialect {
    separator: u8,
    quotes: bool,
}

impl Dialect {
    /// The format's own.
    fn plain(format: Format) -> Self {
        match format {
            Format::Tsv => Self { separator: b'\t', quotes: false },
            _ => Self { separator: b',', quotes: true },
        }
    }

    /// The format's own, where the settings say nothing else.
    pub fn of(format: Format, settings: &ReadSettings) -> Result<Self, Fault> {
        let plain = Self::plain(format);
        let separator = settings.separator.unwrap_or(plain.separator);
        if !separator.is_ascii() || b"\"\r\n\0".contains(&separator) {
            return Err(Fault::whole(ReadFault::Separator { separator }));
        }
        Ok(Self { separator, quotes: settings.quotes.unwrap_or(plain.quotes) })
    }
}

pub struct Csv {
    lines: Lines,
    dialect: Dialect,
    columns: usize,
    /// The column of each wanted field; none for one that may be missing and is.
    places: Vec<Option<usize>>,
    spans: Vec<Span>,
}

/// Where a field stands in the bytes of its row, without its quotes.
#[derive(Clone, Copy)]
struct Span {
    start: usize,
    end: usize,
    /// It holds doubled quotes.
    doubled: bool,
}

impl Csv {
    /// Reads the header.
    pub fn new(mut lines: Lines, dialect: Dialect, plan: &Plan) -> Result<Self, Fault> {
        let mut spans = Vec::new();
        let Some(line) = next(&mut lines, dialect, &mut spans).map_err(Fault::fatal)? else {
            return Err(Fault::at(1, None, ReadFault::NoHeader).fatal());
        };
        let names = names(&lines, line, &spans).map_err(Fault::fatal)?;
        let places = plan
            .wanted()
            .iter()
            .map(|wanted| {
                let mut found = names.iter().enumerate().filter(|(_, name)| **name == wanted.name);
                match (found.next(), found.next()) {
                    (Some((place, _)), None) => Ok(Some(place)),
                    (Some(_), Some(_)) => Err(ReadFault::HeaderTwice { name: wanted.name.clone() }),
                    (None, _) if wanted.required => Err(Plan::missing(wanted, plan.layout(), names.clone())),
                    (None, _) => Ok(None),
                }
            })
            .collect::<Result<_, _>>()
            .map_err(|fault| Fault::at(line, None, fault).fatal())?;
        Ok(Self { lines, dialect, columns: names.len(), places, spans })
    }
}

/// The names of the columns. None of them is a list.
pub fn header(mut lines: Lines, dialect: Dialect) -> BTreeMap<String, bool> {
    let mut spans = Vec::new();
    let Ok(Some(line)) = next(&mut lines, dialect, &mut spans) else {
        return BTreeMap::new();
    };
    names(&lines, line, &spans).unwrap_or_default().into_iter().map(|name| (name, false)).collect()
}

fn names(lines: &Lines, line: u64, spans: &[Span]) -> Result<Vec<String>, Fault> {
    let row = text(lines.bytes(), line)?;
    Ok(spans.iter().map(|span| span.of(row)).collect())
}

impl Span {
    fn of(self, row: &str) -> String {
        let field = row.get(self.start..self.end).unwrap_or_default();
        if self.doubled { field.replace("\"\"", "\"") } else { field.to_owned() }
    }
}

impl Rows for Csv {
    fn next_row(&mut self, cells: &mut [Cell]) -> Result<Option<u64>, Fault> {
        let Some(line) = next(&mut self.lines, self.dialect, &mut self.spans)? else {
            return Ok(None);
        };
        let row = text(self.lines.bytes(), line)?;
        if self.spans.len() != self.columns {
            let fault = ReadFault::Columns {
                found: self.spans.len(),
                expected: self.columns,
                lines: self.lines.number() - line + 1,
                separator: if self.dialect.separator == b'\t' { "tab" } else { "comma" },
            };
            return Err(Fault::at(line, None, fault));
        }
        for (cell, place) in cells.iter_mut().zip(&self.places) {
            if let Some(span) = place.and_then(|place| self.spans.get(place)) {
                *cell = Cell::Text(span.of(row));
            }
        }
        Ok(Some(line))
    }

    fn raw(&self) -> Option<&[u8]> {
        Some(self.lines.bytes())
    }
}

/// The next row that is not a blank line: the number of its first line. Its bytes are what `lines` holds, its
/// fields are put into `spans`.
fn next(lines: &mut Lines, dialect: Dialect, spans: &mut Vec<Span>) -> Result<Option<u64>, Fault> {
    while lines.advance()? {
        if !trimmed(lines.bytes()).is_empty() {
            let first = lines.number();
            spans.clear();
            parse(lines, first, dialect, spans)?;
            return Ok(Some(first));
        }
    }
    Ok(None)
}

/// Finds the fields of the row that begins with the line just read; adds the lines that it runs on over.
fn parse(lines: &mut Lines, first: u64, dialect: Dialect, spans: &mut Vec<Span>) -> Result<(), Fault> {
    let mut start = 0;
    loop {
        if dialect.quotes && lines.bytes().get(start) == Some(&b'"') {
            let (end, doubled) = closing(lines, start, first)?;
            spans.push(Span { start: start + 1, end, doubled });
            let bytes = lines.bytes();
            match trimmed(bytes).get(end + 1) {
                None => return Ok(()),
                Some(byte) if *byte == dialect.separator => start = end + 2,
                Some(_) => return Err(at(bytes, end + 1, first, ReadFault::AfterQuote)),
            }
        } else {
            let row = trimmed(lines.bytes());
            let rest = row.get(start..).unwrap_or_default();
            match rest.iter().position(|byte| *byte == dialect.separator) {
                Some(length) => {
                    spans.push(Span { start, end: start + length, doubled: false });
                    start += length + 1;
                }
                None => {
                    spans.push(Span { start, end: row.len(), doubled: false });
                    return Ok(());
                }
            }
        }
    }
}

/// The place of the quote that closes the one at `open`, and whether doubled ones stand between them.
fn closing(lines: &mut Lines, open: usize, first: u64) -> Result<(usize, bool), Fault> {
    let mut from = open + 1;
    let mut doubled = false;
    loop {
        let bytes = lines.bytes();
        let quote = bytes.get(from..).and_then(|rest| rest.iter().position(|byte| *byte == b'"'));
        match quote.map(|length| from + length) {
            Some(quote) if bytes.get(quote + 1) == Some(&b'"') => {
                doubled = true;
                from = quote + 2;
            }
            Some(quote) => return Ok((quote, doubled)),
            None => {
                // From here on nobody can tell where a row begins, so these faults end the reading.
                from = bytes.len();
                let opened = |lines: &Lines, fault| at(lines.bytes(), open, first, fault).fatal();
                if !lines.extend().map_err(Fault::fatal)? {
                    return Err(opened(lines, ReadFault::OpenQuote));
                }
                if lines.bytes().len() - open > MAXIMUM_LINE {
                    let what = "quoted field that begins here";
                    return Err(opened(lines, ReadFault::TooLong { what, limit: MAXIMUM_LINE }));
                }
            }
        }
    }
}

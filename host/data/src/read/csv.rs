//! Comma-separated values with a header, as in RFC 4180: fields may be quoted, quoted fields may hold
//! commas, line breaks and doubled quotes. Blank lines are left out.
//!
//! Written here and not with the crate `csv`, because that crate reads a quote that is never closed as a
//! field that runs to the end of the file: rows would vanish without a word.

use super::lines::{Lines, MAXIMUM_LINE};
use super::{Fault, RawRow, Rows, missing};
use crate::error::ReadFault;
use crate::record::Schema;

pub struct Csv {
    lines: Lines,
    columns: usize,
    /// The column of each field of the schema.
    places: Vec<usize>,
}

/// A row as it stands in the file.
struct CsvRow {
    line: u64,
    fields: Vec<String>,
}

impl Csv {
    /// Reads the header.
    pub fn new(mut lines: Lines, schema: &Schema) -> Result<Self, Fault> {
        let Some(header) = next(&mut lines)? else {
            return Err(Fault::at(1, None, ReadFault::NoHeader));
        };
        let places = schema
            .fields()
            .iter()
            .map(|field| {
                let mut found = header.fields.iter().enumerate().filter(|(_, name)| **name == field.name);
                match (found.next(), found.next()) {
                    (Some((place, _)), None) => Ok(place),
                    (Some(_), Some(_)) => Err(ReadFault::HeaderTwice { name: field.name.clone() }),
                    (None, _) => Err(missing(&field.role, &field.name, header.fields.clone())),
                }
            })
            .collect::<Result<_, _>>()
            .map_err(|fault| Fault::at(header.line, None, fault))?;
        Ok(Self { lines, columns: header.fields.len(), places })
    }
}

impl Rows for Csv {
    fn next_row(&mut self) -> Result<Option<RawRow>, Fault> {
        let Some(CsvRow { line, mut fields }) = next(&mut self.lines)? else {
            return Ok(None);
        };
        if fields.len() != self.columns {
            let lines = self.lines.number() - line + 1;
            let fault = ReadFault::Columns { found: fields.len(), expected: self.columns, lines };
            return Err(Fault::at(line, None, fault));
        }
        let mut values: Vec<Option<String>> = Vec::with_capacity(self.places.len());
        for (field, place) in self.places.iter().enumerate() {
            // One column may stand under two roles; the second copies what the first took.
            let earlier = self.places[..field].iter().position(|other| other == place);
            values.push(match earlier {
                Some(earlier) => values.get(earlier).cloned().flatten(),
                None => fields.get_mut(*place).map(std::mem::take),
            });
        }
        Ok(Some((line, values)))
    }
}

/// The next row that is not a blank line.
fn next(lines: &mut Lines) -> Result<Option<CsvRow>, Fault> {
    loop {
        let first = lines.number() + 1;
        let Some(line) = lines.next_line()? else {
            return Ok(None);
        };
        if trimmed(line).is_empty() {
            continue;
        }
        let mut row = CsvRow { line: first, fields: Vec::new() };
        let mut open = parse(line, first, 0, &mut row)?;
        while let Some(mut quoted) = open {
            let number = lines.number() + 1;
            let Some(line) = lines.next_line()? else {
                return Err(Fault::at(quoted.line, Some(quoted.column), ReadFault::OpenQuote));
            };
            // The end of line inside a quoted field is a part of the text, so it is kept as it is.
            let end = continue_quoted(line, &mut quoted.text);
            if quoted.text.len() > MAXIMUM_LINE {
                let fault = ReadFault::TooLong { what: "quoted field that begins here", limit: MAXIMUM_LINE };
                return Err(Fault::at(quoted.line, Some(quoted.column), fault));
            }
            open = match end {
                None => Some(quoted),
                Some(end) => {
                    row.fields.push(quoted.text);
                    match after_quoted(line, end, number)? {
                        Some(next) => parse(line, number, next, &mut row)?,
                        None => None,
                    }
                }
            };
        }
        return Ok(Some(row));
    }
}

/// A quoted field that has not ended yet, with the place of its opening quote.
struct OpenQuoted {
    text: String,
    line: u64,
    column: u64,
}

/// Reads fields from `line` at byte `at` on; a quoted field that does not end on this line is returned.
fn parse(line: &str, number: u64, mut at: usize, row: &mut CsvRow) -> Result<Option<OpenQuoted>, Fault> {
    loop {
        if line[at..].starts_with('"') {
            let mut text = String::new();
            let body = at + 1;
            let Some(end) = continue_quoted(&line[body..], &mut text) else {
                return Ok(Some(OpenQuoted { text, line: number, column: at as u64 + 1 }));
            };
            row.fields.push(text);
            match after_quoted(line, body + end, number)? {
                Some(next) => at = next,
                None => return Ok(None),
            }
        } else {
            let content = trimmed(&line[at..]);
            let Some(comma) = content.find(',') else {
                row.fields.push(content.to_owned());
                return Ok(None);
            };
            row.fields.push(content[..comma].to_owned());
            at += comma + 1;
        }
    }
}

/// Adds to `text` up to the closing quote, and returns the place after it; none if it is not here.
fn continue_quoted(line: &str, text: &mut String) -> Option<usize> {
    let mut at = 0;
    loop {
        let Some(quote) = line[at..].find('"') else {
            text.push_str(&line[at..]);
            return None;
        };
        text.push_str(&line[at..at + quote]);
        at += quote + 1;
        if !line[at..].starts_with('"') {
            return Some(at);
        }
        text.push('"');
        at += 1;
    }
}

/// What follows a closing quote: the place after a comma, or none at the end of the row.
fn after_quoted(line: &str, end: usize, number: u64) -> Result<Option<usize>, Fault> {
    match trimmed(&line[end..]).chars().next() {
        None => Ok(None),
        Some(',') => Ok(Some(end + 1)),
        Some(_) => Err(Fault::at(number, Some(end as u64 + 1), ReadFault::AfterQuote)),
    }
}

/// Without its end of line.
fn trimmed(line: &str) -> &str {
    let line = line.strip_suffix('\n').unwrap_or(line);
    line.strip_suffix('\r').unwrap_or(line)
}

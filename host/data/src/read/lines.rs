//! Lines of a file with their numbers, checked for length, NUL and UTF-8.

use std::io::{BufRead, ErrorKind, Read};

use super::Fault;
use crate::error::ReadFault;

/// The longest line, or quoted field, that is read: 16 MiB.
pub const MAXIMUM_LINE: usize = 16 << 20;

pub struct Lines {
    input: Box<dyn BufRead + Send>,
    gzipped: bool,
    buffer: Vec<u8>,
    number: u64,
}

impl Lines {
    pub fn new(input: Box<dyn BufRead + Send>, gzipped: bool) -> Self {
        Self { input, gzipped, buffer: Vec::new(), number: 0 }
    }

    /// The number of the line read last, from 1.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// The next line with its end of line, if it has one; none at the end. A byte order mark is left out.
    pub fn next_line(&mut self) -> Result<Option<&str>, Fault> {
        self.buffer.clear();
        self.number += 1;
        let number = self.number;
        let limit = MAXIMUM_LINE as u64 + 1;
        match (&mut self.input).take(limit).read_until(b'\n', &mut self.buffer) {
            Ok(0) => return Ok(None),
            Ok(read) if read as u64 == limit => {
                let fault = ReadFault::TooLong { what: "line", limit: MAXIMUM_LINE };
                return Err(Fault::at(number, None, fault));
            }
            Ok(_) => {}
            Err(error) => {
                let damaged = self.gzipped
                    && matches!(
                        error.kind(),
                        ErrorKind::InvalidInput | ErrorKind::InvalidData | ErrorKind::UnexpectedEof
                    );
                let fault = if damaged { ReadFault::Gzip(error) } else { ReadFault::Io(error) };
                return Err(Fault::at(number, None, fault));
            }
        }
        let column = |place: usize| Some(place as u64 + 1);
        if let Some(place) = self.buffer.iter().position(|byte| *byte == 0) {
            return Err(Fault::at(number, column(place), ReadFault::Nul));
        }
        let line = std::str::from_utf8(&self.buffer)
            .map_err(|error| Fault::at(number, column(error.valid_up_to()), ReadFault::Utf8))?;
        Ok(Some(if number == 1 { line.strip_prefix('\u{feff}').unwrap_or(line) } else { line }))
    }
}

//! Lines with their numbers, bounded in length.

use std::io::{self, BufRead, ErrorKind, Read};

use super::Fault;
use crate::error::ReadFault;
use crate::format::Compression;

/// The longest line, or quoted field, or sentence, that is read: 16 MiB.
pub const MAXIMUM_LINE: usize = 16 << 20;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

pub struct Lines {
    input: Box<dyn BufRead + Send>,
    compression: Compression,
    buffer: Vec<u8>,
    number: u64,
    /// The line read last was too long, so its rest is still to be passed over.
    cut: bool,
}

impl Lines {
    pub fn new(input: Box<dyn BufRead + Send>, compression: Compression) -> Self {
        Self { input, compression, buffer: Vec::new(), number: 0, cut: false }
    }

    /// The number of the line read last, from 1.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// The line read last with its end of line, if it has one, and those before it that it was added to.
    pub fn bytes(&self) -> &[u8] {
        &self.buffer
    }

    /// Reads the next line; false at the end of the file. A byte order mark is left out.
    pub fn advance(&mut self) -> Result<bool, Fault> {
        self.buffer.clear();
        self.extend()
    }

    /// Adds the next line to the ones that are held.
    pub fn extend(&mut self) -> Result<bool, Fault> {
        if self.cut {
            self.cut = false;
            self.pass_over().map_err(|error| self.failed(error))?;
        }
        self.number += 1;
        let limit = MAXIMUM_LINE as u64 + 1;
        let read = (&mut self.input)
            .take(limit)
            .read_until(b'\n', &mut self.buffer)
            .map_err(|error| self.failed(error))?;
        if read as u64 == limit && self.buffer.last() != Some(&b'\n') {
            self.cut = true;
            let fault = ReadFault::TooLong { what: "line", limit: MAXIMUM_LINE };
            return Err(Fault::at(self.number, None, fault));
        }
        if self.number == 1 && self.buffer.starts_with(BYTE_ORDER_MARK) {
            self.buffer.drain(..BYTE_ORDER_MARK.len());
        }
        Ok(read > 0)
    }

    /// The bytes that come next and are not read as lines; none at the end of the file.
    pub fn chunk(&mut self) -> Result<&[u8], Fault> {
        // Asked twice: what was returned from inside of a loop would stay borrowed in all of its rounds.
        while let Err(error) = self.input.fill_buf() {
            if error.kind() != ErrorKind::Interrupted {
                return Err(self.failed(error));
            }
        }
        self.input.fill_buf().map_err(|error| Fault::whole(ReadFault::Io(error)))
    }

    /// Passes over bytes of the chunk.
    pub fn consume(&mut self, bytes: usize) {
        self.input.consume(bytes);
    }

    /// Passes over the byte order mark, if the file begins with one.
    pub fn pass_byte_order_mark(&mut self) -> Result<(), Fault> {
        if self.chunk()?.starts_with(BYTE_ORDER_MARK) {
            self.consume(BYTE_ORDER_MARK.len());
        }
        Ok(())
    }

    /// Reads to the end of the line without keeping it.
    fn pass_over(&mut self) -> io::Result<()> {
        loop {
            let held = match self.input.fill_buf() {
                Ok(held) => held,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if held.is_empty() {
                return Ok(());
            }
            let end = held.iter().position(|byte| *byte == b'\n');
            let passed = end.map_or(held.len(), |end| end + 1);
            self.input.consume(passed);
            if end.is_some() {
                return Ok(());
            }
        }
    }

    fn failed(&self, error: io::Error) -> Fault {
        // What the packed formats' decoders say of damage; zstd's own messages come as `Other`.
        let of_packing = matches!(
            error.kind(),
            ErrorKind::InvalidInput | ErrorKind::InvalidData | ErrorKind::UnexpectedEof | ErrorKind::Other
        );
        let fault = if of_packing && self.compression != Compression::None {
            ReadFault::Packed { compression: self.compression.name(), error }
        } else {
            ReadFault::Io(error)
        };
        Fault::at(self.number, None, fault).fatal()
    }
}

/// `bytes` as text, if it is UTF-8 without NUL; `line` is the number of its first line.
pub fn text(bytes: &[u8], line: u64) -> Result<&str, Fault> {
    if bytes.contains(&0) {
        let place = bytes.iter().position(|byte| *byte == 0).unwrap_or_default();
        return Err(at(bytes, place, line, ReadFault::Nul));
    }
    std::str::from_utf8(bytes).map_err(|error| at(bytes, error.valid_up_to(), line, ReadFault::Utf8))
}

/// A fault at byte `place` of `bytes`, whose first line is `line`.
pub fn at(bytes: &[u8], place: usize, line: u64, fault: ReadFault) -> Fault {
    let before = bytes.get(..place).unwrap_or(bytes);
    let breaks = before.iter().filter(|byte| **byte == b'\n').count() as u64;
    let begin = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    Fault::at(line + breaks, Some((place - begin) as u64 + 1), fault)
}

/// Without its end of line.
pub fn trimmed(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

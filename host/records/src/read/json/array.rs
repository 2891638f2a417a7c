//! The entries of one JSON array, one after the other: the file is never held as a whole.

use super::super::Fault;
use super::super::lines::{Lines, MAXIMUM_LINE};
use crate::error::ReadFault;

pub struct Entries {
    lines: Lines,
    state: State,
    /// The entry read last.
    entry: Vec<u8>,
    /// Where the next byte stands.
    line: u64,
    column: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before the opening bracket.
    Start,
    /// After it: an entry or the end.
    First,
    /// After a comma: an entry.
    Entry,
    /// After an entry: a comma or the end.
    After,
    /// After the closing bracket.
    End,
}

/// Where in an entry a byte stands.
#[derive(Default)]
struct Inside {
    /// Open brackets and braces.
    depth: usize,
    string: bool,
    escaped: bool,
}

impl Entries {
    pub fn new(lines: Lines) -> Self {
        Self { lines, state: State::Start, entry: Vec::new(), line: 1, column: 1 }
    }

    /// The entry read last.
    pub fn bytes(&self) -> &[u8] {
        &self.entry
    }

    /// Reads the next entry, and returns the line and the column where it begins; none at the end. Where an
    /// array is broken nobody can tell where its entries begin, so every fault ends the file.
    pub fn advance(&mut self) -> Result<Option<(u64, u64)>, Fault> {
        self.entry.clear();
        loop {
            let Some(byte) = self.peek()? else {
                return match self.state {
                    State::End => Ok(None),
                    _ => Err(self.broken("the array has no end")),
                };
            };
            self.state = match (self.state, byte) {
                (state, b' ' | b'\t' | b'\r' | b'\n') => state,
                (State::Start, b'[') => State::First,
                (State::Start, _) => return Err(self.broken("expected `[`")),
                (State::First | State::After, b']') => State::End,
                (State::After, b',') => State::Entry,
                (State::After, _) => return Err(self.broken("expected `,` or `]`")),
                (State::End, _) => return Err(self.broken("characters after the array's end")),
                (State::First | State::Entry, b',' | b']') => return Err(self.broken("expected a value")),
                (State::First | State::Entry, _) => {
                    let place = (self.line, self.column);
                    self.entry()?;
                    self.state = State::After;
                    return Ok(Some(place));
                }
            };
            self.pass(byte);
        }
    }

    fn peek(&mut self) -> Result<Option<u8>, Fault> {
        Ok(self.lines.chunk()?.first().copied())
    }

    fn pass(&mut self, byte: u8) {
        self.lines.consume(1);
        if byte == b'\n' {
            self.line += 1;
            self.column = 1;
        } else {
            self.column += 1;
        }
    }

    /// Reads an entry to its end.
    fn entry(&mut self) -> Result<(), Fault> {
        let mut inside = Inside::default();
        loop {
            let chunk = self.lines.chunk()?;
            if chunk.is_empty() {
                return Err(self.broken("the array has no end"));
            }
            let mut ended = false;
            let mut used = 0;
            for byte in chunk {
                let end = inside.step(*byte);
                if end == Some(End::Before) {
                    ended = true;
                    break;
                }
                used += 1;
                if *byte == b'\n' {
                    self.line += 1;
                    self.column = 1;
                } else {
                    self.column += 1;
                }
                if end == Some(End::With) {
                    ended = true;
                    break;
                }
            }
            self.entry.extend(chunk.iter().take(used));
            self.lines.consume(used);
            if self.entry.len() > MAXIMUM_LINE {
                let fault = ReadFault::TooLong { what: "entry", limit: MAXIMUM_LINE };
                return Err(Fault::at(self.line, None, fault).fatal());
            }
            if ended {
                return Ok(());
            }
        }
    }

    fn broken(&self, what: &str) -> Fault {
        let fault = ReadFault::Json { what: what.to_owned() };
        Fault::at(self.line, Some(self.column), fault).fatal()
    }
}

/// How an entry ends.
#[derive(PartialEq, Eq)]
enum End {
    /// With this byte.
    With,
    /// Before this byte.
    Before,
}

impl Inside {
    fn step(&mut self, byte: u8) -> Option<End> {
        if self.string {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => {
                    self.string = false;
                    return (self.depth == 0).then_some(End::With);
                }
                _ => {}
            }
            return None;
        }
        match byte {
            b'"' => self.string = true,
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' if self.depth > 0 => {
                self.depth -= 1;
                return (self.depth == 0).then_some(End::With);
            }
            // The end of a number, a truth or null.
            b',' | b']' | b' ' | b'\t' | b'\r' | b'\n' if self.depth == 0 => return Some(End::Before),
            _ => {}
        }
        None
    }
}

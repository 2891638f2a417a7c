//! CoNLL: a line is a token, white space, perhaps other columns, and its tag; a blank line ends a sentence,
//! which is a record. `-DOCSTART-` lines are left out. Columns are separated by tabs on a line that has any,
//! else by white space.

use super::lines::{Lines, MAXIMUM_LINE, text};
use super::plan::{Cell, Plan};
use super::{Fault, ReadSettings, Rows};
use crate::error::{ReadError, ReadFault};

/// What a sentence offers.
const PRESENT: [&str; 3] = ["tokens", "tags", "text"];

pub struct Conll {
    lines: Lines,
    /// From 1.
    token: usize,
    /// From 1; none for the last.
    tag: Option<usize>,
    /// For each wanted field, whether it is the tags.
    tags: Vec<bool>,
    /// The sentence as it stands in the file, as much as is shown of it.
    raw: Vec<u8>,
}

/// A sentence while it is read.
#[derive(Default)]
struct Sentence {
    tokens: String,
    tags: String,
    /// The first of its faults; it is read to its end all the same.
    fault: Option<Fault>,
}

impl Conll {
    pub fn new(lines: Lines, settings: &ReadSettings, plan: &Plan) -> Result<Self, Fault> {
        let tags = plan
            .wanted()
            .iter()
            .map(|wanted| {
                // The file has no names, so a role is its own; any other role may name one of these.
                let role = wanted.role.as_deref().filter(|role| PRESENT.contains(role));
                match role.unwrap_or(&wanted.name) {
                    "tags" => Ok(true),
                    "tokens" | "text" => Ok(false),
                    _ if !wanted.required => Ok(false),
                    _ => Err(Plan::missing(wanted, plan.layout(), PRESENT.map(str::to_owned).to_vec())),
                }
            })
            .collect::<Result<_, _>>()
            .map_err(Fault::whole)?;
        let token = settings.token_column.unwrap_or(1).max(1);
        let tag = settings.tag_column.map(|column| column.max(1));
        Ok(Self { lines, token, tag, tags, raw: Vec::new() })
    }

    /// Adds the line just read to the sentence.
    fn add(&self, sentence: &mut Sentence) -> Result<(), Fault> {
        let number = self.lines.number();
        let line = text(self.lines.bytes(), number)?.trim_end_matches(['\n', '\r']);
        let columns: Vec<&str> = if line.contains('\t') {
            line.split('\t').map(str::trim).collect()
        } else {
            line.split_ascii_whitespace().collect()
        };
        // A line with a token alone has no tag.
        let tag = self.tag.unwrap_or(columns.len().max(self.token + 1));
        let (Some(token), Some(tag)) = (columns.get(self.token - 1), columns.get(tag - 1)) else {
            let fault = ReadFault::TokenColumns { found: columns.len(), expected: tag.max(self.token) };
            return Err(Fault::at(number, None, fault));
        };
        for (name, word, words) in [("token", token, &mut sentence.tokens), ("tag", tag, &mut sentence.tags)]
        {
            let column = if name == "token" { self.token } else { self.tag.unwrap_or(columns.len()) };
            let wrong = |what| {
                Err(Fault::at(number, None, ReadFault::Token { name: name.into(), entry: column, what }))
            };
            if word.is_empty() {
                return wrong("it is empty");
            }
            if word.contains(' ') {
                return wrong("it holds white space");
            }
            if !words.is_empty() {
                words.push(' ');
            }
            words.push_str(word);
        }
        if sentence.tokens.len().max(sentence.tags.len()) > MAXIMUM_LINE {
            let fault = ReadFault::TooLong { what: "sentence", limit: MAXIMUM_LINE };
            return Err(Fault::at(number, None, fault));
        }
        Ok(())
    }
}

impl Rows for Conll {
    fn next_row(&mut self, cells: &mut [Cell]) -> Result<Option<u64>, Fault> {
        let mut sentence = Sentence::default();
        let mut first = None;
        self.raw.clear();
        loop {
            let added = match self.lines.advance() {
                Ok(false) => break,
                Ok(true) => {
                    if self.lines.bytes().trim_ascii().is_empty() {
                        if first.is_some() {
                            break;
                        }
                        continue;
                    }
                    if self.lines.bytes().starts_with(b"-DOCSTART-") {
                        continue;
                    }
                    if sentence.fault.is_none() { self.add(&mut sentence) } else { Ok(()) }
                }
                Err(fault) if fault.of_row => Err(fault),
                Err(fault) => return Err(fault),
            };
            first.get_or_insert(self.lines.number());
            let room = (4 * ReadError::RAW).saturating_sub(self.raw.len());
            let line = self.lines.bytes();
            self.raw.extend_from_slice(line.get(..room).unwrap_or(line));
            if let Err(fault) = added {
                sentence.fault.get_or_insert(fault);
            }
        }
        if let Some(fault) = sentence.fault {
            return Err(fault);
        }
        for (cell, tags) in cells.iter_mut().zip(&self.tags) {
            *cell = Cell::Text(if *tags { sentence.tags.clone() } else { sentence.tokens.clone() });
        }
        Ok(first)
    }

    fn raw(&self) -> Option<&[u8]> {
        Some(&self.raw)
    }
}

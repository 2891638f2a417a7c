//! One JSON object a line. Blank lines are left out.
//!
//! Only the wanted fields are built; the rest of a line is passed over.

/// JSON text made while it is read, without spaces.
mod compact;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::lines::{Lines, text, trimmed};
use super::plan::{Cell, Plan, Wanted};
use super::{Fault, Rows};
use crate::error::ReadFault;
use crate::layout::Layout;
use compact::Compact;

/// The rows by which the layout is told.
const PEEKED: usize = 16;

pub struct JsonLines {
    lines: Lines,
    layout: Layout,
    wanted: Vec<Wanted>,
}

impl JsonLines {
    pub fn new(lines: Lines, plan: &Plan) -> Self {
        Self { lines, layout: plan.layout(), wanted: plan.wanted().to_vec() }
    }
}

impl Rows for JsonLines {
    fn next_row(&mut self, cells: &mut [Cell]) -> Result<Option<u64>, Fault> {
        while self.lines.advance()? {
            let number = self.lines.number();
            let line = text(self.lines.bytes(), number)?;
            if line.trim().is_empty() {
                continue;
            }
            let fields = Fields { wanted: &self.wanted, cells };
            if let Err(error) = read(line, fields) {
                let (column, fault) = wrong(line, &error);
                return Err(Fault::at(number, column, fault));
            }
            let mut both = self.wanted.iter().zip(cells.iter());
            if let Some((wanted, _)) = both.find(|(wanted, cell)| wanted.required && **cell == Cell::Absent) {
                let fault = Plan::missing(wanted, self.layout, present(line));
                return Err(Fault::at(number, None, fault));
            }
            return Ok(Some(number));
        }
        Ok(None)
    }

    fn raw(&self) -> Option<&[u8]> {
        Some(self.lines.bytes())
    }
}

fn read<'de>(line: &'de str, seed: impl DeserializeSeed<'de, Value = ()>) -> serde_json::Result<()> {
    let mut deserializer = serde_json::Deserializer::from_str(line);
    seed.deserialize(&mut deserializer)?;
    deserializer.end()
}

/// What is wrong with a line that could not be read.
fn wrong(line: &str, error: &serde_json::Error) -> (Option<u64>, ReadFault) {
    let found = match serde_json::from_str(line) {
        Ok(Value::Object(_)) | Err(_) => None,
        Ok(Value::Null) => Some("null"),
        Ok(Value::Bool(_)) => Some("a boolean"),
        Ok(Value::Number(_)) => Some("a number"),
        Ok(Value::String(_)) => Some("a string"),
        Ok(Value::Array(_)) => Some("an array"),
    };
    if let Some(found) = found {
        return (None, ReadFault::NotAnObject { found });
    }
    // serde_json ends its message with a place inside the line, which the column already says.
    let message = error.to_string();
    let what = message.rsplit_once(" at line ").map_or(message.as_str(), |(what, _)| what).to_owned();
    (Some(error.column() as u64), ReadFault::Json { what })
}

/// The names of a line's fields.
fn present(line: &str) -> Vec<String> {
    let object: Map<String, Value> = serde_json::from_str(line).unwrap_or_default();
    object.keys().cloned().collect()
}

/// The fields that the first rows all have, and whether they are lists. Faulty rows are left to be told when
/// the file is read.
pub fn first_fields(mut lines: Lines) -> BTreeMap<String, bool> {
    let mut fields: Option<BTreeMap<String, bool>> = None;
    let mut rows = 0;
    while rows < PEEKED {
        match lines.advance() {
            Ok(true) => {}
            Err(fault) if fault.of_row => {
                rows += 1;
                continue;
            }
            Ok(false) | Err(_) => break,
        }
        let line = trimmed(lines.bytes());
        rows += usize::from(!line.is_empty());
        if let Ok(object) = serde_json::from_slice::<Map<String, Value>>(line) {
            match &mut fields {
                None => {
                    fields =
                        Some(object.iter().map(|(name, value)| (name.clone(), value.is_array())).collect());
                }
                Some(fields) => fields.retain(|name, list| match object.get(name) {
                    Some(value) => value.is_array() == *list,
                    None => false,
                }),
            }
        }
    }
    fields.unwrap_or_default()
}

/// Reads the wanted fields of an object into their cells.
struct Fields<'a> {
    wanted: &'a [Wanted],
    cells: &'a mut [Cell],
}

impl<'de> DeserializeSeed<'de> for Fields<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Fields<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(place) = map.next_key_seed(Name(self.wanted))? {
            match place.and_then(|place| self.cells.get_mut(place)) {
                Some(cell) => *cell = map.next_value_seed(OneCell)?,
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

/// The place of the wanted field that has this name.
struct Name<'a>(&'a [Wanted]);

impl<'de> DeserializeSeed<'de> for Name<'_> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Name<'_> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Self::Value, E> {
        Ok(self.0.iter().position(|wanted| wanted.name == name))
    }
}

struct OneCell;

impl<'de> DeserializeSeed<'de> for OneCell {
    type Value = Cell;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Cell, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for OneCell {
    type Value = Cell;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<Cell, E> {
        Ok(Cell::Null)
    }

    fn visit_bool<E: Error>(self, truth: bool) -> Result<Cell, E> {
        Ok(Cell::Text(truth.to_string()))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Cell, E> {
        Ok(Cell::Text(number.to_string()))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Cell, E> {
        Ok(Cell::Text(number.to_string()))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Cell, E> {
        Ok(Cell::Text(Value::from(number).to_string()))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Cell, E> {
        Ok(Cell::Text(text.to_owned()))
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Cell, E> {
        Ok(Cell::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Cell, A::Error> {
        let mut json = Vec::new();
        Compact(&mut json).visit_seq(list)?;
        text_of(json)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Cell, A::Error> {
        let mut json = Vec::new();
        Compact(&mut json).visit_map(map)?;
        text_of(json)
    }
}

fn text_of<E: Error>(json: Vec<u8>) -> Result<Cell, E> {
    String::from_utf8(json).map(Cell::Json).map_err(E::custom)
}

/// A JSON string, borrowed where it has no escapes.
struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Key {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_borrowed_str<E: Error>(self, name: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(name))
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(name.to_owned()))
    }
}

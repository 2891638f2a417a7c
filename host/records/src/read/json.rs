//! JSON objects, one a line or in one array.
//!
//! Only the wanted fields are built; the rest of an object is passed over.

/// The entries of one array.
mod array;
/// JSON text made while it is read, without spaces.
mod compact;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::lines::{Lines, text};
use super::plan::{Cell, Plan, Wanted};
use super::{Fault, Rows};
use crate::error::ReadFault;
use crate::layout::Layout;
use array::Entries;
use compact::Compact;

/// The rows by which the layout is told.
const PEEKED: usize = 16;

pub struct Json {
    objects: Objects,
    layout: Layout,
    wanted: Vec<Wanted>,
}

/// The objects of a file.
pub enum Objects {
    /// One a line; blank lines are left out.
    Lines(Lines),
    /// The entries of one array.
    Array(Entries),
}

impl Objects {
    pub fn lines(lines: Lines) -> Self {
        Self::Lines(lines)
    }

    /// Of a file that holds one array; or one object a line, because such files often bear the same name.
    pub fn array(mut lines: Lines) -> Result<Self, Fault> {
        lines.pass_byte_order_mark()?;
        let start = lines.chunk()?.iter().find(|byte| !byte.is_ascii_whitespace());
        Ok(if start == Some(&b'{') { Self::Lines(lines) } else { Self::Array(Entries::new(lines)) })
    }

    /// Reads the next object, and returns the line and the column where it begins; none at the end.
    fn advance(&mut self) -> Result<Option<(u64, u64)>, Fault> {
        match self {
            Self::Array(entries) => entries.advance(),
            Self::Lines(lines) => {
                while lines.advance()? {
                    if !lines.bytes().trim_ascii().is_empty() {
                        return Ok(Some((lines.number(), 1)));
                    }
                }
                Ok(None)
            }
        }
    }

    fn bytes(&self) -> &[u8] {
        match self {
            Self::Lines(lines) => lines.bytes(),
            Self::Array(entries) => entries.bytes(),
        }
    }
}

impl Json {
    pub fn new(objects: Objects, plan: &Plan) -> Self {
        Self { objects, layout: plan.layout(), wanted: plan.wanted().to_vec() }
    }
}

impl Rows for Json {
    fn next_row(&mut self, cells: &mut [Cell]) -> Result<Option<u64>, Fault> {
        let Some((line, column)) = self.objects.advance()? else {
            return Ok(None);
        };
        // A fault's place in the object becomes one in the file.
        let moved = |mut fault: Fault| {
            if fault.line == Some(line) {
                fault.column = fault.column.map(|inside| inside + column - 1);
            }
            fault
        };
        let object = text(self.objects.bytes(), line).map_err(moved)?;
        let fields = Fields { wanted: &self.wanted, cells };
        read(object, fields).map_err(|error| moved(wrong(object, line, &error)))?;
        let mut both = self.wanted.iter().zip(cells.iter());
        if let Some((wanted, _)) = both.find(|(wanted, cell)| wanted.required && **cell == Cell::Absent) {
            let fault = Plan::missing(wanted, self.layout, present(object));
            return Err(Fault::at(line, None, fault));
        }
        Ok(Some(line))
    }

    fn raw(&self) -> Option<&[u8]> {
        Some(self.objects.bytes())
    }
}

fn read<'de>(line: &'de str, seed: impl DeserializeSeed<'de, Value = ()>) -> serde_json::Result<()> {
    let mut deserializer = serde_json::Deserializer::from_str(line);
    seed.deserialize(&mut deserializer)?;
    deserializer.end()
}

/// What is wrong with an object that begins at `line` and could not be read.
fn wrong(object: &str, line: u64, error: &serde_json::Error) -> Fault {
    let found = match serde_json::from_str(object) {
        Ok(Value::Object(_)) | Err(_) => None,
        Ok(Value::Null) => Some("null"),
        Ok(Value::Bool(_)) => Some("a boolean"),
        Ok(Value::Number(_)) => Some("a number"),
        Ok(Value::String(_)) => Some("a string"),
        Ok(Value::Array(_)) => Some("an array"),
    };
    if let Some(found) = found {
        return Fault::at(line, None, ReadFault::NotAnObject { found });
    }
    // serde_json ends its message with the place, which the fault already says.
    let message = error.to_string();
    let what = message.rsplit_once(" at line ").map_or(message.as_str(), |(what, _)| what).to_owned();
    // What ends too early is at fault at its own end, not at the beginning of the line after it.
    let (below, column) = match (error.line(), error.column()) {
        (below, 0) => {
            let lines: Vec<&str> = object.lines().collect();
            (below.saturating_sub(1).min(lines.len()), lines.last().map_or(0, |last| last.len()))
        }
        place => place,
    };
    Fault::at(line + (below as u64).saturating_sub(1), Some(column as u64), ReadFault::Json { what })
}

/// The names of an object's fields.
fn present(object: &str) -> Vec<String> {
    let object: Map<String, Value> = serde_json::from_str(object).unwrap_or_default();
    object.keys().cloned().collect()
}

/// The fields that the first rows all have, and whether they are lists. Faulty rows are left to be told when
/// the file is read.
pub fn first_fields(mut objects: Objects) -> BTreeMap<String, bool> {
    let mut fields: Option<BTreeMap<String, bool>> = None;
    for _ in 0..PEEKED {
        match objects.advance() {
            Ok(Some(_)) => {}
            Err(fault) if fault.of_row => continue,
            Ok(None) | Err(_) => break,
        }
        if let Ok(object) = serde_json::from_slice::<Map<String, Value>>(objects.bytes()) {
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
        Ok(Cell::Plain(truth.to_string()))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Cell, E> {
        Ok(Cell::Plain(number.to_string()))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Cell, E> {
        Ok(Cell::Plain(number.to_string()))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Cell, E> {
        Ok(Cell::Plain(Value::from(number).to_string()))
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

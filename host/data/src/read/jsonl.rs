//! One JSON object a line. Blank lines are left out.

use serde_json::{Map, Value};

use super::lines::Lines;
use super::{Fault, RawRow, Rows, missing};
use crate::error::ReadFault;
use crate::record::{Field, Schema};

pub struct JsonLines {
    lines: Lines,
    schema: Schema,
}

impl JsonLines {
    pub fn new(lines: Lines, schema: Schema) -> Self {
        Self { lines, schema }
    }
}

impl Rows for JsonLines {
    fn next_row(&mut self) -> Result<Option<RawRow>, Fault> {
        loop {
            let number = self.lines.number() + 1;
            let Some(line) = self.lines.next_line()? else {
                return Ok(None);
            };
            if line.trim().is_empty() {
                continue;
            }
            let object = object(line).map_err(|(column, fault)| Fault::at(number, column, fault))?;
            let values = self
                .schema
                .fields()
                .iter()
                .map(|field| value(&object, field))
                .collect::<Result<_, _>>()
                .map_err(|fault| Fault::at(number, None, fault))?;
            return Ok(Some((number, values)));
        }
    }
}

fn object(line: &str) -> Result<Map<String, Value>, (Option<u64>, ReadFault)> {
    match serde_json::from_str(line) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(other) => Err((None, ReadFault::NotAnObject { found: kind(&other) })),
        Err(error) => {
            // serde_json ends its message with a place inside the line, which the column already says.
            let message = error.to_string();
            let what = message.rsplit_once(" at line ").map_or(message.as_str(), |(what, _)| what).to_owned();
            Err((Some(error.column() as u64), ReadFault::Json { what }))
        }
    }
}

/// The field's value as text, none for null.
fn value(object: &Map<String, Value>, field: &Field) -> Result<Option<String>, ReadFault> {
    let Some(value) = object.get(&field.name) else {
        return Err(missing(&field.role, &field.name, object.keys().cloned().collect()));
    };
    let is_label = field.role == "label";
    match value {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text.clone())),
        Value::Number(number) if is_label => Ok(Some(number.to_string())),
        Value::Bool(truth) if is_label => Ok(Some(truth.to_string())),
        other => Err(ReadFault::WrongType {
            name: field.name.clone(),
            found: kind(other),
            expected: if is_label { "a string, a number or a boolean" } else { "a string" },
        }),
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

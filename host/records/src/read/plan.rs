//! Which fields of the files are read, and what becomes of them.

/// What the layouts make of a row.
mod made;

use serde_json::Value;

use crate::error::{Expected, MissingField, ReadFault};
use crate::layout::Layout;
use crate::record::Schema;

/// What stands in one field of a row.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// The row has no such field.
    Absent,
    /// The field is there and empty.
    Null,
    Text(String),
    /// The JSON text of a number or a boolean.
    Plain(String),
    /// The compact JSON text of a list or an object.
    Json(String),
}

/// A field that is read from the files.
#[derive(Clone)]
pub struct Wanted {
    pub name: String,
    /// The role that asks for it; none if the layout does.
    pub role: Option<String>,
    /// A row without it is faulty.
    pub required: bool,
}

/// From the fields of the files to the values of a record.
pub struct Plan {
    layout: Layout,
    wanted: Vec<Wanted>,
    outputs: Vec<Output>,
}

/// Where the value of one role comes from.
enum Output {
    Field {
        place: usize,
        takes: Takes,
        /// No later role reads the same field, so the cell may be taken.
        last: bool,
    },
    Made(Made),
}

/// What a role makes of a field.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Takes {
    /// A string, or a list that becomes its entries with one space between them. A number is no text: it shows that
    /// another field was meant.
    Text,
    /// Tokens or tags: as a text, and numbers besides.
    Words,
    /// A string, a number or a boolean.
    Label,
    /// A list or an object, too, as its JSON text.
    Anything,
}

impl Takes {
    fn of(role: &str) -> Self {
        match role {
            "text" => Self::Text,
            "tokens" | "tags" => Self::Words,
            "label" => Self::Label,
            _ => Self::Anything,
        }
    }

    fn value(self, cell: Cell, name: impl Fn() -> String) -> Result<Option<String>, ReadFault> {
        let wrong = |found, expected| Err(ReadFault::WrongType { name: name().into(), found, expected });
        match (cell, self) {
            (Cell::Absent | Cell::Null, _) => Ok(None),
            (Cell::Plain(plain), Self::Text) => wrong(kind(&plain), Expected::Text),
            (Cell::Text(text) | Cell::Plain(text), _) => Ok(Some(text)),
            (Cell::Json(json), Self::Text | Self::Words) => joined(&json, name).map(Some),
            (Cell::Json(json), Self::Label) => wrong(kind(&json), Expected::Label),
            (Cell::Json(json), Self::Anything) => Ok(Some(json)),
        }
    }
}

/// A value that the layout makes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Made {
    Prompt,
    Completion,
    System,
    Messages,
    Chosen,
    Rejected,
}

impl Made {
    fn of(role: &str) -> Option<Self> {
        Some(match role {
            "prompt" => Self::Prompt,
            "completion" => Self::Completion,
            "system" => Self::System,
            "messages" => Self::Messages,
            "chosen" => Self::Chosen,
            "rejected" => Self::Rejected,
            _ => return None,
        })
    }
}

impl Plan {
    pub fn new(schema: &Schema, layout: Layout) -> Self {
        let mut plan = Self { layout, wanted: Vec::new(), outputs: Vec::new() };
        for field in schema.fields() {
            let made =
                Some(field.role.as_str()).filter(|role| layout.roles().contains(role)).and_then(Made::of);
            let output = match made {
                Some(made) => {
                    plan.want_for(made);
                    Output::Made(made)
                }
                None => Output::Field {
                    place: plan.want(&field.name, Some(&field.role), true),
                    takes: Takes::of(&field.role),
                    last: false,
                },
            };
            plan.outputs.push(output);
        }
        let mut seen = Vec::new();
        for output in plan.outputs.iter_mut().rev() {
            if let Output::Field { place, last, .. } = output {
                *last = !seen.contains(place);
                seen.push(*place);
            }
        }
        plan
    }

    pub fn layout(&self) -> Layout {
        self.layout
    }

    pub fn wanted(&self) -> &[Wanted] {
        &self.wanted
    }

    /// The fault of a field that a row or a header lacks, which has `present`.
    pub fn missing(wanted: &Wanted, layout: Layout, present: Vec<String>) -> ReadFault {
        ReadFault::FieldMissing(Box::new(MissingField {
            name: wanted.name.clone(),
            role: wanted.role.clone(),
            layout,
            present,
        }))
    }

    /// The place of a field among the wanted ones, to which it is added if it is not there.
    fn want(&mut self, name: &str, role: Option<&str>, required: bool) -> usize {
        if let Some(place) = self.place(name) {
            if let Some(wanted) = self.wanted.get_mut(place) {
                wanted.required |= required;
            }
            return place;
        }
        self.wanted.push(Wanted { name: name.to_owned(), role: role.map(str::to_owned), required });
        self.wanted.len() - 1
    }

    /// Asks for the fields of which the layout makes `made`.
    fn want_for(&mut self, made: Made) {
        let (required, optional): (&[&str], &[&str]) = match (self.layout, made) {
            (Layout::Alpaca, Made::Prompt) => (&["instruction"], &["input"]),
            (Layout::Alpaca, Made::Completion) => (&["output"], &[]),
            (Layout::Alpaca, _) => (&[], &["system"]),
            (Layout::PromptCompletion, Made::Prompt) => (&["prompt"], &[]),
            (Layout::PromptCompletion, _) => (&["completion"], &[]),
            (Layout::Messages, _) => (&["messages"], &[]),
            (Layout::ShareGpt, _) => (&["conversations"], &["system"]),
            (Layout::Preference, _) => {
                (&["chosen", "rejected"], &["prompt", "instruction", "input", "question"])
            }
            (Layout::Fields, _) => (&[], &[]),
        };
        for name in required {
            self.want(name, None, true);
        }
        for name in optional {
            self.want(name, None, false);
        }
    }

    fn place(&self, name: &str) -> Option<usize> {
        self.wanted.iter().position(|wanted| wanted.name == name)
    }

    /// The values of a record, in the order of the schema. The cells are used up.
    pub fn values(&self, cells: &mut [Cell]) -> Result<Vec<Option<String>>, ReadFault> {
        let mut made = made::values(self, cells)?;
        let mut values = Vec::with_capacity(self.outputs.len());
        for output in &self.outputs {
            values.push(match output {
                Output::Field { place, takes, last } => self.field(cells, *place, *takes, *last)?,
                Output::Made(Made::Prompt) => made.prompt.take(),
                Output::Made(Made::Completion) => made.completion.take(),
                Output::Made(Made::System) => made.system.take(),
                Output::Made(Made::Messages) => made.messages.take(),
                Output::Made(Made::Chosen) => made.chosen.take(),
                Output::Made(Made::Rejected) => made.rejected.take(),
            });
        }
        Ok(values)
    }

    fn field(
        &self,
        cells: &mut [Cell],
        place: usize,
        takes: Takes,
        last: bool,
    ) -> Result<Option<String>, ReadFault> {
        let Some(cell) = cells.get_mut(place) else {
            return Ok(None);
        };
        let cell = if last { std::mem::replace(cell, Cell::Absent) } else { cell.clone() };
        takes.value(cell, || self.wanted.get(place).map(|wanted| wanted.name.clone()).unwrap_or_default())
    }

    fn makes(&self, made: Made) -> bool {
        self.outputs.iter().any(|output| matches!(output, Output::Made(other) if *other == made))
    }
}

/// Tokens or tags with one space between them.
fn joined(json: &str, name: impl Fn() -> String) -> Result<String, ReadFault> {
    let Ok(Value::Array(list)) = serde_json::from_str(json) else {
        return Err(ReadFault::WrongType {
            name: name().into(),
            found: kind(json),
            expected: Expected::Words,
        });
    };
    let mut words = String::with_capacity(json.len());
    for (place, entry) in list.iter().enumerate() {
        let wrong = |what| Err(ReadFault::Token { name: name().into(), entry: place + 1, what });
        if place > 0 {
            words.push(' ');
        }
        match entry {
            Value::String(word) if word.is_empty() => return wrong("it is empty"),
            Value::String(word) if word.contains([' ', '\t', '\n', '\r']) => {
                return wrong("it holds white space");
            }
            Value::String(word) => words.push_str(word),
            Value::Number(number) => words.push_str(&number.to_string()),
            _ => return wrong("it is neither a string nor a number"),
        }
    }
    Ok(words)
}

/// What a JSON text that is no string is.
fn kind(json: &str) -> &'static str {
    match json.as_bytes().first() {
        Some(b'[') => "an array",
        Some(b'{') => "an object",
        Some(b't' | b'f') => "a boolean",
        _ => "a number",
    }
}

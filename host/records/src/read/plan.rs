//! Which fields of the files are read, and what becomes of them.

use serde_json::Value;

use crate::error::{MissingField, ReadFault};
use crate::layout::{Layout, chat};
use crate::record::Schema;

/// What stands in one field of a row.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// The row has no such field.
    Absent,
    /// The field is there and empty.
    Null,
    /// A string, or the JSON text of a number or a boolean.
    Text(String),
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
        /// Tokens and tags: a list becomes its entries with one space between them.
        words: bool,
        /// No later role reads the same field, so the cell may be taken.
        last: bool,
    },
    Made(Made),
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
                    words: matches!(field.role.as_str(), "text" | "tokens" | "tags"),
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
        let mut made = self.made(cells)?;
        let mut values = Vec::with_capacity(self.outputs.len());
        for output in &self.outputs {
            values.push(match output {
                Output::Field { place, words, last } => self.field(cells, *place, *words, *last)?,
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
        words: bool,
        last: bool,
    ) -> Result<Option<String>, ReadFault> {
        let Some(cell) = cells.get_mut(place) else {
            return Ok(None);
        };
        let cell = if last { std::mem::replace(cell, Cell::Absent) } else { cell.clone() };
        let name = || self.wanted.get(place).map(|wanted| wanted.name.clone()).unwrap_or_default();
        match cell {
            Cell::Absent | Cell::Null => Ok(None),
            Cell::Text(text) => Ok(Some(text)),
            Cell::Json(json) if words => joined(&json, name).map(Some),
            Cell::Json(json) => Ok(Some(json)),
        }
    }

    fn made(&self, cells: &[Cell]) -> Result<Values, ReadFault> {
        let row = Row { plan: self, cells };
        match self.layout {
            Layout::Fields => Ok(Values::default()),
            Layout::Alpaca => Ok(Values {
                prompt: row.instruction()?,
                completion: row.text("output")?,
                system: row.text("system")?.filter(|system| !system.is_empty()),
                ..Values::default()
            }),
            Layout::PromptCompletion => row.prompt_and_completion(),
            Layout::Messages => row.conversation("messages"),
            Layout::ShareGpt => row.conversation("conversations"),
            Layout::Preference => row.preference(),
        }
    }

    fn makes(&self, made: Made) -> bool {
        self.outputs.iter().any(|output| matches!(output, Output::Made(other) if *other == made))
    }
}

/// What the layout made of a row.
#[derive(Default)]
struct Values {
    prompt: Option<String>,
    completion: Option<String>,
    system: Option<String>,
    messages: Option<String>,
    chosen: Option<String>,
    rejected: Option<String>,
}

/// A row while its layout is applied.
struct Row<'a> {
    plan: &'a Plan,
    cells: &'a [Cell],
}

/// A string or a list of turns.
enum Said {
    Text(String),
    Turns(Vec<chat::Turn>),
}

impl Row<'_> {
    fn cell(&self, name: &str) -> &Cell {
        self.plan.place(name).and_then(|place| self.cells.get(place)).unwrap_or(&Cell::Absent)
    }

    fn wrong(&self, name: &str, what: String) -> ReadFault {
        ReadFault::Layout { layout: self.plan.layout, name: name.into(), what: what.into() }
    }

    fn text(&self, name: &str) -> Result<Option<String>, ReadFault> {
        match self.cell(name) {
            Cell::Absent | Cell::Null => Ok(None),
            Cell::Text(text) => Ok(Some(text.clone())),
            Cell::Json(json) => Err(self.wrong(name, format!("it is {}; expected a string", kind(json)))),
        }
    }

    /// The instruction, and after a blank line the input, if there is one.
    fn instruction(&self) -> Result<Option<String>, ReadFault> {
        let (instruction, input) = (self.text("instruction")?, self.text("input")?);
        Ok(match (instruction, input) {
            (Some(instruction), Some(input)) if !input.trim().is_empty() => {
                Some(format!("{instruction}\n\n{input}"))
            }
            (instruction, _) => instruction,
        })
    }

    fn said(&self, name: &str) -> Result<Option<Said>, ReadFault> {
        match self.cell(name) {
            Cell::Absent | Cell::Null => Ok(None),
            Cell::Text(text) => Ok(Some(Said::Text(text.clone()))),
            Cell::Json(json) => {
                let turns = chat::turns(json).map_err(|what| self.wrong(name, what))?;
                Ok(Some(Said::Turns(turns)))
            }
        }
    }

    fn prompt_and_completion(&self) -> Result<Values, ReadFault> {
        let prompt = match self.said("prompt")? {
            None => None,
            Some(Said::Text(text)) => Some(text),
            Some(Said::Turns(turns)) => Some(chat::rendered(&turns)),
        };
        let completion = match self.said("completion")? {
            None => None,
            Some(Said::Text(text)) => Some(text),
            Some(Said::Turns(turns)) => match turns.as_slice() {
                [chat::Turn { role: chat::Speaker::Assistant, content }] => Some(content.clone()),
                _ => {
                    let what = format!("it has {} turn(s); expected one, the assistant's", turns.len());
                    return Err(self.wrong("completion", what));
                }
            },
        };
        Ok(Values { prompt, completion, ..Values::default() })
    }

    fn conversation(&self, name: &str) -> Result<Values, ReadFault> {
        let json = match self.cell(name) {
            Cell::Absent => return Ok(Values::default()),
            Cell::Null => return Err(self.wrong(name, "it is null; expected a list of turns".to_owned())),
            // As CSV has it.
            Cell::Text(json) | Cell::Json(json) => json,
        };
        let wrong = |what| self.wrong(name, what);
        let mut turns = chat::turns(json).map_err(wrong)?;
        let instructed =
            |turns: &[chat::Turn]| turns.first().is_some_and(|turn| turn.role == chat::Speaker::System);
        if self.plan.layout == Layout::ShareGpt
            && let Some(content) = self.text("system")?.filter(|system| !system.is_empty())
            && !instructed(&turns)
        {
            turns.insert(0, chat::Turn { role: chat::Speaker::System, content });
        }
        let messages = self.plan.makes(Made::Messages).then(|| chat::canonical(&turns));
        let system = if self.plan.makes(Made::System) && instructed(&turns) {
            Some(turns.remove(0).content)
        } else {
            None
        };
        let (before, last) = chat::exchange(&turns).map_err(wrong)?;
        let prompt = self.plan.makes(Made::Prompt).then(|| chat::rendered(before));
        Ok(Values { prompt, completion: Some(last.content.clone()), system, messages, ..Values::default() })
    }

    fn preference(&self) -> Result<Values, ReadFault> {
        let (chosen, rejected) = match (self.said("chosen")?, self.said("rejected")?) {
            (Some(Said::Turns(chosen)), Some(Said::Turns(rejected))) => (chosen, rejected),
            (Some(Said::Turns(_)), Some(Said::Text(_))) => {
                let what = "it is a string where `chosen` is a list; expected both alike".to_owned();
                return Err(self.wrong("rejected", what));
            }
            (Some(Said::Text(_)), Some(Said::Turns(_))) => {
                let what = "it is a list where `chosen` is a string; expected both alike".to_owned();
                return Err(self.wrong("rejected", what));
            }
            (chosen, rejected) => {
                let text = |said| match said {
                    Some(Said::Text(text)) => Some(text),
                    _ => None,
                };
                let (chosen, rejected) = (text(chosen), text(rejected));
                return Ok(Values { prompt: self.asked()?, chosen, rejected, ..Values::default() });
            }
        };
        let shared = chat::common(&chosen, &rejected);
        let (before, liked) = chosen.split_at(shared);
        let disliked = rejected.get(shared..).unwrap_or_default();
        let wrong = |name: &'static str| move |what| self.wrong(name, what);
        let liked = chat::answer(liked).map_err(wrong("chosen"))?;
        let disliked = chat::answer(disliked).map_err(wrong("rejected"))?;
        let prompt = if before.is_empty() { self.asked()? } else { Some(chat::rendered(before)) };
        Ok(Values {
            prompt,
            chosen: Some(liked.to_owned()),
            rejected: Some(disliked.to_owned()),
            ..Values::default()
        })
    }

    /// The prompt of a preference whose answers do not hold it.
    fn asked(&self) -> Result<Option<String>, ReadFault> {
        if !self.plan.makes(Made::Prompt) {
            return Ok(None);
        }
        match self.said("prompt")? {
            Some(Said::Text(text)) => return Ok(Some(text)),
            Some(Said::Turns(turns)) => return Ok(Some(chat::rendered(&turns))),
            None => {}
        }
        if let Some(prompt) = self.instruction()? {
            return Ok(Some(prompt));
        }
        if let Some(question) = self.text("question")? {
            return Ok(Some(question));
        }
        let named = ["prompt", "instruction", "question"];
        if named.iter().all(|name| *self.cell(name) == Cell::Absent) {
            let what = "there is none, no `instruction` and no `question`, and the answers are no lists of messages with a common beginning".to_owned();
            return Err(self.wrong("prompt", what));
        }
        Ok(None)
    }
}

/// Tokens or tags with one space between them.
fn joined(json: &str, name: impl Fn() -> String) -> Result<String, ReadFault> {
    let Ok(Value::Array(list)) = serde_json::from_str(json) else {
        return Err(ReadFault::WrongType { name: name().into(), found: kind(json) });
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

/// What the JSON text of a list or an object is.
fn kind(json: &str) -> &'static str {
    if json.starts_with('[') { "an array" } else { "an object" }
}

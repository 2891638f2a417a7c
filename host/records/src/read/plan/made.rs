//! What the layouts make of a row.

use super::{Cell, Made, Plan, kind};
use crate::error::ReadFault;
use crate::layout::{Layout, chat};

/// The values that the plan's layout makes of a row.
pub fn values(plan: &Plan, cells: &[Cell]) -> Result<Values, ReadFault> {
    let row = Row { plan, cells };
    match plan.layout {
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

/// What the layout made of a row.
#[derive(Default)]
pub struct Values {
    pub prompt: Option<String>,
    pub completion: Option<String>,
    pub system: Option<String>,
    pub messages: Option<String>,
    pub chosen: Option<String>,
    pub rejected: Option<String>,
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
            Cell::Text(text) | Cell::Plain(text) => Ok(Some(text.clone())),
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
            Cell::Text(text) | Cell::Plain(text) => Ok(Some(Said::Text(text.clone()))),
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
            Cell::Text(json) | Cell::Plain(json) | Cell::Json(json) => json,
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

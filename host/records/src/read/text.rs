//! One record a line. Blank lines are left out.

use super::lines::{Lines, text};
use super::plan::{Cell, Plan};
use super::{Fault, Rows};

pub struct Text {
    lines: Lines,
}

impl Text {
    pub fn new(lines: Lines, plan: &Plan) -> Result<Self, Fault> {
        let is_text = |name: &str| name == "text";
        let other = plan.wanted().iter().find(|wanted| {
            wanted.required && !is_text(&wanted.name) && !wanted.role.as_deref().is_some_and(is_text)
        });
        match other {
            Some(wanted) => Err(Fault::whole(Plan::missing(wanted, plan.layout(), vec!["text".to_owned()]))),
            None => Ok(Self { lines }),
        }
    }
}

impl Rows for Text {
    fn next_row(&mut self, cells: &mut [Cell]) -> Result<Option<u64>, Fault> {
        while self.lines.advance()? {
            let number = self.lines.number();
            let line = text(self.lines.bytes(), number)?.trim_end_matches(['\n', '\r']);
            if line.trim().is_empty() {
                continue;
            }
            for cell in cells.iter_mut() {
                *cell = Cell::Text(line.to_owned());
            }
            return Ok(Some(number));
        }
        Ok(None)
    }

    fn raw(&self) -> Option<&[u8]> {
        Some(self.lines.bytes())
    }
}

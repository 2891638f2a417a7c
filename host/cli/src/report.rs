//! What the user sees when something goes wrong: what, where, why, and how to mend it.
//!
//! ```text
//! error: plugin acme/focal@1.2.0 failed in loss.compute at step 412
//!   cause: gather: index tensor has shape [32, 1], logits have shape [16, 77]
//!   record ids in this batch: train.jsonl:8811, train.jsonl:120, ... (16)
//!   your work is safe: last checkpoint runs/2026-11-24-a/checkpoints/step-400
//!   help: ...
//! ```

/// A piece of a file with a caret under the fault.
mod excerpt;
/// Every crate's errors as reports.
mod from;
/// A panic as a report.
mod panic;

use std::fmt;
use std::io::{IsTerminal, Write};
use std::path::Path;

pub use excerpt::Excerpt;
pub use panic::install as install_panic_hook;

/// Something went wrong while working.
pub const FAILED: u8 = 1;
/// The recipe or the command line is wrong.
pub const USAGE: u8 = 2;

/// Record ids that a report lists before it only counts them.
const SHOWN_RECORDS: usize = 4;

/// One error, ready to be shown.
#[derive(Debug, Clone)]
pub struct Report {
    /// What and where, in one line.
    pub error: String,
    pub excerpts: Vec<Excerpt>,
    /// Why.
    pub causes: Vec<String>,
    /// `file:line` of the records that were worked on.
    pub records: Vec<String>,
    /// The last checkpoint.
    pub safe: Option<String>,
    pub help: Vec<String>,
    pub exit: u8,
}

impl Report {
    pub fn new(error: impl Into<String>) -> Box<Self> {
        Box::new(Self {
            error: error.into(),
            excerpts: Vec::new(),
            causes: Vec::new(),
            records: Vec::new(),
            safe: None,
            help: Vec::new(),
            exit: FAILED,
        })
    }

    pub fn usage(error: impl Into<String>) -> Box<Self> {
        let mut report = Self::new(error);
        report.exit = USAGE;
        report
    }

    #[must_use]
    pub fn cause(mut self: Box<Self>, cause: impl Into<String>) -> Box<Self> {
        self.causes.push(cause.into());
        self
    }

    #[must_use]
    pub fn help(mut self: Box<Self>, help: impl Into<String>) -> Box<Self> {
        self.help.push(help.into());
        self
    }

    #[must_use]
    pub fn records(mut self: Box<Self>, records: Vec<String>) -> Box<Self> {
        self.records = records;
        self
    }

    #[must_use]
    pub fn safe(mut self: Box<Self>, checkpoint: Option<&Path>) -> Box<Self> {
        self.safe = checkpoint.map(|path| path.display().to_string());
        self
    }

    /// Shows it on the error stream: as text, or as one JSON line.
    pub fn show(&self, json: bool) {
        let stderr = std::io::stderr();
        let colours = stderr.is_terminal() && std::env::var_os("NO_COLOR").is_none();
        let text = if json { format!("{}\n", self.to_json()) } else { self.render(colours) };
        // Nobody is left to tell when the error stream itself is gone.
        let _ = stderr.lock().write_all(text.as_bytes());
    }

    pub fn to_json(&self) -> serde_json::Value {
        serde_json::json!({
            "event": "error",
            "error": self.error,
            "places": self.excerpts.iter().map(Excerpt::place).collect::<Vec<_>>(),
            "causes": self.causes,
            "records": self.records,
            "checkpoint": self.safe,
            "help": self.help,
        })
    }

    pub fn render(&self, colours: bool) -> String {
        let paint = Paint { colours };
        let mut text = format!("{}: {}\n", paint.red("error"), self.error);
        for excerpt in &self.excerpts {
            text.push_str(&excerpt.render(&paint));
        }
        for cause in &self.causes {
            text.push_str(&entry(&paint.bold("cause"), cause));
        }
        if !self.records.is_empty() {
            let shown = self.records.iter().take(SHOWN_RECORDS).cloned().collect::<Vec<_>>().join(", ");
            let rest = if self.records.len() > SHOWN_RECORDS {
                format!(", ... ({})", self.records.len())
            } else {
                String::new()
            };
            text.push_str(&entry(&paint.bold("record ids in this batch"), &format!("{shown}{rest}")));
        }
        if let Some(checkpoint) = &self.safe {
            text.push_str(&entry(&paint.bold("your work is safe"), &format!("last checkpoint {checkpoint}")));
        }
        for help in &self.help {
            text.push_str(&entry(&paint.cyan("help"), help));
        }
        text
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.render(false).trim_end())
    }
}

/// Later lines stand under the first one's text.
fn entry(name: &str, text: &str) -> String {
    format!("  {name}: {}\n", text.trim_end().replace('\n', "\n    "))
}

/// Colours, where there are any.
pub struct Paint {
    pub colours: bool,
}

impl Paint {
    fn red(&self, text: &str) -> String {
        self.paint("1;31", text)
    }

    fn cyan(&self, text: &str) -> String {
        self.paint("36", text)
    }

    fn bold(&self, text: &str) -> String {
        self.paint("1", text)
    }

    fn paint(&self, code: &str, text: &str) -> String {
        if self.colours { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_string() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_reads_as_the_design_shows_it() {
        let records = (0..16).map(|line| format!("train.jsonl:{line}")).collect();
        let report = Report::new("plugin acme/focal@1.2.0 failed in loss.compute at step 412")
            .cause("gather: the first dimensions must be equal")
            .records(records)
            .safe(Some(Path::new("runs/a/checkpoints/step-400")))
            .help("one\ntwo");
        let expected = "\
error: plugin acme/focal@1.2.0 failed in loss.compute at step 412
  cause: gather: the first dimensions must be equal
  record ids in this batch: train.jsonl:0, train.jsonl:1, train.jsonl:2, train.jsonl:3, ... (16)
  your work is safe: last checkpoint runs/a/checkpoints/step-400
  help: one
    two
";
        assert_eq!(report.render(false), expected);
        assert!(report.render(true).contains("\x1b[1;31merror\x1b[0m"));
    }
}

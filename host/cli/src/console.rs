//! What the user sees while Pegbox works. Progress goes to the error stream: bars on a terminal, lines with at
//! least some seconds between them elsewhere, JSON lines with `--log json`. Results go to standard output.

use std::borrow::Cow;
use std::io::{IsTerminal, Write};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use crate::arguments::{Global, LogFormat};

/// Between two lines about the same work.
const LINE_INTERVAL: Duration = Duration::from_secs(5);
/// Between two JSON lines about the same work.
const JSON_INTERVAL: Duration = Duration::from_secs(1);

#[derive(Debug, Clone, Copy)]
pub struct Console {
    json: bool,
    quiet: bool,
    terminal: bool,
}

impl Console {
    pub fn new(global: &Global) -> Self {
        Self {
            json: global.log == LogFormat::Json,
            quiet: global.quiet,
            terminal: std::io::stderr().is_terminal(),
        }
    }

    pub fn is_json(&self) -> bool {
        self.json
    }

    /// One line about what happens.
    pub fn say(&self, text: impl AsRef<str>) {
        let text = text.as_ref();
        if self.json {
            self.event(json!({ "event": "note", "text": text }));
        } else if !self.quiet {
            write_line(text);
        }
    }

    /// One JSON line, with `--log json` only.
    pub fn event(&self, event: Value) {
        if self.json {
            write_line(&event.to_string());
        }
    }

    /// A piece of work begins.
    pub fn stage(&self, name: &'static str) -> Stage {
        self.event(json!({ "event": "stage-started", "stage": name }));
        Stage { console: *self, name, started: Instant::now(), shown: Mutex::new(Shown::default()) }
    }
}

/// A piece of work that is under way.
pub struct Stage {
    console: Console,
    name: &'static str,
    started: Instant,
    shown: Mutex<Shown>,
}

/// How a piece of work ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    pub stage: &'static str,
    pub cached: bool,
    pub seconds: f64,
}

#[derive(Default)]
struct Shown {
    part: String,
    /// When the part began, and how far it was then.
    began: Option<(Instant, u64)>,
    at: Option<Instant>,
    bar: Option<ProgressBar>,
}

/// How fast a part is, and how long it will take at that pace.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Pace {
    /// Units a second.
    rate: f64,
    left: Option<Duration>,
}

impl Pace {
    /// None until it can be told.
    fn of(done: u64, before: u64, total: Option<u64>, took: Duration) -> Option<Self> {
        let made = done.checked_sub(before).filter(|made| *made > 0)?;
        if took < Duration::from_millis(500) {
            return None;
        }
        let rate = made as f64 / took.as_secs_f64();
        let left = total.and_then(|total| total.checked_sub(done));
        Some(Self { rate, left: left.map(|left| Duration::from_secs_f64(left as f64 / rate)) })
    }

    /// `1234/s, 20 s left`.
    fn told(&self) -> String {
        let left = match self.left.map(|left| left.as_secs()) {
            None => String::new(),
            Some(seconds) if seconds < 90 => format!(", {seconds} s left"),
            Some(seconds) if seconds < 5400 => format!(", {} min left", seconds.div_ceil(60)),
            Some(seconds) => format!(", {:.1} h left", seconds as f64 / 3600.0),
        };
        format!("{:.0}/s{left}", self.rate)
    }
}

impl Stage {
    /// `done` of `total` units of `part` are finished.
    pub fn progress(&self, part: &str, done: u64, total: Option<u64>) {
        self.paced(part, done, total, |pace| {
            let of = total.map_or(String::new(), |total| format!(" of {total}"));
            let pace = pace.map_or(String::new(), |pace| format!(" ({})", pace.told()));
            format!("{}: {part} {done}{of}{pace}", self.name)
        });
    }

    /// As [`Stage::progress`], in bytes.
    pub fn bytes(&self, part: &str, done: u64, total: Option<u64>) {
        self.update(part, done, total, || {
            let of = total.map_or(String::new(), |total| format!(" of {}", megabytes(total)));
            format!("{}: {part} {}{of}", self.name, megabytes(done))
        });
    }

    /// As [`Stage::progress`], with a line of its own making.
    pub fn update(&self, part: &str, done: u64, total: Option<u64>, line: impl Fn() -> String) {
        self.paced(part, done, total, |_| line());
    }

    fn paced(&self, part: &str, done: u64, total: Option<u64>, line: impl Fn(Option<Pace>) -> String) {
        if self.console.quiet && !self.console.json {
            return;
        }
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = shown.part != part;
        if fresh {
            shown.part = part.to_string();
            shown.began = Some((Instant::now(), done));
            if let Some(bar) = shown.bar.take() {
                bar.finish_and_clear();
            }
        }
        let pace = shown.began.and_then(|(began, before)| Pace::of(done, before, total, began.elapsed()));
        if self.console.terminal && !self.console.json {
            let bar = shown.bar.get_or_insert_with(|| new_bar(total));
            bar.set_position(done);
            bar.set_message(line(pace));
            return;
        }
        let interval = if self.console.json { JSON_INTERVAL } else { LINE_INTERVAL };
        let due = shown.at.is_none_or(|at| at.elapsed() >= interval);
        // The first sign of life of a short piece of work would only be noise.
        if !due || (shown.at.is_none() && self.started.elapsed() < JSON_INTERVAL) {
            return;
        }
        shown.at = Some(Instant::now());
        if self.console.json {
            self.console.event(json!({
                "event": "progress", "stage": self.name, "part": part, "done": done, "total": total,
                "rate": pace.map(|pace| pace.rate),
                "seconds-left": pace.and_then(|pace| pace.left).map(|left| left.as_secs()),
            }));
        } else {
            write_line(&line(pace));
        }
    }

    /// A line that is always shown, above the bar if there is one.
    pub fn say(&self, text: impl AsRef<str>) {
        let shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        match &shown.bar {
            Some(bar) => bar.suspend(|| self.console.say(text)),
            None => self.console.say(text),
        }
    }

    pub fn event(&self, event: Value) {
        self.console.event(event);
    }

    pub fn is_json(&self) -> bool {
        self.console.json
    }

    /// The work was done; `result` says with what result.
    pub fn finish(self, result: &str) -> Outcome {
        self.end(false, result)
    }

    /// Nothing had to be done.
    pub fn unchanged(self, result: &str) -> Outcome {
        self.end(true, result)
    }

    fn end(self, cached: bool, result: &str) -> Outcome {
        if let Some(bar) = self.shown.lock().unwrap_or_else(PoisonError::into_inner).bar.take() {
            bar.finish_and_clear();
        }
        let seconds = self.started.elapsed().as_secs_f64();
        if self.console.json {
            self.console.event(json!({
                "event": "stage-finished", "stage": self.name, "cached": cached, "seconds": seconds,
                "result": result,
            }));
        } else if cached {
            self.console.say(format!("{}: unchanged, from cache: {result}", self.name));
        } else {
            self.console.say(format!("{}: {result} ({seconds:.1} s)", self.name));
        }
        Outcome { stage: self.name, cached, seconds }
    }
}

impl pegbox_data::Progress for Stage {
    fn at(&self, stage: &str, done: u64, total: Option<u64>) {
        self.progress(stage, done, total);
    }
}

fn new_bar(total: Option<u64>) -> ProgressBar {
    let (bar, template) = match total {
        Some(total) => (ProgressBar::new(total), "{bar:24} {percent:>3}% {msg}"),
        None => (ProgressBar::new_spinner(), "{spinner} {msg}"),
    };
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar
}

pub fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}

/// Nobody is left to tell when the error stream itself is gone.
fn write_line(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// Writes a result to standard output. A reader that has gone away, as `head` does, is no error.
pub fn print(text: &str) {
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
}

/// A text that a model wrote, fit for a terminal: no control character in it is obeyed.
pub fn harmless(text: &str) -> Cow<'_, str> {
    let is_control = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
    match text.contains(is_control) {
        true => text.replace(is_control, "\u{fffd}").into(),
        false => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_does_not_move_the_cursor() {
        assert_eq!(harmless("a\tb\n\u{1b}[2Jc\r"), "a\tb\n\u{fffd}[2Jc\u{fffd}");
        assert!(matches!(harmless("ü\n"), Cow::Borrowed(_)));
    }

    #[test]
    fn a_pace_tells_the_rate_and_the_time_left() {
        let pace = |done, total, seconds| Pace::of(done, 100, total, Duration::from_secs_f64(seconds));
        assert_eq!(pace(1100, Some(3100), 2.0).unwrap().told(), "500/s, 4 s left");
        assert_eq!(pace(1100, None, 2.0).unwrap().told(), "500/s");
        assert_eq!(pace(1100, Some(1_000_000), 2.0).unwrap().told(), "500/s, 34 min left");
        assert_eq!(pace(1100, Some(10_000_000), 2.0).unwrap().told(), "500/s, 5.6 h left");
        assert_eq!((pace(100, Some(3100), 2.0), pace(1100, None, 0.1)), (None, None));
    }
}

//! docs/benchmarks.md: the part between two marks is written anew, what people wrote around it stays.

use std::fmt::Write;
use std::path::Path;
use std::time::SystemTime;

use anyhow::{Context, Result};

use crate::sample::Sample;
use crate::{cleaner, languages, loss, step};

/// A part of the page, which is written as a whole.
#[derive(Clone, Copy)]
pub enum Part {
    Steps,
    Cleaners,
    Languages,
    Data,
}

impl Part {
    fn marks(self) -> (&'static str, &'static str) {
        match self {
            Self::Steps => {
                ("<!-- written by `cargo xtask bench` -->", "<!-- end of what `cargo xtask bench` writes -->")
            }
            Self::Cleaners => (
                "<!-- cleaners, written by `cargo xtask bench --cleaners-only` -->",
                "<!-- end of what `cargo xtask bench --cleaners-only` writes -->",
            ),
            Self::Languages => (
                "<!-- languages, written by `cargo xtask bench` -->",
                "<!-- end of the languages that `cargo xtask bench` writes -->",
            ),
            Self::Data => (
                "<!-- data, written by `cargo xtask bench data` -->",
                "<!-- end of what `cargo xtask bench data` writes -->",
            ),
        }
    }
}

pub struct Page {
    part: Part,
    text: String,
}

impl Page {
    pub fn new(part: Part) -> Self {
        let mut text = String::new();
        let _ = writeln!(
            text,
            "Machine: {}, {} threads. Medians, with the smallest and the largest in brackets; ratios are taken pair \
             by pair.\n",
            processor(),
            step::THREADS
        );
        Self { part, text }
    }

    /// A part that was written elsewhere.
    pub fn of(part: Part, text: String) -> Self {
        Self { part, text }
    }

    pub fn step(&mut self, compared: &step::Compared) {
        let (rows, tokens) = (step::ROWS, step::TOKENS);
        self.line(&format!(
            "### Training step against PyTorch {}\n\nMiniLM-L6 shape (hidden 384, 6 layers, 12 heads, FFN 1536, \
             vocabulary 30,522), batch {rows} x {tokens}, float32, dropout 0.1, AdamW. Milliseconds.\n\n\
             | | Pegbox | PyTorch |\n| --- | --- | --- |",
            compared.torch
        ));
        let phases = [
            ("forward", &compared.ours.forward, &compared.theirs.forward),
            ("backward", &compared.ours.backward, &compared.theirs.backward),
            ("AdamW", &compared.ours.optimizer, &compared.theirs.optimizer),
            ("step", &compared.ours.whole, &compared.theirs.whole),
        ];
        for (name, ours, theirs) in phases {
            self.line(&format!("| {name} | {} | {} |", milliseconds(ours), milliseconds(theirs)));
        }
        self.line(&format!("\nSpeed, PyTorch's as 1: **{}**\n", ratio(&compared.speed)));
    }

    pub fn loss(&mut self, compared: &loss::Compared) {
        self.line(&format!(
            "### focal-loss through WebAssembly against the same loss built in\n\nWhole training steps as above, in \
             turn. Milliseconds.\n\n| built in | WebAssembly | WebAssembly / built in |\n| --- | --- | --- |\n\
             | {} | {} | **{}** |\n",
            milliseconds(&compared.built_in),
            milliseconds(&compared.wasm),
            quartiles(&compared.cost),
        ));
    }

    pub fn languages(&mut self, measured: &[languages::Measured]) {
        self.line(&format!(
            "The templates of `pegbox plugin new`, unchanged. Loss: focal loss in whole training steps as above, against \
             the built-in one, in turn; the difference is that of loss and gradient norm in the first step. Cleaner: \
             joins runs of white space, batches of {} records of about {} bytes, one core.\n\n\
             | language | step / built in | difference | cleaner, MB/s | component, KB | compile, s | load from cache, ms |\n\
             | --- | --- | --- | --- | --- | --- | --- |",
            cleaner::BATCH,
            cleaner::RECORD
        ));
        for languages::Measured { language, size, compile, load, cost, difference, cleaner, .. } in measured {
            self.line(&format!(
                "| {language} | **{}** | {difference:.1e} | {} | {} | {compile:.2} | {:.1} ({:.1} to {:.1}) |",
                quartiles(cost),
                whole(cleaner),
                size.div_ceil(1024),
                load.median * 1e3,
                load.min * 1e3,
                load.max * 1e3,
            ));
        }
        for languages::Measured { language, of_native, .. } in measured {
            if let Some(speed) = of_native {
                self.line(&format!(
                    "\nThe cleaner in {language} against its native build: **{}**",
                    ratio(speed)
                ));
            }
        }
    }

    /// Writes the page, and prints it.
    pub fn write(&self, path: &Path) -> Result<()> {
        println!("{}", self.text);
        let (begin, end) = self.part.marks();
        let old =
            std::fs::read_to_string(path).unwrap_or_else(|_| format!("# Benchmarks\n\n{begin}\n{end}\n"));
        let (before, rest) =
            old.split_once(begin).with_context(|| format!("{} lacks {begin}", path.display()))?;
        let (_, after) = rest.split_once(end).with_context(|| format!("{} lacks {end}", path.display()))?;
        let text = format!("{before}{begin}\n{}\n{end}{after}", self.text.trim_end());
        pegbox_durable::write_file(path, text.as_bytes())
            .with_context(|| format!("cannot write {}", path.display()))
    }

    fn line(&mut self, text: &str) {
        self.text.push_str(text);
        self.text.push('\n');
    }
}

fn milliseconds(sample: &Sample) -> String {
    let [median, min, max] = [sample.median, sample.min, sample.max].map(|seconds| seconds * 1e3);
    format!("{median:.0} ({min:.0} to {max:.0})")
}

fn whole(sample: &Sample) -> String {
    format!("{:.0} ({:.0} to {:.0})", sample.median, sample.min, sample.max)
}

fn ratio(sample: &Sample) -> String {
    format!("{:.2} ({:.2} to {:.2})", sample.median, sample.min, sample.max)
}

fn quartiles(sample: &Sample) -> String {
    format!("{:.4} (half of the pairs between {:.3} and {:.3})", sample.median, sample.lower, sample.upper)
}

/// The machine's name.
pub fn processor() -> String {
    let about = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = about.lines().find_map(|line| line.strip_prefix("model name"));
    name.and_then(|line| line.split_once(':'))
        .map_or("unknown".to_string(), |(_, name)| name.trim().to_string())
}

/// The date, in universal time.
pub fn today() -> String {
    let seconds = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |time| time.as_secs());
    let [year, month, day] = date(seconds / 86_400);
    format!("{year}-{month:02}-{day:02}")
}

/// The date that many days after the first of January 1970, counted in years that begin in March: a leap day is then
/// a year's last.
fn date(days: u64) -> [u64; 3] {
    const CYCLE: u64 = 400 * 365 + 97;
    let days = days + 719_468;
    let (cycle, day) = (days / CYCLE, days % CYCLE);
    let year = (day - day / 1460 + day / 36_524 - day / (CYCLE - 1)) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let since_march = [month, day - (153 * month + 2) / 5 + 1];
    let [month, day] = [(since_march[0] + 2) % 12 + 1, since_march[1]];
    [400 * cycle + year + u64::from(month <= 2), month, day]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates() {
        assert_eq!(date(0), [1970, 1, 1]);
        assert_eq!(date(11_016), [2000, 2, 29]);
        assert_eq!(date(11_017), [2000, 3, 1]);
        assert_eq!(date(20_454), [2026, 1, 1]);
        assert_eq!(date(47_540), [2100, 2, 28]);
        assert_eq!(date(47_541), [2100, 3, 1]);
    }
}

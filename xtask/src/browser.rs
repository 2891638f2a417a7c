//! The browser that opens the report of `pegbox prepare` in its test, and the reader of what it prints.

use crate::debian;
use anyhow::Result;

/// What the test finds under `PEGBOX_CHROMIUM`.
pub const PROGRAM: &str = "/usr/bin/chromium";

pub fn install() -> Result<()> {
    debian::install("chromium", PROGRAM, "--version", "a test opens a report in it")?;
    debian::install("poppler-utils", "pdftotext", "-v", "a test reads a printed report")
}

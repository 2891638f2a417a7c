//! Cleaning on one core: material for the cleaners of all languages.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result};
use flate2::read::GzDecoder;
use pegbox_runtime::{Cleaner, Outcome, Row, RowBatch};
use serde_json::Value;

/// Records of a batch, and bytes of a record, about.
pub const BATCH: usize = 256;
pub const RECORD: usize = 500;
const BATCHES: usize = 40;

/// Records with runs of white space, for a cleaner that joins them.
pub fn spaced(texts: &Path) -> Result<Vec<RowBatch>> {
    Ok(records(&read(texts)?, |text| text.replace(' ', "  ")))
}

pub fn time(cleaner: &mut dyn Cleaner, batches: &[RowBatch]) -> Result<(f64, Vec<Vec<Outcome>>)> {
    let start = Instant::now();
    let outcomes = batches.iter().map(|batch| cleaner.clean(batch)).collect::<Result<Vec<_>, _>>()?;
    Ok((start.elapsed().as_secs_f64(), outcomes))
}

pub fn length(row: &Row) -> usize {
    row.values.iter().flatten().map(String::len).sum()
}

/// Batches of records of about [`RECORD`] bytes, each several texts in a row.
fn records(texts: &[String], change: impl Fn(&str) -> String) -> Vec<RowBatch> {
    let mut texts = texts.iter().cycle();
    let mut id = 0;
    let mut record = || {
        let mut text = String::new();
        while text.len() < RECORD {
            text.push_str(&change(texts.next().map_or("nothing", String::as_str)));
            text.push(' ');
        }
        text.pop();
        id += 1;
        Row { id, values: vec![Some(text)] }
    };
    (0..BATCHES)
        .map(|_| RowBatch { fields: vec!["text".to_string()], rows: (0..BATCH).map(|_| record()).collect() })
        .collect()
}

fn read(path: &Path) -> Result<Vec<String>> {
    let mut text = String::new();
    let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    GzDecoder::new(file).read_to_string(&mut text)?;
    text.lines()
        .map(|line| {
            let record: Value = serde_json::from_str(line)?;
            record["text"].as_str().map(str::to_string).context("a record without a text")
        })
        .collect()
}

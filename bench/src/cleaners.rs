//! Each first-party cleaner as a component against its native library, on rows as they come to it in a pipeline; and
//! the pipeline of all of them on one core and two.
//!
//! What is compared is the thread's processor time, pair by pair, on one core: other programs that run meanwhile take
//! wall time from both sides, but hardly change this.

/// The pipeline on one thread and two.
mod pipeline;
/// The thread's clock, and its core.
mod processor;
/// What is written down.
mod table;

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use clap::Args;
use pegbox_runtime::{
    Cleaner, LoadOptions, Outcome, Plugin, PluginFolders, Resolved, Row, RowBatch, Runtime, TrustLevel,
};
use serde_json::{Value, json};

use crate::data::{Sentences, records};
use crate::page::{Page, Part};
use crate::sample::Sample;
use pipeline::Pipeline;

/// Records of a call, as `prepare` makes them.
const BATCH: usize = 256;
/// Rows of a corpus that are cleaned to find what each cleaner changes.
const ROWS: u64 = 40_000;
/// Rows of one timed pass.
const PASS: usize = 4096;
/// Passes before those that count.
const WARM_UP: usize = 3;
/// The fewest pairs of passes, and how sure the median must be for no more than that.
const PAIRS: usize = 40;
const PRECISION: f64 = 0.01;

#[derive(Args)]
pub struct Options {
    #[command(flatten)]
    sentences: Sentences,
    /// The folder of built plugins, with native libraries
    #[arg(long)]
    plugins: PathBuf,
    /// Measure this cleaner only, and write no page
    #[arg(long)]
    only: Option<String>,
    /// The most pairs of passes of each comparison
    #[arg(long, default_value_t = 400)]
    pairs: usize,
    /// The page to write
    #[arg(long)]
    page: PathBuf,
}

/// A cleaner's place in the pipeline: the recipe of `cargo xtask bench data`.
struct Stage {
    name: &'static str,
    fields: &'static [&'static str],
    configuration: Value,
}

fn stages() -> [Stage; 6] {
    let text: &[&str] = &["text"];
    let stage = |name, fields, configuration| Stage { name, fields, configuration };
    let missing = json!({ "fields": { "text": { "policy": "drop" }, "label": { "policy": "drop" } } });
    [
        stage("encoding-repair", text, json!({ "misread-as": ["windows-1252"] })),
        stage("markup-stripper", text, json!({})),
        stage("text-normalizer", text, json!({ "form": "NFKC" })),
        stage("missing-values", &["text", "label"], missing),
        stage("noise-filter", text, json!({})),
        stage("pii-scrubber", text, json!({})),
    ]
}

/// One cleaner on some rows.
pub struct Compared {
    pub cleaner: &'static str,
    /// Which rows.
    pub rows: &'static str,
    /// Megabytes of text a second of processor time.
    pub wasm: Sample,
    pub native: Sample,
    /// WASM's speed over the native library's, pair by pair.
    pub speed: Sample,
}

pub fn measure(options: &Options) -> Result<()> {
    let cache = tempfile::tempdir()?;
    let runtime = Runtime::new(cache.path())?;
    let folders = PluginFolders::new(vec![options.plugins.clone()]);
    let stages = stages();
    let corpus = records(&options.sentences, ROWS)?;

    let home = processor::pin()?;
    let mut compared = Vec::new();
    let mut rows = corpus.clone();
    for stage in &stages {
        let found = folders.resolve(&format!("pegbox/{}", stage.name))?;
        let mut sides = Sides {
            wasm: component(&runtime, &found)?.cleaner(&stage.configuration)?,
            native: native(&runtime, &found)?.cleaner(&stage.configuration)?,
        };
        let batches: Vec<RowBatch> = batches(stage.fields, &rows);
        let outcomes = clean(sides.wasm.as_mut(), &batches)?;
        if options.only.as_deref().is_none_or(|only| only == stage.name) {
            for (name, batches) in materials(stage.fields, &rows, &outcomes) {
                compared.push(sides.compare(stage.name, name, &batches, options.pairs)?);
            }
        }
        rows = left(rows, stage.fields, outcomes);
    }
    processor::release(&home)?;
    if options.only.is_some() {
        println!("{}", table::page(&compared, None));
        return Ok(());
    }
    let pipeline = Pipeline::measure(&runtime, &folders, &stages, &corpus)?;
    Page::of(Part::Cleaners, table::page(&compared, Some(&pipeline))).write(&options.page)
}

fn component(runtime: &Runtime, found: &Resolved) -> Result<Plugin> {
    Ok(runtime.load(found, &LoadOptions::default())?)
}

fn native(runtime: &Runtime, found: &Resolved) -> Result<Plugin> {
    let binary = found.manifest.native.as_ref().context("build the plugins with --native")?;
    let digest = binary.digest.clone().context("the native library has no digest")?;
    let trusted = LoadOptions { trust: TrustLevel::Native { digest }, ..LoadOptions::default() };
    Ok(runtime.load(found, &trusted)?)
}

/// The same plugin twice.
struct Sides {
    wasm: Box<dyn Cleaner>,
    native: Box<dyn Cleaner>,
}

impl Sides {
    fn compare(
        &mut self,
        cleaner: &'static str,
        rows: &'static str,
        batches: &[RowBatch],
        most: usize,
    ) -> Result<Compared> {
        eprintln!("  {cleaner}: {rows}");
        ensure!(
            clean(self.wasm.as_mut(), batches)? == clean(self.native.as_mut(), batches)?,
            "{cleaner}: the component and the native library clean differently"
        );
        let values = batches.iter().flat_map(|batch| &batch.rows).flat_map(|row| row.values.iter().flatten());
        let megabytes = values.map(String::len).sum::<usize>() as f64 / 1e6;
        let (mut wasm, mut native) = (Vec::new(), Vec::new());
        for pair in 0..WARM_UP + most {
            // Neither side always finds what the other left in the processor's caches.
            let (a, b) = if pair % 2 == 0 {
                let a = processor::time(|| clean(self.wasm.as_mut(), batches))?;
                (a, processor::time(|| clean(self.native.as_mut(), batches))?)
            } else {
                let b = processor::time(|| clean(self.native.as_mut(), batches))?;
                (processor::time(|| clean(self.wasm.as_mut(), batches))?, b)
            };
            if pair >= WARM_UP {
                wasm.push(megabytes / a);
                native.push(megabytes / b);
            }
            let sure = Sample::of_ratios(&wasm, &native).is_some_and(|speed| speed.error() <= PRECISION);
            if wasm.len() >= PAIRS && sure {
                break;
            }
        }
        Ok(Compared {
            cleaner,
            rows,
            speed: Sample::of_ratios(&wasm, &native).context("no pairs")?,
            wasm: Sample::of(&wasm).context("no pairs")?,
            native: Sample::of(&native).context("no pairs")?,
        })
    }
}

fn clean(cleaner: &mut dyn Cleaner, batches: &[RowBatch]) -> Result<Vec<Outcome>> {
    let mut outcomes = Vec::new();
    for batch in batches {
        outcomes.extend(cleaner.clean(batch)?);
    }
    Ok(outcomes)
}

/// Rows as they come, those that the cleaner keeps, and those that it changes or drops; each a pass of batches.
fn materials(fields: &[&str], rows: &[Record], outcomes: &[Outcome]) -> Vec<(&'static str, Vec<RowBatch>)> {
    let some = |wanted: &dyn Fn(&Outcome) -> bool| -> Vec<Record> {
        let rows = rows.iter().zip(outcomes).filter(|(_, outcome)| wanted(outcome)).map(|(row, _)| row);
        rows.cloned().collect()
    };
    let kept = |outcome: &Outcome| *outcome == Outcome::Keep;
    [
        ("as they come", rows.to_vec()),
        ("clean: all are kept", some(&kept)),
        ("dirty: all are changed or dropped", some(&|outcome| !kept(outcome))),
    ]
    .into_iter()
    .filter(|(_, rows)| !rows.is_empty())
    .map(|(name, rows)| {
        let pass: Vec<Record> = rows.iter().cycle().take(PASS).cloned().collect();
        (name, batches(fields, &pass))
    })
    .collect()
}

/// A record of the corpus: its text and its label.
pub type Record = [Option<String>; 2];

/// The fields of a [`Record`].
const FIELDS: [&str; 2] = ["text", "label"];

fn batches(fields: &[&str], rows: &[Record]) -> Vec<RowBatch> {
    let value = |row: &Record, field: &str| {
        let place = FIELDS.iter().position(|name| *name == field);
        place.and_then(|place| row[place].clone())
    };
    let mut id = 0;
    let mut row = |row: &Record| {
        id += 1;
        Row { id, values: fields.iter().map(|field| value(row, field)).collect() }
    };
    let fields: Vec<String> = fields.iter().map(|field| (*field).to_owned()).collect();
    rows.chunks(BATCH)
        .map(|rows| RowBatch { fields: fields.clone(), rows: rows.iter().map(&mut row).collect() })
        .collect()
}

/// What a cleaner left of `rows`.
fn left(rows: Vec<Record>, fields: &[&str], outcomes: Vec<Outcome>) -> Vec<Record> {
    let with = |row: &Record, values: Vec<Option<String>>| {
        let mut changed = row.clone();
        for (field, value) in fields.iter().zip(values) {
            if let Some(place) = FIELDS.iter().position(|name| name == field) {
                changed[place] = value;
            }
        }
        changed
    };
    let mut left = Vec::with_capacity(rows.len());
    for (row, outcome) in rows.into_iter().zip(outcomes) {
        match outcome {
            Outcome::Keep => left.push(row),
            Outcome::Replace(values) => left.push(with(&row, values)),
            Outcome::Drop(_) => {}
            Outcome::Split(pieces) => left.extend(pieces.into_iter().map(|values| with(&row, values))),
        }
    }
    left
}

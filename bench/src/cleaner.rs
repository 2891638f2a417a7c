//! Cleaning on one core: the plugin text-normalizer as a component, as a native library, and its code called
//! directly, on the same batches.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, anyhow};
use flate2::read::GzDecoder;
use pegbox_plugin::{Cleaner as _, Plugin as _};
use pegbox_runtime::{Cleaner, LoadOptions, Outcome, PluginFolders, Row, RowBatch, Runtime, TrustLevel};
use pegbox_text_normalizer::TextNormalizer;
use serde_json::{Value, json};

use crate::sample::Sample;

/// Records of a batch, and bytes of a record, about.
pub const BATCH: usize = 256;
pub const RECORD: usize = 500;
const BATCHES: usize = 40;

/// Megabytes a second.
pub struct Compared {
    pub name: &'static str,
    pub wasm: Sample,
    pub native: Sample,
    pub direct: Sample,
    /// WASM's speed over the native library's, pair by pair.
    pub speed: Sample,
}

pub fn measure(plugins: &Path, texts: &Path, rounds: usize) -> Result<Vec<Compared>> {
    let texts = read(texts)?;
    let clean = records(&texts, |text| text.to_string());
    let dirty = records(&texts, |text| {
        text.replace(' ', "  ").replace('\'', "&#39;").replace('a', "\u{ff41}").replace("I ", "I\u{200b} ")
    });
    Ok(vec![
        compare("clean: nothing to do", plugins, &clean, rounds)?,
        compare("dirty: entities, full-width letters, white space", plugins, &dirty, rounds)?,
    ])
}

/// Records with runs of white space, for a cleaner that joins them.
pub fn spaced(texts: &Path) -> Result<Vec<RowBatch>> {
    Ok(records(&read(texts)?, |text| text.replace(' ', "  ")))
}

fn compare(name: &'static str, plugins: &Path, batches: &[RowBatch], rounds: usize) -> Result<Compared> {
    eprintln!("  cleaner, {name}");
    let config = json!({ "form": "NFKC", "protect": ["[A-Z]{2,}"] });
    let cache = std::env::temp_dir().join("pegbox-bench-compiled");
    let runtime = Runtime::new(&cache).map_err(|error| anyhow!("{error}"))?;
    let found = PluginFolders::new(vec![plugins.to_path_buf()]).resolve("pegbox/text-normalizer")?;
    let mut wasm = runtime.load(&found, &LoadOptions::default())?.cleaner(&config)?;
    let binary = found.manifest.native.as_ref().context("build the plugins with --native")?;
    let digest = binary.digest.clone().context("the native library has no digest")?;
    let trusted = LoadOptions { trust: TrustLevel::Native { digest }, ..LoadOptions::default() };
    let mut native = runtime.load(&found, &trusted)?.cleaner(&config)?;
    let mut direct = TextNormalizer::configure(&config.to_string()).map_err(|error| anyhow!("{error}"))?;

    let bytes: usize = batches.iter().flat_map(|batch| &batch.rows).map(length).sum();
    let speed = |seconds: f64| bytes as f64 / 1e6 / seconds;
    let (mut of_wasm, mut of_native, mut of_direct) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..=rounds {
        let (a, from_wasm) = time(wasm.as_mut(), batches)?;
        let (b, from_native) = time(native.as_mut(), batches)?;
        // The direct call takes a batch for itself; copying it is not the cleaner's work.
        let copies = batches.to_vec();
        let start = Instant::now();
        for batch in copies {
            direct.clean(batch).map_err(|error| anyhow!("{error}"))?;
        }
        let c = start.elapsed().as_secs_f64();
        if from_wasm != from_native {
            return Err(anyhow!("the component and the native library clean differently"));
        }
        if round > 0 {
            of_wasm.push(speed(a));
            of_native.push(speed(b));
            of_direct.push(speed(c));
        }
    }
    Ok(Compared {
        name,
        speed: Sample::of_ratios(&of_wasm, &of_native).context("no rounds")?,
        wasm: Sample::of(&of_wasm).context("no rounds")?,
        native: Sample::of(&of_native).context("no rounds")?,
        direct: Sample::of(&of_direct).context("no rounds")?,
    })
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

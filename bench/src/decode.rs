//! Greedy generation, prompts and loading against Transformers: the same model, prompt and number of threads, each in a
//! process of its own, in turn.

use std::path::PathBuf;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;

use crate::page::{Page, Part};
use crate::sample::Sample;
use crate::step::THREADS;

/// Tokens of the long prompts.
const PROMPT: usize = 512;
/// Tokens that are generated after a short prompt.
const TOKENS: usize = 128;
/// Of them, the first few do not count.
const WARM_UP: usize = 4;

/// Generation with a decoder-only model.
#[derive(clap::Args)]
pub struct Options {
    /// The program `decode` of pegbox-models
    #[arg(long)]
    decode: PathBuf,
    /// A folder with config.json and model.safetensors, in float32
    #[arg(long)]
    model: PathBuf,
    /// A Python with torch and transformers
    #[arg(long)]
    python: PathBuf,
    /// bench/python/torch_decode.py
    #[arg(long)]
    torch_decode: PathBuf,
    /// The page to write
    #[arg(long)]
    page: PathBuf,
    /// Pairs of runs
    #[arg(long, default_value_t = 5)]
    rounds: usize,
}

/// As both programs print it, in seconds.
#[derive(Deserialize)]
struct Run {
    first_token_at: f64,
    prefill: Vec<f64>,
    steps: Vec<f64>,
    tokens: Vec<u32>,
    peer: Option<String>,
    /// From the start of the process to its first token.
    #[serde(skip)]
    first_token: f64,
}

pub fn measure(options: &Options) -> Result<()> {
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for round in 0..options.rounds {
        eprintln!("  decode: round {} of {}", round + 1, options.rounds);
        let mut command = Command::new(&options.decode);
        command.arg(&options.model).args([PROMPT.to_string(), TOKENS.to_string()]);
        ours.push(run(command.env("RAYON_NUM_THREADS", THREADS.to_string()))?);
        let mut command = Command::new(&options.python);
        // Settings that some machines need for old builds of numerical libraries would slow PyTorch down.
        command.env_remove("OPENBLAS_CORETYPE").env_remove("OPENBLAS_L2_SIZE");
        command.arg(&options.torch_decode).arg(&options.model);
        theirs.push(run(command.args([PROMPT, TOKENS, THREADS].map(|number| number.to_string())))?);
    }
    for (ours, theirs) in ours.iter().zip(&theirs) {
        ensure!(
            ours.tokens == theirs.tokens,
            "the generated tokens differ: {:?}\n{:?}",
            ours.tokens,
            theirs.tokens
        );
    }

    let peer = theirs.first().and_then(|run| run.peer.clone()).unwrap_or_default();
    let rows = [
        row("a token of greedy generation, batch 1", &ours, &theirs, |run| {
            median(run.steps.get(WARM_UP..)?)
        })?,
        row(&format!("a prompt of {PROMPT} tokens"), &ours, &theirs, |run| median(&run.prefill))?,
        row("from the start of the process to the first token", &ours, &theirs, |run| Some(run.first_token))?,
    ];
    let name = options.model.file_name().map_or(String::new(), |name| name.to_string_lossy().into_owned());
    let mut page = Page::new(Part::Decode);
    page.table(&format!(
        "{name}, float32, {TOKENS} tokens after a prompt of 16; {peer}. Milliseconds; the generated tokens are the \
         same.\n\n| | Pegbox | Transformers | Transformers / Pegbox |\n| --- | --- | --- | --- |\n{}",
        rows.join("\n")
    ));
    page.write(&options.page)
}

fn row(what: &str, ours: &[Run], theirs: &[Run], of: impl Fn(&Run) -> Option<f64>) -> Result<String> {
    let values = |runs: &[Run]| runs.iter().map(&of).collect::<Option<Vec<f64>>>();
    let (ours, theirs) = (values(ours).context("too few steps")?, values(theirs).context("too few steps")?);
    let sample = |values: &[f64]| Sample::of(values).context("no rounds");
    let cell = |sample: Sample, unit: f64, digits: usize| {
        let [median, min, max] = [sample.median, sample.min, sample.max].map(|value| value * unit);
        format!("{median:.digits$} ({min:.digits$} to {max:.digits$})")
    };
    let ratio = Sample::of_ratios(&theirs, &ours).context("no rounds")?;
    Ok(format!(
        "| {what} | {} | {} | **{}** |",
        cell(sample(&ours)?, 1e3, 1),
        cell(sample(&theirs)?, 1e3, 1),
        cell(ratio, 1.0, 2)
    ))
}

fn median(values: &[f64]) -> Option<f64> {
    Sample::of(values).map(|sample| sample.median)
}

fn run(command: &mut Command) -> Result<Run> {
    let start = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs_f64();
    let output = command.output().with_context(|| format!("{command:?} cannot be started"))?;
    if !output.status.success() {
        bail!("{command:?} failed\n{}", String::from_utf8_lossy(&output.stderr));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().rfind(|line| line.starts_with('{')).context("it printed no JSON")?;
    let mut run: Run = serde_json::from_str(line).with_context(|| format!("{command:?} printed {line}"))?;
    run.first_token = run.first_token_at - start;
    Ok(run)
}

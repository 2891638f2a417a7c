//! A training step against PyTorch's: the same architecture, batch, optimizer and number of threads, each in a
//! process of its own, in turn.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::sample::Sample;

pub const ROWS: usize = 16;
pub const TOKENS: usize = 64;
pub const THREADS: usize = 2;
/// Steps of one run.
const STEPS: usize = 16;
/// Of them, the first few do not count.
const WARM_UP: usize = 4;

/// Seconds of each phase of each step, as both programs print them.
#[derive(Deserialize)]
struct Phases {
    forward: Vec<f64>,
    backward: Vec<f64>,
    optimizer: Vec<f64>,
    torch: Option<String>,
}

/// Seconds a step, by run.
pub struct Compared {
    pub ours: Phase,
    pub theirs: Phase,
    /// PyTorch's speed as 1: ours, pair by pair.
    pub speed: Sample,
    pub torch: String,
}

/// Medians of the runs.
pub struct Phase {
    pub forward: Sample,
    pub backward: Sample,
    pub optimizer: Sample,
    pub whole: Sample,
}

pub fn measure(step: &Path, python: &Path, torch_step: &Path, rounds: usize) -> Result<Compared> {
    let (rows, tokens, steps, threads) =
        (ROWS.to_string(), TOKENS.to_string(), STEPS.to_string(), THREADS.to_string());
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    let mut torch = String::new();
    for round in 0..rounds {
        eprintln!("  step: round {} of {rounds}", round + 1);
        let mut command = Command::new(step);
        command.args([&rows, &tokens, &steps]).env("RAYON_NUM_THREADS", &threads);
        ours.push(run(&mut command)?);
        let mut command = Command::new(python);
        // Settings that some machines need for old builds of numerical libraries would slow PyTorch down.
        command.env_remove("OPENBLAS_CORETYPE").env_remove("OPENBLAS_L2_SIZE");
        command.arg(torch_step).args([&rows, &tokens, &steps, &threads]);
        let phases = run(&mut command)?;
        torch = phases.torch.clone().unwrap_or_default();
        theirs.push(phases);
    }
    let wholes = |runs: &[Phases]| runs.iter().map(|run| median(&run.whole())).collect::<Option<Vec<f64>>>();
    let (a, b) = (wholes(&theirs).context("no steps")?, wholes(&ours).context("no steps")?);
    let speed = Sample::of_ratios(&a, &b).context("no rounds")?;
    Ok(Compared { ours: Phase::of(&ours)?, theirs: Phase::of(&theirs)?, speed, torch })
}

impl Phases {
    fn whole(&self) -> Vec<f64> {
        let steps = self.forward.iter().zip(&self.backward).zip(&self.optimizer);
        steps.skip(WARM_UP).map(|((forward, backward), optimizer)| forward + backward + optimizer).collect()
    }
}

impl Phase {
    fn of(runs: &[Phases]) -> Result<Self> {
        let medians = |phase: &dyn Fn(&Phases) -> Vec<f64>| -> Result<Sample> {
            let medians: Option<Vec<f64>> = runs.iter().map(|run| median(&phase(run))).collect();
            medians.as_deref().and_then(Sample::of).context("no steps")
        };
        let counted = |values: &[f64]| values.iter().skip(WARM_UP).copied().collect::<Vec<_>>();
        Ok(Self {
            forward: medians(&|run| counted(&run.forward))?,
            backward: medians(&|run| counted(&run.backward))?,
            optimizer: medians(&|run| counted(&run.optimizer))?,
            whole: medians(&Phases::whole)?,
        })
    }
}

fn median(values: &[f64]) -> Option<f64> {
    Sample::of(values).map(|sample| sample.median)
}

fn run(command: &mut Command) -> Result<Phases> {
    let output = command.output().with_context(|| format!("{command:?} cannot be started"))?;
    if !output.status.success() {
        bail!("{command:?} failed\n{}", String::from_utf8_lossy(&output.stderr));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().rfind(|line| line.starts_with('{')).context("it printed no JSON")?;
    serde_json::from_str(line).with_context(|| format!("{command:?} printed {line}"))
}

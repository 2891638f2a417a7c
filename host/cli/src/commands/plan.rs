//! `pegbox plan`: what a training takes, before it begins.

use pegbox_data::BatchPlan;
use pegbox_models::BatchShape;
use pegbox_recipe::Recipe;
use pegbox_train::plan::{Arithmetic, Memory, Workload};
use pegbox_train::{Probe, TrainJob, probe_spread, resident};
use serde::Serialize;

use super::Ground;
use crate::arguments::Plan;
use crate::console::{megabytes, print};
use crate::report::Report;
use crate::session::Session;
use crate::stages::memory;
use crate::stages::remedies::{self, Remedy};
use crate::stages::training::duration;

/// Everything that is planned, as JSON gives it. Bytes, tokens, seconds.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Planned {
    parameters: u64,
    trained: u64,
    batches: u64,
    /// The largest of an epoch.
    largest_batch: Shape,
    /// Of an epoch, with padding.
    tokens: u64,
    padding: u64,
    epochs: u64,
    memory: Memory,
    /// The program and the data.
    program: u64,
    available: Option<u64>,
    fits: Option<bool>,
    /// Changes that each make it fit, where it does not.
    remedies: Vec<Remedy>,
    flops_per_token: Flops,
    flops_per_epoch: f64,
    measured: Option<Measured>,
}

#[derive(Clone, Copy, Serialize)]
struct Shape {
    rows: usize,
    tokens: usize,
}

#[derive(Serialize)]
struct Flops {
    forward: u64,
    backward: u64,
}

/// What some real steps took.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Measured {
    steps: usize,
    tokens: usize,
    seconds: f64,
    flops_per_second: f64,
    /// Of the whole program.
    peak: Option<u64>,
    epoch_seconds: f64,
}

/// An epoch's batches.
struct Epoch {
    batches: u64,
    largest: BatchShape,
    tokens: u64,
    padded: u64,
    /// Tokens of the longest row of each batch, weighted by its tokens: attention goes by it.
    width: usize,
}

pub fn run(session: &Session, arguments: &Plan) -> Result<(), Box<Report>> {
    let given = arguments.memory.map(|gigabytes| match gigabytes {
        gigabytes if gigabytes > 0.0 && gigabytes.is_finite() => Ok((gigabytes * 1e9) as u64),
        _ => Err(Report::usage(format!("--memory {gigabytes} is no amount of memory"))),
    });
    let given = given.transpose()?;
    let ground = Ground::new(session, Recipe::load(&arguments.recipe.recipe)?)?;
    let program = resident().unwrap_or(0);
    let on_cpu = session.global.device == "cpu";
    let available = given.or_else(|| if on_cpu { memory::free().map(|free| free + program) } else { None });

    let material = ground.material(session);
    let mut job = material.job()?;
    let work = workload(&mut job)?;
    let epoch = Epoch::of(&job);
    let recipe = &ground.recipe;
    let memory = work.memory(epoch.largest);
    let fits = available.map(|available| memory.peak + program <= available);
    let remedies = match available {
        Some(available) if fits == Some(false) => {
            remedies::of(&work, recipe, epoch.largest, available, program)
        }
        _ => Vec::new(),
    };
    let Arithmetic { forward, backward } = work.arithmetic(epoch.width);
    let flops_per_epoch = (forward + backward) as f64 * epoch.padded as f64;
    // A step that does not fit would end this program, and maybe others.
    let steps = !arguments.no_steps && fits != Some(false);
    let measured = match steps {
        true => Some(measure(&material, job, arguments.steps as usize, &epoch, (forward + backward) as f64)?),
        false => None,
    };
    let (parameters, trained) = work.counts();
    let planned = Planned {
        parameters,
        trained,
        batches: epoch.batches,
        largest_batch: Shape { rows: epoch.largest.rows, tokens: epoch.largest.tokens },
        tokens: epoch.padded,
        padding: epoch.padded - epoch.tokens,
        epochs: recipe.train.epochs,
        memory,
        program,
        available,
        fits,
        remedies,
        flops_per_token: Flops { forward, backward },
        flops_per_epoch,
        measured,
    };
    if arguments.json {
        let text = serde_json::to_string_pretty(&planned).map_err(|error| Report::new(error.to_string()))?;
        print(&format!("{text}\n"));
        return Ok(());
    }
    print(&planned.shown(session, recipe));
    Ok(())
}

fn workload(job: &mut TrainJob<'_>) -> Result<Workload, Box<Report>> {
    let parameters = Workload::parameters_of(&mut job.model);
    let names: Vec<String> = parameters.iter().map(|(name, _)| name.clone()).collect();
    let config = job.model.config();
    let trained = job.settings.freeze.trained(&config, &names)?;
    Ok(Workload {
        config,
        head: job.model.head(),
        parameters,
        trained,
        accumulation: job.settings.accumulation,
    })
}

impl Epoch {
    fn of(job: &TrainJob<'_>) -> Self {
        let lengths = job.train.lengths();
        let plan = BatchPlan::epoch(&lengths, &job.batching, job.settings.seed, 0);
        let mut epoch = Self {
            batches: plan.len() as u64,
            largest: BatchShape { rows: 0, tokens: 0 },
            tokens: lengths.iter().map(|length| u64::from(*length)).sum(),
            padded: 0,
            width: 0,
        };
        let mut weighted = 0;
        for rows in plan.iter() {
            weighted += plan.compared(rows, &lengths);
            let [rows, tokens] = plan.shape(rows, &lengths);
            if rows * tokens > epoch.largest.rows * epoch.largest.tokens {
                epoch.largest = BatchShape { rows, tokens };
            }
            epoch.padded += (rows * tokens) as u64;
        }
        epoch.width = weighted.checked_div(epoch.padded).unwrap_or(0) as usize;
        epoch
    }
}

/// Some real steps with the recipe's batches.
fn measure(
    material: &crate::stages::training::Material<'_>,
    job: TrainJob<'_>,
    steps: usize,
    epoch: &Epoch,
    flops_per_token: f64,
) -> Result<Measured, Box<Report>> {
    let probes = probe_spread(job, steps).map_err(|error| {
        let records = material.dataset.origins(error.record_ids());
        Box::<Report>::from(error).records(records)
    })?;
    // The first step also takes the memory that later ones use again.
    let timed: &[Probe] = if probes.len() > 1 { probes.get(1..).unwrap_or_default() } else { &probes };
    let tokens: usize = timed.iter().map(|probe| probe.tokens).sum();
    let seconds: f64 = timed.iter().map(|probe| probe.seconds).sum();
    let a_token = seconds / tokens.max(1) as f64;
    Ok(Measured {
        steps: timed.len(),
        tokens,
        seconds,
        flops_per_second: flops_per_token / a_token.max(1e-12),
        peak: probes.iter().filter_map(|probe| probe.peak_memory).max(),
        epoch_seconds: a_token * epoch.padded as f64,
    })
}

impl Planned {
    fn shown(&self, session: &Session, recipe: &Recipe) -> String {
        let millions = |count: u64| format!("{:.1} M", count as f64 / 1e6);
        let memory = &self.memory;
        let share = self.padding as f64 * 100.0 / self.tokens.max(1) as f64;
        let mut lines = vec![
            (
                "parameters",
                format!(
                    "{}: {} trained, {} frozen",
                    millions(self.parameters),
                    millions(self.trained),
                    millions(self.parameters - self.trained)
                ),
            ),
            (
                "batches",
                format!(
                    "{} an epoch, the largest {} rows of {} tokens; {} tokens an epoch, {share:.0}% of them padding",
                    self.batches, self.largest_batch.rows, self.largest_batch.tokens, self.tokens
                ),
            ),
            ("weights", megabytes(memory.weights)),
            ("gradients", megabytes(memory.gradients)),
            ("moments", format!("{}, AdamW's two", megabytes(memory.moments))),
            (
                "activations",
                format!("{}, and {} on the way", megabytes(memory.activations), megabytes(memory.working)),
            ),
            ("program", format!("{}, data included", megabytes(self.program))),
            ("peak", format!("about {}{}", megabytes(memory.peak + self.program), self.verdict())),
        ];
        for remedy in &self.remedies {
            lines.push(("it would fit", format!("{}: {}", remedy.change, megabytes(remedy.peak))));
        }
        if self.fits == Some(false) && self.remedies.is_empty() {
            lines.push((
                "it would fit",
                "no single change of the recipe is enough; a smaller model is".into(),
            ));
        }
        let Flops { forward, backward } = self.flops_per_token;
        lines.push((
            "arithmetic",
            format!(
                "{:.3} GFLOP a token, {:.1} TFLOP an epoch",
                (forward + backward) as f64 / 1e9,
                self.flops_per_epoch / 1e12
            ),
        ));
        match &self.measured {
            Some(measured) => {
                let peak = measured.peak.map_or("not known here".into(), megabytes);
                lines.push((
                    "measured",
                    format!(
                        "{} steps of {} tokens in {:.2} s, {:.1} GFLOP/s; peak {peak}",
                        measured.steps,
                        measured.tokens,
                        measured.seconds,
                        measured.flops_per_second / 1e9
                    ),
                ));
                let all = measured.epoch_seconds * self.epochs as f64;
                lines.push((
                    "time",
                    format!(
                        "about {} an epoch, {} for {}",
                        duration(measured.epoch_seconds),
                        duration(all),
                        self.epochs
                    ),
                ));
            }
            None => lines.push(("measured", "nothing: no step was taken".into())),
        }
        let lines: String = lines.iter().map(|(name, value)| format!("  {name:<13} {value}\n")).collect();
        format!("{} on {}\n{lines}", recipe.path.display(), session.global.device)
    }

    fn verdict(&self) -> String {
        match (self.available, self.fits) {
            (Some(available), Some(true)) => format!("; it fits into {}", megabytes(available)),
            (Some(available), _) => format!("; it does not fit into {}", megabytes(available)),
            (None, _) => "; how much the device has is not known (--memory says it)".into(),
        }
    }
}

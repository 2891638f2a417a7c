//! All cleaners one after the other, as `prepare` runs them: each thread with instances of its own, batches taken in
//! turn.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result, anyhow};
use pegbox_runtime::{Cleaner, Plugin, PluginFolders, Resolved, Runtime};

use super::{BATCH, Record, Stage, batches, clean, component, left, native, processor};
use crate::sample::Sample;

/// Runs of each kind.
const ROUNDS: usize = 9;

/// Rows a second.
pub struct Pipeline {
    /// Of one core's time: WASM, native, and the one over the other, run by run.
    pub wasm: Sample,
    pub native: Sample,
    pub speed: Sample,
    /// Of wall time, on one thread and two, and the one over the other, run by run.
    pub threads: [Sample; 2],
    pub scaling: Sample,
    /// Processor time of two threads together over that of one: what they cost each other.
    pub cost: Sample,
}

/// A thread's cleaners.
type Chain<'a> = Vec<(&'a Stage, Box<dyn Cleaner>)>;

impl Pipeline {
    pub fn measure(
        runtime: &Runtime,
        folders: &PluginFolders,
        stages: &[Stage],
        corpus: &[Record],
    ) -> Result<Self> {
        eprintln!("  the pipeline");
        let mut two =
            [chain(runtime, folders, stages, component)?, chain(runtime, folders, stages, component)?];
        let mut natives = [chain(runtime, folders, stages, native)?];
        let rows = corpus.len() as f64;
        let (mut of_wasm, mut of_native) = (Vec::new(), Vec::new());
        let (mut on_one, mut on_two, mut costs) = (Vec::new(), Vec::new(), Vec::new());
        for round in 0..=ROUNDS {
            let one = run(&mut two[..1], corpus)?;
            let both = run(&mut two, corpus)?;
            let native = run(&mut natives, corpus)?;
            if round > 0 {
                of_wasm.push(rows / one.processor);
                of_native.push(rows / native.processor);
                on_one.push(rows / one.wall);
                on_two.push(rows / both.wall);
                costs.push(both.processor / one.processor);
            }
        }
        let sample = |values: &[f64]| Sample::of(values).context("no rounds");
        Ok(Self {
            wasm: sample(&of_wasm)?,
            native: sample(&of_native)?,
            speed: Sample::of_ratios(&of_wasm, &of_native).context("no rounds")?,
            threads: [sample(&on_one)?, sample(&on_two)?],
            scaling: Sample::of_ratios(&on_two, &on_one).context("no rounds")?,
            cost: sample(&costs)?,
        })
    }
}

/// Cleaners of one thread, each loaded by `load`.
fn chain<'a>(
    runtime: &Runtime,
    folders: &PluginFolders,
    stages: &'a [Stage],
    load: fn(&Runtime, &Resolved) -> Result<Plugin>,
) -> Result<Chain<'a>> {
    let link = |stage: &'a Stage| {
        let found = folders.resolve(&format!("pegbox/{}", stage.name))?;
        Ok((stage, load(runtime, &found)?.cleaner(&stage.configuration)?))
    };
    stages.iter().map(link).collect()
}

/// Seconds of a run: on the clock, and of all threads' processor time.
struct Taken {
    wall: f64,
    processor: f64,
}

/// Sends the corpus through, on as many threads as there are chains.
fn run(chains: &mut [Chain], corpus: &[Record]) -> Result<Taken> {
    let next = AtomicUsize::new(0);
    let started = Instant::now();
    let times = thread::scope(|scope| {
        let work = |chain: &mut Chain| {
            processor::time(|| {
                while let Some(rows) = corpus.chunks(BATCH).nth(next.fetch_add(1, Ordering::Relaxed)) {
                    through(chain, rows.to_vec())?;
                }
                Ok(())
            })
        };
        let threads: Vec<_> = chains.iter_mut().map(|chain| scope.spawn(move || work(chain))).collect();
        let join = |thread: thread::ScopedJoinHandle<'_, Result<f64>>| {
            thread.join().map_err(|_| anyhow!("a thread panicked"))?
        };
        threads.into_iter().map(join).collect::<Result<Vec<f64>>>()
    })?;
    Ok(Taken { wall: started.elapsed().as_secs_f64(), processor: times.iter().sum() })
}

fn through(chain: &mut Chain, mut rows: Vec<Record>) -> Result<()> {
    for (stage, cleaner) in chain {
        let outcomes = clean(cleaner.as_mut(), &batches(stage.fields, &rows))?;
        rows = left(rows, stage.fields, outcomes);
    }
    Ok(())
}

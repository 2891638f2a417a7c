//! `plugin bench`: how fast a plugin is, and how large.
//!
//! Times are medians of several rounds after one that does not count; where there is a native build, its rounds
//! alternate with the component's, so that the machine's moods meet both.

/// Records to clean and to validate.
mod corpus;
/// Counts and times a loss's operations.
mod counting;
/// An exporter's model and bundle, in memory.
mod memory_model;
/// One round of each kind of plugin.
mod rounds;

use std::path::Path;
use std::time::{Duration, Instant};

use burn::tensor::Device;
use pegbox_manifest::Kind;
use pegbox_runtime::{LoadError, Plugin, Resolved, Runtime};
use serde_json::Value;
use tempfile::TempDir;

use crate::error::WorkshopError;
use crate::open;

pub use corpus::{Corpus, RECORD_BYTES};
use rounds::Work;

/// Rows of a batch.
pub const BATCHES: [usize; 2] = [64, 256];
/// Rounds that count.
const ROUNDS: usize = 7;
/// Seconds that a round takes at least.
const ROUND_SECONDS: f64 = 0.1;
/// A plugin that is slow gets fewer rounds, but three at least.
const PATIENCE: Duration = Duration::from_secs(8);
const FEWEST: usize = 3;
/// Instances that are made to see what one takes.
const INSTANCES: usize = 8;

/// What is measured, and with what.
pub struct Setting<'a> {
    pub found: &'a Resolved,
    pub config: &'a Value,
    pub device: &'a Device,
    pub corpus: &'a Corpus,
    /// Starts an engine whose compiled plugins are kept in a folder.
    pub engine: &'a dyn Fn(&Path) -> Result<Runtime, LoadError>,
}

/// Everything that was measured.
#[derive(Clone, Debug)]
pub struct Bench {
    /// `team/name@version`.
    pub plugin: String,
    pub component_bytes: u64,
    /// Seconds to load and compile.
    pub cold_load: f64,
    /// Seconds to load what was compiled before.
    pub warm_load: f64,
    /// Seconds to make an instance and configure it.
    pub instance: f64,
    /// Resident memory that one more instance takes after a call; none where the system does not tell.
    pub instance_bytes: Option<u64>,
    /// Whether a native build ran beside it.
    pub native: bool,
    pub runs: Vec<Run>,
}

/// One kind of work at one batch size.
#[derive(Clone, Debug)]
pub struct Run {
    pub kind: Kind,
    /// Rows of a batch; none for an exporter.
    pub batch: Option<usize>,
    pub component: Speed,
    pub native: Option<Speed>,
}

/// Medians.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Speed {
    /// Seconds a call.
    pub call: f64,
    /// Megabytes a second, for those who work on bytes.
    pub megabytes: Option<f64>,
    /// For those who work on tensors.
    pub operations: Option<Operations>,
    pub rounds: usize,
}

/// A call's operations on tensors.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Operations {
    pub count: u64,
    /// Nanoseconds an operation in the tensor library.
    pub library: f64,
    /// Nanoseconds an operation outside it: the plugin's own code, the boundary, and the host's checks.
    pub around: f64,
}

/// Measures a plugin.
///
/// # Errors
/// The plugin is unfit to run or fails, or the disk.
pub fn bench(setting: &Setting<'_>, told: &mut dyn FnMut(&str)) -> Result<Bench, WorkshopError> {
    let found = setting.found;
    let Some(binary) = &found.manifest.component else {
        return Err(LoadError::NoBuild { plugin: found.manifest.to_string(), wanted: "WebAssembly" }.into());
    };
    let file = found.folder.join(&binary.path);
    let component_bytes = std::fs::metadata(&file).map_err(WorkshopError::io("read", &file))?.len();
    told("loading");
    let cache = TempDir::new().map_err(WorkshopError::io("make a folder in", std::env::temp_dir()))?;
    let (cold_load, _) = load(setting, cache.path())?;
    let mut warm = Vec::new();
    let mut plugin = None;
    for _ in 0..5 {
        let (seconds, loaded) = load(setting, cache.path())?;
        warm.push(seconds);
        plugin = Some(loaded);
    }
    let Some(plugin) = plugin else { return Err(WorkshopError::usage("nothing was loaded")) };
    let native = native(setting, cache.path())?;

    let kinds = found.manifest.plugin.kinds.clone();
    let mut runs = Vec::new();
    for kind in &kinds {
        for batch in sizes(*kind) {
            told(&match batch {
                Some(rows) => format!("{kind}, batches of {rows}"),
                None => kind.to_string(),
            });
            let work = Work::new(*kind, batch, setting)?;
            runs.push(run(&work, *kind, batch, &plugin, native.as_ref(), setting.config)?);
        }
    }
    told("making instances");
    let (instance, instance_bytes) = instances(&plugin, &kinds, setting)?;
    Ok(Bench {
        plugin: found.manifest.to_string(),
        component_bytes,
        cold_load,
        warm_load: median(&mut warm),
        instance,
        instance_bytes,
        native: native.is_some(),
        runs,
    })
}

fn sizes(kind: Kind) -> Vec<Option<usize>> {
    match kind {
        Kind::Exporter => vec![None],
        _ => BATCHES.iter().map(|rows| Some(*rows)).collect(),
    }
}

/// Loading alone, not the start of the engine.
fn load(setting: &Setting<'_>, cache: &Path) -> Result<(f64, Plugin), WorkshopError> {
    let engine = (setting.engine)(cache)?;
    let started = Instant::now();
    let plugin = open(&engine, setting.found, false)?;
    Ok((started.elapsed().as_secs_f64(), plugin))
}

/// The native build, where there is one.
fn native(setting: &Setting<'_>, cache: &Path) -> Result<Option<Plugin>, WorkshopError> {
    let library = setting.found.manifest.native.as_ref();
    match library.map(|library| setting.found.folder.join(&library.path)) {
        Some(file) if file.is_file() => Ok(Some(open(&(setting.engine)(cache)?, setting.found, true)?)),
        _ => Ok(None),
    }
}

fn run(
    work: &Work,
    kind: Kind,
    batch: Option<usize>,
    plugin: &Plugin,
    native: Option<&Plugin>,
    config: &Value,
) -> Result<Run, WorkshopError> {
    // The first round warms up, and says how much work makes a round that is long enough to be timed.
    let passes = work.round(plugin, config, 1)?.passes_for(ROUND_SECONDS);
    if let Some(native) = native {
        work.round(native, config, 1)?;
    }
    let (mut of_component, mut of_native) = (Vec::new(), Vec::new());
    let started = Instant::now();
    for round in 0..ROUNDS {
        of_component.push(work.round(plugin, config, passes)?);
        of_native.extend(native.map(|native| work.round(native, config, passes)).transpose()?);
        if round + 1 >= FEWEST && started.elapsed() > PATIENCE {
            break;
        }
    }
    let native = native.map(|_| rounds::speed(&of_native));
    Ok(Run { kind, batch, component: rounds::speed(&of_component), native })
}

/// Seconds that an instance takes to make, and bytes that it then holds.
fn instances(
    plugin: &Plugin,
    kinds: &[Kind],
    setting: &Setting<'_>,
) -> Result<(f64, Option<u64>), WorkshopError> {
    let Some(kind) = kinds.first() else { return Ok((0.0, None)) };
    let batch = sizes(*kind).pop().flatten();
    let work = Work::new(*kind, batch, setting)?;
    let before = resident();
    let mut times = Vec::new();
    let mut kept = Vec::new();
    for _ in 0..INSTANCES {
        let started = Instant::now();
        let mut instance = work.instance(plugin, setting.config)?;
        times.push(started.elapsed().as_secs_f64());
        instance.call_once(&work)?;
        kept.push(instance);
    }
    let grown = resident().zip(before).map(|(after, before)| after.saturating_sub(before));
    drop(kept);
    Ok((median(&mut times), grown.map(|bytes| bytes / INSTANCES as u64)))
}

/// Bytes of this process that are in memory.
fn resident() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kib| kib << 10)
}

/// Zero of nothing.
pub(crate) fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => 0.0,
        len if len % 2 == 1 => values[middle],
        _ => (values[middle - 1] + values[middle]) / 2.0,
    }
}

#[cfg(test)]
mod tests {
    use super::median;

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!(median(&mut [3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&mut [4.0, 1.0, 2.0, 3.0]), 2.5);
        assert_eq!(median(&mut []), 0.0);
    }
}

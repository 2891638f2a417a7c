//! The same plugins in every language: what a loss costs in a training step, how fast a cleaner cleans, how long a
//! plugin takes to load. The plugins are the templates of `pegbox plugin new`, as they are.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result, anyhow};
use pegbox_runtime::{
    Cleaner, Grants, LoadOptions, Plugin, PluginFolders, Resolved, Runtime, TrustLevel, digest,
};
use pegbox_train::{builtin_identity, builtin_loss};
use serde_json::json;

use crate::cleaner::{self, BATCH};
use crate::loss;
use crate::sample::Sample;

/// Pairs of steps for each language.
const STEPS: usize = 30;
/// Loads from the cache.
const LOADS: usize = 15;

/// One language's figures.
pub struct Measured {
    pub language: String,
    /// Of the loss's component, in bytes.
    pub size: u64,
    /// Seconds of compiling the loss's component, and of loading it when it is compiled.
    pub compile: f64,
    pub load: Sample,
    /// Step with the loss over step with the built-in one, pair by pair.
    pub cost: Sample,
    /// The largest relative difference of loss and gradient norm in these steps.
    pub difference: f64,
    /// MB/s of the cleaner.
    pub cleaner: Sample,
    /// Its speed over that of its native build, pair by pair, where there is one.
    pub of_native: Option<Sample>,
}

/// `templates` holds `<language>-loss` and `<language>-cleaner`, built.
pub fn measure(templates: &Path, texts: &Path, rounds: usize) -> Result<Vec<Measured>> {
    let mut languages: Vec<String> = std::fs::read_dir(templates)
        .with_context(|| format!("cannot read {}", templates.display()))?
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.strip_suffix("-loss").map(str::to_owned))
        .collect();
    languages.sort();
    let batches = cleaner::spaced(texts)?;
    languages.into_iter().map(|language| measure_one(templates, &language, &batches, rounds)).collect()
}

fn measure_one(
    templates: &Path,
    language: &str,
    batches: &[pegbox_runtime::RowBatch],
    rounds: usize,
) -> Result<Measured> {
    eprintln!("  {language}");
    let of_loss = find(&templates.join(format!("{language}-loss")))?;
    let component = of_loss.manifest.component.as_ref().context("no component")?;
    let size = std::fs::metadata(of_loss.folder.join(&component.path))?.len();

    // A cache of its own, so that the first load compiles.
    let cache = tempfile::tempdir()?;
    let started = Instant::now();
    load(&runtime(cache.path())?, &of_loss)?;
    let compile = started.elapsed().as_secs_f64();
    let mut loads = Vec::new();
    for _ in 0..LOADS {
        // A process that starts has no engine yet, but starting one is not the plugin's cost.
        let runtime = runtime(cache.path())?;
        let started = Instant::now();
        load(&runtime, &of_loss)?;
        loads.push(started.elapsed().as_secs_f64());
    }

    let runtime = runtime(cache.path())?;
    let (cost, difference) = steps(&load(&runtime, &of_loss)?)?;
    let of_cleaner = find(&templates.join(format!("{language}-cleaner")))?;
    let mut cleaner = load(&runtime, &of_cleaner)?.cleaner(&json!({}))?;
    let mut native = native(&runtime, &of_cleaner)?;
    let bytes: usize = batches.iter().flat_map(|batch| &batch.rows).map(cleaner::length).sum();
    let (mut speeds, mut of_native) = (Vec::new(), Vec::new());
    for round in 0..=rounds {
        let (seconds, outcomes) = cleaner::time(cleaner.as_mut(), batches)?;
        let compared = match &mut native {
            Some(native) => Some(cleaner::time(native.as_mut(), batches)?),
            None => None,
        };
        if compared.as_ref().is_some_and(|(_, theirs)| *theirs != outcomes) {
            return Err(anyhow!("the component and the native library clean differently"));
        }
        if round > 0 {
            speeds.push(bytes as f64 / 1e6 / seconds);
            of_native.extend(compared.map(|(theirs, _)| bytes as f64 / 1e6 / theirs));
        }
    }
    Ok(Measured {
        language: language.to_owned(),
        size,
        compile,
        load: Sample::of(&loads).context("no loads")?,
        cost,
        difference,
        of_native: Sample::of_ratios(&speeds, &of_native),
        cleaner: Sample::of(&speeds).with_context(|| format!("no rounds of {BATCH}"))?,
    })
}

/// Steps with this focal loss and with the built-in one, in turn.
fn steps(plugin: &Plugin) -> Result<(Sample, f64)> {
    let config = json!({ "gamma": 2.0 });
    let split = loss::rows();
    let batch = loss::batch(&split)?;
    let mut ours = loss::trial(&split, plugin.loss(&config)?, Arc::clone(plugin.identity()))?;
    let mut built_in = loss::trial(&split, builtin_loss("focal", &config)?, builtin_identity("focal"))?;
    let (mut of_ours, mut of_built_in, mut difference) = (Vec::new(), Vec::new(), 0.0_f64);
    for step in 0..loss::WARM_UP + STEPS {
        let (a, b) = match step % 2 {
            0 => {
                let a = ours.step(&batch)?;
                (a, built_in.step(&batch)?)
            }
            _ => {
                let b = built_in.step(&batch)?;
                (ours.step(&batch)?, b)
            }
        };
        // Later steps amplify the last bit; the first compares the same weights.
        if step == 0 {
            difference = relative(a.loss, b.loss).max(relative(a.gradient_norm, b.gradient_norm));
        }
        if step >= loss::WARM_UP {
            of_ours.push(a.seconds);
            of_built_in.push(b.seconds);
        }
    }
    Ok((Sample::of_ratios(&of_ours, &of_built_in).context("no steps")?, difference))
}

fn relative(a: f64, b: f64) -> f64 {
    (a - b).abs() / b.abs().max(f64::MIN_POSITIVE)
}

fn runtime(cache: &Path) -> Result<Runtime> {
    Runtime::new(cache).map_err(|error| anyhow!("{error}"))
}

/// With everything that the template asks for.
fn load(runtime: &Runtime, found: &Resolved) -> Result<Plugin> {
    let grants = Grants { permissions: found.manifest.permissions.clone(), root: PathBuf::new() };
    Ok(runtime.load(found, &LoadOptions { grants, ..LoadOptions::default() })?)
}

/// The cleaner's native library, if it was built.
fn native(runtime: &Runtime, found: &Resolved) -> Result<Option<Box<dyn Cleaner>>> {
    let Some(binary) = &found.manifest.native else { return Ok(None) };
    let bytes = std::fs::read(found.folder.join(&binary.path))?;
    let trust = TrustLevel::Native { digest: digest::of(&bytes) };
    let plugin = runtime.load(found, &LoadOptions { trust, ..LoadOptions::default() })?;
    Ok(Some(plugin.cleaner(&json!({}))?))
}

fn find(folder: &Path) -> Result<Resolved> {
    let found = PluginFolders::new(vec![folder.to_path_buf()]).list().into_iter().next();
    Ok(found.with_context(|| format!("{} holds no plugin", folder.display()))??)
}

//! Checkpoints: a folder `checkpoints/step-000400/` with
//!
//! - `model.safetensors`: the weights by Hugging Face names; of a model with adapters `adapter_model.safetensors`
//!   instead: what is trained, by PEFT's names;
//! - `optimizer.safetensors`: `first.<name>` and `second.<name>`, AdamW's moments of each trained parameter, and
//!   `steps.<name>`, its updates, where they are fewer than the step's number;
//! - `state.json`: [`State`]: the step, the data's cursor, the best score;
//! - `manifest.json`: size and SHA-256 of each of them.
//!
//! Random numbers have no state: they are functions of the seed and the cursor. A checkpoint appears whole or
//! not at all; one that was damaged later is found by its hashes, and the one before it is used.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use burn::tensor::Device;
use pegbox_durable::{Draft, TEMPORARY};
use pegbox_models::adapter::{ADAPTER_WEIGHTS, PREFIX, is_adapters};
use pegbox_models::{Model, Parameters, Weights};
use pegbox_runtime::Score;
use safetensors::tensor::{Dtype, TensorView};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::{Fault, TrainError};
use crate::optimizer::Optimizer;
use crate::run::RunFolder;
use crate::settings::Freeze;
use crate::windows::Cursor;

const MODEL: &str = "model.safetensors";
const OPTIMIZER: &str = "optimizer.safetensors";
const STATE: &str = "state.json";
const MANIFEST: &str = "manifest.json";
const FORMAT: u32 = 1;

/// Where a training stands.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct State {
    /// Optimizer steps done.
    pub step: u64,
    /// What comes next.
    pub cursor: Cursor,
    pub best: Option<Best>,
    /// Validations since the best.
    pub stale: u32,
    pub stopped_early: bool,
}

/// The best validation so far.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Best {
    pub step: u64,
    pub score: Score,
}

/// A checkpoint that is whole.
#[derive(Clone, PartialEq, Debug)]
pub struct Checkpoint {
    pub step: u64,
    /// Its folder.
    pub path: PathBuf,
    /// Its file of weights.
    pub weights: PathBuf,
    pub(crate) state: State,
}

/// A checkpoint that is not as it was written.
pub struct Damage {
    pub path: PathBuf,
    pub what: String,
}

#[derive(Serialize, Deserialize)]
struct Manifest {
    format: u32,
    files: BTreeMap<String, FileDigest>,
}

#[derive(Serialize, Deserialize)]
struct FileDigest {
    bytes: u64,
    sha256: String,
}

/// The run's last whole checkpoint.
///
/// # Errors
/// There is none.
pub fn load_last(run: &RunFolder) -> Result<Checkpoint, TrainError> {
    Ok(last_whole(run)?.0)
}

/// The last whole checkpoint, and the damaged ones after it.
///
/// # Errors
/// There is none.
pub fn last_whole(run: &RunFolder) -> Result<(Checkpoint, Vec<Damage>), TrainError> {
    let mut damages = Vec::new();
    for (step, path) in list(run)?.into_iter().rev() {
        match open(step, &path) {
            Ok(checkpoint) => return Ok((checkpoint, damages)),
            Err(what) => damages.push(Damage { path, what }),
        }
    }
    let run = run.path().to_owned();
    match damages.into_iter().next() {
        None => Err(Fault::NoCheckpoint { run }.into()),
        Some(Damage { path, what }) => {
            Err(Fault::AllDamaged { run, what: format!("{}: {what}", path.display()) }.into())
        }
    }
}

/// The run's best checkpoint by its validation; the last one where nothing was validated.
///
/// # Errors
/// There is none, or it is damaged.
pub fn load_best(run: &RunFolder) -> Result<Checkpoint, TrainError> {
    let last = load_last(run)?;
    let Some(best) = last.state.best.as_ref().filter(|best| best.step != last.step) else { return Ok(last) };
    let path = run.checkpoints().join(name(best.step));
    open(best.step, &path).map_err(|what| {
        Fault::AllDamaged {
            run: run.path().to_owned(),
            what: format!("the best, {}: {what}", path.display()),
        }
        .into()
    })
}

/// Commits a checkpoint, and returns its folder.
///
/// # Errors
/// The disk's; the checkpoints before it are untouched then.
pub fn save(
    run: &RunFolder,
    model: &mut Model,
    optimizer: &Optimizer,
    state: &State,
    freeze: &Freeze,
) -> Result<PathBuf, TrainError> {
    let folder = run.checkpoints();
    let target = folder.join(name(state.step));
    let failed = || TrainError::io("write the checkpoint", &target);
    let encoded =
        |what: String| TrainError::io("encode the checkpoint", &target)(std::io::Error::other(what));

    let draft = Draft::new(&folder).map_err(failed())?;
    let mut files = BTreeMap::new();
    let mut put = |name: &str, bytes: &[u8]| {
        let digest = FileDigest { bytes: bytes.len() as u64, sha256: sha256(bytes) };
        files.insert(name.to_string(), digest);
        draft.write(name, bytes).map_err(failed())
    };
    let weights: Vec<(String, Vec<usize>, Vec<f32>)> = model
        .parameters()
        .into_iter()
        .filter(|(name, _)| freeze.may_train(name))
        .map(|(name, parameter)| (stored_name(freeze, &name), parameter.shape(), parameter.values()))
        .collect();
    let file = if freeze.adapter.is_some() { ADAPTER_WEIGHTS } else { MODEL };
    let weights = weights.iter().map(|(name, shape, values)| (name.clone(), shape.clone(), &values[..]));
    put(file, &tensors(weights).map_err(encoded)?)?;
    let moments: Vec<(String, Cow<'_, [f32]>)> = optimizer
        .slots()
        .flat_map(|slot| {
            [("first", &slot.first), ("second", &slot.second)]
                .map(|(which, moment)| (format!("{which}.{}", slot.name), moment.values()))
        })
        .collect();
    let late = optimizer.slots().filter(|slot| slot.steps != optimizer.steps());
    let late = late.map(|slot| (format!("steps.{}", slot.name), Cow::Owned(vec![slot.steps as f32])));
    let moments: Vec<_> = moments.into_iter().chain(late).collect();
    let moments = moments.iter().map(|(name, values)| (name.clone(), vec![values.len()], &values[..]));
    put(OPTIMIZER, &tensors(moments).map_err(encoded)?)?;
    put(STATE, &serde_json::to_vec_pretty(state).map_err(|error| encoded(error.to_string()))?)?;
    let manifest = serde_json::to_vec_pretty(&Manifest { format: FORMAT, files })
        .map_err(|error| encoded(error.to_string()))?;
    draft.write(MANIFEST, &manifest).map_err(failed())?;
    draft.publish(&target).map_err(failed())?;
    Ok(target)
}

/// The name of a parameter in the file of weights: with adapters PEFT's, for modules that are trained whole, too.
fn stored_name(freeze: &Freeze, name: &str) -> String {
    match freeze.adapter {
        Some(_) if !is_adapters(name) => format!("{PREFIX}{name}"),
        _ => name.to_owned(),
    }
}

/// Puts a checkpoint's weights and moments in place.
///
/// # Errors
/// They do not fit the model.
pub fn restore(
    checkpoint: &Checkpoint,
    model: &mut Model,
    optimizer: &mut Optimizer,
    freeze: &Freeze,
    device: &Device,
) -> Result<(), TrainError> {
    let unfit = |what: String| TrainError::from(Fault::AllDamaged { run: checkpoint.path.clone(), what });
    let mut weights = Weights::read(&checkpoint.weights)?;
    for (name, mut parameter) in model.parameters() {
        if !freeze.may_train(&name) {
            continue;
        }
        match weights.take(&[stored_name(freeze, &name)]) {
            Some((shape, values)) if shape == parameter.shape() => parameter.set(values, device),
            _ => return Err(unfit(format!("it has no fitting tensor {name}"))),
        };
    }
    let mut moments = Weights::read(&checkpoint.path.join(OPTIMIZER))?;
    let restored = optimizer.restore(checkpoint.step, |name| {
        let mut take = |which: &str| moments.take(&[format!("{which}.{name}")]).map(|(_, values)| values);
        let steps = take("steps").and_then(|steps| Some(*steps.first()? as u64));
        Some((take("first")?, take("second")?, steps))
    });
    if restored { Ok(()) } else { Err(unfit("its moments are not those of this model".into())) }
}

/// Deletes all checkpoints but the newest `keep` and the best.
///
/// # Errors
/// The disk's.
pub fn prune(run: &RunFolder, keep: u32, best: Option<u64>) -> Result<(), TrainError> {
    let all = list(run)?;
    let old = all.len().saturating_sub(keep.max(1) as usize);
    for (step, path) in all.into_iter().take(old).filter(|(step, _)| Some(*step) != best) {
        // Renamed first: a process that is killed meanwhile leaves no half of a checkpoint.
        let doomed = path.with_file_name(format!("{TEMPORARY}{}", name(step)));
        fs::rename(&path, &doomed)
            .and_then(|()| fs::remove_dir_all(&doomed))
            .map_err(TrainError::io("delete the old checkpoint", &path))?;
    }
    Ok(())
}

/// Bytes of one checkpoint of `model`.
pub fn size(model: &mut Model, optimizer: &Optimizer, freeze: &Freeze) -> u64 {
    let parameters = model.parameters();
    let kept = parameters.iter().filter(|(name, _)| freeze.may_train(name));
    let weights: usize = kept.map(|(_, parameter)| parameter.shape().iter().product::<usize>()).sum();
    let moments: usize = optimizer.slots().map(|slot| slot.first.len() + slot.second.len()).sum();
    4 * (weights + moments) as u64
}

/// Step and folder of each checkpoint, whole or not, the oldest first.
fn list(run: &RunFolder) -> Result<Vec<(u64, PathBuf)>, TrainError> {
    let folder = run.checkpoints();
    let entries = fs::read_dir(&folder).map_err(TrainError::io("read the folder", &folder))?;
    let mut found: Vec<(u64, PathBuf)> = entries
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name();
            Some((name.to_str()?.strip_prefix("step-")?.parse().ok()?, entry.path()))
        })
        .collect();
    found.sort();
    Ok(found)
}

fn name(step: u64) -> String {
    format!("step-{step:06}")
}

/// The checkpoint in `path`, if every file is as it was written.
fn open(step: u64, path: &Path) -> Result<Checkpoint, String> {
    let manifest = fs::read(path.join(MANIFEST)).map_err(|error| format!("{MANIFEST}: {error}"))?;
    let manifest: Manifest =
        serde_json::from_slice(&manifest).map_err(|error| format!("{MANIFEST}: {error}"))?;
    if manifest.format != FORMAT {
        return Err(format!("it has format {}, this Pegbox reads format {FORMAT}", manifest.format));
    }
    let weights = if manifest.files.contains_key(ADAPTER_WEIGHTS) { ADAPTER_WEIGHTS } else { MODEL };
    for name in [weights, OPTIMIZER, STATE] {
        let written = manifest.files.get(name).ok_or_else(|| format!("{MANIFEST} does not list {name}"))?;
        let bytes = fs::read(path.join(name)).map_err(|error| format!("{name}: {error}"))?;
        if bytes.len() as u64 != written.bytes {
            return Err(format!("{name} has {} bytes, it was written with {}", bytes.len(), written.bytes));
        }
        if sha256(&bytes) != written.sha256 {
            return Err(format!("{name} has changed since it was written"));
        }
    }
    let state = fs::read(path.join(STATE)).map_err(|error| format!("{STATE}: {error}"))?;
    let state: State = serde_json::from_slice(&state).map_err(|error| format!("{STATE}: {error}"))?;
    if state.step != step {
        return Err(format!("{STATE} is of step {}", state.step));
    }
    Ok(Checkpoint { step, path: path.to_owned(), weights: path.join(weights), state })
}

/// Safetensors of float32 tensors; the bytes depend on the tensors alone.
fn tensors<'a>(named: impl Iterator<Item = (String, Vec<usize>, &'a [f32])>) -> Result<Vec<u8>, String> {
    let views = named
        .map(|(name, shape, values)| {
            Ok((name, TensorView::new(Dtype::F32, shape, bytemuck::cast_slice(values))?))
        })
        .collect::<Result<Vec<_>, safetensors::SafeTensorError>>()
        .map_err(|error| error.to_string())?;
    safetensors::serialize(views, None).map_err(|error| error.to_string())
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

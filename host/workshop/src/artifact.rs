//! A model and an artifact for exporters: made in a folder of its own, which is looked through afterwards.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use pegbox_deploy::{ExportError, TrainedModel};
use pegbox_runtime::{Exporter, ModelFile};
use safetensors::tensor::{Dtype, TensorView};
use tempfile::TempDir;

use crate::case::Numbers;
use crate::error::WorkshopError;

/// Writes `tensors` to a safetensors file at `path`.
///
/// # Errors
/// The disk's, or tensors that safetensors cannot hold.
pub fn write_weights(path: &Path, tensors: &BTreeMap<String, Numbers<f32>>) -> Result<(), WorkshopError> {
    let refuse = |error: safetensors::SafeTensorError| WorkshopError::usage(format!("the tensors: {error}"));
    let bytes: Vec<(&String, &Numbers<f32>, Vec<u8>)> = tensors
        .iter()
        .map(|(name, tensor)| {
            (name, tensor, tensor.values.iter().flat_map(|value| value.to_le_bytes()).collect())
        })
        .collect();
    let views = bytes
        .iter()
        .map(|(name, tensor, bytes)| {
            Ok((name.as_str(), TensorView::new(Dtype::F32, tensor.shape.clone(), bytes).map_err(refuse)?))
        })
        .collect::<Result<Vec<_>, WorkshopError>>()?;
    let file = safetensors::serialize(views, None).map_err(refuse)?;
    fs::write(path, file).map_err(WorkshopError::io("write", path))
}

/// A trained model made of parts, with its weights at `weights`.
pub fn model(
    weights: PathBuf,
    configuration: &serde_json::Value,
    labels: &[String],
    tokenizer_files: &BTreeMap<String, String>,
) -> TrainedModel {
    let file = |(path, content): (&String, &String)| ModelFile {
        path: path.clone(),
        content: content.clone().into_bytes(),
    };
    TrainedModel {
        weights,
        configuration: configuration.to_string(),
        tokenizer_files: tokenizer_files.iter().map(file).collect(),
        labels: labels.to_vec(),
        metrics: serde_json::json!({}),
        provenance: serde_json::json!({}),
    }
}

/// What an export left behind.
pub struct Left {
    /// By path inside the artifact.
    pub files: BTreeMap<String, Vec<u8>>,
    /// Files outside the artifact, relative to the folder around it: there must be none.
    pub outside: Vec<String>,
    /// Tensors whose values were compared with the model's.
    pub verified: usize,
}

/// Exports into a folder inside a folder that holds nothing else, and reads everything back from the disk.
///
/// # Errors
/// The exporter's or the disk's.
pub fn export(exporter: &mut dyn Exporter, model: TrainedModel) -> Result<Left, ExportError> {
    let around = TempDir::new().map_err(io(&std::env::temp_dir()))?;
    let to = around.path().join("artifact");
    let done = pegbox_deploy::export(exporter, model, &to)?;
    let mut found = Vec::new();
    walk(around.path(), &mut found).map_err(io(around.path()))?;

    let written: Vec<PathBuf> = done.files.iter().map(|(path, _)| to.join(path)).collect();
    // The list of files is the host's, for the next export to this place.
    let is_hosts = |path: &Path| path == to.join(".pegbox-export.json");
    let outside = found.iter().filter(|path| !written.contains(path) && !is_hosts(path));
    let outside = outside.map(|path| relative(around.path(), path)).collect();
    let read = |path: &PathBuf| Ok((relative(&to, path), fs::read(path).map_err(io(path))?));
    let files = written.iter().map(read).collect::<Result<_, ExportError>>()?;
    Ok(Left { files, outside, verified: done.verified_tensors })
}

fn io(path: &Path) -> impl FnOnce(std::io::Error) -> ExportError {
    let path = path.to_owned();
    move |source| ExportError::Io { path, doing: "read", source }
}

fn relative(root: &Path, path: &Path) -> String {
    path.strip_prefix(root).unwrap_or(path).to_string_lossy().into_owned()
}

/// Every file below `folder`; links count as files and are not followed.
fn walk(folder: &Path, found: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        match entry.file_type()?.is_dir() {
            true => walk(&entry.path(), found)?,
            false => found.push(entry.path()),
        }
    }
    Ok(())
}

//! An exporter on a model: a trained one, or a small one that is made up.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use pegbox_deploy::{Exported, TrainedModel, tokenizer_files};
use pegbox_runtime::Exporter;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::artifact;
use crate::case::Numbers;
use crate::error::WorkshopError;
use crate::random::Random;

/// Which model was exported.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ModelOrigin {
    /// A Hugging Face folder.
    Folder(PathBuf),
    /// Two small tensors of random numbers and two labels.
    MadeUp,
}

/// Exports the model in the folder `model`, or a made-up one, to `to`.
///
/// # Errors
/// The folder is no model; the exporter's; `to` holds something that Pegbox did not write.
pub fn export(
    exporter: &mut dyn Exporter,
    model: Option<&Path>,
    to: &Path,
) -> Result<(ModelOrigin, Exported), WorkshopError> {
    match model {
        Some(folder) => {
            let done = pegbox_deploy::export(exporter, trained(folder)?, to)?;
            Ok((ModelOrigin::Folder(folder.to_owned()), done))
        }
        None => {
            let folder =
                TempDir::new().map_err(WorkshopError::io("make a folder in", std::env::temp_dir()))?;
            let done = pegbox_deploy::export(exporter, made_up(folder.path())?, to)?;
            Ok((ModelOrigin::MadeUp, done))
        }
    }
}

fn trained(folder: &Path) -> Result<TrainedModel, WorkshopError> {
    let file = folder.join("config.json");
    let configuration = fs::read_to_string(&file).map_err(WorkshopError::io("read", &file))?;
    let parsed: Value = serde_json::from_str(&configuration)
        .map_err(|error| WorkshopError::usage(format!("{}: {error}", file.display())))?;
    Ok(TrainedModel {
        weights: folder.join("model.safetensors"),
        labels: labels(&parsed),
        configuration,
        tokenizer_files: tokenizer_files(folder)?,
        metrics: json!({}),
        provenance: json!({}),
    })
}

/// `id2label`, in the order of the ids.
fn labels(configuration: &Value) -> Vec<String> {
    let Some(map) = configuration.get("id2label").and_then(Value::as_object) else { return Vec::new() };
    let mut labels: Vec<(u64, &str)> =
        map.iter().filter_map(|(id, label)| Some((id.parse().ok()?, label.as_str()?))).collect();
    labels.sort_unstable();
    labels.into_iter().map(|(_, label)| label.to_owned()).collect()
}

fn made_up(folder: &Path) -> Result<TrainedModel, WorkshopError> {
    let mut random = Random::new(1);
    let mut tensor = |shape: &[usize]| Numbers {
        shape: shape.to_vec(),
        values: (0..shape.iter().product()).map(|_| random.between(-0.1, 0.1)).collect(),
    };
    let tensors = BTreeMap::from([
        ("classifier.weight".to_owned(), tensor(&[2, 16])),
        ("classifier.bias".to_owned(), tensor(&[2])),
    ]);
    let weights = folder.join("model.safetensors");
    artifact::write_weights(&weights, &tensors)?;
    let configuration = json!({
        "architectures": ["BertForSequenceClassification"],
        "model_type": "bert",
        "id2label": { "0": "no", "1": "yes" },
        "label2id": { "no": 0, "yes": 1 },
    });
    Ok(artifact::model(weights, &configuration, &["no".to_owned(), "yes".to_owned()], &BTreeMap::new()))
}

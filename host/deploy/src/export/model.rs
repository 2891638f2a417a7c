//! What an exporter reads.

use std::fs;
use std::path::{Path, PathBuf};

use pegbox_runtime::{ArtifactError, Element, ModelFile, ModelView, TensorInfo};

use super::tensors::TensorFile;
use crate::error::ExportError;

/// The files of a Hugging Face folder that describe a tokenizer, in the order in which they are handed on.
const TOKENIZER_FILES: [&str; 10] = [
    "tokenizer.json",
    "tokenizer_config.json",
    "chat_template.jinja",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.txt",
    "vocab.json",
    "merges.txt",
    "tokenizer.model",
    "spiece.model",
];

/// A trained model and all that an artifact says of it.
#[derive(Debug, Clone)]
pub struct TrainedModel {
    /// A safetensors file with Hugging Face names.
    pub weights: PathBuf,
    /// config.json of the trained model.
    pub configuration: String,
    pub tokenizer_files: Vec<ModelFile>,
    /// Index = class id.
    pub labels: Vec<String>,
    /// `{part: {metric: score}}`
    pub metrics: serde_json::Value,
    pub provenance: serde_json::Value,
}

/// The tokenizer's files in the base model's `folder`.
///
/// # Errors
/// A file that is there and cannot be read.
pub fn tokenizer_files(folder: &Path) -> Result<Vec<ModelFile>, ExportError> {
    let present =
        TOKENIZER_FILES.iter().map(|name| (name, folder.join(name))).filter(|(_, path)| path.is_file());
    let read = |(name, path): (&&str, PathBuf)| {
        let content = fs::read(&path).map_err(ExportError::io(&path, "read"))?;
        Ok(ModelFile { path: name.to_string(), content })
    };
    present.map(read).collect()
}

impl TrainedModel {
    pub(super) fn open(self) -> Result<OpenModel, ExportError> {
        let weights = TensorFile::open(&self.weights)?;
        Ok(OpenModel { about: self, weights })
    }
}

/// A trained model with its weights at hand.
pub(super) struct OpenModel {
    about: TrainedModel,
    pub(super) weights: TensorFile,
}

impl ModelView for OpenModel {
    fn configuration(&self) -> String {
        self.about.configuration.clone()
    }

    fn tokenizer_files(&self) -> Result<Vec<ModelFile>, ArtifactError> {
        Ok(self.about.tokenizer_files.clone())
    }

    fn labels(&self) -> Vec<String> {
        self.about.labels.clone()
    }

    fn metrics(&self) -> String {
        self.about.metrics.to_string()
    }

    fn provenance(&self) -> String {
        self.about.provenance.to_string()
    }

    fn tensors(&self) -> Vec<TensorInfo> {
        let info = |tensor: &super::tensors::StoredTensor| TensorInfo {
            name: tensor.name.clone(),
            shape: tensor.shape.iter().map(|&size| size as u64).collect(),
        };
        self.weights.tensors.iter().map(info).collect()
    }

    fn read(&self, name: &str, start: u64, count: u64, element: Element) -> Result<Vec<u8>, ArtifactError> {
        pegbox_runtime::artifact::check_read(&self.tensors(), name, start, count, element)?;
        let fail = |what: String| ArtifactError { operation: "model.read", what, help: None };
        let tensor = self.weights.find(name).ok_or_else(|| fail(format!("no tensor `{name}`")))?;
        self.weights.read(tensor, start, count, element).map_err(|error| fail(error.to_string()))
    }
}

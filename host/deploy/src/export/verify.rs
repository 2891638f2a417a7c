//! The artifact on disk against the trained model.

use std::path::Path;

use sha2::{Digest, Sha256};

use super::bundle::BundleFile;
use super::model::OpenModel;
use super::tensors::{StoredTensor, TensorFile};
use crate::error::ExportError;
use pegbox_runtime::Element;

/// Elements that are compared at a time.
const PIECE: u64 = 1 << 20;

/// Reads every safetensors file of the artifact back and compares each tensor that has a trained one's name
/// with it: shape, and the SHA-256 of its bytes in the artifact's dtype. Returns how many were compared.
pub(super) fn compare(model: &OpenModel, folder: &Path, files: &[BundleFile]) -> Result<usize, ExportError> {
    let mut compared = 0;
    for file in files.iter().filter(|file| file.path.ends_with(".safetensors")) {
        let differs = |what: String| ExportError::Differs { file: file.path.clone(), what };
        let written =
            TensorFile::open(&folder.join(&file.path)).map_err(|error| differs(error.to_string()))?;
        for tensor in &written.tensors {
            let Some(trained) = model.weights.find(&tensor.name) else { continue };
            if tensor.shape != trained.shape {
                return Err(differs(format!(
                    "`{}` has shape {:?}, trained was {:?}",
                    tensor.name, tensor.shape, trained.shape
                )));
            }
            let found = digest(&written, tensor, tensor.element)?;
            if found != digest(&model.weights, trained, tensor.element)? {
                return Err(differs(format!("`{}` has other values", tensor.name)));
            }
            compared += 1;
        }
    }
    Ok(compared)
}

fn digest(file: &TensorFile, tensor: &StoredTensor, element: Element) -> Result<[u8; 32], ExportError> {
    let mut hasher = Sha256::new();
    let total = tensor.elements();
    let mut at = 0;
    while at < total {
        let count = PIECE.min(total - at);
        hasher.update(file.read(tensor, at, count, element)?);
        at += count;
    }
    Ok(hasher.finalize().into())
}

//! Writing safetensors, whole or not at all.

use crate::error::ModelError;
use safetensors::{Dtype, tensor::TensorView};
use std::fs::File;
use std::io::Write;
use std::path::Path;

/// A tensor to be written in float32.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedTensor {
    pub name: String,
    pub shape: Vec<usize>,
    /// Row-major.
    pub values: Vec<f32>,
}

/// Writes `tensors` to `path` through a temporary file beside it: written, fsynced, renamed.
///
/// The bytes depend on the tensors alone. The caller fsyncs the folder once it has written all its files.
pub fn write_safetensors(path: &Path, tensors: &[NamedTensor]) -> Result<(), ModelError> {
    let refuse = |what: String| ModelError::File { path: path.into(), what };
    let views = tensors
        .iter()
        .map(|tensor| {
            let bytes = bytemuck::cast_slice(&tensor.values);
            TensorView::new(Dtype::F32, tensor.shape.clone(), bytes)
                .map(|view| (tensor.name.clone(), view))
                .map_err(|error| refuse(format!("tensor {}: {error}", tensor.name)))
        })
        .collect::<Result<Vec<_>, _>>()?;
    let bytes =
        safetensors::serialize(views, None).map_err(|error| refuse(format!("cannot be encoded: {error}")))?;

    let temporary = path.with_extension("safetensors.tmp");
    let write = || -> std::io::Result<()> {
        let mut file = File::create(&temporary)?;
        file.write_all(&bytes)?;
        file.sync_all()?;
        std::fs::rename(&temporary, path)
    };
    write().map_err(|error| {
        // Nothing of a half-written file may stay; that it cannot be removed either adds nothing.
        let _ = std::fs::remove_file(&temporary);
        refuse(format!("cannot be written: {error}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::weights::Weights;

    #[test]
    fn what_is_written_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.safetensors");
        let tensor = NamedTensor { name: "w".into(), shape: vec![2, 1], values: vec![1.5, -2.0] };
        write_safetensors(&path, std::slice::from_ref(&tensor)).unwrap();
        let mut weights = Weights::read(&path).unwrap();
        assert_eq!(weights.take(&["w".into()]), Some((tensor.shape, tensor.values)));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "no temporary file stays");
    }
}

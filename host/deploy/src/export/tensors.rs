//! Tensors in a safetensors file, read piece by piece.

use std::path::{Path, PathBuf};

use half::{bf16, f16};
use pegbox_runtime::Element;
use pegbox_weights::{Dtype, Weights};

use crate::error::ExportError;

/// An open safetensors file.
#[derive(Debug)]
pub(super) struct TensorFile {
    path: PathBuf,
    weights: Weights,
    /// In the order of their names.
    pub tensors: Vec<StoredTensor>,
}

/// One tensor of it.
#[derive(Debug, Clone)]
pub(super) struct StoredTensor {
    pub name: String,
    pub shape: Vec<usize>,
    pub element: Element,
}

impl StoredTensor {
    pub fn elements(&self) -> u64 {
        self.shape.iter().map(|&size| size as u64).product()
    }
}

impl TensorFile {
    pub(super) fn open(path: &Path) -> Result<Self, ExportError> {
        let weights = Weights::read(path)?;
        let tensors = weights
            .stored()
            .map(|(name, tensor)| {
                let element = match tensor.dtype() {
                    Dtype::F32 => Element::Float32,
                    Dtype::F16 => Element::Float16,
                    Dtype::BF16 => Element::BFloat16,
                    other => {
                        let what = format!("`{name}` is of dtype {other}, expected F32, F16 or BF16");
                        return Err(ExportError::Weights { path: path.to_path_buf(), what });
                    }
                };
                Ok(StoredTensor { name: name.to_owned(), shape: tensor.shape().to_vec(), element })
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { path: path.to_path_buf(), weights, tensors })
    }

    pub(super) fn find(&self, name: &str) -> Option<&StoredTensor> {
        self.tensors.iter().find(|tensor| tensor.name == name)
    }

    /// `count` elements of `tensor` from element `start`, little-endian in `element`. The range must lie
    /// inside the tensor.
    pub(super) fn read(
        &self,
        tensor: &StoredTensor,
        start: u64,
        count: u64,
        element: Element,
    ) -> Result<Vec<u8>, ExportError> {
        let size = tensor.element.size();
        let (from, to) = ((start * size) as usize, ((start + count) * size) as usize);
        let bytes = self.weights.tensor(&tensor.name).and_then(|stored| stored.bytes()?.get(from..to));
        let bytes = bytes.ok_or_else(|| ExportError::Weights {
            path: self.path.clone(),
            what: format!("`{}` has no elements {start} to {}", tensor.name, start + count),
        })?;
        Ok(convert(bytes.to_vec(), tensor.element, element))
    }
}

/// Rounds to nearest, ties to even, as PyTorch does.
fn convert(bytes: Vec<u8>, from: Element, to: Element) -> Vec<u8> {
    if from == to {
        return bytes;
    }
    let values = match from {
        Element::Float32 => bytes.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect::<Vec<_>>(),
        Element::Float16 => bytes.as_chunks().0.iter().map(|b| f16::from_le_bytes(*b).to_f32()).collect(),
        Element::BFloat16 => bytes.as_chunks().0.iter().map(|b| bf16::from_le_bytes(*b).to_f32()).collect(),
    };
    match to {
        Element::Float32 => values.iter().flat_map(|value| value.to_le_bytes()).collect(),
        Element::Float16 => values.iter().flat_map(|value| f16::from_f32(*value).to_le_bytes()).collect(),
        Element::BFloat16 => values.iter().flat_map(|value| bf16::from_f32(*value).to_le_bytes()).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conversion_rounds_to_nearest() {
        let bytes = [1.0f32, 65520.0, 1.0009766].iter().flat_map(|v| v.to_le_bytes()).collect();
        let half = convert(bytes, Element::Float32, Element::Float16);
        let back = convert(half, Element::Float16, Element::Float32);
        let values: Vec<f32> = back.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect();
        assert_eq!(values, [1.0, f32::INFINITY, 1.0009766]);
    }

    #[test]
    fn a_cut_file_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("w.safetensors");
        let view = safetensors::tensor::TensorView::new(safetensors::Dtype::F32, vec![2], &[0; 8]).unwrap();
        let whole = safetensors::serialize([("w", view)], None).unwrap();
        for length in [4, 20, whole.len() - 1] {
            std::fs::write(&path, &whole[..length]).unwrap();
            assert!(matches!(TensorFile::open(&path), Err(ExportError::Weights { .. })), "{length}");
        }
        std::fs::write(&path, &whole).unwrap();
        assert_eq!(TensorFile::open(&path).unwrap().tensors[0].elements(), 2);
    }
}

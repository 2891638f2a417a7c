//! Tensors in a safetensors file, read piece by piece.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use half::{bf16, f16};
use pegbox_runtime::Element;
use safetensors::tensor::{Dtype, Metadata};

use crate::error::ExportError;

/// Headers above this are damaged, as safetensors' own reader has it.
const HEADER_LIMIT: u64 = 100_000_000;

/// An open safetensors file.
#[derive(Debug)]
pub(super) struct TensorFile {
    path: PathBuf,
    file: File,
    /// In the order of the file.
    pub tensors: Vec<StoredTensor>,
}

/// One tensor's place.
#[derive(Debug, Clone)]
pub(super) struct StoredTensor {
    pub name: String,
    pub shape: Vec<usize>,
    pub element: Element,
    /// First byte, from the start of the file.
    start: u64,
}

impl StoredTensor {
    pub fn elements(&self) -> u64 {
        self.shape.iter().map(|&size| size as u64).product()
    }
}

impl TensorFile {
    pub(super) fn open(path: &Path) -> Result<Self, ExportError> {
        let wrong = |what: String| ExportError::Weights { path: path.to_path_buf(), what };
        let mut file = File::open(path).map_err(ExportError::io(path, "read"))?;
        let length = file.metadata().map_err(ExportError::io(path, "read"))?.len();
        let mut prefix = [0; 8];
        file.read_exact(&mut prefix).map_err(|_| wrong("the file ends in its header".into()))?;
        let header = u64::from_le_bytes(prefix);
        if header > HEADER_LIMIT || header.saturating_add(8) > length {
            return Err(wrong(format!("the header claims {header} bytes of a file of {length}")));
        }
        let mut buffer = vec![0; header as usize];
        file.read_exact(&mut buffer).map_err(ExportError::io(path, "read"))?;
        let metadata: Metadata =
            serde_json::from_slice(&buffer).map_err(|error| wrong(format!("a wrong header: {error}")))?;

        let data = 8 + header;
        let mut tensors = Vec::new();
        for (name, info) in metadata.tensors() {
            let element = match info.dtype {
                Dtype::F32 => Element::Float32,
                Dtype::F16 => Element::Float16,
                Dtype::BF16 => Element::BFloat16,
                other => return Err(wrong(format!("`{name}` is of dtype {other:?}, expected a float"))),
            };
            let (start, end) = (info.data_offsets.0 as u64, info.data_offsets.1 as u64);
            if data.saturating_add(end) > length {
                return Err(wrong(format!("the file ends before `{name}` does")));
            }
            let tensor = StoredTensor { name, shape: info.shape.clone(), element, start: data + start };
            if end.checked_sub(start) != tensor.elements().checked_mul(element.size()) {
                return Err(wrong(format!("`{}` has another size than its shape says", tensor.name)));
            }
            tensors.push(tensor);
        }
        tensors.sort_by_key(|tensor| tensor.start);
        Ok(Self { path: path.to_path_buf(), file, tensors })
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
        let mut bytes = vec![0; (count * size) as usize];
        self.file
            .read_exact_at(&mut bytes, tensor.start + start * size)
            .map_err(ExportError::io(&self.path, "read"))?;
        Ok(convert(bytes, tensor.element, element))
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
        let view = safetensors::tensor::TensorView::new(Dtype::F32, vec![2], &[0; 8]).unwrap();
        let whole = safetensors::serialize([("w", view)], None).unwrap();
        for length in [4, 20, whole.len() - 1] {
            std::fs::write(&path, &whole[..length]).unwrap();
            assert!(matches!(TensorFile::open(&path), Err(ExportError::Weights { .. })), "{length}");
        }
        std::fs::write(&path, &whole).unwrap();
        assert_eq!(TensorFile::open(&path).unwrap().tensors[0].elements(), 2);
    }
}

//! Reading safetensors.

use crate::error::ModelError;
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The float tensors of a safetensors file, in float32, by name.
#[derive(Debug)]
pub struct Weights {
    path: PathBuf,
    tensors: BTreeMap<String, (Vec<usize>, Vec<f32>)>,
    ignored: Vec<String>,
}

/// Name, shape and dtype of a tensor in a file.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct TensorHeader {
    pub name: String,
    pub shape: Vec<usize>,
    pub dtype: String,
}

impl Weights {
    /// Reads a whole file. Its header is checked before anything of the size that it claims is allocated.
    pub fn read(path: &Path) -> Result<Self, ModelError> {
        let refuse = |what: String| ModelError::File { path: path.into(), what };
        let bytes = std::fs::read(path).map_err(|error| refuse(format!("cannot be read: {error}")))?;
        let file = SafeTensors::deserialize(&bytes)
            .map_err(|error| refuse(format!("not a valid safetensors file: {error}")))?;
        let mut tensors = BTreeMap::new();
        let mut ignored = Vec::new();
        for (name, view) in file.tensors() {
            match floats(&view) {
                Some(values) => {
                    tensors.insert(name, (view.shape().to_vec(), values));
                }
                None => ignored.push(name),
            }
        }
        Ok(Self { path: path.into(), tensors, ignored })
    }

    /// The tensors that a file holds, without their values.
    pub fn headers(path: &Path) -> Result<Vec<TensorHeader>, ModelError> {
        let refuse = |what: String| ModelError::File { path: path.into(), what };
        let bytes = std::fs::read(path).map_err(|error| refuse(format!("cannot be read: {error}")))?;
        let file = SafeTensors::deserialize(&bytes)
            .map_err(|error| refuse(format!("not a valid safetensors file: {error}")))?;
        let mut headers: Vec<TensorHeader> = file
            .tensors()
            .into_iter()
            .map(|(name, view)| TensorHeader {
                name,
                shape: view.shape().to_vec(),
                dtype: format!("{:?}", view.dtype()),
            })
            .collect();
        headers.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(headers)
    }

    /// Takes the first of `names` that the file has.
    pub fn take(&mut self, names: &[String]) -> Option<(Vec<usize>, Vec<f32>)> {
        names.iter().find_map(|name| self.tensors.remove(name))
    }

    /// The first of `names` that the file has and that is a matrix: its name, shape and values.
    pub(super) fn matrix(&mut self, names: &[String]) -> Option<(String, &mut Vec<usize>, &mut Vec<f32>)> {
        let is_matrix = |name: &&String| self.tensors.get(*name).is_some_and(|(shape, _)| shape.len() == 2);
        let name = names.iter().find(is_matrix)?;
        let (shape, values) = self.tensors.get_mut(name)?;
        Some((name.clone(), shape, values))
    }

    /// The file that these weights came from.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What nobody took, without the integer buffers (`position_ids`) that some exports carry.
    pub fn left_over(&self) -> Vec<String> {
        let integers: BTreeSet<&String> =
            self.ignored.iter().filter(|name| !name.ends_with("position_ids")).collect();
        self.tensors.keys().chain(integers).cloned().collect()
    }
}

/// The values in float32; none for a dtype that holds no floats that we read.
fn floats(view: &TensorView<'_>) -> Option<Vec<f32>> {
    let data = view.data();
    match view.dtype() {
        Dtype::F32 => Some(data.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()),
        Dtype::F64 => {
            Some(data.as_chunks::<8>().0.iter().map(|bytes| f64::from_le_bytes(*bytes) as f32).collect())
        }
        Dtype::BF16 => Some(
            data.as_chunks::<2>()
                .0
                .iter()
                .map(|bytes| f32::from_bits(u32::from(u16::from_le_bytes(*bytes)) << 16))
                .collect(),
        ),
        Dtype::F16 => Some(
            data.as_chunks::<2>()
                .0
                .iter()
                .map(|bytes| burn::tensor::f16::from_le_bytes(*bytes).to_f32())
                .collect(),
        ),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Result<Weights, ModelError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.safetensors");
        std::fs::write(&path, bytes).unwrap();
        Weights::read(&path)
    }

    fn file(header: &str, data: &[u8]) -> Vec<u8> {
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend_from_slice(header.as_bytes());
        bytes.extend_from_slice(data);
        bytes
    }

    #[test]
    fn reads_half_and_single_precision() {
        let header = r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"BF16","shape":[1],"data_offsets":[4,6]},"c":{"dtype":"F16","shape":[1],"data_offsets":[6,8]}}"#;
        let data = [0, 0, 0x80, 0x3f, 0x80, 0x3f, 0x00, 0x3c];
        let mut weights = read(&file(header, &data)).unwrap();
        for name in ["a", "b", "c"] {
            assert_eq!(weights.take(&[name.into()]), Some((vec![1], vec![1.0])), "{name}");
        }
        assert!(weights.left_over().is_empty());
    }

    #[test]
    fn damaged_files_are_errors() {
        let good = file(r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#, &[0; 8]);
        assert!(read(&good).is_ok());
        for length in 0..good.len() {
            assert!(read(&good[..length]).is_err(), "cut after {length} bytes");
        }
        for header in [
            r#"{"a":{"dtype":"F32","shape":[9000000000],"data_offsets":[0,8]}}"#,
            r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}"#,
            r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}"#,
            r#"[]"#,
        ] {
            assert!(read(&file(header, &[0; 12])).is_err(), "{header}");
        }
        let mut lying = good.clone();
        lying[..8].copy_from_slice(&u64::MAX.to_le_bytes());
        assert!(read(&lying).is_err());
    }
}

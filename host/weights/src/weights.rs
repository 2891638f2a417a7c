//! The tensors of a model, by name.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;

use crate::error::{Fault, WeightsError, quoted};
use crate::mapped::Mapped;
use crate::tensor::StoredTensor;
use crate::{folder, gguf, pytorch, safetensors};

/// The tensors of a file, or of a model folder's files, by their Hugging Face names. Files are mapped into memory and
/// a tensor's values become float32 when it is taken.
#[derive(Debug)]
pub struct Weights {
    path: PathBuf,
    tensors: BTreeMap<String, Tensor>,
    config: Option<Value>,
}

/// A file's tensors, and its configuration where it has one.
type Listed = (Vec<(String, StoredTensor)>, Option<Value>);

#[derive(Debug)]
pub(crate) enum Tensor {
    Stored(StoredTensor),
    /// Made here, row-major.
    Made {
        shape: Vec<usize>,
        values: Vec<f32>,
    },
}

/// Name, shape and dtype of a tensor in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TensorHeader {
    pub name: String,
    pub shape: Vec<usize>,
    pub dtype: String,
}

impl Weights {
    /// Reads the names, shapes and places of all tensors: of a file in safetensors, PyTorch's format or GGUF, of the
    /// index of a sharded model (`*.index.json`), or of a folder that holds one of these under its usual name.
    /// Nothing is executed, nothing is allocated because a file says so, and the values stay where they are.
    ///
    /// # Errors
    /// The disk's; a file that is damaged, contradicts itself, or is of a kind that is not read.
    pub fn read(path: &Path) -> Result<Self, WeightsError> {
        if path.is_dir() {
            return Self::read(&folder::weights(path)?);
        }
        if folder::is_index(path) {
            let tensors = folder::shards(path, |shard| Ok(Self::from_file(Mapped::open(shard)?)?.tensors))?;
            return Ok(Self { path: path.to_owned(), tensors, config: None });
        }
        Self::from_file(Mapped::open(path)?)
    }

    /// A file that is in memory already; `path` is what errors call it.
    ///
    /// # Errors
    /// As [`Weights::read`].
    pub fn from_bytes(path: &Path, bytes: Vec<u8>) -> Result<Self, WeightsError> {
        Self::from_file(Mapped::from_bytes(path, bytes))
    }

    /// The tensors that a file or a folder holds, without their values.
    ///
    /// # Errors
    /// As [`Weights::read`].
    pub fn headers(path: &Path) -> Result<Vec<TensorHeader>, WeightsError> {
        Ok(Self::read(path)?.tensors())
    }

    fn from_file(file: Mapped) -> Result<Self, WeightsError> {
        let path = file.path().to_owned();
        let (list, config) = Self::list(file).map_err(|fault| fault.at(&path))?;
        let mut tensors = BTreeMap::new();
        for (name, tensor) in list {
            if tensors.contains_key(&name) {
                return Err(Fault::damaged(format!("the tensor {} is there twice", quoted(&name))).at(&path));
            }
            tensors.insert(name, Tensor::Stored(tensor));
        }
        Ok(Self { path, tensors, config })
    }

    fn list(file: Mapped) -> Result<Listed, Fault> {
        let bytes = file.bytes();
        if bytes.starts_with(gguf::MAGIC) {
            let file = gguf::Gguf::parse(file)?;
            return Ok((file.tensors()?, Some(file.configuration()?)));
        }
        let file = Arc::new(file);
        if pytorch::looks_like(&file) && !safetensors::looks_like(file.bytes()) {
            return Ok((pytorch::read(&file)?, None));
        }
        Ok((safetensors::read(&file)?, None))
    }

    /// Takes the first of `names` that there is: its shape, and its values, row-major.
    pub fn take(&mut self, names: &[String]) -> Option<(Vec<usize>, Vec<f32>)> {
        let name = self.find(names)?.to_owned();
        Some(match self.tensors.remove(&name)? {
            Tensor::Stored(tensor) => (tensor.shape().to_vec(), tensor.values()),
            Tensor::Made { shape, values } => (shape, values),
        })
    }

    /// The shape of the first of `names` that there is.
    pub fn shape(&self, names: &[String]) -> Option<&[usize]> {
        self.tensors.get(self.find(names)?).map(Tensor::shape)
    }

    /// The tensor `name` where it lies; none once it was taken or changed.
    pub fn tensor(&self, name: &str) -> Option<&StoredTensor> {
        self.tensors.get(name)?.stored()
    }

    /// The tensors that were neither taken nor changed, where they lie, by name.
    pub fn stored(&self) -> impl Iterator<Item = (&str, &StoredTensor)> {
        self.tensors.iter().filter_map(|(name, tensor)| Some((name.as_str(), tensor.stored()?)))
    }

    /// What is there and was not taken, also of dtypes that are not read, by name.
    pub fn tensors(&self) -> Vec<TensorHeader> {
        let header = |(name, tensor): (&String, &Tensor)| TensorHeader {
            name: name.clone(),
            shape: tensor.shape().to_vec(),
            dtype: tensor.dtype().to_owned(),
        };
        self.tensors.iter().map(header).collect()
    }

    /// What nobody took, without the integer buffers (`position_ids`) that some exports carry.
    pub fn left_over(&self) -> Vec<String> {
        let known = |(name, tensor): &(&String, &Tensor)| !tensor.is_read() && name.ends_with("position_ids");
        self.tensors.iter().filter(|entry| !known(entry)).map(|(name, _)| name.clone()).collect()
    }

    /// The file that these weights came from.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What config.json would say, where the file says it itself: a GGUF file.
    pub fn config(&self) -> Option<&Value> {
        self.config.as_ref()
    }

    /// The first of `names` that there is and that is read.
    pub(crate) fn find<'a>(&self, names: &'a [String]) -> Option<&'a str> {
        names.iter().map(String::as_str).find(|name| self.tensors.get(*name).is_some_and(Tensor::is_read))
    }

    /// The first of `names` that is a matrix: its name, shape and values, which may be changed.
    pub(crate) fn matrix(&mut self, names: &[String]) -> Option<(String, &mut Vec<usize>, &mut Vec<f32>)> {
        let is_matrix = |tensor: &Tensor| tensor.is_read() && tensor.shape().len() == 2;
        let name = names.iter().find(|name| self.tensors.get(*name).is_some_and(is_matrix))?;
        let tensor = self.tensors.get_mut(name)?;
        if let Tensor::Stored(stored) = tensor {
            *tensor = Tensor::Made { shape: stored.shape().to_vec(), values: stored.values() };
        }
        match tensor {
            Tensor::Made { shape, values } => Some((name.clone(), shape, values)),
            Tensor::Stored(_) => None,
        }
    }
}

impl Tensor {
    fn stored(&self) -> Option<&StoredTensor> {
        match self {
            Self::Stored(tensor) => Some(tensor),
            Self::Made { .. } => None,
        }
    }

    fn shape(&self) -> &[usize] {
        match self {
            Self::Stored(tensor) => tensor.shape(),
            Self::Made { shape, .. } => shape,
        }
    }

    fn dtype(&self) -> &'static str {
        match self {
            Self::Stored(tensor) => tensor.dtype().name(),
            Self::Made { .. } => "F32",
        }
    }

    fn is_read(&self) -> bool {
        match self {
            Self::Stored(tensor) => tensor.dtype().is_read(),
            Self::Made { .. } => true,
        }
    }
}

//! GGUF, the format of llama.cpp: metadata, then tensors, many of them quantised. The format:
//! <https://github.com/ggml-org/ggml/blob/master/docs/gguf.md>.

/// llama.cpp's architectures, and Hugging Face's names.
mod architecture;
/// What config.json would say.
mod config;
/// Numbers and strings, one after the other.
mod cursor;
/// Typed values by key.
mod metadata;
/// Where the tensors lie.
mod places;

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

pub use metadata::{Array, Metadata, Value};
pub use places::Place;

use crate::error::{Fault, WeightsError, quoted};
use crate::mapped::Mapped;
use crate::tensor::{Order, StoredTensor};
use architecture::Architecture;
use cursor::Cursor;

/// What a GGUF file begins with.
pub(crate) const MAGIC: &[u8] = b"GGUF";

/// Bytes of everything before the tensors' values: the largest vocabularies with their merges take about 20 MB.
const LIMIT: usize = 128 << 20;

/// A GGUF file (version 2 or 3, little-endian). Its tensors stay where they are until they are asked for.
#[derive(Debug, Clone)]
pub struct Gguf {
    file: Arc<Mapped>,
    metadata: Metadata,
    places: Vec<Place>,
}

impl Gguf {
    /// # Errors
    /// The disk's; a file that is not GGUF, is damaged, or claims what it does not hold.
    pub fn open(path: &Path) -> Result<Self, WeightsError> {
        Self::read(Mapped::open(path)?)
    }

    /// A file that is in memory already; `path` is what errors call it.
    ///
    /// # Errors
    /// As [`Gguf::open`].
    pub fn from_bytes(path: &Path, bytes: Vec<u8>) -> Result<Self, WeightsError> {
        Self::read(Mapped::from_bytes(path, bytes))
    }

    /// The file.
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// What the file says about itself: architecture, tokenizer, chat template.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// The tensors under llama.cpp's names, in the order of the file's list.
    pub fn places(&self) -> &[Place] {
        &self.places
    }

    /// What Hugging Face's config.json would say.
    ///
    /// # Errors
    /// An architecture that is not known, or metadata that lacks something.
    pub fn config(&self) -> Result<serde_json::Value, WeightsError> {
        self.configuration().map_err(|fault| fault.at(self.path()))
    }

    pub(crate) fn configuration(&self) -> Result<serde_json::Value, Fault> {
        config::config(self, Architecture::of(&self.metadata)?)
    }

    /// The tensors under Hugging Face's names and in its order; those that its files do not have keep their names.
    pub(crate) fn tensors(&self) -> Result<Vec<(String, StoredTensor)>, Fault> {
        let architecture = Architecture::of(&self.metadata)?;
        if let Some(parts) = self.metadata.u64("split.count").filter(|parts| *parts > 1) {
            return Err(Fault::unsupported(format!(
                "it is one of {parts} parts of a model: join them with llama.cpp's `llama-gguf-split --merge`"
            )));
        }
        let gated: HashSet<&str> =
            self.places.iter().filter_map(|place| place.name.strip_suffix(".ffn_gate.weight")).collect();
        // Its values are in the configuration.
        let places = self.places.iter().filter(|place| place.name != "rope_freqs.weight");
        places
            .map(|place| {
                let mut name = architecture.name(&place.name).unwrap_or_else(|| place.name.clone());
                let block = place.name.strip_suffix(".ffn_up.weight");
                if architecture == Architecture::T5 && block.is_some_and(|block| !gated.contains(block)) {
                    name = name.replace(".wi_1.", ".wi.");
                }
                let tensor = self.tensor(architecture, place);
                Ok((name, tensor.map_err(|fault| fault.inside(&format!("tensor {}", quoted(&place.name))))?))
            })
            .collect()
    }

    fn tensor(&self, architecture: Architecture, place: &Place) -> Result<StoredTensor, Fault> {
        if place.is_quantised_otherwise() {
            return Err(Fault::unsupported(format!(
                "it is quantised as {}, which is not read; Q4_0, Q4_1, Q5_0, Q5_1, Q8_0 and Q2_K to Q6_K are",
                place.dtype
            )));
        }
        let order = architecture.order(&place.name, place.shape.len(), &self.metadata)?;
        let mut shape = place.shape.clone();
        if order == Order::Transposed {
            shape.reverse();
        }
        StoredTensor::new(shape, place.dtype, self.file.clone(), place.range.clone(), order)
    }

    /// Of the tensor with that name, as they lie; none where there is no such tensor.
    fn values(&self, name: &str) -> Vec<f32> {
        let place = self.places.iter().find(|place| place.name == name);
        let tensor = place.and_then(|place| {
            let (shape, range) = (place.shape.clone(), place.range.clone());
            StoredTensor::new(shape, place.dtype, self.file.clone(), range, Order::RowMajor).ok()
        });
        tensor.map(|tensor| tensor.values()).unwrap_or_default()
    }

    fn read(file: Mapped) -> Result<Self, WeightsError> {
        let path = file.path().to_owned();
        Self::parse(file).map_err(|fault| fault.at(&path))
    }

    pub(crate) fn parse(file: Mapped) -> Result<Self, Fault> {
        let (metadata, places) = parse(file.bytes())?;
        Ok(Self { file: Arc::new(file), metadata, places })
    }
}

fn parse(bytes: &[u8]) -> Result<(Metadata, Vec<Place>), Fault> {
    let mut cursor = Cursor::new(&bytes[..bytes.len().min(LIMIT)]);
    if cursor.take(4).ok() != Some(MAGIC) {
        return Err(Fault::damaged("not a GGUF file"));
    }
    match cursor.u32()? {
        2 | 3 => {}
        1 => return Err(Fault::unsupported("GGUF version 1 is not read; convert it anew with llama.cpp")),
        version if (1..=3).contains(&version.swap_bytes()) => {
            return Err(Fault::unsupported("a big-endian GGUF file is not read"));
        }
        version => return Err(Fault::unsupported(format!("GGUF version {version} is not read"))),
    }
    // A tensor takes a name, its dimensions, type and offset; an entry a key, its type and a byte.
    let tensors = cursor.count(8 + 4 + 4 + 8, "tensors")?;
    let entries = cursor.count(8 + 4 + 1, "entries of metadata")?;
    let metadata = Metadata::read(&mut cursor, entries)?;
    let places = places::read(&mut cursor, tensors, &metadata, bytes.len())?;
    Ok((metadata, places))
}

#[cfg(test)]
pub(crate) mod tests;

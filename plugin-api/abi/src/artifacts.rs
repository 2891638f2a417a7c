//! Mirrors `wit/artifacts.wit`.

use serde::{Deserialize, Serialize};

/// Number format in which an exporter reads a tensor; little-endian.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Element {
    Float32,
    Float16,
    BFloat16,
}

impl Element {
    /// Bytes an element.
    pub fn size(self) -> u64 {
        match self {
            Self::Float32 => 4,
            Self::Float16 | Self::BFloat16 => 2,
        }
    }
}

/// A tensor of the trained model: its Hugging Face name and its shape.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TensorInfo {
    pub name: String,
    pub shape: Vec<u64>,
}

/// A file that came with the base model, such as `tokenizer.json`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ModelFile {
    pub path: String,
    #[serde(with = "serde_bytes")]
    pub content: Vec<u8>,
}

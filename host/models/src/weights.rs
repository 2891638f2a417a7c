//! Weights by Hugging Face names: reading and writing safetensors, and fitting them to a model.

mod read;
mod write;

pub use read::{LoadReport, TensorHeader, Weights};
pub use write::{NamedTensor, write_safetensors};

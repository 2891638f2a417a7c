//! Weights by Hugging Face names: reading and writing safetensors, and fitting them to a model.

mod grow;
mod read;
mod write;

pub use grow::NewRow;
pub use read::{LoadReport, TensorHeader, Weights};
pub use write::{NamedTensor, write_safetensors};

//! Weights by Hugging Face names: reading and writing safetensors, and fitting them to a model.

mod fit;
mod grow;
mod read;
mod write;

pub use fit::{Fit, LoadReport, fit};
pub use grow::NewRow;
pub use read::{TensorHeader, Weights};
pub use write::{NamedTensor, write_safetensors};

//! Weights in files, by Hugging Face names. Knows no tensor library.

/// Elements into float32.
mod convert;
/// How elements lie in a file.
mod dtype;
/// What can be wrong with a file, and how to mend it.
pub mod error;
/// The files of a model folder, and models in several files.
mod folder;
/// GGUF, the format of llama.cpp: its metadata and its tensors.
pub mod gguf;
/// Rows that a matrix gets when a vocabulary grows.
mod grow;
/// A file in memory, or mapped into it.
mod mapped;
/// State dicts of PyTorch, read without executing anything.
mod pytorch;
/// ggml's quantised blocks into float32.
mod quants;
/// safetensors.
mod safetensors;
/// A tensor where it lies.
mod tensor;
/// The tensors of a model, by name.
mod weights;
/// Writing safetensors, whole or not at all.
mod write;

pub use dtype::Dtype;
pub use error::WeightsError;
pub use gguf::Gguf;
pub use grow::NewRow;
pub use tensor::StoredTensor;
pub use weights::{TensorHeader, Weights};
pub use write::{NamedTensor, SHARD_LIMIT, write_model, write_safetensors};

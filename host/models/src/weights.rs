//! Weights by Hugging Face names, and fitting them to a model. Files are pegbox-weights' business.

mod fit;

pub use fit::{Fit, LoadReport, fit};
pub use pegbox_weights::{
    Gguf, NamedTensor, NewRow, SHARD_LIMIT, TensorHeader, Weights, WeightsError, write_model,
    write_safetensors,
};

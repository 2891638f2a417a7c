//! Architectures in Burn, their weights in and out, and the kernels that make them fast on a CPU.

pub mod bert;
mod decode;
pub mod device;
pub mod distilbert;
pub mod encoder;
pub mod error;
pub mod footprint;
pub mod generator;
pub mod gpt2;
pub mod head;
pub mod initial;
pub mod kernels;
pub mod llama;
pub mod model;
pub mod output;
pub mod parameters;
pub mod roberta;
pub mod t5;
pub mod tokens;
pub mod weights;

pub use encoder::{Encoder, EncoderConfig, NewToken};
pub use error::ModelError;
pub use footprint::{BatchShape, Depth};
pub use generator::{CausalDecoder, Generator};
pub use gpt2::{Gpt2, Gpt2Config, Gpt2Decoder};
pub use head::{Head, Pooling, Problem, SentencePooling};
pub use kernels::DropoutKey;
pub use llama::{Llama, LlamaConfig, LlamaDecoder};
pub use model::{Model, ModelConfig};
pub use output::{Logits, Mode, Output};
pub use parameters::{Parameter, Parameters};
pub use t5::{Seq2SeqBatch, T5, T5Config, T5Decoder};
pub use tokens::TokenBatch;
pub use weights::Weights;

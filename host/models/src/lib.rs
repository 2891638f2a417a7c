//! Architectures in Burn, their weights in and out, and the kernels that make them fast on a CPU.

pub mod bert;
pub mod device;
pub mod error;
pub mod initial;
pub mod kernels;
pub mod parameters;
pub mod tokens;
pub mod weights;

pub use bert::{Bert, BertConfig, NewToken, Pooling};
pub use error::ModelError;
pub use kernels::DropoutKey;
pub use parameters::{Parameter, Parameters};
pub use tokens::TokenBatch;
pub use weights::Weights;

//! What decoding token by token is built from: weights as plain slices, a cache of keys and values in blocks, attention
//! to it, and the frame around a model's layers. No tensors and no autodiff: at one token a step, calling tensor
//! operations would cost more than the arithmetic.

mod attention;
mod cache;
pub(crate) mod frame;
mod pass;
mod rows;
mod weights;

pub(crate) use attention::{CachedAttention, attend};
pub(crate) use cache::Cache;
pub(crate) use frame::Layers;
pub(crate) use pass::Pass;
pub(crate) use rows::check;
pub(crate) use weights::{Matrix, Values, add, layer_norm, rms_norm_in_place};

//! Fused operations for the CPU, with hand-written backward passes.
//!
//! Burn's own operations are the reference and what every other device runs; these exist because on two
//! cores most of a step's time would otherwise go into passing over memory (docs/benchmarks.md has the
//! profile). One operation a file; each has a forward and a backward over plain slices, and its node in
//! Burn's autodiff graph. [`ops`] chooses between them and Burn's, by device.
//!
//! Results do not depend on the number of threads: work is cut into pieces of fixed size, and every
//! reduction has a fixed order.

pub(crate) mod activation;
pub mod adamw;
mod attention;
mod biased_attention;
mod buffer;
mod composed;
mod dropout;
mod embedding;
mod extension;
mod gelu;
pub(crate) mod grouped_attention;
mod linear;
mod low_rank;
pub(crate) mod math;
pub(crate) mod matmul;
pub(crate) mod matvec;
pub(crate) mod nf4;
mod norm;
pub mod ops;
mod random;
pub(crate) mod rms_norm;
pub(crate) mod rope;
pub(crate) mod simd;
mod sites;
pub(crate) mod storage;
mod visible;
pub(crate) mod weight;

pub use activation::Activation;
pub use buffer::{Buffer, sum_of_squares, update};
pub use extension::Kernels;
pub use grouped_attention::GroupedAttention;
pub use low_rank::Addition;
pub use nf4::Nf4;
pub use random::{Dropout, DropoutKey, mix64};
pub use rope::Rotation;
pub use sites::DropoutSites;
pub use visible::Visible;
pub use weight::{Adapter, Weight};

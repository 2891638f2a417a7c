//! What a forward pass is asked for and gives, whatever the architecture.

use burn::tensor::Tensor;

use crate::kernels::DropoutKey;

/// How to run a forward pass.
#[derive(Clone, Copy, Debug, Default)]
pub struct Mode {
    /// Training: which dropout masks to draw. None switches dropout off.
    pub dropout: Option<DropoutKey>,
    pub hidden_states: bool,
}

/// What a forward pass gives. B rows, T tokens, H the hidden size.
pub struct Output {
    pub logits: Logits,
    /// `[B, T, H]` each: the embeddings, then every layer; empty unless asked for.
    pub hidden_states: Vec<Tensor<3>>,
}

/// What a head computes.
#[derive(Clone, Debug)]
pub enum Logits {
    /// `[B, C]`: of a whole text; the vectors themselves for sentence embeddings.
    Rows(Tensor<2>),
    /// `[B, T, C]`: of each token; C is the vocabulary's size for language modelling.
    Tokens(Tensor<3>),
}

impl Logits {
    /// The numbers of one text or token: C.
    pub fn width(&self) -> usize {
        match self {
            Self::Rows(tensor) => tensor.dims()[1],
            Self::Tokens(tensor) => tensor.dims()[2],
        }
    }

    /// The values, row-major, in float32.
    pub fn into_values(self) -> Vec<f32> {
        match self {
            Self::Rows(tensor) => tensor.into_data().iter::<f32>().collect(),
            Self::Tokens(tensor) => tensor.into_data().iter::<f32>().collect(),
        }
    }
}

//! What a model reads, whatever its architecture.

use std::sync::Arc;

use burn::tensor::Tensor;

use crate::error::ModelError;
use crate::kernels::ops;
use crate::t5::Seq2SeqBatch;
use crate::tokens::TokenBatch;

/// A batch as a model takes it.
#[derive(Clone, Debug, PartialEq)]
pub enum Batch {
    /// Rows of tokens: what the head gives is of each row or of every token.
    Tokens(TokenBatch),
    /// Rows of tokens of which only some tokens' logits are wanted; a decoder's.
    Places(TokenBatch, Places),
    /// Rows to read, and what is to be written after each; an encoder-decoder's.
    Pairs(Seq2SeqBatch),
}

/// Tokens of a batch of B rows and T tokens, W for each of R texts: its rows, or the documents that are packed in them. The
/// logits of all others are not computed, which is most of the work and of the memory where the vocabulary is large.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places {
    /// Row-major `[R, W]`: places in the row-major `[B, T]`. One may stand there more than once.
    pub at: Arc<Vec<u32>>,
    /// W, at least 1.
    pub width: usize,
}

impl From<TokenBatch> for Batch {
    fn from(tokens: TokenBatch) -> Self {
        Self::Tokens(tokens)
    }
}

impl Batch {
    /// Told in errors.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Tokens(_) => "rows of tokens",
            Self::Places(..) => "some places of rows of tokens",
            Self::Pairs(_) => "pairs of texts",
        }
    }
}

impl Places {
    /// # Errors
    /// They are not as many for each text, or one is not in the batch.
    pub(crate) fn check(&self, batch: &TokenBatch) -> Result<(), ModelError> {
        let places = self.at.len();
        let inside = self.at.iter().all(|place| (*place as usize) < batch.ids.len());
        if self.width == 0 || places != batch.texts() * self.width || !inside {
            return Err(ModelError::Places { places, rows: batch.rows, tokens: batch.tokens });
        }
        Ok(())
    }

    /// x of these places: `[B, T, H]` to `[R, W, H]`.
    pub(crate) fn of(&self, x: Tensor<3>) -> Tensor<3> {
        let [rows, tokens, hidden] = x.dims();
        ops::embedding(&x.reshape([rows * tokens, hidden]), &self.at, self.at.len() / self.width)
    }
}

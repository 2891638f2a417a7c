//! The model, as generation sees it.

/// A language model that remembers what it has read, for a batch of rows.
///
/// A decoder keeps one state a row (in a transformer its cache of keys and values), in the rows' order.
/// [`prefill`](Self::prefill) begins anew; [`step`](Self::step) goes on; [`reorder`](Self::reorder) chooses among
/// the rows. What a row computes must not depend on the rows beside it.
pub trait Decoder {
    type Error: std::error::Error + Send + Sync + 'static;

    /// Forgets everything, reads the prompts (rows of token ids, of any lengths from 1), and gives the logits
    /// after each row's last token.
    fn prefill(&mut self, rows: &[Vec<u32>]) -> Result<Logits, Self::Error>;

    /// Reads one more token for every row, `tokens[i]` for row `i`, and gives the logits after it.
    fn step(&mut self, tokens: &[u32]) -> Result<Logits, Self::Error>;

    /// Row `i` goes on from what row `parents[i]` was; there are `parents.len()` rows afterwards, which may be
    /// fewer or more than before. A parent may stand there several times (beams) or not at all (rows that are
    /// finished).
    fn reorder(&mut self, parents: &[usize]) -> Result<(), Self::Error>;

    /// The tokens that the answer to a prompt continues: the prompt itself; in an encoder-decoder, which reads the
    /// prompt elsewhere, the token that its decoder starts with. Penalties see them.
    fn history(&self, prompt: &[u32]) -> Vec<u32> {
        prompt.to_vec()
    }

    /// The most tokens that a row may have, history and answer together, where the model has such a limit.
    fn context(&self) -> Option<usize> {
        None
    }
}

/// Scores of the next token, before the softmax.
#[derive(Clone, Debug, PartialEq)]
pub struct Logits {
    pub rows: usize,
    /// Scores a row. It may be more than the tokenizer has tokens: matrices are padded to round sizes.
    pub vocabulary: usize,
    /// Row-major `[rows, vocabulary]`.
    pub values: Vec<f32>,
}

impl Logits {
    /// The scores of one row, `None` if there is no such row.
    pub fn row(&self, row: usize) -> Option<&[f32]> {
        let start = row.checked_mul(self.vocabulary)?;
        if row >= self.rows {
            return None;
        }
        self.values.get(start..start.checked_add(self.vocabulary)?)
    }
}

//! A padded batch of token ids.

use crate::error::ModelError;

/// `B` rows of token ids, padded on the right to the longest (`T`).
#[derive(Clone, Debug, PartialEq)]
pub struct TokenBatch {
    /// Row-major `[B, T]`.
    pub ids: Vec<u32>,
    /// Row-major `[B, T]`: true where a token stands, false where padding does.
    pub mask: Vec<bool>,
    /// Row-major `[B, T]`: which of a pair's texts a token belongs to; 0 for padding and single texts.
    pub types: Vec<u32>,
    pub rows: usize,
    pub tokens: usize,
}

impl TokenBatch {
    /// Pads `rows` with `padding`.
    pub fn new<'a>(
        rows: impl ExactSizeIterator<Item = &'a [u32]> + Clone,
        padding: u32,
    ) -> Result<Self, ModelError> {
        let tokens = rows.clone().map(<[u32]>::len).max().unwrap_or(0);
        let count = rows.len();
        if count == 0 || tokens == 0 {
            return Err(ModelError::EmptyBatch);
        }
        let mut ids = vec![padding; count * tokens];
        let mut mask = vec![false; count * tokens];
        for (row, tokens_of_row) in rows.enumerate() {
            let start = row * tokens;
            ids[start..start + tokens_of_row.len()].copy_from_slice(tokens_of_row);
            mask[start..start + tokens_of_row.len()].fill(true);
        }
        Ok(Self { types: vec![0; ids.len()], ids, mask, rows: count, tokens })
    }

    /// The same batch with token types, row-major `[B, T]` like [`Self::ids`]; the model checks them.
    pub fn with_types(self, types: Vec<u32>) -> Self {
        Self { types, ..self }
    }

    /// Checks every id and the length against a model's sizes, before a tensor is made of them.
    pub fn check(&self, vocabulary: usize, positions: usize, types: usize) -> Result<(), ModelError> {
        if self.types.len() != self.ids.len() || self.mask.len() != self.ids.len() {
            return Err(ModelError::Ragged { ids: self.ids.len(), types: self.types.len() });
        }
        if let Some(at) = self.types.iter().position(|kind| *kind as usize >= types) {
            return Err(ModelError::TokenType { kind: self.types[at], row: at / self.tokens.max(1), types });
        }
        if self.rows == 0 || self.tokens == 0 || self.ids.len() != self.rows * self.tokens {
            return Err(ModelError::EmptyBatch);
        }
        if self.tokens > positions {
            return Err(ModelError::TooLong { tokens: self.tokens, limit: positions });
        }
        match self.ids.iter().position(|id| *id as usize >= vocabulary) {
            Some(at) => Err(ModelError::TokenId {
                id: self.ids[at],
                row: at / self.tokens,
                position: at % self.tokens,
                vocabulary,
            }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pads_and_checks() {
        let rows: [&[u32]; 2] = [&[5, 6, 7], &[8]];
        let batch = TokenBatch::new(rows.into_iter(), 0).unwrap();
        assert_eq!(batch.ids, [5, 6, 7, 8, 0, 0]);
        assert_eq!(batch.mask, [true, true, true, true, false, false]);
        assert!(batch.check(9, 3, 1).is_ok());
        assert!(matches!(batch.check(8, 3, 1), Err(ModelError::TokenId { id: 8, row: 1, position: 0, .. })));
        assert!(matches!(batch.check(9, 2, 1), Err(ModelError::TooLong { .. })));
        let pair = batch.clone().with_types(vec![0, 1, 1, 0, 0, 0]);
        assert!(pair.check(9, 3, 2).is_ok());
        assert!(matches!(pair.check(9, 3, 1), Err(ModelError::TokenType { kind: 1, row: 0, .. })));
        assert!(matches!(batch.with_types(vec![0]).check(9, 3, 2), Err(ModelError::Ragged { .. })));
        assert!(TokenBatch::new(std::iter::empty::<&[u32]>().collect::<Vec<_>>().into_iter(), 0).is_err());
    }
}

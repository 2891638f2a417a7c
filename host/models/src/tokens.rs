//! A padded batch of token ids.

use crate::error::ModelError;
use crate::kernels::Visible;

/// `B` rows of token ids, padded to the longest (`T`).
#[derive(Clone, Debug, PartialEq)]
pub struct TokenBatch {
    /// Row-major `[B, T]`.
    pub ids: Vec<u32>,
    /// Row-major `[B, T]`: true where a token stands, false where padding does.
    pub mask: Vec<bool>,
    /// Row-major `[B, T]`: which of a pair's texts a token belongs to; 0 for padding and single texts.
    pub types: Vec<u32>,
    /// Row-major `[B, T]`: which document of its row a token belongs to, where rows hold several of them one after the
    /// other (packing); empty where each row is one document. A token sees its own document only, and positions begin
    /// anew with each.
    pub documents: Vec<u32>,
    pub rows: usize,
    pub tokens: usize,
}

impl TokenBatch {
    /// Pads `rows` with `padding` on the right.
    pub fn new<'a>(
        rows: impl ExactSizeIterator<Item = &'a [u32]> + Clone,
        padding: u32,
    ) -> Result<Self, ModelError> {
        Self::padded(rows, padding, |_| 0)
    }

    /// Pads `rows` with `padding` on the left, so that all end together.
    pub fn left_padded<'a>(
        rows: impl ExactSizeIterator<Item = &'a [u32]> + Clone,
        padding: u32,
    ) -> Result<Self, ModelError> {
        let tokens = rows.clone().map(<[u32]>::len).max().unwrap_or(0);
        Self::padded(rows, padding, |length| tokens - length)
    }

    /// Several documents a row, one after the other; rows are padded with `padding` on the right.
    pub fn packed(rows: &[Vec<&[u32]>], padding: u32) -> Result<Self, ModelError> {
        let joined: Vec<Vec<u32>> = rows.iter().map(|documents| documents.concat()).collect();
        let batch = Self::new(joined.iter().map(Vec::as_slice), padding)?;
        let mut numbers = vec![0; batch.ids.len()];
        for (row, documents) in rows.iter().enumerate() {
            let mut start = row * batch.tokens;
            for (number, document) in documents.iter().enumerate() {
                numbers[start..start + document.len()].fill(number as u32);
                start += document.len();
            }
        }
        Ok(Self { documents: numbers, ..batch })
    }

    /// `before` says how much padding goes before a row of that length.
    fn padded<'a>(
        rows: impl ExactSizeIterator<Item = &'a [u32]> + Clone,
        padding: u32,
        before: impl Fn(usize) -> usize,
    ) -> Result<Self, ModelError> {
        let tokens = rows.clone().map(<[u32]>::len).max().unwrap_or(0);
        let count = rows.len();
        if count == 0 || tokens == 0 {
            return Err(ModelError::EmptyBatch);
        }
        let mut ids = vec![padding; count * tokens];
        let mut mask = vec![false; count * tokens];
        for (row, tokens_of_row) in rows.enumerate() {
            let start = row * tokens + before(tokens_of_row.len());
            ids[start..start + tokens_of_row.len()].copy_from_slice(tokens_of_row);
            mask[start..start + tokens_of_row.len()].fill(true);
        }
        Ok(Self { types: vec![0; ids.len()], ids, mask, documents: Vec::new(), rows: count, tokens })
    }

    /// The same batch with token types, row-major `[B, T]` like [`Self::ids`]; the model checks them.
    pub fn with_types(self, types: Vec<u32>) -> Self {
        Self { types, ..self }
    }

    /// Checks every id and the length against a model's sizes, before a tensor is made of them.
    pub fn check(&self, vocabulary: usize, positions: usize, types: usize) -> Result<(), ModelError> {
        let ragged = |length: usize| length != self.ids.len();
        if ragged(self.types.len())
            || ragged(self.mask.len())
            || (!self.documents.is_empty() && ragged(self.documents.len()))
        {
            return Err(ModelError::Ragged { ids: self.ids.len(), types: self.types.len() });
        }
        if let Some(at) = self.types.iter().position(|kind| *kind as usize >= types) {
            return Err(ModelError::TokenType { kind: self.types[at], row: at / self.tokens.max(1), types });
        }
        if self.rows == 0 || self.tokens == 0 || self.ids.len() != self.rows * self.tokens {
            return Err(ModelError::EmptyBatch);
        }
        let longest = match self.documents.as_slice() {
            [] => self.tokens,
            _ => self.runs().map(|run| run.len()).max().unwrap_or(0),
        };
        if longest > positions {
            return Err(ModelError::TooLong { tokens: longest, limit: positions });
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

impl TokenBatch {
    /// Rows, or the documents that are packed in them.
    pub(crate) fn texts(&self) -> usize {
        if self.documents.is_empty() { self.rows } else { self.runs().count() }
    }

    /// The runs of neighbouring tokens of one document, as ranges of the row-major `[B, T]`. Padding ends a run and
    /// belongs to none.
    fn runs(&self) -> impl Iterator<Item = std::ops::Range<usize>> {
        let document = |at: usize| self.documents.get(at).copied().unwrap_or(0);
        let mut at = 0;
        std::iter::from_fn(move || {
            while at < self.mask.len() && !self.mask[at] {
                at += 1;
            }
            let start = at;
            let row_end = (start / self.tokens.max(1) + 1) * self.tokens;
            while at < self.mask.len().min(row_end) && self.mask[at] && document(at) == document(start) {
                at += 1;
            }
            (start < at).then_some(start..at)
        })
    }

    /// The position of every token in its document, row-major `[B, T]`; 0 for padding.
    pub fn positions(&self) -> Vec<u32> {
        let mut positions = vec![0; self.ids.len()];
        for run in self.runs() {
            for (position, at) in run.enumerate() {
                positions[at] = position as u32;
            }
        }
        positions
    }

    /// What each token sees of its row: its document up to itself and, with a sliding window, at most the last
    /// `window` tokens of that, itself among them. Padding sees itself alone.
    pub fn causal(&self, window: Option<usize>) -> Visible {
        self.visible(|start, _, at| {
            (start.max((at + 1).saturating_sub(window.unwrap_or(usize::MAX))), at + 1)
        })
    }

    /// What each token sees of its row in an encoder: its whole document. Padding sees itself alone.
    pub fn bidirectional(&self) -> Visible {
        self.visible(|start, end, _| (start, end))
    }

    /// `of` maps a document's first token and its end, and a token of it, to the first token that this one sees and
    /// to the end of what it sees; all count from the row's first token.
    fn visible(&self, of: impl Fn(usize, usize, usize) -> (usize, usize)) -> Visible {
        let tokens = self.tokens.max(1);
        let mut first: Vec<u32> = (0..self.ids.len()).map(|at| (at % tokens) as u32).collect();
        let mut end: Vec<u32> = first.iter().map(|at| at + 1).collect();
        for run in self.runs() {
            let row = run.start / tokens * tokens;
            for at in run.clone() {
                let (from, to) = of(run.start - row, run.end - row, at - row);
                (first[at], end[at]) = (from as u32, to as u32);
            }
        }
        Visible { first, end, tokens: self.tokens }
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
    #[test]
    fn positions_and_what_is_seen_follow_the_documents() {
        let rows: [&[u32]; 2] = [&[5, 6, 7], &[8]];
        let left = TokenBatch::left_padded(rows.into_iter(), 0).unwrap();
        assert_eq!(left.ids, [5, 6, 7, 0, 0, 8]);
        assert_eq!(left.positions(), [0, 1, 2, 0, 0, 0]);
        let seen = left.causal(Some(2));
        assert_eq!(seen.first, [0, 0, 1, 0, 1, 2]);
        assert_eq!(seen.end, [1, 2, 3, 1, 2, 3]);

        let packed = TokenBatch::packed(&[vec![&[1, 2, 3], &[4, 5]], vec![&[6]]], 0).unwrap();
        assert_eq!(packed.ids, [1, 2, 3, 4, 5, 6, 0, 0, 0, 0]);
        assert_eq!(packed.positions(), [0, 1, 2, 0, 1, 0, 0, 0, 0, 0]);
        assert_eq!(packed.causal(None).first, [0, 0, 0, 3, 3, 0, 1, 2, 3, 4]);
        assert_eq!(packed.bidirectional().first, [0, 0, 0, 3, 3, 0, 1, 2, 3, 4]);
        assert_eq!(packed.bidirectional().end, [3, 3, 3, 5, 5, 1, 2, 3, 4, 5]);
        // A row of five tokens whose documents have three at most.
        assert!(packed.check(7, 3, 1).is_ok());
        assert!(matches!(packed.check(7, 2, 1), Err(ModelError::TooLong { tokens: 3, limit: 2 })));
        assert!(TokenBatch { documents: vec![0], ..packed }.check(7, 3, 1).is_err());
    }
}

//! Pairs of token rows.

use crate::error::ModelError;
use crate::tokens::TokenBatch;

/// The label of a place from which nothing is to be learned, as Transformers has it.
pub const IGNORED: i32 = -100;

/// `B` rows that the encoder reads, and what the decoder is to write after each, padded on the right to the longest
/// (`Td`).
#[derive(Clone, Debug, PartialEq)]
pub struct Seq2SeqBatch {
    pub inputs: TokenBatch,
    /// Row-major `[B, Td]`; [`IGNORED`] where nothing is to be learned, as at padding.
    pub labels: Vec<i32>,
    /// `Td`.
    pub targets: usize,
}

impl Seq2SeqBatch {
    /// Pads `labels` (one row an input, at least one of them not empty) with [`IGNORED`].
    ///
    /// # Errors
    /// There is nothing to read or nothing to write, or the rows are not as many.
    pub fn new<'a>(
        inputs: TokenBatch,
        labels: impl ExactSizeIterator<Item = &'a [i32]> + Clone,
    ) -> Result<Self, ModelError> {
        let targets = labels.clone().map(<[i32]>::len).max().unwrap_or(0);
        if targets == 0 {
            return Err(ModelError::EmptyBatch);
        }
        if labels.len() != inputs.rows {
            return Err(ModelError::Pairs { inputs: inputs.rows, targets: labels.len() });
        }
        let mut padded = vec![IGNORED; inputs.rows * targets];
        for (place, row) in padded.chunks_mut(targets).zip(labels) {
            place[..row.len()].copy_from_slice(row);
        }
        Ok(Self { inputs, labels: padded, targets })
    }

    /// Checks ids, labels and sizes, before a tensor is made of them.
    ///
    /// # Errors
    /// What does not fit.
    pub fn check(&self, vocabulary: usize) -> Result<(), ModelError> {
        self.inputs.check(vocabulary, usize::MAX, 1)?;
        if self.targets == 0 || self.labels.len() != self.inputs.rows * self.targets {
            return Err(ModelError::Pairs {
                inputs: self.inputs.rows,
                targets: self.labels.len() / self.targets.max(1),
            });
        }
        let known = |label: i32| label == IGNORED || usize::try_from(label).is_ok_and(|id| id < vocabulary);
        match self.labels.iter().position(|label| !known(*label)) {
            Some(at) => Err(ModelError::Label {
                label: self.labels[at],
                row: at / self.targets,
                position: at % self.targets,
                vocabulary,
            }),
            None => Ok(()),
        }
    }

    /// What the decoder reads, row-major `[B, Td]`: the labels one place later, `start` before them, and `padding`
    /// where they are [`IGNORED`].
    pub fn decoder_inputs(&self, start: u32, padding: u32) -> Vec<u32> {
        let id = |label: &i32| u32::try_from(*label).unwrap_or(padding);
        self.labels
            .chunks(self.targets)
            .flat_map(|row| std::iter::once(start).chain(row[..row.len() - 1].iter().map(id)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(labels: &[&[i32]]) -> Result<Seq2SeqBatch, ModelError> {
        let rows: [&[u32]; 2] = [&[5, 6, 7], &[8]];
        let inputs = TokenBatch::new(rows.into_iter(), 0).unwrap();
        Seq2SeqBatch::new(inputs, labels.iter().copied())
    }

    #[test]
    fn labels_are_padded_and_shifted() {
        let batch = batch(&[&[4, 1], &[3, 2, 1]]).unwrap();
        assert_eq!(batch.labels, [4, 1, IGNORED, 3, 2, 1]);
        assert_eq!(batch.decoder_inputs(9, 0), [9, 4, 1, 9, 3, 2]);
        let hidden = Seq2SeqBatch { labels: vec![IGNORED, 1, 1, 3, 2, 1], ..batch };
        assert_eq!(hidden.decoder_inputs(9, 0)[..3], [9, 0, 1]);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        assert!(batch(&[&[4, 1], &[3]]).unwrap().check(9).is_ok());
        assert!(matches!(batch(&[&[4, 1]]), Err(ModelError::Pairs { inputs: 2, targets: 1 })));
        assert!(matches!(batch(&[&[], &[]]), Err(ModelError::EmptyBatch)));
        for label in [9, -1, i32::MIN] {
            let error = batch(&[&[4], &[1, label]]).unwrap().check(9).unwrap_err();
            assert!(matches!(error, ModelError::Label { row: 1, position: 1, .. }), "{error}");
        }
        let mut short = batch(&[&[4, 1], &[3]]).unwrap();
        short.labels.pop();
        assert!(matches!(short.check(9), Err(ModelError::Pairs { .. })));
    }
}

//! The tokens of a batch that a decoder learns to foretell. Here, and nowhere else, labels move by one place: the logits
//! at a token are those of the next one, so the label of token t is met by the logits at t - 1.

use std::sync::Arc;

use pegbox_data::{IGNORED, PaddedBatch};
use pegbox_models::Places;

/// W tokens of each of B rows, where W is the most that a row has.
pub struct Foretold {
    /// The tokens before them, whose logits are those to be computed.
    pub places: Places,
    /// Their ids, `[B, W]`; [`IGNORED`] behind the last of a row.
    pub labels: Vec<i32>,
}

impl Foretold {
    /// `labels` are those of `batch`, `[B, T]`. A row's first token has none before it, and is not foretold.
    pub fn of(batch: &PaddedBatch, labels: &[i32]) -> Self {
        let tokens = batch.width.max(1);
        let of_row = |row: &[i32]| -> Vec<(u32, i32)> {
            let counted = (0_u32..).zip(row.iter().skip(1)).filter(|(_, label)| **label >= 0);
            counted.map(|(before, label)| (before, *label)).collect()
        };
        let rows: Vec<Vec<(u32, i32)>> = labels.chunks(tokens).map(of_row).collect();
        let width = rows.iter().map(Vec::len).max().unwrap_or(0).max(1);
        let (mut at, mut labels) = (Vec::new(), Vec::new());
        for (row, foretold) in rows.iter().enumerate() {
            let start = (row * tokens) as u32;
            at.extend(foretold.iter().map(|(before, _)| start + before));
            labels.extend(foretold.iter().map(|(_, label)| *label));
            // Any place of the row: its label counts for nothing.
            at.resize((row + 1) * width, start);
            labels.resize((row + 1) * width, IGNORED);
        }
        Self { places: Places { at: Arc::new(at), width }, labels }
    }
}

#[cfg(test)]
mod tests {
    use pegbox_data::{Example, RowTarget, Targets};

    use super::*;

    fn foretold(rows: &[(&[u32], &[i32])]) -> Foretold {
        let zeros = [0; 8];
        let examples: Vec<Example<'_>> = rows
            .iter()
            .map(|(ids, labels)| Example {
                ids,
                type_ids: &zeros[..ids.len()],
                target: RowTarget::Completion(labels),
                record: 0,
                weight: 1.0,
            })
            .collect();
        let batch = PaddedBatch::new(&examples, 0);
        let Targets::Completions(labels) = &batch.targets else { panic!("no completions") };
        Foretold::of(&batch, labels)
    }

    #[test]
    fn the_token_before_foretells_and_rows_are_packed() {
        let found = foretold(&[(&[7, 8, 9, 3], &[IGNORED, IGNORED, 9, 3]), (&[5, 6], &[IGNORED, 6])]);
        assert_eq!(found.places, Places { at: Arc::new(vec![1, 2, 4, 4]), width: 2 });
        assert_eq!(found.labels, [9, 3, 6, IGNORED]);
    }

    #[test]
    fn a_first_token_and_rows_without_labels_are_nothing_to_learn() {
        let found = foretold(&[(&[7, 8], &[7, IGNORED]), (&[5], &[IGNORED])]);
        assert_eq!(found.places, Places { at: Arc::new(vec![0, 2]), width: 1 });
        assert_eq!(found.labels, [IGNORED; 2]);
    }
}

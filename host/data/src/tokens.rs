//! Token ids of a part of the dataset, and rows padded to a batch.

/// One row.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Example<'a> {
    pub ids: &'a [u32],
    /// As long as `ids`.
    pub type_ids: &'a [u32],
    /// The id of the class.
    pub label: u32,
    /// The record's id.
    pub record: u64,
    /// Its weight in the loss.
    pub weight: f32,
}

/// The rows of a part, all in flat arrays.
#[derive(Clone, PartialEq, Debug)]
pub struct TokenSplit {
    pub(crate) ids: Vec<u32>,
    pub(crate) type_ids: Vec<u32>,
    /// Where each row begins in `ids`, and the end of the last: one more than there are rows.
    pub(crate) offsets: Vec<u64>,
    pub(crate) labels: Vec<u32>,
    pub(crate) records: Vec<u64>,
    pub(crate) weights: Vec<f32>,
}

impl Default for TokenSplit {
    fn default() -> Self {
        Self {
            ids: Vec::new(),
            type_ids: Vec::new(),
            offsets: vec![0],
            labels: Vec::new(),
            records: Vec::new(),
            weights: Vec::new(),
        }
    }
}

impl TokenSplit {
    /// Adds a row; `ids` and `type_ids` must be of one length, else the shorter one counts.
    pub fn push(&mut self, example: Example<'_>) {
        let width = example.ids.len().min(example.type_ids.len());
        self.ids.extend(example.ids.iter().take(width));
        self.type_ids.extend(example.type_ids.iter().take(width));
        self.offsets.push(self.ids.len() as u64);
        self.labels.push(example.label);
        self.records.push(example.record);
        self.weights.push(example.weight);
    }

    pub fn len(&self) -> usize {
        self.labels.len()
    }

    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// All tokens of all rows.
    pub fn tokens(&self) -> usize {
        self.ids.len()
    }

    /// The row's tokens, label and so on; none past the end.
    pub fn example(&self, row: usize) -> Option<Example<'_>> {
        let span = *self.offsets.get(row)? as usize..*self.offsets.get(row + 1)? as usize;
        Some(Example {
            ids: self.ids.get(span.clone())?,
            type_ids: self.type_ids.get(span)?,
            label: *self.labels.get(row)?,
            record: *self.records.get(row)?,
            weight: *self.weights.get(row)?,
        })
    }

    /// Tokens of each row, for [`crate::BatchPlan`].
    pub fn lengths(&self) -> Vec<u32> {
        self.offsets.windows(2).map(|pair| (pair[1] - pair[0]) as u32).collect()
    }

    /// The class of each row.
    pub fn labels(&self) -> &[u32] {
        &self.labels
    }

    /// The record's id of each row.
    pub fn records(&self) -> &[u64] {
        &self.records
    }

    /// The rows of these numbers, padded with `pad` to the longest; none if a number is past the end.
    pub fn collate(&self, rows: &[u32], pad: u32) -> Option<PaddedBatch> {
        let examples: Vec<Example<'_>> =
            rows.iter().map(|row| self.example(*row as usize)).collect::<Option<_>>()?;
        Some(PaddedBatch::new(&examples, pad))
    }
}

/// Rows padded on the right to the longest of them.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct PaddedBatch {
    pub rows: usize,
    /// Tokens a row, padding included.
    pub width: usize,
    /// `rows` x `width`, row by row.
    pub ids: Vec<u32>,
    /// `rows` x `width`; 0 where padded.
    pub type_ids: Vec<u32>,
    /// Real tokens a row.
    pub lengths: Vec<u32>,
    pub labels: Vec<u32>,
    pub records: Vec<u64>,
    pub weights: Vec<f32>,
    /// Real tokens of all rows.
    pub tokens: usize,
}

impl PaddedBatch {
    pub fn new(examples: &[Example<'_>], pad: u32) -> Self {
        let width = examples.iter().map(|example| example.ids.len()).max().unwrap_or(0);
        let mut batch = Self { rows: examples.len(), width, ..Self::default() };
        batch.ids.reserve_exact(batch.rows * width);
        batch.type_ids.reserve_exact(batch.rows * width);
        for (row, example) in examples.iter().enumerate() {
            batch.ids.extend_from_slice(example.ids);
            batch.ids.resize((row + 1) * width, pad);
            batch.type_ids.extend_from_slice(example.type_ids);
            batch.type_ids.resize((row + 1) * width, 0);
            batch.lengths.push(example.ids.len() as u32);
            batch.labels.push(example.label);
            batch.records.push(example.record);
            batch.weights.push(example.weight);
            batch.tokens += example.ids.len();
        }
        batch
    }

    /// `rows` x `width`: true where there is a real token.
    pub fn mask(&self) -> Vec<bool> {
        self.lengths
            .iter()
            .flat_map(|length| (0..self.width).map(move |place| place < *length as usize))
            .collect()
    }
}

/// Rows without labels or records, for prediction: label 0, records numbered from 0.
pub fn collate_ids(rows: &[&[u32]], pad: u32) -> PaddedBatch {
    let zeros = vec![0; rows.iter().map(|row| row.len()).max().unwrap_or(0)];
    let examples: Vec<Example<'_>> = rows
        .iter()
        .enumerate()
        .map(|(row, ids)| Example {
            ids,
            type_ids: zeros.get(..ids.len()).unwrap_or_default(),
            label: 0,
            record: row as u64,
            weight: 1.0,
        })
        .collect();
    PaddedBatch::new(&examples, pad)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_padded_to_the_longest() {
        let mut split = TokenSplit::default();
        for (row, ids) in [[1, 2, 3].as_slice(), &[4], &[5, 6]].into_iter().enumerate() {
            let type_ids = vec![0; ids.len()];
            let (label, record) = (row as u32, 100 + row as u64);
            split.push(Example { ids, type_ids: &type_ids, label, record, weight: 1.0 });
        }
        assert_eq!(split.lengths(), [3, 1, 2]);
        let batch = split.collate(&[2, 0], 9).unwrap();
        assert_eq!((batch.rows, batch.width, batch.tokens), (2, 3, 5));
        assert_eq!(batch.ids, [5, 6, 9, 1, 2, 3]);
        assert_eq!(batch.mask(), [true, true, false, true, true, true]);
        assert_eq!((batch.labels, batch.records), (vec![2, 0], vec![102, 100]));
        assert_eq!(split.collate(&[3], 9), None);
        assert_eq!(collate_ids(&[&[7], &[8, 8]], 0).ids, [7, 0, 8, 8]);
    }
}

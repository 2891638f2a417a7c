//! Token ids of a part of the dataset, and rows padded to a batch.

use crate::tokenize::IGNORED;

/// One row.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Example<'a> {
    pub ids: &'a [u32],
    /// As long as `ids`.
    pub type_ids: &'a [u32],
    pub target: RowTarget<'a>,
    /// The record's id.
    pub record: u64,
    /// Its weight in the loss.
    pub weight: f32,
}

/// What is to be learned of one row.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum RowTarget<'a> {
    /// The id of its class.
    Class(u32),
    /// The label of each token, as long as its ids; [`IGNORED`] where there is none.
    Tokens(&'a [i32]),
    /// Numbers, as many in each row: those to be met, or 1 for each class that holds and 0 for the others.
    Values(&'a [f32]),
    /// The id of each token that is to be written after those before it, as long as its ids; [`IGNORED`] for those that
    /// are only read.
    Completion(&'a [i32]),
    /// The ids of the text that is to be written after this one has been read, the one that ends it included.
    Text(&'a [i32]),
    /// Nothing but the text.
    Nothing,
}

/// What is to be learned of all rows, one row after the other.
#[derive(Clone, PartialEq, Debug)]
pub enum Targets {
    Classes(Vec<u32>),
    Tokens(Vec<i32>),
    Values {
        /// Numbers of a row.
        width: usize,
        values: Vec<f32>,
    },
    Completions(Vec<i32>),
    /// Never padded, neither in a batch.
    Texts {
        ids: Vec<i32>,
        /// Where each row's ends in `ids`.
        ends: Vec<usize>,
    },
    Nothing,
}

impl Default for Targets {
    fn default() -> Self {
        Self::Classes(Vec::new())
    }
}

impl Targets {
    /// Of the kind of `first`.
    fn like(first: RowTarget<'_>) -> Self {
        match first {
            RowTarget::Class(_) => Self::Classes(Vec::new()),
            RowTarget::Tokens(_) => Self::Tokens(Vec::new()),
            RowTarget::Values(row) => Self::Values { width: row.len(), values: Vec::new() },
            RowTarget::Completion(_) => Self::Completions(Vec::new()),
            RowTarget::Text(_) => Self::Texts { ids: Vec::new(), ends: Vec::new() },
            RowTarget::Nothing => Self::Nothing,
        }
    }

    /// Adds a row's; false, and nothing is added, if it is of another kind.
    fn push(&mut self, target: RowTarget<'_>) -> bool {
        match (self, target) {
            (Self::Classes(all), RowTarget::Class(class)) => all.push(class),
            (Self::Tokens(all), RowTarget::Tokens(labels))
            | (Self::Completions(all), RowTarget::Completion(labels)) => all.extend(labels),
            (Self::Texts { ids, ends }, RowTarget::Text(text)) => {
                ids.extend(text);
                ends.push(ids.len());
            }
            (Self::Values { width, values }, RowTarget::Values(row)) if row.len() == *width => {
                values.extend(row);
            }
            (Self::Nothing, RowTarget::Nothing) => {}
            _ => return false,
        }
        true
    }

    fn get(&self, row: usize, span: std::ops::Range<usize>) -> Option<RowTarget<'_>> {
        Some(match self {
            Self::Classes(all) => RowTarget::Class(*all.get(row)?),
            Self::Tokens(all) => RowTarget::Tokens(all.get(span)?),
            Self::Values { width, values } => RowTarget::Values(values.get(row * width..(row + 1) * width)?),
            Self::Completions(all) => RowTarget::Completion(all.get(span)?),
            Self::Texts { .. } => RowTarget::Text(self.text(row)?),
            Self::Nothing => RowTarget::Nothing,
        })
    }

    /// The text that a row is to become; none for targets of other kinds and past the end.
    pub fn text(&self, row: usize) -> Option<&[i32]> {
        let Self::Texts { ids, ends } = self else { return None };
        let start = row.checked_sub(1).map_or(Some(0), |before| ends.get(before).copied())?;
        ids.get(start..*ends.get(row)?)
    }

    /// The labels of tokens, one for each id of a row.
    fn of_tokens(&mut self) -> Option<&mut Vec<i32>> {
        match self {
            Self::Tokens(labels) | Self::Completions(labels) => Some(labels),
            Self::Classes(_) | Self::Values { .. } | Self::Texts { .. } | Self::Nothing => None,
        }
    }
}

/// The rows of a part, all in flat arrays.
#[derive(Clone, PartialEq, Debug)]
pub struct TokenSplit {
    ids: Vec<u32>,
    type_ids: Vec<u32>,
    /// Where each row begins in `ids`, and the end of the last: one more than there are rows.
    offsets: Vec<u64>,
    targets: Targets,
    records: Vec<u64>,
    weights: Vec<f32>,
}

impl Default for TokenSplit {
    fn default() -> Self {
        Self {
            ids: Vec::new(),
            type_ids: Vec::new(),
            offsets: vec![0],
            targets: Targets::default(),
            records: Vec::new(),
            weights: Vec::new(),
        }
    }
}

impl TokenSplit {
    /// Adds a row; `ids`, `type_ids` and labels of tokens must be of one length, else the shortest counts. All rows
    /// have targets of one kind: false, and the row is left out, if this one's is another.
    pub fn push(&mut self, example: Example<'_>) -> bool {
        let mut width = example.ids.len().min(example.type_ids.len());
        if let RowTarget::Tokens(labels) | RowTarget::Completion(labels) = example.target {
            width = width.min(labels.len());
        }
        let target = match example.target {
            RowTarget::Tokens(labels) => RowTarget::Tokens(labels.get(..width).unwrap_or_default()),
            RowTarget::Completion(labels) => RowTarget::Completion(labels.get(..width).unwrap_or_default()),
            other => other,
        };
        if self.is_empty() {
            self.targets = Targets::like(target);
        }
        if !self.targets.push(target) {
            return false;
        }
        self.ids.extend(example.ids.iter().take(width));
        self.type_ids.extend(example.type_ids.iter().take(width));
        self.offsets.push(self.ids.len() as u64);
        self.records.push(example.record);
        self.weights.push(example.weight);
        true
    }

    pub fn len(&self) -> usize {
        self.records.len()
    }

    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// All tokens of all rows.
    pub fn tokens(&self) -> usize {
        self.ids.len()
    }

    /// The row's tokens, target and so on; none past the end.
    pub fn example(&self, row: usize) -> Option<Example<'_>> {
        let span = *self.offsets.get(row)? as usize..*self.offsets.get(row + 1)? as usize;
        Some(Example {
            ids: self.ids.get(span.clone())?,
            type_ids: self.type_ids.get(span.clone())?,
            target: self.targets.get(row, span)?,
            record: *self.records.get(row)?,
            weight: *self.weights.get(row)?,
        })
    }

    /// Tokens of each row, for [`crate::BatchPlan`]; of those that are to be written, too, where they are a text of
    /// their own.
    pub fn lengths(&self) -> Vec<u32> {
        let written = |row: usize| self.targets.text(row).map_or(0, <[i32]>::len) as u32;
        let read = self.offsets.windows(2).map(|pair| (pair[1] - pair[0]) as u32);
        read.enumerate().map(|(row, tokens)| tokens + written(row)).collect()
    }

    /// The class of each row; empty where rows have none.
    pub fn labels(&self) -> &[u32] {
        match &self.targets {
            Targets::Classes(classes) => classes,
            Targets::Tokens(_)
            | Targets::Values { .. }
            | Targets::Completions(_)
            | Targets::Texts { .. }
            | Targets::Nothing => &[],
        }
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
    /// Those of tokens and of completions are `rows` x `width`, and [`IGNORED`] where padded.
    pub targets: Targets,
    pub records: Vec<u64>,
    pub weights: Vec<f32>,
    /// Real tokens of all rows, those of texts that are to be written included.
    pub tokens: usize,
    /// Whether the model reads the rows one after the other in one, each seeing itself alone.
    pub packed: bool,
}

impl PaddedBatch {
    /// All examples must have targets of one kind, as those of a [`TokenSplit`] have.
    pub fn new(examples: &[Example<'_>], pad: u32) -> Self {
        let width = examples.iter().map(|example| example.ids.len()).max().unwrap_or(0);
        let targets = examples.first().map(|first| Targets::like(first.target)).unwrap_or_default();
        let mut batch = Self { rows: examples.len(), width, targets, ..Self::default() };
        batch.ids.reserve_exact(batch.rows * width);
        batch.type_ids.reserve_exact(batch.rows * width);
        for (row, example) in examples.iter().enumerate() {
            batch.ids.extend_from_slice(example.ids);
            batch.ids.resize((row + 1) * width, pad);
            batch.type_ids.extend_from_slice(example.type_ids);
            batch.type_ids.resize((row + 1) * width, 0);
            batch.targets.push(example.target);
            if let Some(labels) = batch.targets.of_tokens() {
                labels.resize((row + 1) * width, IGNORED);
            }
            batch.lengths.push(example.ids.len() as u32);
            batch.records.push(example.record);
            batch.weights.push(example.weight);
            batch.tokens += example.ids.len();
            if let RowTarget::Text(text) = example.target {
                batch.tokens += text.len();
            }
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

/// Rows without labels or records, for prediction: class 0, records numbered from 0.
pub fn collate_ids(rows: &[&[u32]], pad: u32) -> PaddedBatch {
    let zeros = vec![0; rows.iter().map(|row| row.len()).max().unwrap_or(0)];
    let examples: Vec<Example<'_>> = rows
        .iter()
        .enumerate()
        .map(|(row, ids)| Example {
            ids,
            type_ids: zeros.get(..ids.len()).unwrap_or_default(),
            target: RowTarget::Class(0),
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
            let (target, record) = (RowTarget::Class(row as u32), 100 + row as u64);
            split.push(Example { ids, type_ids: &type_ids, target, record, weight: 1.0 });
        }
        assert_eq!(split.lengths(), [3, 1, 2]);
        let batch = split.collate(&[2, 0], 9).unwrap();
        assert_eq!((batch.rows, batch.width, batch.tokens), (2, 3, 5));
        assert_eq!(batch.ids, [5, 6, 9, 1, 2, 3]);
        assert_eq!(batch.mask(), [true, true, false, true, true, true]);
        assert_eq!((batch.targets, batch.records), (Targets::Classes(vec![2, 0]), vec![102, 100]));
        assert_eq!(split.collate(&[3], 9), None);
        assert_eq!(collate_ids(&[&[7], &[8, 8]], 0).ids, [7, 0, 8, 8]);
    }
    #[test]
    fn labels_of_tokens_are_padded_and_values_are_not() {
        let mut split = TokenSplit::default();
        for labels in [[4, 5, IGNORED].as_slice(), &[6]] {
            let ids = vec![1; labels.len()];
            split.push(Example {
                ids: &ids,
                type_ids: &ids,
                target: RowTarget::Tokens(labels),
                record: 0,
                weight: 1.0,
            });
        }
        let batch = split.collate(&[1, 0], 0).unwrap();
        assert_eq!(batch.targets, Targets::Tokens(vec![6, IGNORED, IGNORED, 4, 5, IGNORED]));
        assert!(split.labels().is_empty());

        let mut split = TokenSplit::default();
        for values in [[0.5, 1.0], [2.0, 3.0]] {
            let target = RowTarget::Values(&values);
            split.push(Example { ids: &[1], type_ids: &[0], target, record: 0, weight: 1.0 });
        }
        let batch = split.collate(&[1], 0).unwrap();
        assert_eq!(batch.targets, Targets::Values { width: 2, values: vec![2.0, 3.0] });
    }

    #[test]
    fn texts_keep_their_own_lengths() {
        let mut split = TokenSplit::default();
        for (ids, text) in [(&[1, 2, 3][..], &[9, 8][..]), (&[4], &[7]), (&[5, 6], &[6, 5, 4, 3])] {
            let type_ids = vec![0; ids.len()];
            let target = RowTarget::Text(text);
            assert!(split.push(Example { ids, type_ids: &type_ids, target, record: 0, weight: 1.0 }));
        }
        assert_eq!(split.lengths(), [5, 2, 6]);
        assert_eq!(split.example(2).unwrap().target, RowTarget::Text(&[6, 5, 4, 3]));
        let batch = split.collate(&[2, 0], 0).unwrap();
        assert_eq!(batch.ids, [5, 6, 0, 1, 2, 3]);
        let texts = (batch.targets.text(0), batch.targets.text(1), batch.targets.text(2));
        assert_eq!(texts, (Some(&[6, 5, 4, 3][..]), Some(&[9, 8][..]), None));
        assert_eq!(batch.tokens, 11);
    }

    #[test]
    fn completions_are_padded_as_labels_are() {
        let mut split = TokenSplit::default();
        for labels in [[IGNORED, 5, 6].as_slice(), &[IGNORED, 7]] {
            let (ids, target) = (vec![1; labels.len()], RowTarget::Completion(labels));
            split.push(Example { ids: &ids, type_ids: &ids, target, record: 0, weight: 1.0 });
        }
        let batch = split.collate(&[1, 0], 0).unwrap();
        assert_eq!(batch.targets, Targets::Completions(vec![IGNORED, 7, IGNORED, IGNORED, 5, 6]));
    }

    #[test]
    fn a_row_of_another_kind_is_left_out() {
        let mut split = TokenSplit::default();
        let mut push =
            |target| split.push(Example { ids: &[1], type_ids: &[0], target, record: 0, weight: 1.0 });
        assert!(push(RowTarget::Class(1)));
        assert!(
            !push(RowTarget::Values(&[1.0])) && !push(RowTarget::Tokens(&[1])) && !push(RowTarget::Nothing)
        );
        assert!(push(RowTarget::Class(2)));
        assert_eq!((split.len(), split.labels()), (2, [1, 2].as_slice()));
    }
}

//! Which keys a query sees: a run of neighbouring tokens of its row.

use burn::tensor::{Device, Tensor, TensorData};

/// For each of `B * T` queries, row-major, the keys `first .. end` of its row (of T keys) that it sees. Causal masks,
/// padding on either side, sliding windows and packed documents are all of this kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visible {
    pub first: Vec<u32>,
    /// Behind the last one; larger than `first`.
    pub end: Vec<u32>,
    /// T.
    pub tokens: usize,
}

impl Visible {
    /// One row of `tokens` tokens: each sees itself and those before it, at most `window` in all.
    pub fn causal(tokens: usize, window: Option<usize>) -> Self {
        let first = |end: usize| end.saturating_sub(window.unwrap_or(usize::MAX)) as u32;
        Self { first: (1..=tokens).map(first).collect(), end: (1..=tokens as u32).collect(), tokens }
    }

    /// Number of rows: B.
    pub fn rows(&self) -> usize {
        self.first.len() / self.tokens.max(1)
    }

    /// `[B, 1, T, T]`: 0 where a query sees a key, very negative elsewhere.
    pub fn bias(&self, device: &Device) -> Tensor<4> {
        let keys = self.tokens as u32;
        let values: Vec<f32> = self
            .first
            .iter()
            .zip(&self.end)
            .flat_map(|(first, end)| {
                (0..keys).map(move |key| if (*first..*end).contains(&key) { 0.0 } else { f32::MIN })
            })
            .collect();
        Tensor::from_data(TensorData::new(values, [self.rows(), 1, self.tokens, self.tokens]), device)
    }
}

//! Whether a text's nearest neighbours have its label.

use pegbox_runtime::{StepView, TensorError};
use serde::{Deserialize, Serialize};

use super::gathering::{Gathered, Nothing};

/// Neighbours that are looked at for the second score.
const NEAR: usize = 10;

/// All vectors with their labels: unlike other metrics it keeps what it sees, 4 bytes a number. Texts whose label no
/// other text has do not count.
#[derive(Default, Serialize, Deserialize)]
pub struct Retrieval {
    /// Numbers of a vector.
    width: usize,
    /// At unit length, one after the other.
    vectors: Vec<f32>,
    labels: Vec<i64>,
}

impl Gathered for Retrieval {
    type Settings = Nothing;

    fn add(&mut self, step: &dyn StepView, _: &Nothing) -> Result<(), TensorError> {
        let engine = step.engine();
        let (logits, labels) = (step.logits(), step.labels());
        if labels.shape().rank() != 1 {
            return Err(TensorError::new("retrieval", "it is a metric of `task = \"embeddings\"`")
                .with_operands(&[labels.kind()]));
        }
        self.width = logits.shape().last().copied().unwrap_or(1).max(1);
        for vector in engine.read_floats(&logits)?.chunks(self.width) {
            let length = vector.iter().map(|value| value * value).sum::<f32>().sqrt().max(1e-12);
            self.vectors.extend(vector.iter().map(|value| value / length));
        }
        self.labels.extend(engine.read_ints(&labels)?);
        Ok(())
    }

    fn merge(&mut self, other: Self) {
        if self.width == 0 {
            self.width = other.width;
        }
        self.vectors.extend(other.vectors);
        self.labels.extend(other.labels);
    }

    fn scores(&self) -> Vec<(&'static str, f64, bool)> {
        let (mut texts, mut first, mut near) = (0_u64, 0_u64, 0_u64);
        let mut likeness: Vec<(f32, usize)> = Vec::with_capacity(self.labels.len());
        for (row, (vector, label)) in self.vectors.chunks(self.width.max(1)).zip(&self.labels).enumerate() {
            let others = || self.labels.iter().enumerate().filter(|(other, _)| *other != row);
            if !others().any(|(_, other)| other == label) {
                continue;
            }
            likeness.clear();
            let product = |other: &[f32]| vector.iter().zip(other).map(|(a, b)| a * b).sum::<f32>();
            let all = self.vectors.chunks(self.width.max(1)).enumerate();
            likeness.extend(
                all.filter(|(other, _)| *other != row).map(|(other, vector)| (product(vector), other)),
            );
            // Nearest first; of equals the one that came first.
            let nearest = |a: &(f32, usize), b: &(f32, usize)| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1));
            let count = NEAR.min(likeness.len());
            if count < likeness.len() {
                likeness.select_nth_unstable_by(count, nearest);
                likeness.truncate(count);
            }
            likeness.sort_unstable_by(nearest);
            let mut right = likeness.iter().map(|(_, other)| self.labels.get(*other) == Some(label));
            texts += 1;
            let is_first = right.next() == Some(true);
            first += u64::from(is_first);
            near += u64::from(is_first || right.any(|right| right));
        }
        let share = |count: u64| count as f64 / texts.max(1) as f64;
        vec![("retrieval-at-1", share(first), true), ("retrieval-at-10", share(near), true)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_by_hand() {
        let part = |vectors: Vec<f32>, labels: Vec<i64>| Retrieval { width: 2, vectors, labels };
        // Two texts of label 0 lie together; those of label 1 lie apart, each nearest to one of label 0.
        let mut one = part(vec![1.0, 0.0, 0.8, 0.6], vec![0, 0]);
        one.merge(part(vec![-0.6, 0.8, 0.8, -0.6, 0.0, 1.0], vec![1, 1, 7]));
        let found: Vec<f64> = one.scores().into_iter().map(|score| score.1).collect();
        assert_eq!(found, [0.5, 1.0], "label 7 stands alone and does not count");
        assert_eq!(Retrieval::default().scores()[0].1, 0.0);
    }
}

//! Scores of classes of which any may hold: one is predicted where its logit is above 0, a probability of a half.

use pegbox_runtime::{StepView, TensorError};
use serde::{Deserialize, Serialize};

use super::gathering::{Gathered, Nothing};

#[derive(Default, Serialize, Deserialize)]
pub struct MultiLabel {
    /// By class.
    classes: Vec<OfClass>,
    rows: u64,
    /// Rows whose classes are all right.
    exact: u64,
}

#[derive(Clone, Copy, Default, Serialize, Deserialize)]
struct OfClass {
    right: u64,
    predicted: u64,
    support: u64,
}

impl OfClass {
    fn add(&mut self, other: Self) {
        self.right += other.right;
        self.predicted += other.predicted;
        self.support += other.support;
    }

    /// 0 where it would divide by 0, as scikit-learn has it.
    fn f1(self) -> f64 {
        let all = self.predicted + self.support;
        if all == 0 { 0.0 } else { 2.0 * self.right as f64 / all as f64 }
    }
}

impl Gathered for MultiLabel {
    type Settings = Nothing;

    fn add(&mut self, step: &dyn StepView, _: &Nothing) -> Result<(), TensorError> {
        let engine = step.engine();
        let labels = step.labels();
        if labels.shape().rank() != 2 {
            return Err(TensorError::new("multi-label", "it is a metric of `task = \"multi-label\"`")
                .with_operands(&[labels.kind()]));
        }
        let width = step.logits().shape().last().copied().unwrap_or(1).max(1);
        let (logits, labels) = (engine.read_floats(&step.logits())?, engine.read_ints(&labels)?);
        self.classes.resize(width.max(self.classes.len()), OfClass::default());
        for (logits, labels) in logits.chunks(width).zip(labels.chunks(width)) {
            let mut exact = true;
            for ((logit, label), class) in logits.iter().zip(labels).zip(&mut self.classes) {
                let (predicted, holds) = (*logit > 0.0, *label != 0);
                class.predicted += u64::from(predicted);
                class.support += u64::from(holds);
                class.right += u64::from(predicted && holds);
                exact &= predicted == holds;
            }
            self.rows += 1;
            self.exact += u64::from(exact);
        }
        Ok(())
    }

    fn merge(&mut self, other: Self) {
        self.classes.resize(other.classes.len().max(self.classes.len()), OfClass::default());
        self.classes.iter_mut().zip(other.classes).for_each(|(class, other)| class.add(other));
        self.rows += other.rows;
        self.exact += other.exact;
    }

    fn scores(&self) -> Vec<(&'static str, f64, bool)> {
        let mut all = OfClass::default();
        self.classes.iter().for_each(|class| all.add(*class));
        let macro_f1 = self.classes.iter().map(|class| class.f1()).sum::<f64>();
        vec![
            ("micro-f1", all.f1(), true),
            ("macro-f1", macro_f1 / self.classes.len().max(1) as f64, true),
            ("exact-match", self.exact as f64 / self.rows.max(1) as f64, true),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_by_hand() {
        let class = |right, predicted, support| OfClass { right, predicted, support };
        let counts = |classes, rows, exact| MultiLabel { classes, rows, exact };
        let mut one = counts(vec![class(1, 2, 1)], 2, 1);
        one.merge(counts(vec![class(0, 0, 1), class(1, 1, 1), class(0, 0, 0)], 2, 0));
        // Class 0: 1 right of 2 and 2; class 1: all; class 2 never occurs.
        let found: Vec<f64> = one.scores().into_iter().map(|score| score.1).collect();
        assert_eq!(found, [2.0 * 2.0 / 6.0, (0.5 + 1.0 + 0.0) / 3.0, 0.25]);
    }
}

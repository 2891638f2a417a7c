//! How far numbers are from those that they should be.

use pegbox_runtime::{StepView, TensorError};
use serde::{Deserialize, Serialize};

use super::gathering::{Gathered, Nothing};

/// Sums from which the scores follow.
#[derive(Default, Serialize, Deserialize)]
pub struct Regression {
    count: f64,
    absolute: f64,
    squared: f64,
    /// Of predictions x and labels y: x, y, xx, yy, xy.
    sums: [f64; 5],
}

impl Gathered for Regression {
    type Settings = Nothing;

    fn add(&mut self, step: &dyn StepView, _: &Nothing) -> Result<(), TensorError> {
        let engine = step.engine();
        let (logits, labels) = (step.logits(), step.labels());
        if logits.shape() != labels.shape() {
            return Err(TensorError::new("regression", "it is a metric of `task = \"regression\"`")
                .with_operands(&[logits.kind(), labels.kind()]));
        }
        for (x, y) in engine.read_floats(&logits)?.into_iter().zip(engine.read_floats(&labels)?) {
            self.pair(f64::from(x), f64::from(y));
        }
        Ok(())
    }

    fn merge(&mut self, other: Self) {
        self.count += other.count;
        self.absolute += other.absolute;
        self.squared += other.squared;
        self.sums.iter_mut().zip(other.sums).for_each(|(sum, other)| *sum += other);
    }

    fn scores(&self) -> Vec<(&'static str, f64, bool)> {
        let count = self.count.max(1.0);
        let [x, y, xx, yy, xy] = self.sums.map(|sum| sum / count);
        let spread = ((xx - x * x).max(0.0) * (yy - y * y).max(0.0)).sqrt();
        let pearson = if spread > 0.0 { (xy - x * y) / spread } else { 0.0 };
        vec![
            ("root-mean-squared-error", (self.squared / count).sqrt(), false),
            ("mean-absolute-error", self.absolute / count, false),
            ("pearson", pearson, true),
        ]
    }
}

impl Regression {
    fn pair(&mut self, x: f64, y: f64) {
        self.count += 1.0;
        self.absolute += (x - y).abs();
        self.squared += (x - y).powi(2);
        self.sums.iter_mut().zip([x, y, x * x, y * y, x * y]).for_each(|(sum, value)| *sum += value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_by_hand() {
        let (mut one, mut other) = (Regression::default(), Regression::default());
        one.pair(1.0, 2.0);
        one.pair(2.0, 4.0);
        other.pair(3.0, 6.0);
        one.merge(other);
        let found: Vec<f64> = one.scores().into_iter().map(|score| score.1).collect();
        assert!((found[0] - (14.0f64 / 3.0).sqrt()).abs() < 1e-12);
        assert_eq!(found[1], 2.0);
        assert!((found[2] - 1.0).abs() < 1e-12, "{}", found[2]);
        assert_eq!(Regression::default().scores()[2].1, 0.0);
    }
}

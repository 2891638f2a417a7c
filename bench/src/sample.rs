//! Medians and spreads of interleaved measurements.

use serde::Serialize;

/// What one side of a comparison took, and how much it varied.
#[derive(Clone, Copy, Serialize)]
pub struct Sample {
    pub median: f64,
    pub min: f64,
    pub max: f64,
    /// Quartiles.
    pub lower: f64,
    pub upper: f64,
    /// Where the median of endlessly many would lie, with 95% certainty, if these are drawn independently.
    pub certain: [f64; 2],
    pub count: usize,
}

impl Sample {
    /// Median, minimum and maximum of `values`; none of an empty list.
    pub fn of(values: &[f64]) -> Option<Self> {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let (min, max) = (*sorted.first()?, *sorted.last()?);
        let middle = sorted.len() / 2;
        let median =
            if sorted.len() % 2 == 1 { sorted[middle] } else { (sorted[middle - 1] + sorted[middle]) / 2.0 };
        let (lower, upper) = (sorted[sorted.len() / 4], sorted[(sorted.len() - 1) - sorted.len() / 4]);
        let certain = certain(&sorted)?;
        Some(Self { median, min, max, lower, upper, certain, count: sorted.len() })
    }

    /// The ratio `of / to`, taken pair by pair: both sides of a pair ran next to each other, so the
    /// machine's drift cancels.
    pub fn of_ratios(of: &[f64], to: &[f64]) -> Option<Self> {
        let ratios: Vec<f64> = of.iter().zip(to).map(|(of, to)| of / to).collect();
        Self::of(&ratios)
    }

    /// How far off the median may be, as a share of it.
    pub fn error(&self) -> f64 {
        let [low, high] = self.certain;
        (self.median - low).max(high - self.median) / self.median
    }
}

/// The order statistics between which the median lies in 95 of 100 samples of this size, by the normal approximation
/// of the binomial distribution (Conover, Practical Nonparametric Statistics, 3.2).
fn certain(sorted: &[f64]) -> Option<[f64; 2]> {
    let count = sorted.len() as f64;
    let below = ((count - 1.96 * count.sqrt()) / 2.0).max(0.0) as usize;
    Some([*sorted.get(below)?, *sorted.get(sorted.len() - 1 - below)?])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn median_of_even_and_odd() {
        assert_eq!(Sample::of(&[3.0, 1.0, 2.0]).map(|s| s.median), Some(2.0));
        assert_eq!(Sample::of(&[4.0, 1.0, 2.0, 3.0]).map(|s| s.median), Some(2.5));
        assert!(Sample::of(&[]).is_none());
    }

    #[test]
    fn more_values_make_the_median_more_certain() {
        let values: Vec<f64> = (0..100).map(f64::from).collect();
        let sample = Sample::of(&values).unwrap();
        // 100 coins show heads 40 to 60 times in 95 of 100 cases.
        assert_eq!(sample.certain, [40.0, 59.0]);
        assert_eq!(sample.error(), 9.5 / 49.5);
        assert_eq!(Sample::of(&values[..3]).unwrap().certain, [0.0, 2.0]);
    }

    #[test]
    fn ratios_pair_by_pair() {
        let ratio = Sample::of_ratios(&[2.0, 20.0], &[1.0, 10.0]).map(|s| (s.min, s.max));
        assert_eq!(ratio, Some((2.0, 2.0)));
    }
}

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
        Some(Self { median, min, max, lower, upper })
    }

    /// The ratio `of / to`, taken pair by pair: both sides of a pair ran next to each other, so the
    /// machine's drift cancels.
    pub fn of_ratios(of: &[f64], to: &[f64]) -> Option<Self> {
        let ratios: Vec<f64> = of.iter().zip(to).map(|(of, to)| of / to).collect();
        Self::of(&ratios)
    }
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
    fn ratios_pair_by_pair() {
        let ratio = Sample::of_ratios(&[2.0, 20.0], &[1.0, 10.0]).map(|s| (s.min, s.max));
        assert_eq!(ratio, Some((2.0, 2.0)));
    }
}

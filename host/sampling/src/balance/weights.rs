//! Rows of small classes weigh more.

use serde::{Deserialize, Serialize};

use crate::error::SamplingError;

/// How the weight of a class follows from its n rows. In a recipe: `"inverse"`, `"inverse-sqrt"` or
/// `{ effective-number = { beta = 0.999 } }`.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Weighting {
    /// 1 / n: each class weighs the same as a whole.
    Inverse,
    /// 1 / sqrt(n).
    InverseSqrt,
    /// (1 - beta) / (1 - beta^n), the effective number of samples (Cui et al. 2019, "Class-balanced loss based on
    /// effective number of samples"). Beta is at least 0 and below 1: 0 weighs nothing, near 1 is the inverse.
    EffectiveNumber { beta: f64 },
}

/// The weight of each class, such that the mean over the counted rows is 1. A class without rows has 0.
pub fn class_weights(counts: &[u64], weighting: Weighting) -> Result<Vec<f64>, SamplingError> {
    if let Weighting::EffectiveNumber { beta } = weighting
        && !(0.0..1.0).contains(&beta)
    {
        return Err(SamplingError::Setting { name: "beta", value: beta, expected: "at least 0 and below 1" });
    }
    let raw = |count: &u64| match (weighting, *count as f64) {
        (_, 0.0) => 0.0,
        (Weighting::Inverse, count) => 1.0 / count,
        (Weighting::InverseSqrt, count) => 1.0 / count.sqrt(),
        // Exact also where beta^n is very close to 1.
        (Weighting::EffectiveNumber { beta }, count) => (1.0 - beta) / -(count * beta.ln()).exp_m1(),
    };
    let weights: Vec<f64> = counts.iter().map(raw).collect();
    let rows: u64 = counts.iter().sum();
    let total: f64 = weights.iter().zip(counts).map(|(weight, count)| weight * *count as f64).sum();
    Ok(weights
        .into_iter()
        .map(|weight| if total > 0.0 { weight * rows as f64 / total } else { 0.0 })
        .collect())
}

/// The weight of each row, by its label or any group; their mean is 1.
pub fn row_weights(labels: &[u32], known: usize, weighting: Weighting) -> Result<Vec<f32>, SamplingError> {
    let weights = class_weights(&super::count(labels.iter().copied(), known)?, weighting)?;
    Ok(labels.iter().filter_map(|label| weights.get(*label as usize)).map(|weight| *weight as f32).collect())
}

#[cfg(test)]
mod tests {
    use pegbox_random::SplitMix64;

    use super::*;

    #[test]
    fn weights_follow_their_formulas() {
        let counts = [90, 10, 0];
        let ratio = |weighting| {
            let weights = class_weights(&counts, weighting).unwrap();
            assert_eq!(weights[2], 0.0);
            weights[1] / weights[0]
        };
        let near = |a: f64, b: f64| (a - b).abs() < 1e-9;
        assert!(near(ratio(Weighting::Inverse), 9.0));
        assert!(near(ratio(Weighting::InverseSqrt), 3.0));
        let effective = |count: i32| (1.0 - 0.99f64.powi(count)) / (1.0 - 0.99);
        assert!(near(ratio(Weighting::EffectiveNumber { beta: 0.99 }), effective(90) / effective(10)));
        assert!(near(ratio(Weighting::EffectiveNumber { beta: 0.0 }), 1.0));
        assert!((ratio(Weighting::EffectiveNumber { beta: 1.0 - 1e-12 }) - 9.0).abs() < 1e-6);
        for beta in [1.0, -0.1, f64::NAN] {
            assert!(class_weights(&counts, Weighting::EffectiveNumber { beta }).is_err());
        }
    }

    #[test]
    fn the_mean_of_row_weights_is_one() {
        let mut random = SplitMix64::new(3);
        for _ in 0..50 {
            let rows = 1 + random.below(3000);
            let labels: Vec<u32> = (0..rows).map(|_| (random.below(9) * random.below(9)) as u32).collect();
            for weighting in
                [Weighting::Inverse, Weighting::InverseSqrt, Weighting::EffectiveNumber { beta: 0.999 }]
            {
                let weights = row_weights(&labels, 65, weighting).unwrap();
                let mean = weights.iter().map(|weight| f64::from(*weight)).sum::<f64>() / rows as f64;
                assert!((mean - 1.0).abs() < 1e-5, "{mean}");
            }
        }
        assert!(row_weights(&[3], 3, Weighting::Inverse).is_err());
        assert!(row_weights(&[], 3, Weighting::Inverse).unwrap().is_empty());
    }

    #[test]
    fn a_recipe_names_a_weighting() {
        let weighting: Weighting = serde_json::from_str(r#"{"effective-number": {"beta": 0.5}}"#).unwrap();
        assert_eq!(weighting, Weighting::EffectiveNumber { beta: 0.5 });
        assert_eq!(serde_json::to_string(&Weighting::InverseSqrt).unwrap(), r#""inverse-sqrt""#);
    }
}

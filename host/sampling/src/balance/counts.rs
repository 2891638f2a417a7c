//! How uneven classes are.

use serde::{Deserialize, Serialize};

use crate::error::SamplingError;

/// Figures about the rows of each class. Classes without rows do not count.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Imbalance {
    pub rows: u64,
    pub classes: usize,
    pub largest: u64,
    pub smallest: u64,
    /// Largest by smallest: 1 where all are alike; 0 without rows.
    pub ratio: f64,
    /// Shannon's entropy by its maximum: 1 where all are alike, towards 0 where one has nearly all rows; 1 for
    /// a single class.
    pub entropy: f64,
    /// The number of equal classes that would have the same entropy.
    pub effective_classes: f64,
}

/// The rows of each of `known` classes.
pub fn count(labels: impl IntoIterator<Item = u32>, known: usize) -> Result<Vec<u64>, SamplingError> {
    let mut counts = vec![0; known];
    for (row, label) in labels.into_iter().enumerate() {
        *counts.get_mut(label as usize).ok_or(SamplingError::Label { row, label, known })? += 1;
    }
    Ok(counts)
}

/// The figures of some counts.
pub fn imbalance(counts: &[u64]) -> Imbalance {
    let present: Vec<u64> = counts.iter().copied().filter(|count| *count > 0).collect();
    let (Some(largest), Some(smallest)) = (present.iter().copied().max(), present.iter().copied().min())
    else {
        return Imbalance::default();
    };
    let rows: u64 = present.iter().sum();
    let entropy: f64 = present
        .iter()
        .map(|count| {
            let share = *count as f64 / rows as f64;
            -share * share.ln()
        })
        .sum();
    let classes = present.len();
    Imbalance {
        rows,
        classes,
        largest,
        smallest,
        ratio: largest as f64 / smallest as f64,
        entropy: if classes == 1 { 1.0 } else { entropy / (classes as f64).ln() },
        effective_classes: entropy.exp(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_of_even_and_uneven_classes() {
        let even = imbalance(&[5, 0, 5, 5, 5]);
        assert_eq!((even.rows, even.classes, even.ratio), (20, 4, 1.0));
        assert!((even.entropy - 1.0).abs() < 1e-12 && (even.effective_classes - 4.0).abs() < 1e-12);
        // -(0.75 ln 0.75 + 0.25 ln 0.25) = 0.562335...
        let uneven = imbalance(&count([1, 0, 1, 1], 2).unwrap());
        assert_eq!((uneven.largest, uneven.smallest, uneven.ratio), (3, 1, 3.0));
        assert!((uneven.entropy - 0.811_278_124_459_132_9).abs() < 1e-12);
        assert!((uneven.effective_classes - 0.562_335_144_618_808_3_f64.exp()).abs() < 1e-12);
        assert_eq!(imbalance(&[0, 7]).entropy, 1.0);
        assert_eq!(imbalance(&[]), Imbalance::default());
        assert_eq!(count([0, 2], 2), Err(SamplingError::Label { row: 1, label: 2, known: 2 }));
    }
}

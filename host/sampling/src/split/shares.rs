//! How large the parts shall be.

use crate::error::SamplingError;

/// A share for each part, the training part's first. The training part takes what the others leave.
#[derive(Clone, PartialEq, Debug)]
pub struct Shares {
    held_out: Vec<f64>,
}

impl Default for Shares {
    /// 0.7, 0.2, 0.1.
    fn default() -> Self {
        Self { held_out: vec![0.2, 0.1] }
    }
}

impl Shares {
    /// All shares; together they are 1.
    pub fn new(shares: &[f64]) -> Result<Self, SamplingError> {
        let refused = |what| Err(SamplingError::Shares { shares: shares.to_vec(), what });
        match shares {
            [] => refused("there are none"),
            [train, ..] if *train <= 0.0 => refused("the training part's is not above 0"),
            [_, held_out @ ..] if (shares.iter().sum::<f64>() - 1.0).abs() < 1e-6 => {
                Self::of_held_out(held_out)
            }
            _ => refused("together they are not 1"),
        }
    }

    /// The shares of the held-out parts: each at least 0, together below 1.
    pub fn of_held_out(shares: &[f64]) -> Result<Self, SamplingError> {
        let refused = |what| Err(SamplingError::Shares { shares: shares.to_vec(), what });
        // Part 255 means left out.
        if shares.len() > 253 {
            return refused("there are more than 254 parts");
        }
        if shares.iter().any(|share| !(0.0..1.0).contains(share)) {
            return refused("one is not between 0 and 1");
        }
        if shares.iter().sum::<f64>() >= 1.0 {
            return refused("nothing is left for training");
        }
        Ok(Self { held_out: shares.to_vec() })
    }

    pub(crate) fn held_out(&self) -> &[f64] {
        &self.held_out
    }

    /// The number of parts, the training part included.
    pub fn parts(&self) -> usize {
        self.held_out.len() + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_that_make_no_sense_are_refused() {
        assert_eq!(Shares::new(&[0.7, 0.2, 0.1]).unwrap(), Shares::default());
        assert_eq!(Shares::new(&[1.0]).unwrap().parts(), 1);
        for shares in
            [&[][..], &[0.5, 0.2], &[0.0, 1.0], &[0.7, 0.4, -0.1], &[f64::NAN, 0.3], &[0.7, f64::NAN]]
        {
            assert!(Shares::new(shares).unwrap_err().help().is_some(), "{shares:?}");
        }
        for shares in [[-0.1, 0.0], [1.0, 0.0], [0.6, 0.5], [f64::NAN, 0.0]] {
            assert!(Shares::of_held_out(&shares).is_err(), "{shares:?}");
        }
        assert!(Shares::of_held_out(&[0.001; 300]).is_err());
    }
}

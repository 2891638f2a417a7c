use std::fmt;

use pegbox_plugin::Error;

use crate::configuration::Configuration;

/// How far a rating may be from the scale, in steps: decimals such as 0.1 are not exact in binary.
const SLACK: f64 = 1e-6;

/// The ratings that there are.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Scale {
    /// In ascending order.
    Values(Vec<f64>),
    Range {
        minimum: Option<f64>,
        maximum: Option<f64>,
        step: Option<f64>,
    },
}

/// Why a number is no rating.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Wrong {
    OutOfRange,
    OffScale,
}

impl Scale {
    /// # Errors
    /// A configuration that contradicts itself.
    pub fn new(configuration: &Configuration) -> Result<Self, Error> {
        let Configuration { minimum, maximum, step, values, .. } = configuration;
        let said = [("minimum", minimum.is_some()), ("maximum", maximum.is_some()), ("step", step.is_some())];
        if let Some(values) = values {
            if let Some((key, _)) = said.iter().find(|(_, said)| *said) {
                return Err(Error::new(format!("`values` and `{key}` both say which ratings there are"))
                    .with_help("leave out one of the two"));
            }
            let mut values = values.clone();
            values.sort_by(f64::total_cmp);
            return Ok(Self::Values(values));
        }
        if let (Some(minimum), Some(maximum)) = (minimum, maximum)
            && minimum >= maximum
        {
            return Err(Error::new(format!("`minimum` = {minimum} is not less than `maximum` = {maximum}"))
                .with_help("a scale has at least two ratings"));
        }
        Ok(Self::Range { minimum: *minimum, maximum: *maximum, step: *step })
    }

    /// What is wrong with `rating`.
    pub fn wrong(&self, rating: f64) -> Option<Wrong> {
        match self {
            Self::Values(values) => {
                let at = values.partition_point(|value| *value < rating);
                let is = |value: &f64| *value == rating;
                match values.get(at) {
                    Some(value) if is(value) => None,
                    None => Some(Wrong::OutOfRange),
                    Some(_) if at == 0 => Some(Wrong::OutOfRange),
                    Some(_) => Some(Wrong::OffScale),
                }
            }
            Self::Range { minimum, maximum, step } => {
                let below = minimum.is_some_and(|minimum| rating < minimum);
                if below || maximum.is_some_and(|maximum| rating > maximum) {
                    return Some(Wrong::OutOfRange);
                }
                let steps = step.map(|step| (rating - minimum.unwrap_or(0.0)) / step);
                let off = steps.is_some_and(|steps| (steps - steps.round()).abs() > SLACK);
                off.then_some(Wrong::OffScale)
            }
        }
    }
}

/// As a message says it: `1 to 5 in steps of 1`.
impl fmt::Display for Scale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// More are not listed.
        const LISTED: usize = 12;
        match self {
            Self::Values(values) => {
                let mut separator = "";
                for value in values.iter().take(LISTED) {
                    write!(f, "{separator}{value}")?;
                    separator = ", ";
                }
                match values.len().checked_sub(LISTED).filter(|more| *more > 0) {
                    Some(more) => write!(f, " and {more} more"),
                    None => Ok(()),
                }
            }
            Self::Range { minimum, maximum, step } => {
                match (minimum, maximum) {
                    (Some(minimum), Some(maximum)) => write!(f, "{minimum} to {maximum}")?,
                    (Some(minimum), None) => write!(f, "{minimum} or more")?,
                    (None, Some(maximum)) => write!(f, "{maximum} or less")?,
                    (None, None) => f.write_str("any number")?,
                }
                step.map_or(Ok(()), |step| write!(f, " in steps of {step}"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scale(json: &str) -> Result<Scale, Error> {
        Scale::new(&serde_json::from_str(json).unwrap())
    }

    #[track_caller]
    fn judges(json: &str, told: &str, right: &[f64], off: &[f64], out: &[f64]) {
        let scale = scale(json).unwrap();
        assert_eq!(scale.to_string(), told);
        for (ratings, wrong) in [(right, None), (off, Some(Wrong::OffScale)), (out, Some(Wrong::OutOfRange))]
        {
            for rating in ratings {
                assert_eq!(scale.wrong(*rating), wrong, "{rating}");
            }
        }
    }

    #[test]
    fn ratings_are_on_the_scale_beside_it_or_beyond() {
        judges(r#"{ "minimum": 1, "maximum": 5 }"#, "1 to 5", &[1.0, 4.5, 5.0], &[], &[0.9, 6.0]);
        judges(
            r#"{ "minimum": 1, "maximum": 5, "step": 0.1 }"#,
            "1 to 5 in steps of 0.1",
            &[1.0, 1.3, 4.7, 5.0],
            &[1.35],
            &[0.9],
        );
        judges(r#"{ "step": 2 }"#, "any number in steps of 2", &[-4.0, 0.0], &[3.0], &[]);
        judges(r#"{ "minimum": 0 }"#, "0 or more", &[1e300], &[], &[-1.0]);
        judges(r#"{ "values": [1, -3, 0] }"#, "-3, 0, 1", &[-3.0, 0.0, 1.0], &[-1.0, 0.5], &[-4.0, 2.0]);
    }

    #[test]
    fn contradictions_are_refused() {
        let error = scale(r#"{ "minimum": 5, "maximum": 5 }"#).unwrap_err();
        assert_eq!(error.message(), "`minimum` = 5 is not less than `maximum` = 5");
        let error = scale(r#"{ "values": [1, 2], "step": 1 }"#).unwrap_err();
        assert_eq!(error.message(), "`values` and `step` both say which ratings there are");
    }
}

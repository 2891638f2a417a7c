//! The factors of the classes.

use std::collections::BTreeMap;

use pegbox_plugin::{Error, Step, Tensor};
use serde::Deserialize;

/// As the recipe gives them.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(untagged)]
pub enum Alpha {
    /// The same for all classes.
    Common(f32),
    /// In the order of class ids.
    List(Vec<f32>),
    /// By class name; 1 for a class that is not named.
    ByName(BTreeMap<String, f32>),
}

impl Default for Alpha {
    fn default() -> Self {
        Self::Common(1.0)
    }
}

impl Alpha {
    pub fn check(&self) -> Result<(), Error> {
        let factors: Vec<f32> = match self {
            Self::Common(factor) => vec![*factor],
            Self::List(factors) => factors.clone(),
            Self::ByName(factors) => factors.values().copied().collect(),
        };
        match factors.into_iter().find(|factor| !(*factor >= 0.0 && factor.is_finite())) {
            Some(wrong) => Err(Error::new(format!("a factor of `alpha` is {wrong}, not a number from 0 up"))),
            None => Ok(()),
        }
    }

    /// The factor that all classes have.
    pub fn common(&self) -> f32 {
        match self {
            Self::Common(factor) => *factor,
            _ => 1.0,
        }
    }

    /// The factors where classes differ: float `[C]`, C being the last size of `of_classes`.
    pub fn per_class(&self, step: &Step, of_classes: &Tensor) -> Result<Option<Tensor>, Error> {
        if matches!(self, Self::Common(_)) {
            return Ok(None);
        }
        let classes = of_classes.shape().last().copied().unwrap_or(0);
        let factors = self.resolve(classes as usize, &step.classes())?;
        Ok(Some(Tensor::from_floats(&[classes], &factors)))
    }

    /// One factor for each class.
    fn resolve(&self, count: usize, names: &[String]) -> Result<Vec<f32>, Error> {
        match self {
            Self::Common(factor) => Ok(vec![*factor; count]),
            Self::List(factors) if factors.len() == count => Ok(factors.clone()),
            Self::List(factors) => {
                let message =
                    format!("`alpha` lists {} factors, the model has {count} classes", factors.len());
                Err(Error::new(message).with_help("give one factor for each class, or a table by class name"))
            }
            Self::ByName(factors) => {
                if let Some(unknown) = factors.keys().find(|name| !names.contains(name)) {
                    let known: Vec<&str> = names.iter().take(5).map(String::as_str).collect();
                    let more = if names.len() > known.len() { ", ..." } else { "" };
                    return Err(Error::new(format!(
                        "`alpha` names the class `{unknown}`, which there is not"
                    ))
                    .with_help(format!("the classes are {}{more}", known.join(", "))));
                }
                Ok(names.iter().map(|name| factors.get(name).copied().unwrap_or(1.0)).collect())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Vec<String> {
        vec!["refund".to_owned(), "fee".to_owned()]
    }

    #[test]
    fn a_table_may_leave_classes_out_but_not_invent_them() {
        let alpha = |name: &str| Alpha::ByName(BTreeMap::from([(name.to_owned(), 0.25)]));
        assert_eq!(alpha("fee").resolve(2, &names()).unwrap(), [1.0, 0.25]);
        let error = alpha("fees").resolve(2, &names()).unwrap_err();
        assert!(error.message().contains("`fees`"));
        assert_eq!(error.help(), Some("the classes are refund, fee"));
    }

    #[test]
    fn a_list_has_one_factor_for_each_class() {
        assert_eq!(Alpha::List(vec![0.5, 2.0]).resolve(2, &names()).unwrap(), [0.5, 2.0]);
        assert!(Alpha::List(vec![0.5]).resolve(2, &names()).is_err());
    }

    #[test]
    fn factors_are_finite_and_not_negative() {
        assert!(Alpha::Common(0.25).check().is_ok());
        assert!(Alpha::List(vec![1.0, -1.0]).check().is_err());
        assert!(Alpha::Common(f32::INFINITY).check().is_err());
    }
}

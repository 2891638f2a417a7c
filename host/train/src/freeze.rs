//! Which parameters stay as they are.

use std::collections::HashSet;

use glob::Pattern;

use crate::error::{Fault, TrainError};
use crate::settings::Freeze;

impl Freeze {
    /// Those of `names` that are trained.
    ///
    /// # Errors
    /// A pattern that is none or that fits no parameter, or nothing is left to train.
    pub fn trained(&self, names: &[String]) -> Result<HashSet<String>, TrainError> {
        let mut trained: HashSet<String> = names.iter().cloned().collect();
        for pattern in &self.patterns {
            let refuse = |what: String| {
                TrainError::from(Fault::Freeze {
                    pattern: pattern.clone(),
                    what,
                    example: names.first().cloned(),
                })
            };
            let glob = Pattern::new(pattern).map_err(|error| refuse(format!("is no pattern: {error}")))?;
            let frozen: Vec<&String> = names.iter().filter(|name| glob.matches(name)).collect();
            if frozen.is_empty() {
                return Err(refuse("fits no parameter of the model".into()));
            }
            for name in frozen {
                trained.remove(name);
            }
        }
        if trained.is_empty() {
            return Err(Fault::NothingToTrain.into());
        }
        Ok(trained)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn freeze(patterns: &[&str]) -> Result<Vec<String>, TrainError> {
        let names = [
            "bert.embeddings.word.weight",
            "bert.encoder.layer.0.a",
            "bert.encoder.layer.1.a",
            "classifier.weight",
        ];
        let names: Vec<String> = names.map(str::to_string).to_vec();
        let patterns = patterns.iter().map(|pattern| pattern.to_string()).collect();
        let mut trained: Vec<String> = Freeze { patterns }.trained(&names)?.into_iter().collect();
        trained.sort();
        Ok(trained)
    }

    #[test]
    fn patterns_are_globs_over_names() {
        assert_eq!(
            freeze(&["bert.embeddings.*", "bert.encoder.layer.[0].*"]).unwrap(),
            ["bert.encoder.layer.1.a", "classifier.weight"]
        );
        assert_eq!(freeze(&[]).unwrap().len(), 4);
    }

    #[test]
    fn a_pattern_that_fits_nothing_is_an_error() {
        let error = freeze(&["encoder.layer.0.*"]).unwrap_err();
        assert!(error.to_string().contains("`encoder.layer.0.*`"), "{error}");
        assert!(freeze(&["*"]).unwrap_err().to_string().contains("nothing"), "everything frozen");
    }
}

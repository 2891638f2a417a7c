//! How often each class was taken for each.

use std::collections::BTreeMap;

use pegbox_plugin::Error;
use serde::{Deserialize, Serialize};

/// Counts by label and prediction; only pairs that occur take memory.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Confusion {
    /// Index = class id; none until something is counted.
    classes: Vec<String>,
    counts: BTreeMap<(u32, u32), u64>,
}

impl Confusion {
    /// `names` is empty where classes have none (language modelling); their numbers stand for them then.
    pub fn new(names: Vec<String>, classes: u32) -> Self {
        let classes = if names.is_empty() { (0..classes).map(|id| id.to_string()).collect() } else { names };
        Self { classes, counts: BTreeMap::new() }
    }

    /// Whether it knows no class yet.
    pub fn is_new(&self) -> bool {
        self.classes.is_empty()
    }

    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// Each pair of label and prediction, in order, with how often it was.
    pub fn pairs(&self) -> impl Iterator<Item = (usize, usize, u64)> {
        self.counts.iter().map(|((label, prediction), count)| (*label as usize, *prediction as usize, *count))
    }

    pub fn get(&self, label: usize, prediction: usize) -> u64 {
        self.counts.get(&(label as u32, prediction as u32)).copied().unwrap_or(0)
    }

    /// Takes in one batch: labels and predictions where `mask` is not 0.
    pub fn count(&mut self, labels: &[i64], predictions: &[i64], mask: &[i64]) -> Result<(), Error> {
        if labels.len() != predictions.len() || labels.len() != mask.len() {
            return Err(Error::new(format!(
                "the step has {} labels, {} predictions and {} truth values in its mask",
                labels.len(),
                predictions.len(),
                mask.len()
            )));
        }
        let counted = labels.iter().zip(predictions).zip(mask).filter(|(_, held)| **held != 0);
        for ((label, prediction), _) in counted {
            let pair = (self.class(*label)?, self.class(*prediction)?);
            *self.counts.entry(pair).or_insert(0) += 1;
        }
        Ok(())
    }

    fn class(&self, id: i64) -> Result<u32, Error> {
        match u32::try_from(id) {
            Ok(class) if (class as usize) < self.classes.len() => Ok(class),
            _ => Err(Error::new(format!("there is no class {id}; there are {}", self.classes.len()))),
        }
    }

    pub fn encode(&self) -> Result<Vec<u8>, Error> {
        postcard::to_stdvec(self).map_err(|error| Error::new(format!("the state cannot be encoded: {error}")))
    }

    pub fn decode(state: &[u8]) -> Result<Self, Error> {
        postcard::from_bytes(state).map_err(|error| Error::new(format!("the state cannot be read: {error}")))
    }

    pub fn merge(&mut self, other: Self) -> Result<(), Error> {
        if other.is_new() {
            return Ok(());
        }
        if self.is_new() {
            *self = other;
            return Ok(());
        }
        if self.classes != other.classes {
            return Err(Error::new("two instances counted different classes"));
        }
        for (pair, count) in other.counts {
            *self.counts.entry(pair).or_insert(0) += count;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_that_there_are_not_are_refused() {
        let mut confusion = Confusion::new(Vec::new(), 2);
        assert!(confusion.count(&[0, 1], &[1, 1], &[1, 1]).is_ok());
        assert!(confusion.count(&[2], &[0], &[1]).is_err());
        assert!(confusion.count(&[-1], &[0], &[1]).is_err());
        assert!(confusion.count(&[-1], &[0], &[0]).is_ok());
        assert!(confusion.count(&[0], &[0, 1], &[1]).is_err());
        assert_eq!(confusion.pairs().collect::<Vec<_>>(), [(0, 1, 1), (1, 1, 1)]);
    }

    #[test]
    fn states_of_other_classes_are_refused() {
        let mut confusion = Confusion::new(vec!["a".to_owned()], 1);
        assert!(confusion.merge(Confusion::new(vec!["b".to_owned()], 1)).is_err());
        assert!(confusion.merge(Confusion::default()).is_ok());
        assert!(Confusion::decode(&[255]).is_err());
    }
}

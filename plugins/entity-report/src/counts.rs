//! How many entities there are, were predicted, and were right.

use std::collections::BTreeMap;

use pegbox_plugin::Error;
use serde::{Deserialize, Serialize};

/// The entities of one type.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct OfType {
    /// That there are.
    pub support: u64,
    pub predicted: u64,
    /// Predicted with the type and with both ends.
    pub right: u64,
}

/// Everything that was counted.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Counts {
    /// By the type's name; types that never occur are missing.
    pub types: BTreeMap<String, OfType>,
    pub tokens: u64,
    pub right_tokens: u64,
}

/// Precision, recall and F1.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Scores {
    pub precision: f64,
    pub recall: f64,
    pub f1: f64,
}

impl OfType {
    fn add(&mut self, other: Self) {
        self.support += other.support;
        self.predicted += other.predicted;
        self.right += other.right;
    }

    /// What would divide by 0 is 0.
    pub fn scores(self) -> Scores {
        let ratio = |part: u64, whole: u64| if whole == 0 { 0.0 } else { part as f64 / whole as f64 };
        Scores {
            precision: ratio(self.right, self.predicted),
            recall: ratio(self.right, self.support),
            f1: ratio(2 * self.right, self.support + self.predicted),
        }
    }
}

impl Counts {
    pub fn of_type(&mut self, name: &str) -> &mut OfType {
        // Only a new type's name is copied.
        if !self.types.contains_key(name) {
            self.types.insert(name.to_owned(), OfType::default());
        }
        self.types.entry(name.to_owned()).or_default()
    }

    pub fn merge(&mut self, other: Self) {
        for (name, counts) in other.types {
            self.types.entry(name).or_default().add(counts);
        }
        self.tokens += other.tokens;
        self.right_tokens += other.right_tokens;
    }

    /// Over all entities, whatever their type.
    pub fn micro(&self) -> Scores {
        let mut all = OfType::default();
        self.types.values().for_each(|counts| all.add(*counts));
        all.scores()
    }

    /// The mean over the types that occur.
    pub fn macro_average(&self) -> Scores {
        let of_types: Vec<Scores> = self.types.values().map(|counts| counts.scores()).collect();
        let count = of_types.len().max(1) as f64;
        let mean = |score: fn(&Scores) -> f64| of_types.iter().map(score).sum::<f64>() / count;
        Scores {
            precision: mean(|scores| scores.precision),
            recall: mean(|scores| scores.recall),
            f1: mean(|scores| scores.f1),
        }
    }

    pub fn encode(&self) -> Result<Vec<u8>, Error> {
        postcard::to_stdvec(self).map_err(|error| Error::new(format!("the state cannot be encoded: {error}")))
    }

    pub fn decode(state: &[u8]) -> Result<Self, Error> {
        postcard::from_bytes(state).map_err(|error| Error::new(format!("the state cannot be read: {error}")))
    }
}

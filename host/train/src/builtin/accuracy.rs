//! The share of labels that are right.

use pegbox_runtime::{StepView, TensorError};
use serde::{Deserialize, Serialize};

use super::gathering::{Gathered, Nothing};
use crate::tensor_engine::{into_bools, into_classes};

/// Counts where the largest logit is the label's, over the labels where the mask holds.
#[derive(Default, Serialize, Deserialize)]
pub struct Accuracy {
    right: u64,
    all: u64,
}

impl Gathered for Accuracy {
    type Settings = Nothing;

    fn add(&mut self, step: &dyn StepView, _: &Nothing) -> Result<(), TensorError> {
        let engine = step.engine();
        let predicted = into_classes(&*engine, &step.logits())?;
        let labels = engine.read_ints(&step.labels())?;
        let mask = into_bools(&*engine, &step.mask())?;
        for ((predicted, label), counts) in predicted.iter().zip(&labels).zip(mask) {
            if counts {
                self.all += 1;
                self.right += u64::from(predicted == label);
            }
        }
        Ok(())
    }

    fn merge(&mut self, other: Self) {
        self.right += other.right;
        self.all += other.all;
    }

    fn scores(&self) -> Vec<(&'static str, f64, bool)> {
        vec![("accuracy", self.right as f64 / self.all.max(1) as f64, true)]
    }
}

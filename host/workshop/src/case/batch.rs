//! One batch of a loss's or a metric's case, and the arrays that it stands for.

use std::ops::Range;

use serde::Deserialize;

use super::Fault;
use super::numbers::{Given, Numbers, SeededFloats, SeededLabels, SeededMask, SeededWeights};
use crate::random::Random;
use crate::step::Arrays;

/// The most elements that a case's tensor may have: cases are small.
const MOST_ELEMENTS: usize = 1 << 22;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Batch {
    pub logits: Given<f64, SeededFloats>,
    pub labels: Given<i64, SeededLabels>,
    pub mask: Option<Given<bool, SeededMask>>,
    pub weights: Option<Given<f64, SeededWeights>>,
    pub teacher_logits: Option<Given<f64, SeededFloats>>,
    #[serde(default)]
    pub hidden_states: Vec<Given<f64, SeededFloats>>,
    pub classes: Option<Vec<String>>,
    #[serde(default)]
    pub number: u64,
    pub training: Option<bool>,
}

impl Batch {
    /// The arrays, whose shapes fit together.
    pub fn arrays(&self, span: &Range<usize>) -> Result<Arrays, Fault> {
        let fault = |what: String| Fault::at(span.clone(), what);
        let logits = floats(&self.logits).map_err(fault)?;
        let shape = logits.shape;
        let Some((&classes, outer)) = shape.split_last().filter(|_| matches!(shape.len(), 2 | 3)) else {
            let what = format!("the logits are {shape:?}; they are [B, C] or [B, T, C]");
            return Err(fault(what));
        };
        let count = outer.iter().product();
        let same = |name: &str, found: &[usize], wanted: &[usize]| {
            let what = format!("{name} are {found:?}; with logits of {shape:?} they are {wanted:?}");
            if found == wanted { Ok(()) } else { Err(fault(what)) }
        };

        let labels = match &self.labels {
            Given::Numbers(labels) => {
                same("the labels", &labels.shape, outer)?;
                labels.values.clone()
            }
            Given::Seeded(SeededLabels { seed }) => {
                let mut random = Random::new(*seed);
                (0..count).map(|_| random.below(classes) as i64).collect()
            }
        };
        if let Some(label) = labels.iter().find(|label| !(0..classes as i64).contains(*label)) {
            let what = format!("the label {label} is outside [0, {classes}), and stays so under the mask");
            return Err(fault(what));
        }
        let mask = match &self.mask {
            None => vec![true; count],
            Some(Given::Numbers(mask)) => {
                same("the mask's values", &mask.shape, outer)?;
                mask.values.clone()
            }
            Some(Given::Seeded(SeededMask { seed, share })) => {
                let mut random = Random::new(*seed);
                (0..count).map(|_| random.unit() < *share).collect()
            }
        };
        let weights = match &self.weights {
            None => vec![1.0; count],
            Some(Given::Numbers(weights)) => {
                same("the weights", &weights.shape, outer)?;
                weights.values.iter().map(|weight| *weight as f32).collect()
            }
            Some(Given::Seeded(SeededWeights { seed, low, high })) => {
                let mut random = Random::new(*seed);
                (0..count).map(|_| random.between(*low, *high)).collect()
            }
        };
        let teacher = match &self.teacher_logits {
            None => None,
            Some(given) => {
                let teacher = floats(given).map_err(fault)?;
                same("the teacher's logits", &teacher.shape, &shape)?;
                Some(teacher.values)
            }
        };
        let mut hidden = Vec::new();
        for given in &self.hidden_states {
            let state = floats(given).map_err(fault)?;
            if state.shape.len() != 3 || state.shape[0] != shape[0] {
                let what = format!("a hidden state is {:?}; it is [{}, T, H]", state.shape, shape[0]);
                return Err(fault(what));
            }
            hidden.push(state);
        }
        let names = match &self.classes {
            Some(names) if names.len() != classes => {
                return Err(fault(format!("there are {} names for {classes} classes", names.len())));
            }
            Some(names) => names.clone(),
            None => (0..classes).map(|class| format!("class-{class}")).collect(),
        };
        Ok(Arrays {
            shape,
            logits: logits.values,
            labels,
            mask,
            weights,
            teacher,
            hidden,
            classes: names,
            number: self.number,
            training: self.training,
        })
    }
}

/// The numbers in single precision.
pub fn floats(given: &Given<f64, SeededFloats>) -> Result<Numbers<f32>, String> {
    match given {
        Given::Numbers(numbers) => Ok(Numbers {
            shape: numbers.shape.clone(),
            values: numbers.values.iter().map(|value| *value as f32).collect(),
        }),
        Given::Seeded(SeededFloats { shape, seed, scale }) => {
            let count = shape.iter().try_fold(1usize, |count, size| count.checked_mul(*size));
            let count = count.filter(|count| (1..=MOST_ELEMENTS).contains(count) && shape.len() <= 8);
            let Some(count) = count else {
                return Err(format!("{shape:?} is not the shape of a small tensor"));
            };
            let mut random = Random::new(*seed);
            let values = (0..count).map(|_| random.between(-scale, *scale)).collect();
            Ok(Numbers { shape: shape.clone(), values })
        }
    }
}

//! Accuracy, and how sure the model is of its answers on average. The work stays on the device: a batch brings three
//! numbers back, for which plugin.toml asks `read-tensors`.

use pegbox_plugin::{Error, Metric, Plugin, Report, Score, Step, Tensor};

/// Sums over all labels seen.
#[derive(Default)]
struct {{Pascal}} {
    correct: f64,
    confidence: f64,
    count: f64,
}

impl Plugin for {{Pascal}} {
    const NAME: &'static str = pegbox_plugin::manifest_name!();
    const CONFIGURATION_SCHEMA: &'static str = r#"{"type": "object", "additionalProperties": false}"#;

    fn configure(_: &str) -> Result<Self, Error> {
        Ok(Self::default())
    }
}

impl Metric for {{Pascal}} {
    fn update(&mut self, step: &Step) -> Result<(), Error> {
        let (logits, labels, counts) = (step.logits(), step.labels(), step.mask().to_float());
        let shape: Vec<i32> = labels.shape().iter().map(|size| *size as i32).collect();
        let correct = logits.argmax(-1).reshape(&shape).equal(&labels).to_float();
        let largest = logits.softmax(-1).max(&[-1]).reshape(&shape);
        self.correct += sum(correct * &counts);
        self.confidence += sum(largest * &counts);
        self.count += sum(counts);
        Ok(())
    }

    fn state(&self) -> Result<Vec<u8>, Error> {
        let sums = [self.correct, self.confidence, self.count];
        Ok(sums.into_iter().flat_map(f64::to_le_bytes).collect())
    }

    fn merge(&mut self, state: &[u8]) -> Result<(), Error> {
        let (sums, rest) = state.as_chunks::<8>();
        let ([correct, confidence, count], []) = (sums, rest) else {
            return Err(Error::new(format!("the state to merge has {} bytes instead of 24", state.len())));
        };
        self.correct += f64::from_le_bytes(*correct);
        self.confidence += f64::from_le_bytes(*confidence);
        self.count += f64::from_le_bytes(*count);
        Ok(())
    }

    fn compute(&self) -> Result<Report, Error> {
        let count = if self.count > 0.0 { self.count } else { 1.0 };
        let score = |name: &str, sum: f64| Score {
            name: name.to_owned(),
            value: sum / count,
            higher_is_better: true,
        };
        let scores = vec![score("accuracy", self.correct), score("mean-confidence", self.confidence)];
        Ok(Report { scores, details: Vec::new() })
    }

    fn reset(&mut self) {
        *self = Self::default();
    }
}

fn sum(values: Tensor) -> f64 {
    values.sum(&[]).read().first().copied().map_or(0.0, f64::from)
}

pegbox_plugin::export!({{Pascal}}: Metric);

#[cfg(test)]
mod tests {
    use pegbox_plugin::testing::TestStep;

    use super::*;

    #[test]
    fn half_of_the_answers_are_right() {
        let mut metric = {{Pascal}}::default();
        let step = TestStep::classification(&[&[9.0, 0.0], &[9.0, 0.0]], &[0, 1]);
        step.run(|step| metric.update(step)).unwrap();
        assert_eq!(metric.compute().unwrap().scores[0].value, 0.5);
    }
}

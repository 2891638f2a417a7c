//! Focal loss (Lin et al. 2017, <https://arxiv.org/abs/1708.02002>): cross-entropy that looks away from what the
//! model is sure of. With p the probability of the label: `(1 - p)^gamma * -log(p)`.

use pegbox_plugin::{Error, Loss, Plugin, Step, Tensor, parse_configuration};
use serde::Deserialize;

#[derive(Deserialize)]
struct {{Pascal}} {
    #[serde(default = "two")]
    gamma: f32,
}

fn two() -> f32 {
    2.0
}

impl Plugin for {{Pascal}} {
    const NAME: &'static str = pegbox_plugin::manifest_name!();
    const CONFIGURATION_SCHEMA: &'static str = r#"{
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "gamma": {
                "type": "number",
                "minimum": 0,
                "default": 2.0,
                "description": "How strongly the loss looks away from sure labels; 0 is cross-entropy"
            }
        }
    }"#;

    fn configure(json: &str) -> Result<Self, Error> {
        parse_configuration(json)
    }
}

impl Loss for {{Pascal}} {
    fn compute(&self, step: &Step) -> Result<Tensor, Error> {
        let log_p = log_of_labels(step);
        // Not 0, where a power below 1 has no slope.
        let surprise = (1.0 - log_p.exp()).clamp(1e-7, 1.0);
        Ok(-step.weighted_mean(&(surprise.powf(self.gamma) * log_p)))
    }
}

/// The log-probability of each label: `[B, C]` to `[B]`, `[B, T, C]` to `[B, T]`.
fn log_of_labels(step: &Step) -> Tensor {
    let labels = step.labels();
    let shape: Vec<i32> = labels.shape().iter().map(|size| *size as i32).collect();
    let index = labels.reshape(&[&shape[..], &[1]].concat());
    step.logits().log_softmax(-1).gather(-1, &index).reshape(&shape)
}

pegbox_plugin::export!({{Pascal}}: Loss);

#[cfg(test)]
mod tests {
    use pegbox_plugin::testing::TestStep;

    use super::*;

    #[test]
    fn without_gamma_it_is_cross_entropy() {
        let loss = {{Pascal}} { gamma: 0.0 };
        let step = TestStep::classification(&[&[1.0, 1.0]], &[0]);
        let value = step.run(|step| loss.compute(step).map(|loss| loss.read()));
        assert!((value.unwrap()[0] - 2f32.ln()).abs() < 1e-6);
    }
}

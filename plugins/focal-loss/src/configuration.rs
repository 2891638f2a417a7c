//! What the recipe may say.

use pegbox_plugin::{Error, parse_configuration};
use serde::Deserialize;

use crate::alpha::Alpha;

pub const SCHEMA: &str = r#"{
  "type": "object",
  "additionalProperties": false,
  "properties": {
    "gamma": {
      "type": "number",
      "minimum": 0,
      "default": 2.0,
      "description": "How strongly the loss looks away from labels that the model is sure of; 0 is cross-entropy"
    },
    "alpha": {
      "description": "Factor of each class's loss: one number for all, a list in the order of class ids, or a table by class name (a class that is not named has 1)",
      "anyOf": [
        { "type": "number", "exclusiveMinimum": 0 },
        { "type": "array", "minItems": 1, "items": { "type": "number", "minimum": 0 } },
        { "type": "object", "additionalProperties": { "type": "number", "minimum": 0 } }
      ]
    },
    "label-smoothing": {
      "type": "number",
      "minimum": 0,
      "maximum": 1,
      "default": 0.0,
      "description": "Share of the target that is spread over all classes evenly"
    }
  }
}"#;

#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Configuration {
    #[serde(default = "default_gamma")]
    pub gamma: f32,
    #[serde(default)]
    pub alpha: Alpha,
    #[serde(default)]
    pub label_smoothing: f32,
}

fn default_gamma() -> f32 {
    2.0
}

impl Configuration {
    pub fn parse(json: &str) -> Result<Self, Error> {
        let parsed: Self = parse_configuration(json)?;
        // The schema says this too, but not that a number fits into 32 bits.
        if !(parsed.gamma >= 0.0 && parsed.gamma.is_finite()) {
            return Err(Error::new(format!("`gamma` is {}, not a number from 0 up", parsed.gamma)));
        }
        if !(0.0..=1.0).contains(&parsed.label_smoothing) {
            let found = parsed.label_smoothing;
            return Err(Error::new(format!("`label-smoothing` is {found}, not between 0 and 1")));
        }
        parsed.alpha.check()?;
        Ok(parsed)
    }
}

//! What the recipe may say.

use pegbox_plugin::Error;
use serde::Deserialize;

/// The JSON Schema of [`Configuration`].
pub const SCHEMA: &str = r#"{
  "type": "object",
  "additionalProperties": false,
  "properties": {
    "temperature": {
      "type": "number",
      "exclusiveMinimum": 0,
      "default": 0.05,
      "description": "What likenesses are divided by: the smaller, the more the nearest strangers count."
    }
  }
}"#;

#[derive(Clone, Copy, PartialEq, Debug, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Configuration {
    /// What likenesses are divided by.
    pub temperature: f32,
}

impl Default for Configuration {
    fn default() -> Self {
        Self { temperature: 0.05 }
    }
}

impl Configuration {
    /// From the recipe's JSON.
    pub fn parse(json: &str) -> Result<Self, Error> {
        let parsed: Self = pegbox_plugin::parse_configuration(json)?;
        if !(parsed.temperature.is_finite() && parsed.temperature >= 1e-4) {
            return Err(Error::new(format!(
                "temperature is {}; it is a number of at least 0.0001",
                parsed.temperature
            )));
        }
        Ok(parsed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_describes_the_configuration() {
        pegbox_plugin::testing::assert_schema_describes::<Configuration>(SCHEMA, "{}");
    }

    #[test]
    fn temperatures_are_above_zero() {
        for json in [r#"{"temperature": 0}"#, r#"{"temperature": -1}"#, r#"{"temperature": 1e-9}"#] {
            assert!(Configuration::parse(json).is_err(), "{json}");
        }
        assert_eq!(Configuration::parse(r#"{"temperature": 0.1}"#).unwrap().temperature, 0.1);
    }
}

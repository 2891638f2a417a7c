//! A plugin's configuration in a recipe, checked against the JSON Schema that the plugin gives.

use jsonschema::error::ValidationErrorKind;
use jsonschema::{Draft, PatternOptions, Validator};
use serde_json::Value;

use crate::error::{Cause, MAX_TEXT, clean_text};
use crate::schema_size;
use pegbox_manifest::suggest;

/// The largest schema text.
const MAX_BYTES: usize = 256 << 10;
/// Bytes that one regular expression of a schema takes.
const MAX_PATTERN: usize = 1 << 20;

/// A schema that makes sense.
pub struct Schema {
    text: Value,
    validator: Validator,
}

impl Schema {
    /// Understands a JSON Schema, draft 2020-12. References lead nowhere but into the schema itself, and never back
    /// to where they stand; regular expressions are such as take linear time.
    ///
    /// # Errors
    /// What is wrong with it, or that it would take too long to check anything against it.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.len() > MAX_BYTES {
            return Err(format!("it is longer than {} KiB", MAX_BYTES >> 10));
        }
        let text: Value = serde_json::from_str(text).map_err(|error| format!("it is not JSON: {error}"))?;
        schema_size::check(&text)?;
        let validator = jsonschema::options()
            .with_draft(Draft::Draft202012)
            .with_pattern_options(PatternOptions::regex().size_limit(MAX_PATTERN).dfa_size_limit(MAX_PATTERN))
            .build(&text)
            .map_err(|error| {
                let mut fault = clean_text(&error.to_string(), MAX_TEXT);
                if matches!(error.kind(), ValidationErrorKind::Format { format } if format == "regex") {
                    fault.push_str(
                        "; patterns have no look-around and no back-references, and take little room",
                    );
                }
                fault
            })?;
        Ok(Self { text, validator })
    }

    /// # Errors
    /// [`Cause::Configuration`] with the first fault.
    pub fn check(&self, configuration: &Value) -> Result<(), Cause> {
        self.validator.validate(configuration).map_err(|error| {
            let mut fault = match error.kind() {
                // How a schema without properties and without additional ones says that there is nothing to say.
                ValidationErrorKind::FalseSchema => {
                    match configuration.as_object().and_then(|keys| keys.keys().next()) {
                        Some(key) if error.instance_path().as_str().is_empty() => {
                            format!("there is no key `{key}`")
                        }
                        _ => error.to_string(),
                    }
                }
                _ => error.to_string(),
            };
            if let ValidationErrorKind::AdditionalProperties { unexpected }
            | ValidationErrorKind::UnevaluatedProperties { unexpected } = error.kind()
                && let Some(near) = unexpected.first().and_then(|wrong| self.similar_key(wrong))
            {
                fault.push_str(&format!("; did you mean `{near}`?"));
            }
            Cause::Configuration {
                path: error.instance_path().to_string(),
                fault: clean_text(&fault, MAX_TEXT),
            }
        })
    }

    fn similar_key(&self, wrong: &str) -> Option<&str> {
        let properties = self.text.get("properties")?.as_object()?;
        suggest::nearest(wrong, properties.keys().map(String::as_str))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn schema() -> Schema {
        let text = json!({
            "type": "object",
            "properties": {
                "gamma": { "type": "number", "minimum": 0 },
                "protect": { "type": "array", "items": { "type": "string" } },
            },
            "additionalProperties": false,
        });
        Schema::parse(&text.to_string()).unwrap()
    }

    #[test]
    fn faults_are_told_with_their_place() {
        assert_eq!(schema().check(&json!({ "gamma": 2, "protect": ["A"] })), Ok(()));
        let fault = |value| schema().check(&value).unwrap_err().to_string();
        assert!(fault(json!({ "gamma": -1 })).starts_with("the configuration is wrong at `config.gamma`: "));
        assert!(fault(json!({ "protect": ["A", 1] })).contains("`config.protect[1]`"));
        assert!(fault(json!({ "gama": 2 })).ends_with("did you mean `gamma`?"));
        let nothing = Schema::parse(r#"{"type": "object", "additionalProperties": false}"#).unwrap();
        assert_eq!(nothing.check(&json!({})), Ok(()));
        let fault = nothing.check(&json!({ "gamma": 1 })).unwrap_err().to_string();
        assert!(fault.ends_with("there is no key `gamma`"), "{fault}");
    }

    #[test]
    fn a_schema_that_is_none_or_leads_outside_is_refused() {
        assert!(Schema::parse("{").is_err());
        assert!(Schema::parse(r#"{"type": "banana"}"#).is_err());
        assert!(Schema::parse(r#"{"$ref": "https://example.org/schema.json"}"#).is_err());
        assert!(Schema::parse(r#"{"$ref": "file:///etc/hostname"}"#).is_err());
    }
}

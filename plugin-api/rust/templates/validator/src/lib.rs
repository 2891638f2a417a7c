//! Finds labels that are missing, unknown, or too rare to learn from.

use std::collections::BTreeMap;

use pegbox_plugin::{Error, Finding, Plugin, RowBatch, Severity, Validator, parse_configuration};
use serde::Deserialize;

struct {{Pascal}} {
    configuration: Configuration,
    /// How often each label was seen.
    seen: BTreeMap<String, u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Configuration {
    #[serde(default)]
    labels: Vec<String>,
    #[serde(default = "one")]
    min_count: u64,
}

fn one() -> u64 {
    1
}

impl Plugin for {{Pascal}} {
    const NAME: &'static str = pegbox_plugin::manifest_name!();
    const CONFIGURATION_SCHEMA: &'static str = r#"{
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "labels": {
                "type": "array",
                "items": { "type": "string" },
                "default": [],
                "description": "The labels that are allowed; any, if there are none here"
            },
            "min-count": {
                "type": "integer",
                "minimum": 0,
                "default": 1,
                "description": "A label on fewer records is reported as rare"
            }
        }
    }"#;

    fn configure(json: &str) -> Result<Self, Error> {
        Ok(Self { configuration: parse_configuration(json)?, seen: BTreeMap::new() })
    }
}

impl Validator for {{Pascal}} {
    fn validate(&mut self, batch: RowBatch) -> Result<Vec<Finding>, Error> {
        let field = batch.fields.iter().position(|field| field == "label").ok_or_else(|| {
            Error::new("there is no field `label`")
                .with_help("write `fields = [\"text\", \"label\"]` under [records] in plugin.toml")
        })?;
        let mut findings = Vec::new();
        for row in batch.rows {
            let label = row.values.into_iter().nth(field).flatten();
            if let Some(message) = self.fault(label.as_deref()) {
                findings.push(Finding {
                    level: Severity::Error,
                    row: Some(row.id),
                    field: Some("label".to_owned()),
                    code: "unknown-label".to_owned(),
                    message,
                    proposed_fix: None,
                });
            }
            if let Some(label) = label {
                *self.seen.entry(label).or_default() += 1;
            }
        }
        Ok(findings)
    }

    fn state(&self) -> Result<Vec<u8>, Error> {
        serde_json::to_vec(&self.seen).map_err(|error| Error::new(error.to_string()))
    }

    fn merge(&mut self, state: &[u8]) -> Result<(), Error> {
        let other: BTreeMap<String, u64> = serde_json::from_slice(state)
            .map_err(|error| Error::new(format!("the state to merge cannot be read: {error}")))?;
        for (label, count) in other {
            *self.seen.entry(label).or_default() += count;
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<Vec<Finding>, Error> {
        let least = self.configuration.min_count;
        let rare = self.seen.iter().filter(|(_, count)| **count < least);
        Ok(rare
            .map(|(label, count)| Finding {
                level: Severity::Warning,
                row: None,
                field: None,
                code: "rare-label".to_owned(),
                message: format!("the label \"{label}\" has {count} records, fewer than {least}"),
                proposed_fix: None,
            })
            .collect())
    }
}

impl {{Pascal}} {
    fn fault(&self, label: Option<&str>) -> Option<String> {
        let allowed = &self.configuration.labels;
        match label {
            None => Some("there is no label".to_owned()),
            Some(label) if allowed.is_empty() || allowed.iter().any(|name| name == label) => None,
            Some(label) => {
                let count = allowed.len();
                Some(format!("the label \"{label}\" is not one of the {count} that are allowed"))
            }
        }
    }
}

pegbox_plugin::export!({{Pascal}}: Validator);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_label_is_named() {
        let validator = {{Pascal}}::configure(r#"{"labels": ["red", "blue"]}"#).unwrap();
        assert_eq!(validator.fault(Some("red")), None);
        let fault = validator.fault(Some("green")).unwrap();
        assert_eq!(fault, "the label \"green\" is not one of the 2 that are allowed");
    }
}

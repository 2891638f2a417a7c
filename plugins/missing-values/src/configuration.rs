use std::collections::BTreeMap;

use serde::Deserialize;

/// The JSON Schema of [`Configuration`].
pub(crate) const SCHEMA: &str = include_str!("configuration.schema.json");

/// What a recipe may say; the schema documents each key.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Configuration {
    /// What is done about each field.
    pub fields: BTreeMap<String, Field>,
    /// Words that say that there is no value.
    #[serde(default = "usual_words")]
    pub missing: Vec<String>,
    /// The most frequent values of fields, as the host counted.
    #[serde(default)]
    pub modes: BTreeMap<String, Modes>,
}

/// One value, or several, the most frequent first.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(untagged)]
pub enum Modes {
    One(String),
    Several(Vec<String>),
}

impl Modes {
    pub(crate) fn values(&self) -> &[String] {
        match self {
            Self::One(value) => std::slice::from_ref(value),
            Self::Several(values) => values,
        }
    }
}

/// What is done about one field.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Field {
    /// What becomes of the record.
    pub policy: Policy,
    /// What is written, for the policies that write what the recipe says.
    pub value: Option<String>,
}

/// What becomes of a record that lacks a field's value.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Policy {
    /// It leaves the dataset.
    Drop,
    /// The field gets the recipe's value.
    Constant,
    /// The field gets its most frequent value.
    Mode,
    /// The field gets a placeholder.
    Flag,
    /// It stays.
    Keep,
}

impl Policy {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Drop => "drop",
            Self::Constant => "constant",
            Self::Mode => "mode",
            Self::Flag => "flag",
            Self::Keep => "keep",
        }
    }
}

fn usual_words() -> Vec<String> {
    ["", "n/a", "null", "none", "nan", "-"].map(str::to_owned).to_vec()
}

#[cfg(test)]
mod tests {
    use pegbox_plugin::testing::assert_schema_describes;

    use super::*;

    fn parse(json: &str) -> Result<Configuration, serde_json::Error> {
        serde_json::from_str(json)
    }

    #[test]
    fn nothing_said_gives_what_the_schema_calls_default() {
        assert_schema_describes::<Configuration>(SCHEMA, r#"{ "fields": {} }"#);
    }

    #[test]
    fn policies_are_called_what_the_schema_calls_them() {
        let schema: serde_json::Value = serde_json::from_str(SCHEMA).unwrap();
        let policy = &schema["properties"]["fields"]["additionalProperties"]["properties"]["policy"]["enum"];
        for name in policy.as_array().unwrap() {
            let read: Policy = serde_json::from_value(name.clone()).unwrap();
            assert_eq!(read.name(), name.as_str().unwrap());
        }
    }

    #[test]
    fn unknown_keys_and_values_are_refused() {
        for json in [
            "{}",
            r#"{ "fields": {}, "words": [] }"#,
            r#"{ "fields": { "text": {} } }"#,
            r#"{ "fields": { "text": { "policy": "median" } } }"#,
            r#"{ "fields": { "text": { "policy": "drop", "reason": "x" } } }"#,
        ] {
            assert!(parse(json).is_err(), "{json}");
        }
    }
}

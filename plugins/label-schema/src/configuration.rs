use std::collections::BTreeMap;

use pegbox_findings::Level;
use serde::Deserialize;

/// The JSON Schema of [`Configuration`].
pub(crate) const SCHEMA: &str = include_str!("configuration.schema.json");

/// What a recipe may say; the schema documents each key.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Configuration {
    /// All labels that a record may have.
    pub labels: Vec<Label>,
    /// How many labels a record has.
    #[serde(default)]
    pub mode: Mode,
    /// How several labels are written.
    #[serde(default)]
    pub form: Form,
    /// What stands between several labels that are no list.
    #[serde(default = "comma")]
    pub separator: String,
    /// The fewest different labels of a record.
    #[serde(default = "one")]
    pub min_labels: u32,
    /// The most different labels of a record.
    #[serde(default)]
    pub max_labels: Option<u32>,
    /// Labels of which a record has at most one.
    #[serde(default)]
    pub exclude: Vec<Vec<String>>,
    /// Labels that a record with another must have.
    #[serde(default)]
    pub require: BTreeMap<String, Vec<String>>,
    /// A label of fewer records is rare.
    #[serde(default = "two")]
    pub min_per_label: u32,
    /// How bad findings are, by code.
    #[serde(default)]
    pub levels: BTreeMap<String, Level>,
    /// Records that are listed of each code.
    #[serde(default = "thousand")]
    pub max_findings: u32,
}

/// A label and what it means.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Label {
    pub name: String,
    /// When a record has it.
    pub definition: String,
    /// Other names for it.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// Texts that have it.
    #[serde(default)]
    pub examples: Vec<String>,
    /// Whether it is no longer to be used.
    #[serde(default)]
    pub deprecated: bool,
    /// The label to use instead.
    #[serde(default)]
    pub replaced_by: Option<String>,
}

impl Label {
    /// Whether it is no longer to be used.
    pub fn is_deprecated(&self) -> bool {
        self.deprecated || self.replaced_by.is_some()
    }
}

/// How many labels a record has.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// One, the whole value.
    #[default]
    Single,
    /// Several.
    Multi,
}

/// How several labels are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// As a list if the value begins with `[`, else with a separator.
    #[default]
    Auto,
    /// A JSON list of texts.
    List,
    /// Texts with a separator.
    Separated,
}

fn comma() -> String {
    ",".to_owned()
}

fn one() -> u32 {
    1
}

fn two() -> u32 {
    2
}

fn thousand() -> u32 {
    1000
}

#[cfg(test)]
mod tests {
    use pegbox_findings::testing::assert_schema_names;
    use pegbox_plugin::testing::assert_schema_describes;

    use super::*;
    use crate::codes;

    #[test]
    fn nothing_said_gives_what_the_schema_calls_default() {
        let required = r#"{ "labels": [{ "name": "card", "definition": "About a card." }] }"#;
        assert_schema_describes::<Configuration>(SCHEMA, required);
        let schema: serde_json::Value = serde_json::from_str(SCHEMA).unwrap();
        let label = schema["properties"]["labels"]["items"].to_string();
        assert_schema_describes::<Label>(&label, r#"{ "name": "card", "definition": "About a card." }"#);
    }

    #[test]
    fn the_schema_names_all_codes() {
        assert_schema_names(SCHEMA, &codes::ALL);
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for json in [
            "{}",
            r#"{ "labels": ["card"] }"#,
            r#"{ "labels": [{ "name": "card" }] }"#,
            r#"{ "labels": [], "label": [] }"#,
            r#"{ "labels": [], "mode": "several" }"#,
            r#"{ "labels": [], "levels": { "unknown-label": "fatal" } }"#,
        ] {
            assert!(serde_json::from_str::<Configuration>(json).is_err(), "{json}");
        }
    }
}

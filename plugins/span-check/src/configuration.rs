use std::collections::BTreeMap;

use pegbox_findings::Level;
use serde::Deserialize;

use crate::offsets::Unit;

/// The JSON Schema of [`Configuration`].
pub(crate) const SCHEMA: &str = include_str!("configuration.schema.json");

/// What a recipe may say; the schema documents each key.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Configuration {
    /// What start and end count.
    pub unit: Unit,
    /// All labels that a span may have.
    pub labels: Option<Vec<String>>,
    /// Which spans may share characters.
    pub overlaps: Overlaps,
    /// What the keys of a span are called.
    pub keys: Keys,
    /// How bad findings are, by code.
    pub levels: BTreeMap<String, Level>,
    /// Records that are listed of each code.
    pub max_findings: u32,
}

impl Default for Configuration {
    fn default() -> Self {
        Self {
            unit: Unit::default(),
            labels: None,
            overlaps: Overlaps::default(),
            keys: Keys::default(),
            levels: BTreeMap::new(),
            max_findings: 1000,
        }
    }
}

/// Which spans may share characters.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Overlaps {
    #[default]
    Forbid,
    /// One may lie within another.
    Nest,
    Allow,
}

/// What the keys of a span are called.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Keys {
    pub start: String,
    pub end: String,
    pub label: String,
    pub text: String,
}

impl Default for Keys {
    fn default() -> Self {
        let [start, end, label, text] = ["start", "end", "label", "text"].map(str::to_owned);
        Self { start, end, label, text }
    }
}

#[cfg(test)]
mod tests {
    use pegbox_findings::testing::assert_schema_names;
    use pegbox_plugin::testing::assert_schema_describes;

    use super::*;
    use crate::codes;

    #[test]
    fn nothing_said_gives_what_the_schema_calls_default() {
        assert_schema_describes::<Configuration>(SCHEMA, "{}");
    }

    #[test]
    fn the_schema_names_all_codes() {
        assert_schema_names(SCHEMA, &codes::ALL);
    }

    #[test]
    fn unknown_keys_and_values_are_refused() {
        for json in [
            r#"{ "units": "bytes" }"#,
            r#"{ "unit": "utf-8" }"#,
            r#"{ "overlaps": true }"#,
            r#"{ "keys": { "begin": "from" } }"#,
        ] {
            assert!(serde_json::from_str::<Configuration>(json).is_err(), "{json}");
        }
    }
}

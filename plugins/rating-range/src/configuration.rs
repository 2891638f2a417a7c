use std::collections::BTreeMap;

use pegbox_findings::Level;
use serde::Deserialize;

/// The JSON Schema of [`Configuration`].
pub(crate) const SCHEMA: &str = include_str!("configuration.schema.json");

/// What a recipe may say; the schema documents each key.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Configuration {
    /// The lowest rating.
    pub minimum: Option<f64>,
    /// The highest rating.
    pub maximum: Option<f64>,
    /// How far ratings are apart.
    pub step: Option<f64>,
    /// All ratings that there are.
    pub values: Option<Vec<f64>>,
    /// All annotators that there are.
    pub annotators: Option<Vec<String>>,
    /// The fewest ratings of a record.
    pub min_raters: u32,
    /// The fewest ratings of an annotator who is judged.
    pub min_ratings: u32,
    /// How many times as far as the median annotator one may be from the others.
    pub max_deviation: f64,
    /// How bad findings are, by code.
    pub levels: BTreeMap<String, Level>,
    /// Records that are listed of each code.
    pub max_findings: u32,
}

impl Default for Configuration {
    fn default() -> Self {
        Self {
            minimum: None,
            maximum: None,
            step: None,
            values: None,
            annotators: None,
            min_raters: 2,
            min_ratings: 20,
            max_deviation: 1.5,
            levels: BTreeMap::new(),
            max_findings: 1000,
        }
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
        for json in [r#"{ "min": 1 }"#, r#"{ "minimum": "1" }"#, r#"{ "values": 5 }"#] {
            assert!(serde_json::from_str::<Configuration>(json).is_err(), "{json}");
        }
    }
}

use std::collections::BTreeMap;

use pegbox_findings::Level;
use serde::Deserialize;

use crate::scheme::Scheme;

/// The JSON Schema of [`Configuration`].
pub(crate) const SCHEMA: &str = include_str!("configuration.schema.json");

/// What a recipe may say; the schema documents each key.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Configuration {
    /// How tags say where entities begin and end.
    pub scheme: Scheme,
    /// What stands between a tag's letter and its type.
    pub separator: String,
    /// All types that an entity may have.
    pub types: Option<Vec<String>>,
    /// How bad findings are, by code.
    pub levels: BTreeMap<String, Level>,
    /// Records that are listed of each code.
    pub max_findings: u32,
}

impl Default for Configuration {
    fn default() -> Self {
        Self {
            scheme: Scheme::default(),
            separator: "-".to_owned(),
            types: None,
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
    fn the_schema_names_all_codes_and_schemes() {
        assert_schema_names(SCHEMA, &codes::ALL);
        let schema: serde_json::Value = serde_json::from_str(SCHEMA).unwrap();
        let schemes = &schema["properties"]["scheme"]["enum"];
        assert_eq!(*schemes, serde_json::json!(Scheme::ALL.map(|scheme| scheme.to_string())));
    }

    #[test]
    fn unknown_keys_and_values_are_refused() {
        for json in [r#"{ "schema": "iob2" }"#, r#"{ "scheme": "bio" }"#, r#"{ "types": "PER" }"#] {
            assert!(serde_json::from_str::<Configuration>(json).is_err(), "{json}");
        }
    }
}

//! A configuration's type and its JSON Schema, which must say the same.

use std::fmt::Debug;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// Checks that `schema` describes `C`, which a plugin reads its configuration into: every key that an object has is
/// described, keys that it does not name are refused, and a key that the recipe leaves out has the value that the
/// schema calls its `default`.
///
/// `required` is a JSON object with the keys that must be said, `{}` where there is none.
///
/// ```
/// use serde::Deserialize;
///
/// #[derive(PartialEq, Debug, Deserialize)]
/// #[serde(default, deny_unknown_fields)]
/// struct Configuration {
///     gamma: f64,
/// }
///
/// impl Default for Configuration {
///     fn default() -> Self {
///         Self { gamma: 2.0 }
///     }
/// }
///
/// const SCHEMA: &str = r#"{
///     "type": "object",
///     "additionalProperties": false,
///     "properties": { "gamma": { "type": "number", "default": 2.0, "description": "What gamma does." } }
/// }"#;
///
/// pegbox_plugin::testing::assert_schema_describes::<Configuration>(SCHEMA, "{}");
/// ```
///
/// # Panics
/// If they differ, saying in what.
#[track_caller]
pub fn assert_schema_describes<C>(schema: &str, required: &str)
where
    C: DeserializeOwned + PartialEq + Debug,
{
    let schema: Value = parsed("the schema", schema);
    let mut spelled_out: Map<String, Value> = parsed("what is required", required);
    let unsaid: C = parsed("a configuration without a word", required);
    for (key, value) in defaults(&schema, "the configuration") {
        spelled_out.entry(key).or_insert(value);
    }
    let spelled_out = Value::Object(spelled_out).to_string();
    let said: C = parsed("the schema's defaults", &spelled_out);
    assert_eq!(unsaid, said, "left: nothing said, right: what the schema calls default, {spelled_out}");
}

/// The default of each key of an object that has one, itself or in its own keys.
#[track_caller]
fn defaults(object: &Value, name: &str) -> Map<String, Value> {
    assert_eq!(object["additionalProperties"], false, "{name}: the schema does not refuse unknown keys");
    let Some(properties) = object["properties"].as_object() else {
        panic!("{name}: the schema names no keys");
    };
    let mut defaults = Map::new();
    for (key, about) in properties {
        assert!(about["description"].is_string(), "`{key}` of {name} has no description");
        if let Some(value) = about.get("default") {
            defaults.insert(key.clone(), value.clone());
        } else if about.get("properties").is_some() {
            defaults.insert(key.clone(), Value::Object(self::defaults(about, &format!("`{key}`"))));
        }
    }
    defaults
}

#[track_caller]
fn parsed<T: DeserializeOwned>(what: &str, json: &str) -> T {
    serde_json::from_str(json).unwrap_or_else(|error| panic!("{what} cannot be read: {error} in {json}"))
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(PartialEq, Debug, Default, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Inner {
        on: bool,
    }

    #[derive(PartialEq, Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Outer {
        name: String,
        #[serde(default)]
        size: u32,
        #[serde(default)]
        inner: Inner,
        #[serde(default)]
        maybe: Option<String>,
    }

    fn schema(size: &str, description: &str, unknown: &str) -> String {
        format!(
            r#"{{
                "additionalProperties": {unknown},
                "properties": {{
                    "name": {{ "description": "Must be said." }},
                    "size": {{ "description": "How large.", "default": {size} }},
                    "maybe": {{ "description": "Has no default." }},
                    "inner": {{
                        "description": "Has keys of its own.",
                        "additionalProperties": false,
                        "properties": {{ "on": {{ {description} "default": false }} }}
                    }}
                }}
            }}"#
        )
    }

    fn fails(schema: &str, required: &str) -> String {
        let failed = std::panic::catch_unwind(|| assert_schema_describes::<Outer>(schema, required));
        let payload = failed.unwrap_err();
        payload.downcast_ref::<String>().cloned().unwrap_or_default()
    }

    const DESCRIBED: &str = r#""description": "Whether.","#;

    #[test]
    fn a_schema_that_says_the_same_passes() {
        assert_schema_describes::<Outer>(&schema("0", DESCRIBED, "false"), r#"{ "name": "x" }"#);
    }

    #[test]
    fn what_differs_is_said() {
        let required = r#"{ "name": "x" }"#;
        assert!(fails(&schema("1", DESCRIBED, "false"), required).contains("size"));
        assert!(fails(&schema("0", "", "false"), required).contains("`on` of `inner` has no description"));
        assert!(fails(&schema("0", DESCRIBED, "true"), required).contains("does not refuse unknown keys"));
        assert!(fails(&schema("\"big\"", DESCRIBED, "false"), required).contains("schema's defaults"));
        assert!(fails(&schema("0", DESCRIBED, "false"), "{}").contains("without a word"));
    }
}

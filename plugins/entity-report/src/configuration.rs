//! What the recipe may say.

use serde::Deserialize;

/// The JSON Schema of [`Configuration`].
pub const SCHEMA: &str = r#"{
  "type": "object",
  "additionalProperties": false,
  "properties": {
    "strict": {
      "type": "boolean",
      "default": false,
      "description": "Whether an entity must begin with `B-`. Otherwise an `I-` that goes on with nothing of its type begins one, as seqeval has it by default."
    }
  }
}"#;

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Configuration {
    /// Whether an entity must begin with `B-`.
    pub strict: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_describes_the_configuration() {
        pegbox_plugin::testing::assert_schema_describes::<Configuration>(SCHEMA, "{}");
    }
}

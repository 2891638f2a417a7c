use serde::Deserialize;

/// The JSON Schema of [`Configuration`].
pub(crate) const SCHEMA: &str = include_str!("configuration.schema.json");

/// What a recipe may say; the schema documents each key.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Configuration {
    /// Whether HTML goes.
    pub html: bool,
    /// Whether HTML entities are decoded.
    pub entities: bool,
    /// Whether an image leaves its alternative text.
    pub alternative_text: bool,
    /// Whether Markdown goes.
    pub markdown: bool,
    /// Whether BBCode goes.
    pub bbcode: bool,
    /// What becomes of addresses in the text.
    pub urls: Urls,
    /// What stands for an address.
    pub placeholder: String,
    /// What becomes of a record if nothing is left of a field.
    pub empty: Empty,
}

impl Default for Configuration {
    fn default() -> Self {
        Self {
            html: true,
            entities: true,
            alternative_text: false,
            markdown: false,
            bbcode: false,
            urls: Urls::default(),
            placeholder: "[URL]".to_owned(),
            empty: Empty::default(),
        }
    }
}

/// What becomes of addresses in the text.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Urls {
    /// They stay.
    #[default]
    Keep,
    /// They go.
    Strip,
    /// Each becomes the same word.
    Placeholder,
}

/// What becomes of a record if nothing is left of a field.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Empty {
    /// It leaves the dataset.
    #[default]
    Drop,
    /// It stays, with an empty field.
    Keep,
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
        assert_schema_describes::<Configuration>(SCHEMA, "{}");
    }

    #[test]
    fn unknown_keys_and_values_are_refused() {
        for json in [r#"{ "xml": true }"#, r#"{ "urls": "drop" }"#, r#"{ "empty": "" }"#] {
            assert!(parse(json).is_err(), "{json}");
        }
    }
}

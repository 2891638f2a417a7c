use serde::Deserialize;

/// The JSON Schema of [`Configuration`].
pub(crate) const SCHEMA: &str = include_str!("configuration.schema.json");

/// What a recipe may say; the schema documents each key.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Configuration {
    /// Unicode normal form.
    pub form: Form,
    /// Whether HTML entities are decoded.
    pub html_entities: bool,
    /// Whether quotation marks, apostrophes and dashes become those of ASCII.
    pub ascii_punctuation: bool,
    /// Whether letters become lower-case.
    pub lower_case: bool,
    /// Regular expressions whose matches keep their letter case.
    pub protect: Vec<String>,
    /// What becomes of a record of whose text nothing is left.
    pub empty: Empty,
}

impl Default for Configuration {
    fn default() -> Self {
        Self {
            form: Form::default(),
            html_entities: true,
            ascii_punctuation: false,
            lower_case: false,
            protect: Vec::new(),
            empty: Empty::default(),
        }
    }
}

/// A Unicode normal form, or none.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
pub enum Form {
    /// Letters and their accents composed.
    #[serde(rename = "NFC")]
    Nfc,
    /// Compatibility characters replaced as well.
    #[default]
    #[serde(rename = "NFKC")]
    Nfkc,
    /// Characters as they are.
    #[serde(rename = "none")]
    None,
}

/// What becomes of a record of whose text nothing is left.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Empty {
    /// It leaves the dataset.
    #[default]
    Drop,
    /// It stays, with an empty text.
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
    fn the_examples_recipe_is_understood() {
        let read = parse(r#"{ "form": "NFKC", "protect": ["[A-Z]{2,}"] }"#).unwrap();
        assert_eq!(read.form, Form::Nfkc);
        assert_eq!(read.protect, ["[A-Z]{2,}"]);
    }

    #[test]
    fn unknown_keys_and_values_are_refused() {
        for json in [r#"{ "from": "NFC" }"#, r#"{ "form": "NFD" }"#, r#"{ "empty": "" }"#] {
            assert!(parse(json).is_err(), "{json}");
        }
    }
}

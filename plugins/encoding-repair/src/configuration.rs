use serde::Deserialize;

/// The JSON Schema of [`Configuration`].
pub(crate) const SCHEMA: &str = include_str!("configuration.schema.json");

/// What a recipe may say; the schema documents each key.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Configuration {
    /// Encodings that UTF-8 may have been read as.
    pub misread_as: Vec<Misread>,
    /// How often in a row that may have happened.
    pub rounds: u8,
    /// What becomes of controls.
    pub controls: Controls,
    /// The share of U+FFFD above which a record is dropped.
    pub drop_above: Option<f64>,
}

impl Default for Configuration {
    fn default() -> Self {
        let misread_as = vec![Misread::Windows1252, Misread::Windows1251, Misread::MacRoman];
        Self { misread_as, rounds: 3, controls: Controls::default(), drop_above: None }
    }
}

/// An encoding that UTF-8 may have been read as.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
pub enum Misread {
    /// Western Europe; Latin-1 as well.
    #[serde(rename = "windows-1252")]
    Windows1252,
    /// Cyrillic.
    #[serde(rename = "windows-1251")]
    Windows1251,
    /// Mac OS Roman.
    #[serde(rename = "mac-roman")]
    MacRoman,
}

/// What becomes of controls.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Controls {
    /// They become what they were meant to be, or go.
    #[default]
    Remove,
    /// They stay.
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
        for json in [r#"{ "round": 1 }"#, r#"{ "misread-as": ["latin-1"] }"#, r#"{ "controls": "space" }"#] {
            assert!(parse(json).is_err(), "{json}");
        }
    }
}

use pegbox_plugin::{Error, Severity};
use serde::Deserialize;

use crate::fingerprint::SameText;

/// The JSON Schema of [`Configuration`].
pub(crate) const SCHEMA: &str = include_str!("configuration.schema.json");

/// What a recipe may say; the schema documents each key.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Configuration {
    /// All labels that a record may have.
    pub labels: Option<Vec<String>>,
    /// Texts with fewer characters are too short.
    pub min_characters: u32,
    /// Texts with more characters are too long.
    pub max_characters: Option<u32>,
    /// How bad it is that a text has several labels.
    pub conflicts: Severity,
    /// Which texts are the same.
    pub same_text: SameText,
    /// How many times the smallest class the largest may be.
    pub max_imbalance: f64,
    /// A class with fewer examples is rare.
    pub min_per_class: u32,
}

impl Default for Configuration {
    fn default() -> Self {
        Self {
            labels: None,
            min_characters: 1,
            max_characters: None,
            conflicts: Severity::Warning,
            same_text: SameText::default(),
            max_imbalance: 20.0,
            min_per_class: 2,
        }
    }
}

impl Configuration {
    /// What the schema cannot say.
    ///
    /// # Errors
    /// Bounds that no text can meet.
    pub fn check(&self) -> Result<(), Error> {
        match self.max_characters {
            Some(most) if most < self.min_characters => Err(Error::new(format!(
                "`max-characters` = {most} is less than `min-characters` = {}",
                self.min_characters
            ))
            .with_help("no text can be of both lengths; raise the one or lower the other")),
            _ => Ok(()),
        }
    }
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
        for json in [r#"{ "label": [] }"#, r#"{ "conflicts": "fatal" }"#, r#"{ "min-characters": -1 }"#] {
            assert!(parse(json).is_err(), "{json}");
        }
    }

    #[test]
    fn bounds_that_no_text_meets_are_refused() {
        let check = |json| parse(json).unwrap().check();
        assert!(check(r#"{ "min-characters": 5, "max-characters": 5 }"#).is_ok());
        let error = check(r#"{ "min-characters": 5, "max-characters": 4 }"#).unwrap_err();
        assert_eq!(error.message(), "`max-characters` = 4 is less than `min-characters` = 5");
    }
}

use serde::Deserialize;

use crate::kind::Kind;

/// The JSON Schema of [`Configuration`].
pub(crate) const SCHEMA: &str = include_str!("configuration.schema.json");

/// What a recipe may say; the schema documents each key.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Configuration {
    /// What is looked for.
    pub kinds: Vec<Kind>,
    /// What becomes of a find.
    pub action: Action,
    /// What stands in place of a find.
    pub placeholders: Placeholders,
    /// Whether placeholders tell the values of one record apart.
    pub numbered: bool,
    /// Values, and domains of email addresses, that stay.
    pub allow: Vec<String>,
}

impl Default for Configuration {
    fn default() -> Self {
        Self {
            kinds: vec![Kind::Email, Kind::Phone, Kind::Card, Kind::Iban, Kind::Ip],
            action: Action::default(),
            placeholders: Placeholders::default(),
            numbered: false,
            allow: Vec::new(),
        }
    }
}

/// What becomes of a find.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// A placeholder takes its place.
    #[default]
    Replace,
    /// The record leaves the dataset.
    Drop,
}

/// What stands in place of a find, for each kind.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Placeholders {
    pub email: String,
    pub phone: String,
    pub card: String,
    pub iban: String,
    pub ip: String,
    pub url: String,
    pub mac: String,
    pub ssn: String,
}

impl Placeholders {
    pub(crate) fn of(&self, kind: Kind) -> &str {
        match kind {
            Kind::Email => &self.email,
            Kind::Phone => &self.phone,
            Kind::Card => &self.card,
            Kind::Iban => &self.iban,
            Kind::Ip => &self.ip,
            Kind::Url => &self.url,
            Kind::Mac => &self.mac,
            Kind::Ssn => &self.ssn,
        }
    }
}

impl Default for Placeholders {
    fn default() -> Self {
        Self {
            email: "[EMAIL]".to_owned(),
            phone: "[PHONE]".to_owned(),
            card: "[CARD]".to_owned(),
            iban: "[IBAN]".to_owned(),
            ip: "[IP]".to_owned(),
            url: "[URL]".to_owned(),
            mac: "[MAC]".to_owned(),
            ssn: "[SSN]".to_owned(),
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
    fn each_kind_has_its_placeholder() {
        let schema: serde_json::Value = serde_json::from_str(SCHEMA).unwrap();
        let names = schema["properties"]["kinds"]["items"]["enum"].as_array().unwrap();
        assert_eq!(names.len(), Kind::ALL.len());
        for (name, kind) in names.iter().zip(Kind::ALL) {
            let name = name.as_str().unwrap();
            assert_eq!(parse(&format!(r#"{{ "kinds": ["{name}"] }}"#)).unwrap().kinds, [kind]);
            assert_eq!(Placeholders::default().of(kind), format!("[{}]", name.to_uppercase()));
            assert_eq!(kind.reason(), format!("pii-{name}"));
        }
    }

    #[test]
    fn unknown_keys_and_values_are_refused() {
        for json in [
            r#"{ "kind": ["email"] }"#,
            r#"{ "kinds": ["e-mail"] }"#,
            r#"{ "action": "keep" }"#,
            r#"{ "placeholders": { "name": "[NAME]" } }"#,
        ] {
            assert!(parse(json).is_err(), "{json}");
        }
    }
}

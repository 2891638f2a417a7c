use pegbox_plugin::{Cleaner, Error, Outcome, Plugin, RowBatch, parse_configuration};

use crate::configuration::{self, Configuration, Field, Modes, Policy};
use crate::words::Words;

/// What the policy `flag` writes where the recipe says nothing else.
const PLACEHOLDER: &str = "[MISSING]";

/// The cleaner, configured.
#[derive(Clone, Debug)]
pub struct MissingValues {
    words: Words,
    /// What is done about each field that the recipe names, but for those that it keeps.
    fields: Vec<(String, Remedy)>,
}

/// What is done about a field without a value.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Remedy {
    /// For this reason the record goes.
    Drop(String),
    Write(String),
    /// The most frequent value, which nobody has counted yet.
    Uncounted,
    Keep,
}

impl MissingValues {
    /// # Errors
    /// A policy without the value that it needs, or a value that its policy would not write.
    pub fn new(configuration: &Configuration) -> Result<Self, Error> {
        let words = Words::new(&configuration.missing);
        let remedy = |(name, field)| Ok((String::clone(name), remedy(configuration, &words, name, field)?));
        let fields = configuration.fields.iter().map(remedy).collect::<Result<_, Error>>()?;
        Ok(Self { words, fields })
    }

    fn outcome(
        &self,
        mut values: Vec<Option<String>>,
        remedies: &[(usize, &str, &Remedy)],
    ) -> Result<Outcome, Error> {
        let mut changed = false;
        for (place, name, remedy) in remedies {
            let Some(value) = values.get_mut(*place) else { continue };
            if !self.words.is_missing(value.as_deref()) {
                continue;
            }
            match remedy {
                Remedy::Drop(reason) => return Ok(Outcome::Drop(reason.clone())),
                Remedy::Write(text) if value.as_ref() != Some(text) => {
                    *value = Some(text.clone());
                    changed = true;
                }
                Remedy::Uncounted => return Err(uncounted(name)),
                Remedy::Write(_) | Remedy::Keep => {}
            }
        }
        Ok(if changed { Outcome::Replace(values) } else { Outcome::Keep })
    }
}

impl Plugin for MissingValues {
    const NAME: &'static str = pegbox_plugin::manifest_name!();
    const CONFIGURATION_SCHEMA: &'static str = configuration::SCHEMA;

    fn configure(json: &str) -> Result<Self, Error> {
        Self::new(&parse_configuration(json)?)
    }
}

impl Cleaner for MissingValues {
    fn clean(&mut self, batch: RowBatch) -> Result<Vec<Outcome>, Error> {
        let mut remedies = Vec::with_capacity(self.fields.len());
        for (name, remedy) in &self.fields {
            let Some(place) = batch.fields.iter().position(|field| field == name) else {
                let fields = batch.fields.join("`, `");
                return Err(Error::new(format!(
                    "`fields.{name}`: the rows have no field `{name}`, only `{fields}`"
                ))
                .with_help("name the field in the recipe where it says what this cleaner is handed"));
            };
            if *remedy != Remedy::Keep {
                remedies.push((place, name.as_str(), remedy));
            }
        }
        batch.rows.into_iter().map(|row| self.outcome(row.values, &remedies)).collect()
    }
}

fn remedy(configuration: &Configuration, words: &Words, name: &str, field: &Field) -> Result<Remedy, Error> {
    if field.value.is_some() && !matches!(field.policy, Policy::Constant | Policy::Flag) {
        let policy = field.policy.name();
        return Err(Error::new(format!("`fields.{name}`: the policy `{policy}` does not write a `value`"))
            .with_help("leave out `value`, or take the policy `constant` or `flag`"));
    }
    match field.policy {
        Policy::Keep => Ok(Remedy::Keep),
        Policy::Drop => Ok(Remedy::Drop(format!("missing-{}", kebab(name)))),
        Policy::Flag => Ok(Remedy::Write(field.value.clone().unwrap_or_else(|| PLACEHOLDER.to_owned()))),
        Policy::Constant => field.value.clone().map(Remedy::Write).ok_or_else(|| {
            Error::new(format!("`fields.{name}`: the policy `constant` has no `value`"))
                .with_help("say which text the field gets: value = \"...\"")
        }),
        // Before the data is read there is nothing to count.
        Policy::Mode if configuration.modes.is_empty() => Ok(Remedy::Uncounted),
        Policy::Mode => {
            let values = configuration.modes.get(name).map(Modes::values).unwrap_or_default();
            let value = values.iter().find(|value| !words.is_missing(Some(value.as_str())));
            value.cloned().map(Remedy::Write).ok_or_else(|| uncounted(name))
        }
    }
}

fn uncounted(name: &str) -> Error {
    Error::new(format!("`fields.{name}`: the policy `mode` has no value for `{name}` under `modes`"))
        .with_help(format!(
            "write modes = [\"{name}\"] in the recipe, beside `plugin`, and it is counted; or give it here"
        ))
}

/// A reason is in kebab-case, whatever the field's name is.
fn kebab(name: &str) -> String {
    let mut kebab = String::with_capacity(name.len());
    for c in name.chars() {
        match c {
            c if c.is_alphanumeric() => kebab.extend(c.to_lowercase()),
            _ if kebab.ends_with('-') || kebab.is_empty() => {}
            _ => kebab.push('-'),
        }
    }
    kebab.truncate(kebab.trim_end_matches('-').len());
    kebab
}

#[cfg(test)]
mod tests {
    use super::*;
    use pegbox_plugin::Row;

    fn cleaned(json: &str, fields: &[&str], rows: &[&[Option<&str>]]) -> Result<Vec<Outcome>, Error> {
        let owned = |values: &[Option<&str>]| values.iter().map(|value| value.map(str::to_owned)).collect();
        let row = |(id, values): (usize, &&[Option<&str>])| Row { id: id as u64, values: owned(values) };
        let fields = fields.iter().map(|field| (*field).to_owned()).collect();
        let rows = rows.iter().enumerate().map(row).collect();
        MissingValues::configure(json)?.clean(RowBatch { fields, rows })
    }

    fn values(values: &[&str]) -> Outcome {
        Outcome::Replace(values.iter().map(|value| Some((*value).to_owned())).collect())
    }

    #[test]
    fn each_policy_does_what_it_says() {
        let json = r#"{
            "fields": {
                "text": { "policy": "drop" },
                "label": { "policy": "mode" },
                "channel": { "policy": "constant", "value": "web" },
                "note": { "policy": "flag" },
                "id": { "policy": "keep" }
            },
            "modes": { "label": "card" }
        }"#;
        let fields = ["id", "text", "label", "channel", "note"];
        let outcomes = cleaned(
            json,
            &fields,
            &[
                &[None, Some("t"), Some("l"), Some("c"), Some("n")],
                &[Some(""), Some("t"), Some("N/A"), None, Some(" ")],
                &[Some("1"), Some(" null "), None, None, None],
            ],
        );
        let expected = [
            Outcome::Keep,
            values(&["", "t", "card", "web", "[MISSING]"]),
            Outcome::Drop("missing-text".to_owned()),
        ];
        assert_eq!(outcomes.unwrap(), expected);
    }

    #[test]
    fn what_is_written_need_not_count_as_a_value() {
        let json = r#"{ "fields": { "text": { "policy": "constant", "value": "-" } } }"#;
        let outcomes = cleaned(json, &["text"], &[&[Some("-")], &[Some("none")]]).unwrap();
        assert_eq!(outcomes, [Outcome::Keep, values(&["-"])]);
    }

    #[test]
    fn of_several_modes_the_first_that_is_a_value_is_written() {
        let json =
            r#"{ "fields": { "label": { "policy": "mode" } }, "modes": { "label": ["n/a", "card"] } }"#;
        assert_eq!(cleaned(json, &["label"], &[&[None]]).unwrap(), [values(&["card"])]);
    }

    #[test]
    fn a_mode_is_missed_where_it_is_needed() {
        let json = r#"{ "fields": { "label": { "policy": "mode" } } }"#;
        assert_eq!(cleaned(json, &["label"], &[&[Some("a")]]).unwrap(), [Outcome::Keep]);
        let error = cleaned(json, &["label"], &[&[None]]).unwrap_err();
        assert!(error.message().contains("no value for `label` under `modes`"), "{error}");
        assert!(error.help().unwrap().contains("modes = [\"label\"]"));
    }

    #[track_caller]
    fn refused(json: &str, message: &str) {
        let error = MissingValues::configure(json).unwrap_err();
        assert!(error.message().contains(message), "{error}");
        assert!(error.help().is_some());
    }

    #[test]
    fn a_policy_without_its_value_is_refused() {
        refused(
            r#"{ "fields": { "label": { "policy": "constant" } } }"#,
            "`fields.label`: the policy `constant`",
        );
        refused(
            r#"{ "fields": { "label": { "policy": "mode" } }, "modes": { "text": "x" } }"#,
            "under `modes`",
        );
        refused(
            r#"{ "fields": { "label": { "policy": "drop", "value": "x" } } }"#,
            "does not write a `value`",
        );
    }

    #[test]
    fn a_field_that_nobody_hands_over_is_refused() {
        let error = cleaned(r#"{ "fields": { "lable": { "policy": "keep" } } }"#, &["text", "label"], &[]);
        assert!(error.unwrap_err().message().contains("no field `lable`, only `text`, `label`"));
    }

    #[test]
    fn reasons_are_in_kebab_case() {
        assert_eq!(kebab("text"), "text");
        assert_eq!(kebab("Label_Name (old)"), "label-name-old");
        assert_eq!(kebab("__größe"), "größe");
    }
}

use std::borrow::Cow;

use pegbox_plugin::{Cleaner, Error, Outcome, Plugin, RowBatch, parse_configuration};

use crate::configuration::{self, Configuration, Controls, Misread};
use crate::controls::tidy;
use crate::pages::Page;
use crate::repair::repair;
use crate::scan::needs_a_look;

/// Why a record was dropped that could not be decoded.
const UNDECODED: &str = "replacement-characters";

/// The cleaner, configured.
#[derive(Clone, Debug)]
pub struct EncodingRepair {
    pages: Vec<Page>,
    rounds: u8,
    controls: Controls,
    drop_above: Option<f64>,
}

/// What became of one value.
enum Repaired {
    AsItWas,
    Text(String),
    Lost,
}

impl EncodingRepair {
    /// # Errors
    /// A share that is none.
    pub fn new(configuration: &Configuration) -> Result<Self, Error> {
        if let Some(share) = configuration.drop_above
            && !(0.0..=1.0).contains(&share)
        {
            return Err(Error::new(format!("`drop-above` = {share} is no share")).with_help(
                "it is a number from 0 to 1: with 0.01, one character of a hundred may be U+FFFD",
            ));
        }
        let page = |misread: &Misread| match misread {
            Misread::Windows1252 => Page::Windows1252,
            Misread::Windows1251 => Page::Windows1251,
            Misread::MacRoman => Page::MacRoman,
        };
        Ok(Self {
            pages: configuration.misread_as.iter().map(page).collect(),
            rounds: configuration.rounds,
            controls: configuration.controls,
            drop_above: configuration.drop_above,
        })
    }

    /// `text` as it was meant, in time linear in its length. Borrowed where nothing changes.
    pub fn repair<'a>(&self, text: &'a str) -> Cow<'a, str> {
        if !needs_a_look(text) {
            return Cow::Borrowed(text);
        }
        let repaired = repair(text, &self.pages, self.rounds);
        if self.controls == Controls::Keep {
            return repaired;
        }
        match repaired {
            Cow::Borrowed(text) => tidy(text),
            Cow::Owned(text) => match tidy(&text) {
                Cow::Borrowed(_) => Cow::Owned(text),
                Cow::Owned(tidy) => Cow::Owned(tidy),
            },
        }
    }

    fn value(&self, text: &str) -> Repaired {
        let repaired = self.repair(text);
        if self.drop_above.is_some_and(|most| undecoded(&repaired) > most) {
            return Repaired::Lost;
        }
        match repaired {
            Cow::Borrowed(_) => Repaired::AsItWas,
            Cow::Owned(text) => Repaired::Text(text),
        }
    }

    fn outcome(&self, mut values: Vec<Option<String>>) -> Outcome {
        let mut changed = false;
        for text in values.iter_mut().flatten() {
            match self.value(text) {
                Repaired::AsItWas => {}
                Repaired::Text(repaired) => {
                    *text = repaired;
                    changed = true;
                }
                Repaired::Lost => return Outcome::Drop(UNDECODED.to_owned()),
            }
        }
        if changed { Outcome::Replace(values) } else { Outcome::Keep }
    }
}

impl Plugin for EncodingRepair {
    const NAME: &'static str = pegbox_plugin::manifest_name!();
    const CONFIGURATION_SCHEMA: &'static str = configuration::SCHEMA;

    fn configure(json: &str) -> Result<Self, Error> {
        Self::new(&parse_configuration(json)?)
    }
}

impl Cleaner for EncodingRepair {
    fn clean(&mut self, batch: RowBatch) -> Result<Vec<Outcome>, Error> {
        Ok(batch.rows.into_iter().map(|row| self.outcome(row.values)).collect())
    }
}

/// The share of the characters that could not be decoded.
fn undecoded(text: &str) -> f64 {
    let lost = text.matches('\u{fffd}').count();
    if lost == 0 { 0.0 } else { lost as f64 / text.chars().count() as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pegbox_plugin::Row;

    fn cleaned(json: &str, values: &[Option<&str>]) -> Outcome {
        let fields = values.iter().enumerate().map(|(index, _)| format!("field-{index}")).collect();
        let values = values.iter().map(|value| value.map(str::to_owned)).collect();
        let batch = RowBatch { fields, rows: vec![Row { id: 0, values }] };
        EncodingRepair::configure(json).unwrap().clean(batch).unwrap().remove(0)
    }

    fn replaced(values: &[Option<&str>]) -> Outcome {
        Outcome::Replace(values.iter().map(|value| value.map(str::to_owned)).collect())
    }

    #[test]
    fn all_fields_are_treated_alike() {
        assert_eq!(cleaned("{}", &[Some("fine"), None, Some("é")]), Outcome::Keep);
        assert_eq!(
            cleaned("{}", &[Some("cafÃ©"), None, Some("ok"), Some("it\u{92}s")]),
            replaced(&[Some("café"), None, Some("ok"), Some("it’s")])
        );
    }

    #[test]
    fn steps_can_be_turned_off() {
        assert_eq!(cleaned(r#"{ "misread-as": [] }"#, &[Some("cafÃ©\0")]), replaced(&[Some("cafÃ©")]));
        assert_eq!(cleaned(r#"{ "controls": "keep" }"#, &[Some("cafÃ©\0")]), replaced(&[Some("café\0")]));
        assert_eq!(cleaned(r#"{ "rounds": 1 }"#, &[Some("cafÃƒÂ©")]), replaced(&[Some("cafÃ©")]));
    }

    #[test]
    fn what_was_lost_is_dropped_if_asked() {
        let half = Some("a\u{fffd}");
        assert_eq!(cleaned("{}", &[half]), Outcome::Keep);
        assert_eq!(cleaned(r#"{ "drop-above": 0.5 }"#, &[half]), Outcome::Keep);
        let dropped = Outcome::Drop(UNDECODED.to_owned());
        assert_eq!(cleaned(r#"{ "drop-above": 0.4 }"#, &[Some("fine"), half]), dropped);
        assert_eq!(cleaned(r#"{ "drop-above": 0 }"#, &[Some("")]), Outcome::Keep);
        assert!(EncodingRepair::configure(r#"{ "drop-above": 1.5 }"#).is_err());
    }
}

use pegbox_plugin::{Cleaner, Error, Outcome, Plugin, RowBatch, parse_configuration};

use crate::configuration::{self, Configuration};
use crate::gibberish::is_gibberish;
use crate::language::Languages;
use crate::repetition::repeats;
use crate::tally::Tally;

/// The cleaner, configured.
#[derive(Clone, Debug)]
pub struct NoiseFilter {
    rules: Configuration,
    languages: Languages,
}

impl NoiseFilter {
    /// # Errors
    /// A language that cannot be told.
    pub fn new(rules: Configuration) -> Result<Self, Error> {
        Ok(Self { languages: Languages::new(&rules.language)?, rules })
    }

    /// Why `text` is noise; `None` if it is not.
    pub fn reason(&self, text: &str) -> Option<&'static str> {
        let rules = &self.rules;
        let tally = Tally::of(text);
        let Tally { characters, words, digits, symbols, capitals, small } = tally;
        let above = |part: usize, share: f64, whole: usize| part as f64 > share * whole as f64;
        let letters = characters - digits - symbols;
        let cased = capitals + small;

        let short = &rules.too_short;
        if short.on && (characters < short.characters || words < short.words) {
            return Some("too-short");
        }
        let long = &rules.too_long;
        if long.on && (characters > long.characters || words > long.words) {
            return Some("too-long");
        }
        let rule = &rules.symbols;
        if rule.on && characters >= rule.min_characters && above(symbols, rule.share, characters) {
            return Some("symbols");
        }
        let rule = &rules.mostly_digits;
        if rule.on && characters >= rule.min_characters && above(digits, rule.share, characters) {
            return Some("mostly-digits");
        }
        if rules.repetition.on && repeats(&rules.repetition, text, characters, words) {
            return Some("repetition");
        }
        let rule = &rules.uppercase;
        if rule.on && cased >= rule.min_letters && above(capitals, rule.share, cased) {
            return Some("uppercase");
        }
        if rules.language.on && self.languages.refuse(text, letters, characters) {
            return Some("language");
        }
        if rules.gibberish.on && is_gibberish(&rules.gibberish, text) {
            return Some("gibberish");
        }
        None
    }
}

impl Plugin for NoiseFilter {
    const NAME: &'static str = "pegbox/noise-filter";
    const CONFIGURATION_SCHEMA: &'static str = configuration::SCHEMA;

    fn configure(json: &str) -> Result<Self, Error> {
        Self::new(parse_configuration(json)?)
    }
}

impl Cleaner for NoiseFilter {
    fn clean(&mut self, batch: RowBatch) -> Result<Vec<Outcome>, Error> {
        let outcome = |values: &[Option<String>]| {
            let text = values.first().and_then(Option::as_deref);
            let reason = text.and_then(|text| self.reason(text));
            reason.map_or(Outcome::Keep, |reason| Outcome::Drop(reason.to_owned()))
        };
        Ok(batch.rows.iter().map(|row| outcome(&row.values)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pegbox_plugin::Row;

    #[track_caller]
    fn is(json: &str, text: &str, reason: Option<&str>) {
        assert_eq!(NoiseFilter::configure(json).unwrap().reason(text), reason, "{text}");
    }

    #[test]
    fn every_rule_has_its_reason() {
        is("{}", " ? ", Some("too-short"));
        is("{}", &"word ".repeat(20_001), Some("too-long"));
        is("{}", "!!! ??? :-)", Some("symbols"));
        is("{}", "12345 678", Some("mostly-digits"));
        is("{}", "lol lol lol lol lol", Some("repetition"));
        is("{}", "asdkjfh lkqwe sdfghjkl", Some("gibberish"));
        is(r#"{ "uppercase": { "on": true } }"#, "WHERE IS MY CARD, I WANT IT", Some("uppercase"));
        is(r#"{ "language": { "allowed": ["en"] } }"#, "Где моя карта?", Some("language"));
        for text in
            ["WHERE IS MY CARD, I WANT IT", "Где моя карта?", "Hi", "top up £20?", "Code 12345 for 2 cards"]
        {
            is("{}", text, None);
        }
    }

    #[test]
    fn every_rule_can_be_switched_off() {
        let off = r#"{ "too-short": { "on": false }, "too-long": { "on": false }, "symbols": { "on": false },
            "mostly-digits": { "on": false }, "repetition": { "on": false }, "gibberish": { "on": false },
            "language": { "on": false, "allowed": ["en"] } }"#;
        for text in ["", "!!!", "12345", "lol lol lol lol lol", "asdkjfh lkqwe sdfghjkl", "Где моя карта?"]
        {
            is(off, text, None);
        }
    }

    #[test]
    fn the_first_field_is_judged_and_a_missing_one_is_kept() {
        let fields = ["text", "title"].map(str::to_owned).to_vec();
        let row = |first: Option<&str>| Row {
            id: 0,
            values: vec![first.map(str::to_owned), Some("!!!!!!".to_owned())],
        };
        let rows = vec![row(Some("Where is my card?")), row(None), row(Some(""))];
        let outcomes = NoiseFilter::configure("{}").unwrap().clean(RowBatch { fields, rows }).unwrap();
        assert_eq!(outcomes, [Outcome::Keep, Outcome::Keep, Outcome::Drop("too-short".to_owned())]);
    }

    #[test]
    fn a_language_that_cannot_be_told_is_refused() {
        let error = NoiseFilter::configure(r#"{ "language": { "allowed": ["tlh"] } }"#).unwrap_err();
        assert!(error.message().contains("`tlh`"), "{error}");
    }
}

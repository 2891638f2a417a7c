use pegbox_plugin::{Cleaner, Error, Outcome, Plugin, RowBatch, parse_configuration};

use crate::allow::Allow;
use crate::configuration::{self, Action, Configuration, Placeholders};
use crate::kind::{Kind, Kinds};
use crate::scanner::{Find, Scanner};

/// The cleaner, configured.
#[derive(Clone, Debug)]
pub struct PiiScrubber {
    kinds: Kinds,
    action: Action,
    placeholders: Placeholders,
    numbered: bool,
    allow: Allow,
}

/// The values of one record, in the order of their first appearance.
type Seen = Vec<(Kind, String)>;

impl PiiScrubber {
    pub fn new(configuration: Configuration) -> Self {
        Self {
            kinds: Kinds::of(&configuration.kinds),
            action: configuration.action,
            placeholders: configuration.placeholders,
            numbered: configuration.numbered,
            allow: Allow::new(&configuration.allow),
        }
    }

    fn finds<'a>(&'a self, text: &'a str) -> impl Iterator<Item = Find> + 'a {
        Scanner::new(text, self.kinds).filter(|find| !self.allow.has(find.kind, &text[find.span.clone()]))
    }

    fn outcome(&self, mut values: Vec<Option<String>>) -> Outcome {
        if self.action == Action::Drop {
            let first = values.iter().flatten().find_map(|text| self.finds(text).next());
            return first.map_or(Outcome::Keep, |find| Outcome::Drop(find.kind.reason().to_owned()));
        }
        let mut seen = Seen::new();
        let mut changed = false;
        for text in values.iter_mut().flatten() {
            if let Some(scrubbed) = self.scrub(text, &mut seen) {
                *text = scrubbed;
                changed = true;
            }
        }
        if changed { Outcome::Replace(values) } else { Outcome::Keep }
    }

    /// `text` with its finds replaced; `None` if there are none.
    fn scrub(&self, text: &str, seen: &mut Seen) -> Option<String> {
        let mut finds = self.finds(text).peekable();
        finds.peek()?;
        let mut scrubbed = String::with_capacity(text.len() + 16);
        let mut copied = 0;
        for find in finds {
            scrubbed.push_str(&text[copied..find.span.start]);
            copied = find.span.end;
            let placeholder = self.placeholders.of(find.kind);
            if self.numbered {
                push_numbered(&mut scrubbed, placeholder, number(seen, find.kind, &text[find.span]));
            } else {
                scrubbed.push_str(placeholder);
            }
        }
        scrubbed.push_str(&text[copied..]);
        Some(scrubbed)
    }
}

/// The number of a value among those of its kind, from 1.
fn number(seen: &mut Seen, kind: Kind, text: &str) -> usize {
    let value = kind.canonical(text);
    let mut of_kind = seen.iter().filter(|(other, _)| *other == kind);
    match of_kind.by_ref().position(|(_, other)| *other == value) {
        Some(place) => place + 1,
        None => {
            let number = seen.iter().filter(|(other, _)| *other == kind).count() + 1;
            seen.push((kind, value));
            number
        }
    }
}

/// `[EMAIL]` and 2 make `[EMAIL_2]`; what does not end in a bracket gets the number at its end.
fn push_numbered(text: &mut String, placeholder: &str, number: usize) {
    let (name, bracket) = match placeholder.strip_suffix([']', ')', '}', '>']) {
        Some(name) => (name, &placeholder[name.len()..]),
        None => (placeholder, ""),
    };
    text.push_str(name);
    text.push('_');
    text.push_str(&number.to_string());
    text.push_str(bracket);
}

impl Plugin for PiiScrubber {
    const NAME: &'static str = "pegbox/pii-scrubber";
    const CONFIGURATION_SCHEMA: &'static str = configuration::SCHEMA;

    fn configure(json: &str) -> Result<Self, Error> {
        Ok(Self::new(parse_configuration(json)?))
    }
}

impl Cleaner for PiiScrubber {
    fn clean(&mut self, batch: RowBatch) -> Result<Vec<Outcome>, Error> {
        Ok(batch.rows.into_iter().map(|row| self.outcome(row.values)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pegbox_plugin::Row;

    fn cleaned(json: &str, values: &[Option<&str>]) -> Outcome {
        let fields = (0..values.len()).map(|place| format!("field-{place}")).collect();
        let values = values.iter().map(|value| value.map(str::to_owned)).collect();
        let batch = RowBatch { fields, rows: vec![Row { id: 7, values }] };
        PiiScrubber::configure(json).unwrap().clean(batch).unwrap().remove(0)
    }

    fn replaced(values: &[Option<&str>]) -> Outcome {
        Outcome::Replace(values.iter().map(|value| value.map(str::to_owned)).collect())
    }

    #[test]
    fn all_fields_are_treated_alike() {
        let row = [Some("I am bob@example.com"), None, Some("call +1 555 123 4567!"), Some("nothing")];
        let scrubbed = [Some("I am [EMAIL]"), None, Some("call [PHONE]!"), Some("nothing")];
        assert_eq!(cleaned("{}", &row), replaced(&scrubbed));
        assert_eq!(cleaned("{}", &[Some("nothing at 12:30"), None]), Outcome::Keep);
        assert_eq!(cleaned(r#"{ "action": "drop" }"#, &row), Outcome::Drop("pii-email".to_owned()));
        assert_eq!(cleaned(r#"{ "action": "drop" }"#, &row[3..]), Outcome::Keep);
        assert_eq!(cleaned(r#"{ "kinds": ["ip"] }"#, &row), Outcome::Keep);
    }

    #[test]
    fn numbers_tell_values_apart_over_all_fields() {
        let row = [
            Some("a@x.com, b@x.com, A@x.com"),
            Some("b@x.com 10.0.0.1 or +1 555 123 4567 / +1-555-123-4567"),
        ];
        let scrubbed =
            [Some("[EMAIL_1], [EMAIL_2], [EMAIL_1]"), Some("[EMAIL_2] [IP_1] or [PHONE_1] / [PHONE_1]")];
        assert_eq!(cleaned(r#"{ "numbered": true }"#, &row), replaced(&scrubbed));
        let json = r#"{ "numbered": true, "placeholders": { "email": "MAIL", "ip": "" } }"#;
        assert_eq!(cleaned(json, &[Some("a@x.com 10.0.0.1")]), replaced(&[Some("MAIL_1 _1")]));
    }

    #[test]
    fn what_is_allowed_stays() {
        let json = r#"{ "allow": ["example.com", "10.0.0.1"] }"#;
        let row = [Some("help@example.com, bob@x.com, 10.0.0.1, 10.0.0.2")];
        assert_eq!(cleaned(json, &row), replaced(&[Some("help@example.com, [EMAIL], 10.0.0.1, [IP]")]));
        assert_eq!(cleaned(json, &[Some("help@example.com")]), Outcome::Keep);
    }
}

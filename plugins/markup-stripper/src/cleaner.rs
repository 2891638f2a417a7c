use std::borrow::Cow;

use pegbox_plugin::{Cleaner, Error, Outcome, Plugin, RowBatch, parse_configuration};

use crate::configuration::{self, Configuration, Empty, Urls};
use crate::html::Html;
use crate::{bbcode, markdown, urls};

/// Why a record was dropped of which only markup was there.
const ONLY_MARKUP: &str = "only-markup";

/// The cleaner, configured.
#[derive(Clone, Debug)]
pub struct MarkupStripper {
    html: Html,
    markdown: bool,
    bbcode: bool,
    /// What stands for an address, if that does not stay.
    address: Option<String>,
    empty: Empty,
}

impl MarkupStripper {
    pub fn new(configuration: &Configuration) -> Self {
        Self {
            html: Html {
                tags: configuration.html,
                entities: configuration.entities,
                alternative_text: configuration.alternative_text,
            },
            markdown: configuration.markdown,
            bbcode: configuration.bbcode,
            address: match configuration.urls {
                Urls::Keep => None,
                Urls::Strip => Some(String::new()),
                Urls::Placeholder => Some(configuration.placeholder.clone()),
            },
            empty: configuration.empty,
        }
    }

    /// `text` without its markup, in time linear in its length. Borrowed where there is none.
    pub fn strip<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut text = self.html.strip(text);
        if self.bbcode {
            text = then(text, bbcode::strip);
        }
        if self.markdown {
            text = then(text, |text| markdown::strip(text, self.html.alternative_text));
        }
        if let Some(address) = &self.address {
            text = then(text, |text| urls::replace(text, address));
        }
        text
    }

    fn outcome(&self, mut values: Vec<Option<String>>) -> Outcome {
        let mut changed = false;
        for text in values.iter_mut().flatten() {
            let Cow::Owned(stripped) = self.strip(text) else { continue };
            if stripped.trim().is_empty() && self.empty == Empty::Drop {
                return Outcome::Drop(ONLY_MARKUP.to_owned());
            }
            *text = stripped;
            changed = true;
        }
        if changed { Outcome::Replace(values) } else { Outcome::Keep }
    }
}

impl Plugin for MarkupStripper {
    const NAME: &'static str = pegbox_plugin::manifest_name!();
    const CONFIGURATION_SCHEMA: &'static str = configuration::SCHEMA;

    fn configure(json: &str) -> Result<Self, Error> {
        Ok(Self::new(&parse_configuration(json)?))
    }
}

impl Cleaner for MarkupStripper {
    fn clean(&mut self, batch: RowBatch) -> Result<Vec<Outcome>, Error> {
        Ok(batch.rows.into_iter().map(|row| self.outcome(row.values)).collect())
    }
}

/// `step` after what gave `text`, without a copy where the step changes nothing.
fn then<'a>(text: Cow<'a, str>, step: impl Fn(&str) -> Cow<'_, str>) -> Cow<'a, str> {
    match text {
        Cow::Borrowed(text) => step(text),
        Cow::Owned(text) => match step(&text) {
            Cow::Borrowed(_) => Cow::Owned(text),
            Cow::Owned(changed) => Cow::Owned(changed),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pegbox_plugin::Row;

    fn cleaned(json: &str, values: &[Option<&str>]) -> Outcome {
        let fields = values.iter().enumerate().map(|(index, _)| format!("field-{index}")).collect();
        let values = values.iter().map(|value| value.map(str::to_owned)).collect();
        let batch = RowBatch { fields, rows: vec![Row { id: 0, values }] };
        MarkupStripper::configure(json).unwrap().clean(batch).unwrap().remove(0)
    }

    fn replaced(values: &[Option<&str>]) -> Outcome {
        Outcome::Replace(values.iter().map(|value| value.map(str::to_owned)).collect())
    }

    #[test]
    fn all_fields_are_treated_alike() {
        assert_eq!(cleaned("{}", &[Some("a < b"), None, Some("")]), Outcome::Keep);
        let outcome = cleaned("{}", &[Some("<b>x</b>"), None, Some("ok"), Some("a &amp; b")]);
        assert_eq!(outcome, replaced(&[Some("x"), None, Some("ok"), Some("a & b")]));
    }

    #[test]
    fn a_record_of_markup_alone_is_dropped_or_kept() {
        assert_eq!(cleaned("{}", &[Some("<br><p> </p>")]), Outcome::Drop(ONLY_MARKUP.to_owned()));
        assert_eq!(cleaned(r#"{ "empty": "keep" }"#, &[Some("<br>")]), replaced(&[Some("")]));
    }

    #[test]
    fn steps_follow_each_other() {
        let json = r#"{ "markdown": true, "bbcode": true, "urls": "placeholder" }"#;
        let text = "<p>**My** [b]card[/b]: [site](https://a.b) https://x.y</p>";
        assert_eq!(cleaned(json, &[Some(text)]), replaced(&[Some("My card: site [URL]")]));
        let kept = "**My** [b]card[/b] https://x.y";
        assert_eq!(cleaned("{}", &[Some(kept)]), Outcome::Keep);
    }
}

use std::borrow::Cow;

use pegbox_plugin::{Cleaner, Error, Outcome, Plugin, RowBatch, parse_configuration};

use crate::configuration::{self, Configuration, Empty, Form};
use crate::form::normalize;
use crate::letter_case::LowerCase;
use crate::punctuation::to_ascii;
use crate::sweep::sweep;

/// The role whose values are cleaned.
const FIELD: &str = "text";

/// Why a record was dropped of whose text nothing was left.
const EMPTY: &str = "empty-after-cleaning";

/// The cleaner, configured.
#[derive(Clone, Debug)]
pub struct TextNormalizer {
    entities: bool,
    form: Form,
    ascii_punctuation: bool,
    lower_case: Option<LowerCase>,
    empty: Empty,
}

impl TextNormalizer {
    /// # Errors
    /// A pattern under `protect` that is not a regular expression.
    pub fn new(configuration: &Configuration) -> Result<Self, Error> {
        // Also a pattern that nothing asks for must be one.
        let lower_case = LowerCase::new(&configuration.protect)?;
        Ok(Self {
            entities: configuration.html_entities,
            form: configuration.form,
            ascii_punctuation: configuration.ascii_punctuation,
            lower_case: configuration.lower_case.then_some(lower_case),
            empty: configuration.empty,
        })
    }

    /// `text` as this cleaner leaves it, in time linear in its length. Borrowed where nothing changes, or
    /// where only white space at the ends goes.
    pub fn normalize<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let swept = sweep(text, self.entities);
        let mut text = swept.text;
        if !swept.settled {
            text = then(text, |text| self.normal_form(text));
        }
        if self.ascii_punctuation {
            text = then(text, to_ascii);
        }
        if let Some(lower_case) = &self.lower_case {
            text = then(text, |text| lower_case.apply(text));
            if !swept.settled {
                // A small letter may compose with an accent where its capital does not, such as ǰ.
                text = then(text, |text| self.normal_form(text));
            }
        }
        text
    }

    /// `text` in the normal form, swept. The normal form brings new white space, and may move accents to or
    /// from a joiner that then goes; what goes may again let an accent compose. Texts that mean something
    /// are done after one round.
    fn normal_form<'a>(&self, text: &'a str) -> Cow<'a, str> {
        const ROUNDS: usize = 4;
        let mut text = Cow::Borrowed(text);
        for _ in 0..ROUNDS {
            let normal = match normalize(&text, self.form) {
                Cow::Borrowed(_) => break,
                Cow::Owned(normal) => normal,
            };
            let swept = sweep(&normal, false).text;
            let done = swept.len() == normal.len();
            text = Cow::Owned(if done { normal } else { swept.into_owned() });
            if done {
                break;
            }
        }
        text
    }

    fn outcome(&self, mut values: Vec<Option<String>>, place: usize) -> Outcome {
        let Some(Some(text)) = values.get_mut(place) else { return Outcome::Keep };
        let cleaned = self.normalize(text);
        if cleaned.is_empty() && self.empty == Empty::Drop {
            return Outcome::Drop(EMPTY.to_owned());
        }
        if matches!(&cleaned, Cow::Borrowed(same) if same.len() == text.len()) {
            return Outcome::Keep;
        }
        *text = cleaned.into_owned();
        Outcome::Replace(values)
    }
}

impl Plugin for TextNormalizer {
    const NAME: &'static str = "pegbox/text-normalizer";
    const CONFIGURATION_SCHEMA: &'static str = configuration::SCHEMA;

    fn configure(json: &str) -> Result<Self, Error> {
        Self::new(&parse_configuration(json)?)
    }
}

impl Cleaner for TextNormalizer {
    fn clean(&mut self, batch: RowBatch) -> Result<Vec<Outcome>, Error> {
        let Some(place) = batch.fields.iter().position(|field| field == FIELD) else {
            return Err(Error::new(format!("the rows have no field `{FIELD}`"))
                .with_help("the manifest lists it under [records] fields"));
        };
        Ok(batch.rows.into_iter().map(|row| self.outcome(row.values, place)).collect())
    }
}

/// `step` after what gave `text`, without a copy where the step changes nothing.
fn then<'a>(text: Cow<'a, str>, step: impl Fn(&str) -> Cow<'_, str>) -> Cow<'a, str> {
    match text {
        Cow::Borrowed(text) => step(text),
        Cow::Owned(text) => match step(&text) {
            Cow::Borrowed(same) if same.len() == text.len() => Cow::Owned(text),
            changed => Cow::Owned(changed.into_owned()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pegbox_plugin::Row;

    fn plugin(json: &str) -> TextNormalizer {
        TextNormalizer::configure(json).unwrap()
    }

    fn cleaned(json: &str, texts: &[Option<&str>]) -> Vec<Outcome> {
        let row =
            |(id, text): (usize, &Option<&str>)| Row { id: id as u64, values: vec![text.map(str::to_owned)] };
        let rows = texts.iter().enumerate().map(row).collect();
        plugin(json).clean(RowBatch { fields: vec!["text".to_owned()], rows }).unwrap()
    }

    fn replaced(text: &str) -> Outcome {
        Outcome::Replace(vec![Some(text.to_owned())])
    }

    #[test]
    fn each_row_gets_its_outcome() {
        let texts = [Some("fine"), Some(" a  b"), None, Some("\u{200b} "), Some("ｆｉｎｅ"), Some("")];
        assert_eq!(
            cleaned("{}", &texts),
            [
                Outcome::Keep,
                replaced("a b"),
                Outcome::Keep,
                Outcome::Drop(EMPTY.to_owned()),
                replaced("fine"),
                Outcome::Drop(EMPTY.to_owned()),
            ]
        );
        assert_eq!(cleaned(r#"{ "empty": "keep" }"#, &[Some(" "), Some("")]), [replaced(""), Outcome::Keep]);
    }

    #[test]
    fn other_fields_stay_as_they_are() {
        let fields = ["label", "text"].map(str::to_owned).to_vec();
        let values = [" l ", " t "].map(|value| Some(value.to_owned())).to_vec();
        let outcomes = plugin("{}").clean(RowBatch { fields, rows: vec![Row { id: 0, values }] }).unwrap();
        assert_eq!(outcomes, [Outcome::Replace([" l ", "t"].map(|value| Some(value.to_owned())).to_vec())]);
        let error = plugin("{}").clean(RowBatch { fields: vec!["body".to_owned()], rows: vec![] });
        assert!(error.unwrap_err().message().contains("`text`"));
    }

    #[test]
    fn a_wrong_pattern_is_refused_even_if_nothing_asks_for_it() {
        let error = TextNormalizer::configure(r#"{ "protect": ["("] }"#).unwrap_err();
        assert!(error.message().contains("`protect[0]` = `(`"), "{error}");
    }

    #[test]
    fn steps_follow_each_other() {
        let normalize = |json, text| plugin(json).normalize(text).into_owned();
        assert_eq!(normalize("{}", "My&nbsp;card  isn&rsquo;t\u{200b} ＯＫ…"), "My card isn’t OK...");
        assert_eq!(normalize(r#"{ "form": "NFC" }"#, "Ａ  e\u{301}"), "Ａ é");
        assert_eq!(normalize(r#"{ "form": "none" }"#, "Ａ  e\u{301}"), "Ａ e\u{301}");
        // White space and full-width characters that only the normal form brings.
        assert_eq!(normalize("{}", "x \u{a8}y \u{2017}"), "x \u{308}y \u{333}");
        // What separates an accent from its letter goes before the normal form.
        assert_eq!(normalize("{}", "e\u{200b}\u{301}"), "é");
        let lower = r#"{ "lower-case": true, "protect": ["[A-Z]{2,}"] }"#;
        assert_eq!(normalize(lower, "The ＳＥＰＡ Transfer, İ J\u{30c}"), "the SEPA transfer, i\u{307} ǰ");
        let plain = r#"{ "ascii-punctuation": true, "lower-case": true, "protect": ["I'M"] }"#;
        assert_eq!(normalize(plain, "I’M “HERE” &mdash; Ｎ－Ｏ"), "I'M \"here\" - n-o");
        assert_eq!(normalize(r#"{ "html-entities": false }"#, "a &amp;  b"), "a &amp; b");
    }

    #[test]
    fn scripts_mix() {
        let text = "Grüße, שלום, مرحبا, नमस्ते, 你好, こんにちは, 안녕, Здравствуйте 👋🏽";
        assert!(matches!(plugin("{}").normalize(text), Cow::Borrowed(_)));
    }

    #[test]
    fn time_is_linear_in_the_length() {
        let plugin = plugin(r#"{ "lower-case": true, "protect": ["[A-Z]{2,}"] }"#);
        let million = 1_000_000;
        for piece in ["&", "&#", "&#1", "&a", " ", "\u{200d}", "🏴\u{e0067}", "e\u{301}", "A b", "👩\u{200d}"]
        {
            // Would take minutes if it were quadratic.
            plugin.normalize(&piece.repeat(million / piece.len()));
        }
        // One letter with a million accents.
        plugin.normalize(&format!("e{}", "\u{301}\u{316}".repeat(million / 4)));
    }

    #[test]
    fn every_character_alone_is_settled_at_once() {
        for json in [r#"{ "empty": "keep" }"#, r#"{ "form": "NFC" }"#, r#"{ "lower-case": true }"#] {
            let plugin = plugin(json);
            for c in '\0'..=char::MAX {
                let once = plugin.normalize(&format!("a{c}b")).into_owned();
                assert_eq!(plugin.normalize(&once), once, "{c:?}");
            }
        }
    }

    #[test]
    fn a_second_pass_changes_nothing() {
        // Marks of several classes, letters that compose, joiners and what they join, spaces, things to remove.
        let alphabet: Vec<char> =
            "aEJİΣſﬁ①Å\u{301}\u{316}\u{30c}\u{345}\u{308} \u{a8}\u{a0}\t\u{200b}\u{200c}\
             \u{200d}\u{ad}कक्ड\u{93c}\u{1100}\u{1161}\u{11a8}한👩🏴\u{e0067}\u{e007f}\u{fe0f}♀中ｱﾞй가&;#1’—"
                .chars()
                .collect();
        for json in [
            r#"{ "html-entities": false }"#,
            r#"{ "html-entities": false, "form": "NFC", "lower-case": true }"#,
            r#"{ "html-entities": false, "lower-case": true, "protect": ["[A-Z]{2,}"] }"#,
            r#"{ "html-entities": false, "form": "none", "lower-case": true }"#,
            r#"{ "html-entities": false, "ascii-punctuation": true }"#,
        ] {
            let plugin = plugin(json);
            let mut random = 0x9e37_79b9_7f4a_7c15_u64;
            for _ in 0..20_000 {
                let text: String = (0..20)
                    .map(|_| {
                        random ^= random << 13;
                        random ^= random >> 7;
                        random ^= random << 17;
                        alphabet[(random % alphabet.len() as u64) as usize]
                    })
                    .collect();
                let once = plugin.normalize(&text).into_owned();
                let twice = plugin.normalize(&once);
                assert_eq!(twice, once, "{text:?} with {json}");
                assert!(!once.contains("  ") && once.trim() == once, "{once:?}");
            }
        }
    }
}

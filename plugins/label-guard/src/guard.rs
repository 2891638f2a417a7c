use pegbox_findings::{Names, column, counted, quoted};
use pegbox_plugin::{Error, Finding, Fix, Plugin, RowBatch, Severity, Validator, parse_configuration};

use crate::configuration::{self, Configuration};
use crate::conflicts::Contested;
use crate::fingerprint::Fingerprints;
use crate::seen::Seen;
use crate::{balance, conflicts, confusions};

/// The role of the label.
pub(crate) const LABEL: &str = "label";
/// The role of the text.
const TEXT: &str = "text";

/// The validator, configured, with what it has gathered so far.
pub struct LabelGuard {
    configuration: Configuration,
    known: Option<Names>,
    fingerprints: Fingerprints,
    seen: Seen,
}

impl LabelGuard {
    /// # Errors
    /// A configuration that contradicts itself.
    pub fn new(configuration: Configuration) -> Result<Self, Error> {
        configuration.check()?;
        let known = configuration.labels.clone().map(Names::new);
        let mut seen = Seen::default();
        // A class without examples is one, too.
        known.iter().flat_map(Names::iter).for_each(|label| {
            seen.classes.add(label, 0);
        });
        Ok(Self { fingerprints: Fingerprints::new(configuration.same_text), configuration, known, seen })
    }

    /// What is wrong with the text itself.
    fn check_text(&self, text: Option<&str>) -> Option<(Severity, &'static str, String)> {
        let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) else {
            return Some((Severity::Error, "empty-text", "there is no text".to_owned()));
        };
        let Configuration { min_characters, max_characters, .. } = self.configuration;
        if min_characters <= 1 && max_characters.is_none() {
            return None;
        }
        let characters = text.chars().count() as u64;
        let length = |code, than: &str, key: &str, bound: u32| {
            let characters = counted(characters, "character");
            let message = format!("the text has {characters}, {than} than `{key}` = {bound}");
            Some((Severity::Warning, code, message))
        };
        match max_characters {
            _ if characters < u64::from(min_characters) => {
                length("too-short", "fewer", "min-characters", min_characters)
            }
            Some(most) if characters > u64::from(most) => length("too-long", "more", "max-characters", most),
            _ => None,
        }
    }

    /// What is wrong with the label itself, and what may mend it.
    fn check_label(&mut self, label: Option<&str>) -> Option<(&'static str, String, Option<Fix>)> {
        let Some(label) = label.filter(|label| !label.trim().is_empty()) else {
            return Some(("empty-label", "there is no label".to_owned(), None));
        };
        let known = self.known.as_mut().filter(|known| known.place(label).is_none())?;
        let mut message = format!("{} is not one of `labels`", quoted(label));
        let fix = known.nearest(label).map(|near| {
            let near = known.name(near.meaning);
            message.push_str(&format!("; did you mean {}?", quoted(near)));
            Fix { field: LABEL.to_owned(), value: near.to_owned() }
        });
        Some(("unknown-label", message, fix))
    }
}

impl Plugin for LabelGuard {
    const NAME: &'static str = "pegbox/label-guard";
    const CONFIGURATION_SCHEMA: &'static str = configuration::SCHEMA;

    fn configure(json: &str) -> Result<Self, Error> {
        Self::new(parse_configuration(json)?)
    }
}

impl Validator for LabelGuard {
    fn validate(&mut self, batch: RowBatch) -> Result<Vec<Finding>, Error> {
        let (text, label) = (column(&batch, TEXT)?, column(&batch, LABEL)?);
        let mut findings = Vec::new();
        for row in &batch.rows {
            let value = |place: usize| row.values.get(place).and_then(Option::as_deref);
            let finding = |level, field: &str, code: &str, message, proposed_fix| Finding {
                level,
                row: Some(row.id),
                field: Some(field.to_owned()),
                code: code.to_owned(),
                message,
                proposed_fix,
            };
            let text_fault = self.check_text(value(text));
            let label_fault = self.check_label(value(label));
            let has_text = !matches!(text_fault, Some((Severity::Error, ..)));
            if let (Some(label), None) = (value(label), &label_fault) {
                let class = self.seen.classes.add(label, 1);
                if let Some(text) = value(text).filter(|_| has_text) {
                    self.seen.push(row.id, self.fingerprints.of(text), class);
                }
            }
            if let Some((level, code, message)) = text_fault {
                findings.push(finding(level, TEXT, code, message, None));
            }
            if let Some((code, message, fix)) = label_fault {
                findings.push(finding(Severity::Error, LABEL, code, message, fix));
            }
        }
        Ok(findings)
    }

    fn state(&self) -> Result<Vec<u8>, Error> {
        self.seen.encode()
    }

    fn merge(&mut self, state: &[u8]) -> Result<(), Error> {
        self.seen.merge(state)
    }

    fn finish(&mut self) -> Result<Vec<Finding>, Error> {
        let (contested, classes) = (Contested::of(&self.seen), &self.seen.classes);
        let mut findings = conflicts::conflicts(&contested, classes, self.configuration.conflicts);
        findings.extend(confusions::confusions(&contested, classes));
        findings.extend(balance::imbalance(&self.seen.classes, &self.configuration));
        findings.extend(balance::rare(&self.seen.classes, &self.configuration));
        Ok(findings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pegbox_plugin::Row;

    fn batch(first: u64, rows: &[(Option<&str>, Option<&str>)]) -> RowBatch {
        let row = |(id, (text, label)): (u64, &(Option<&str>, Option<&str>))| Row {
            id,
            values: vec![text.map(str::to_owned), label.map(str::to_owned)],
        };
        RowBatch {
            fields: [TEXT, LABEL].map(str::to_owned).to_vec(),
            rows: (first..).zip(rows).map(row).collect(),
        }
    }

    fn lines(findings: &[Finding]) -> Vec<String> {
        findings
            .iter()
            .map(|Finding { level, row, field, code, message, .. }| {
                let row = row.map(|row| row.to_string()).unwrap_or_default();
                format!("{level:?} {row} {} {code}: {message}", field.as_deref().unwrap_or_default())
            })
            .collect()
    }

    fn found(json: &str, rows: &[(Option<&str>, Option<&str>)]) -> Vec<String> {
        lines(&LabelGuard::configure(json).unwrap().validate(batch(0, rows)).unwrap())
    }

    #[test]
    fn good_rows_have_no_findings() {
        assert!(found("{}", &[(Some("a"), Some("x")), (Some("b"), Some("y"))]).is_empty());
    }

    #[test]
    fn what_is_empty_is_found() {
        assert_eq!(
            found("{}", &[(None, Some("x")), (Some(" \n"), None), (Some("a"), Some("\u{a0}"))]),
            [
                "Error 0 text empty-text: there is no text",
                "Error 1 text empty-text: there is no text",
                "Error 1 label empty-label: there is no label",
                "Error 2 label empty-label: there is no label",
            ]
        );
    }

    #[test]
    fn odd_lengths_are_found_in_characters() {
        let json = r#"{ "min-characters": 3, "max-characters": 5 }"#;
        let row = |text| (Some(text), Some("x"));
        assert_eq!(
            found(json, &[row("ää "), row("äää"), row("ääääää"), row(""), row("äääää")]),
            [
                "Warning 0 text too-short: the text has 2 characters, fewer than `min-characters` = 3",
                "Warning 2 text too-long: the text has 6 characters, more than `max-characters` = 5",
                "Error 3 text empty-text: there is no text",
            ]
        );
    }

    #[test]
    fn unknown_labels_are_found_with_a_fix_where_one_is_close() {
        let mut guard = LabelGuard::configure(r#"{ "labels": ["card_arrival", "age_limit"] }"#).unwrap();
        let rows =
            [(Some("a"), Some("card_arrivl")), (Some("b"), Some("other")), (Some("c"), Some("age_limit"))];
        let findings = guard.validate(batch(7, &rows)).unwrap();
        assert_eq!(
            lines(&findings),
            [
                "Error 7 label unknown-label: `card_arrivl` is not one of `labels`; did you mean `card_arrival`?",
                "Error 8 label unknown-label: `other` is not one of `labels`",
            ]
        );
        let fix = Fix { field: LABEL.to_owned(), value: "card_arrival".to_owned() };
        assert_eq!(findings[0].proposed_fix, Some(fix));
        assert_eq!(findings[1].proposed_fix, None);
        // Unknown labels are no classes; an allowed one without examples is.
        assert_eq!(
            lines(&guard.finish().unwrap()),
            [
                "Warning  label rare-class: class `age_limit` has 1 example, fewer than `min-per-class` = 2",
                "Warning  label rare-class: class `card_arrival` has 0 examples, fewer than `min-per-class` = 2",
            ]
        );
    }

    #[test]
    fn the_set_is_judged_at_the_end() {
        let json = r#"{ "conflicts": "error", "max-imbalance": 2 }"#;
        let mut guard = LabelGuard::configure(json).unwrap();
        let row = |text, label| (Some(text), Some(label));
        let rows = [
            row("A a", "x"),
            row("b", "x"),
            row("c", "x"),
            row(" a  A ", "y"),
            (None, Some("z")),
            (Some(" "), Some("x")),
            (Some("a a"), None),
        ];
        guard.validate(batch(0, &rows)).unwrap();
        assert_eq!(
            lines(&guard.finish().unwrap()),
            [
                "Error 0 label conflicting-labels: it is `x` here, and the same text is `y` in record 3",
                "Error 3 label conflicting-labels: it is `y` here, and the same text is `x` in record 0",
                "Warning  label class-imbalance: the largest class, `x`, has 4 examples, the smallest, `y`, has 1: \
                 4.0 to 1, above `max-imbalance` = 2",
                "Warning  label rare-class: class `y` has 1 example, fewer than `min-per-class` = 2",
                "Warning  label rare-class: class `z` has 1 example, fewer than `min-per-class` = 2",
            ]
        );
    }

    #[test]
    fn three_instances_merged_find_what_one_finds() {
        let labels = ["x", "y", "z", "w"];
        let texts: Vec<String> = (0..60u64).map(|row| format!("Text {}", row * row % 23)).collect();
        let rows: Vec<(Option<&str>, Option<&str>)> = texts
            .iter()
            .enumerate()
            .map(|(row, text)| (Some(text.as_str()), Some(labels[row * row % 5 % labels.len()])))
            .collect();
        for json in ["{}", r#"{ "labels": ["z", "y", "x"], "max-imbalance": 1 }"#] {
            let instance = || LabelGuard::configure(json).unwrap();
            let mut one = instance();
            let mut expected = one.validate(batch(0, &rows)).unwrap();
            let mut first = instance();
            let mut findings = first.validate(batch(0, &rows[..20])).unwrap();
            for share in [20..45, 45..60] {
                let mut other = instance();
                findings.extend(other.validate(batch(share.start as u64, &rows[share])).unwrap());
                first.merge(&other.state().unwrap()).unwrap();
            }
            assert_eq!(first.state().unwrap(), one.state().unwrap());
            expected.extend(one.finish().unwrap());
            findings.extend(first.finish().unwrap());
            assert_eq!(findings, expected);
            assert!(findings.iter().any(|finding| finding.code == "conflicting-labels"));
        }
    }

    #[test]
    fn instances_without_rows_merge() {
        let mut guard = LabelGuard::configure("{}").unwrap();
        guard.merge(&LabelGuard::configure("{}").unwrap().state().unwrap()).unwrap();
        assert!(guard.finish().unwrap().is_empty());
        assert!(guard.merge(b"junk").is_err());
    }

    #[test]
    fn a_batch_without_a_field_is_refused() {
        let batch = RowBatch { fields: vec![TEXT.to_owned()], rows: vec![] };
        let error = LabelGuard::configure("{}").unwrap().validate(batch).unwrap_err();
        assert_eq!(error.message(), "the rows have no field `label`");
    }
}

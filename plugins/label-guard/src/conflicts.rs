use pegbox_findings::{counted, quoted};
use pegbox_plugin::{Finding, Severity};

use crate::classes::Classes;
use crate::guard::LABEL;
use crate::seen::{Seen, SeenRow};

/// Rows of one text that get a finding each.
const ROWS_A_TEXT: usize = 8;
/// Other labels that one message names.
const LABELS_A_MESSAGE: usize = 3;
/// Findings in all: a person reads the first few, and all that there are must fit into one answer.
const FINDINGS: usize = 10_000;

/// The rows whose text has another label elsewhere, text by text.
pub(crate) struct Contested(Vec<SeenRow>);

impl Contested {
    pub fn of(seen: &Seen) -> Self {
        let mut rows: Vec<SeenRow> = seen.rows().collect();
        rows.sort_unstable();
        let contested =
            rows.chunk_by(same_text).filter(|same| same.iter().any(|row| row.class != same[0].class));
        Self(contested.flatten().copied().collect())
    }

    /// The rows of each text, in the order of their ids.
    pub fn texts(&self) -> impl Iterator<Item = &[SeenRow]> {
        self.0.chunk_by(same_text)
    }
}

fn same_text(one: &SeenRow, other: &SeenRow) -> bool {
    one.fingerprint == other.fingerprint
}

/// One finding for each contested row, in the order of the rows, and at the end one for those that are not listed.
pub(crate) fn conflicts(contested: &Contested, classes: &Classes, level: Severity) -> Vec<Finding> {
    let mut listed: Vec<(&SeenRow, &[SeenRow])> = Vec::new();
    let mut all = 0;
    for same in contested.texts() {
        all += same.len();
        listed.extend(same.iter().take(ROWS_A_TEXT).map(|row| (row, same)));
    }
    listed.sort_unstable_by_key(|(row, _)| row.id);
    listed.truncate(FINDINGS);

    let finding = |row: Option<u64>, message: String| Finding {
        level,
        row,
        field: Some(LABEL.to_owned()),
        code: "conflicting-labels".to_owned(),
        message,
        proposed_fix: None,
    };
    let mut findings: Vec<Finding> =
        listed.iter().map(|(row, same)| finding(Some(row.id), message(row, same, classes))).collect();
    let more = (all - listed.len()) as u64;
    if more > 0 {
        let message = format!("not listed: {} with conflicting labels", counted(more, "more row"));
        findings.push(finding(None, message));
    }
    findings
}

/// What `row` says against the other rows of the same text, which come in the order of their ids.
fn message(row: &SeenRow, same: &[SeenRow], classes: &Classes) -> String {
    struct Other {
        class: u32,
        first: u64,
        more: usize,
    }
    let mut others: Vec<Other> = Vec::new();
    let mut further = 0;
    for other in same.iter().filter(|other| other.class != row.class) {
        if let Some(known) = others.iter_mut().find(|known| known.class == other.class) {
            known.more += 1;
        } else if others.len() < LABELS_A_MESSAGE {
            others.push(Other { class: other.class, first: other.id, more: 0 });
        } else {
            further += 1;
        }
    }
    let mut parts: Vec<String> = others
        .iter()
        .map(|other| {
            let label = quoted(classes.name(other.class));
            match other.more {
                0 => format!("{label} in record {}", other.first),
                more => format!("{label} in record {} and {more} more", other.first),
            }
        })
        .collect();
    if further > 0 {
        parts.push(format!("otherwise in {further} more"));
    }
    format!("it is {} here, and the same text is {}", quoted(classes.name(row.class)), parts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fingerprint::{Fingerprints, SameText};

    fn found(rows: &[(u64, &str, &str)]) -> Vec<(Option<u64>, String)> {
        let mut seen = Seen::default();
        let mut fingerprints = Fingerprints::new(SameText::Case);
        for (id, text, label) in rows {
            let class = seen.classes.add(label, 1);
            seen.push(*id, fingerprints.of(text), class);
        }
        let findings = conflicts(&Contested::of(&seen), &seen.classes, Severity::Info);
        assert!(findings.iter().all(|finding| finding.level == Severity::Info));
        assert!(findings.iter().all(|finding| finding.code == "conflicting-labels"));
        findings.into_iter().map(|finding| (finding.row, finding.message)).collect()
    }

    #[test]
    fn rows_and_labels_are_named_in_the_order_of_the_rows() {
        let expect = |row, message: &str| (Some(row), message.to_owned());
        assert_eq!(
            found(&[
                (1, "Hi there", "greeting"),
                (2, "Pay", "payment"),
                (5, " hi  THERE", "other"),
                (6, "pay", "payment"),
                (9, "hi there", "other"),
                (12, "pay", "greeting"),
            ]),
            [
                expect(1, "it is `greeting` here, and the same text is `other` in record 5 and 1 more"),
                expect(2, "it is `payment` here, and the same text is `greeting` in record 12"),
                expect(5, "it is `other` here, and the same text is `greeting` in record 1"),
                expect(6, "it is `payment` here, and the same text is `greeting` in record 12"),
                expect(9, "it is `other` here, and the same text is `greeting` in record 1"),
                expect(12, "it is `greeting` here, and the same text is `payment` in record 2 and 1 more"),
            ]
        );
    }

    #[test]
    fn duplicates_that_agree_are_fine() {
        assert!(found(&[(1, "a", "x"), (2, "a", "x"), (3, "b", "y")]).is_empty());
    }

    #[test]
    fn one_text_with_very_many_labels_fits_into_few_messages() {
        let labels: Vec<String> = (0..20).map(|number| format!("l{number}")).collect();
        let rows: Vec<(u64, &str, &str)> =
            labels.iter().enumerate().map(|(id, label)| (id as u64, "a", label.as_str())).collect();
        let found = found(&rows);
        assert_eq!(found.len(), ROWS_A_TEXT + 1);
        assert_eq!(
            found[0].1,
            "it is `l0` here, and the same text is `l1` in record 1, `l2` in record 2, `l3` in record 3, \
             otherwise in 16 more"
        );
        assert_eq!(found[8], (None, "not listed: 12 more rows with conflicting labels".to_owned()));
    }

    #[test]
    fn very_many_conflicts_are_counted() {
        let texts: Vec<String> = (0..6000).map(|number| number.to_string()).collect();
        let rows: Vec<(u64, &str, &str)> = texts
            .iter()
            .enumerate()
            .flat_map(|(id, text)| {
                let id = 2 * id as u64;
                [(id, text.as_str(), "x"), (id + 1, text.as_str(), "y")]
            })
            .collect();
        let found = found(&rows);
        assert_eq!(found.len(), FINDINGS + 1);
        assert!(found[..FINDINGS].is_sorted_by_key(|(row, _)| *row));
        assert_eq!(found[FINDINGS].1, "not listed: 2000 more rows with conflicting labels");
    }
}

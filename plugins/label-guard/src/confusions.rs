use std::cmp::Reverse;
use std::collections::HashMap;

use pegbox_findings::quoted;
use pegbox_plugin::{Finding, Severity};

use crate::classes::Classes;
use crate::conflicts::Contested;
use crate::guard::LABEL;

/// Pairs of labels with fewer texts in common are chance.
const TEXTS: u64 = 2;
/// Pairs that are named.
const PAIRS: usize = 20;
/// Labels of one text that are paired: one with more has no label at all.
const LABELS_A_TEXT: usize = 16;

/// Two labels that some texts have both.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Confusion {
    texts: u64,
    /// The first record of the first such text with either label.
    examples: (u64, u64),
}

/// The pairs of labels that have several texts in common, those with the most first: their definitions overlap, or
/// annotators cannot tell them apart.
pub(crate) fn confusions(contested: &Contested, classes: &Classes) -> Vec<Finding> {
    let mut pairs: HashMap<(u32, u32), Confusion> = HashMap::new();
    for same in contested.texts() {
        // Each label with its first record.
        let mut labels: Vec<(u32, u64)> = Vec::new();
        for row in same {
            if labels.len() < LABELS_A_TEXT && labels.iter().all(|(class, _)| *class != row.class) {
                labels.push((row.class, row.id));
            }
        }
        labels.sort_unstable();
        for (number, (one, one_record)) in labels.iter().enumerate() {
            for (other, other_record) in labels.iter().skip(number + 1) {
                let examples = (*one_record, *other_record);
                let pair = pairs.entry((*one, *other)).or_insert(Confusion { texts: 0, examples });
                pair.texts += 1;
                pair.examples = pair.examples.min(examples);
            }
        }
    }
    let mut pairs: Vec<((&str, &str), Confusion)> = pairs
        .into_iter()
        .filter(|(_, confusion)| confusion.texts >= TEXTS)
        .map(|((one, other), confusion)| ((classes.name(one), classes.name(other)), confusion))
        .collect();
    pairs.sort_unstable_by_key(|(names, confusion)| (Reverse(confusion.texts), *names));
    let finding = |((one, other), confusion): &((&str, &str), Confusion)| Finding {
        level: Severity::Info,
        row: None,
        field: Some(LABEL.to_owned()),
        code: "confused-labels".to_owned(),
        message: format!(
            "{} texts are both {} and {}, such as that of records {} and {}: do the two mean different things?",
            confusion.texts,
            quoted(one),
            quoted(other),
            confusion.examples.0,
            confusion.examples.1
        ),
        proposed_fix: None,
    };
    pairs.iter().take(PAIRS).map(finding).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seen::Seen;

    fn found(rows: &[(u8, &str)]) -> Vec<String> {
        let mut seen = Seen::default();
        for (id, (text, label)) in rows.iter().enumerate() {
            let class = seen.classes.add(label, 1);
            seen.push(id as u64, [*text; 16], class);
        }
        let findings = confusions(&Contested::of(&seen), &seen.classes);
        findings.into_iter().map(|finding| finding.message).collect()
    }

    #[test]
    fn labels_that_share_texts_are_named_by_how_many() {
        let rows = [
            (9, "card"),
            (9, "login"),
            (1, "login"),
            (1, "card"),
            (1, "other"),
            (5, "other"),
            (5, "card"),
            (5, "card"),
            (6, "login"),
            (6, "login"),
            (7, "card"),
            (7, "login"),
        ];
        assert_eq!(
            found(&rows),
            [
                "3 texts are both `card` and `login`, such as that of records 0 and 1: do the two mean different \
                 things?",
                "2 texts are both `card` and `other`, such as that of records 3 and 4: do the two mean different \
                 things?",
            ]
        );
    }

    #[test]
    fn one_text_is_chance_and_one_with_all_labels_is_borne() {
        assert!(found(&[(1, "a"), (1, "b"), (2, "a")]).is_empty());
        let labels: Vec<String> = (0..2000).map(|number| number.to_string()).collect();
        let rows: Vec<(u8, &str)> = [1, 2]
            .into_iter()
            .flat_map(|text| labels.iter().map(move |label| (text, label.as_str())))
            .collect();
        assert_eq!(found(&rows).len(), PAIRS);
    }
}

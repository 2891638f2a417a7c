//! Findings of small sets, however they are shared among instances.

use pegbox_plugin::testing::{found, rows};

use super::*;

fn lines(findings: &[Finding]) -> Vec<String> {
    let line = |Finding { level, row, field, code, message, proposed_fix }: &Finding| {
        let row = row.map(|row| format!(" {row}")).unwrap_or_default();
        let fix = proposed_fix.as_ref().map(|fix| format!(" -> {}", fix.value)).unwrap_or_default();
        format!("{level:?}{row} {} {code}: {message}{fix}", field.as_deref().unwrap_or_default())
    };
    findings.iter().map(line).collect()
}

/// All findings, those of the rows first.
fn findings(configuration: &str, records: &[(&str, &str)]) -> Vec<String> {
    let values: Vec<[Option<&str>; 2]> =
        records.iter().map(|(tokens, tags)| [Some(*tokens), Some(*tags)]).collect();
    let values: Vec<&[Option<&str>]> = values.iter().map(<[_; 2]>::as_slice).collect();
    let found = found::<TagCheck>(configuration, &rows(&[TOKENS, TAGS], &values));
    [lines(&found.rows), lines(&found.finish)].concat()
}

#[test]
fn right_tags_have_no_findings() {
    let records = [("Anna Lee lives in Köln", "B-PER I-PER O O B-LOC"), ("so it is", "O O O")];
    assert_eq!(findings(r#"{ "types": ["PER", "LOC"] }"#, &records), Vec::<String>::new());
    assert_eq!(
        findings(r#"{ "scheme": "bilou", "separator": "_" }"#, &[("Anna Lee", "B_PER L_PER")]),
        Vec::<String>::new()
    );
}

#[test]
fn tokens_and_tags_are_as_many() {
    let records =
        [("Anna Lee", "B-PER"), ("", ""), ("Anna", ""), ("Anna  Lee", "B-PER I-PER "), ("Bob ", "B-PER O")];
    assert_eq!(
        findings("{}", &records),
        [
            "Error 3 tokens word-spacing: `tokens` has a space too many: there should be one between any two, \
             and none at the ends -> Anna Lee",
            "Error 3 tags word-spacing: `tags` has a space too many: there should be one between any two, and \
             none at the ends -> B-PER I-PER",
            "Error 0 tags length-mismatch: there are 2 tokens and 1 tag: each token has one tag",
            "Error 1 tokens empty-tokens: there are no tokens and no tags",
            "Error 2 tags length-mismatch: there are 1 token and 0 tags: each token has one tag",
            "Error 4 tokens word-spacing: `tokens` has a space too many: there should be one between any two, \
             and none at the ends",
            "Error 4 tags length-mismatch: there are 1 token and 2 tags: each token has one tag",
        ]
    );
}

#[test]
fn one_fix_mends_all_of_a_record() {
    assert_eq!(
        findings(
            r#"{ "types": ["person", "place"] }"#,
            &[("Anna Lee in Köln now", "i-PERSON I-persn 0 I_place X"), ("Bob", "B-thing"),]
        ),
        [
            "Error 0 tags tag-spelling: tag 1 (`i-PERSON` at `Anna`) should be written `I-PERSON` (and 2 more in \
             this record) -> B-person I-person O B-place X",
            "Error 0 tags unknown-type: tag 1 (`i-PERSON` at `Anna`) has a type that is not one of `types`; did \
             you mean `person`? (and 1 more in this record) -> B-person I-person O B-place X",
            "Error 0 tags inside-without-begin: tag 1 (`i-PERSON` at `Anna`) goes on with an entity, and is the \
             first (and 1 more in this record) -> B-person I-person O B-place X",
            "Error 0 tags unknown-tag: tag 5 (`X` at `now`) is no tag of iob2: that is `O`, or one of B, I, then \
             `-` and a type",
            "Error 1 tags unknown-type: tag 1 (`B-thing` at `Bob`) has a type that is not one of `types`",
            "Warning tags unused-type: no tag has the type `person`",
        ]
    );
}

#[test]
fn entities_are_whole() {
    assert_eq!(
        findings("{}", &[("in Köln am Rhein", "O I-LOC I-ORG O")]),
        [
            "Error 0 tags inside-without-begin: tag 2 (`I-LOC` at `Köln`) goes on with an entity, and none is \
             open after `O` -> O B-LOC I-ORG O",
            "Error 0 tags type-change: tag 3 (`I-ORG` at `am`) goes on with an entity of another type, `I-LOC`",
            "Warning tags other-scheme: 1 of the 1 record with entities break iob2, and none breaks iob1: say \
             scheme = \"iob1\"",
        ]
    );
    assert_eq!(
        findings(
            r#"{ "scheme": "iobes", "levels": { "other-scheme": "off" } }"#,
            &[("Anna Lee and Bob", "B-PER I-PER O B-PER"), ("Anna", "U-PER"),]
        ),
        [
            "Error 0 tags unclosed-entity: tag 2 (`I-PER` at `Lee`) leaves its entity open: its last token has \
             `E-PER`, one that is alone `S-PER` (and 1 more in this record) -> B-PER E-PER O S-PER",
            "Error 1 tags unknown-tag: tag 1 (`U-PER` at `Anna`) is no tag of iobes: that is `O`, or one of B, I, \
             E, S, then `-` and a type",
        ]
    );
    assert_eq!(
        findings(
            r#"{ "scheme": "iob1", "levels": { "other-scheme": "off" } }"#,
            &[("Anna Lee", "B-PER I-PER")]
        ),
        [
            "Warning 0 tags needless-begin: tag 1 (`B-PER` at `Anna`) has no entity of its type right before it: \
          iob1 begins it with `I-PER` -> I-PER I-PER"
        ]
    );
}

#[test]
fn the_scheme_that_all_records_follow_is_named() {
    let records =
        [("Anna Lee", "I-PER I-PER"), ("Anna Lee Bob", "I-PER I-PER B-PER"), ("so", "O"), ("Bob", "I-PER")];
    let found = findings(r#"{ "levels": { "inside-without-begin": "off" } }"#, &records);
    assert_eq!(
        found,
        [
            "Warning tags other-scheme: 3 of the 3 records with entities break iob2, and none breaks iob1: say \
          scheme = \"iob1\""
        ]
    );
}

#[test]
fn a_set_without_entities_is_found() {
    assert_eq!(
        findings(r#"{ "types": ["PER"] }"#, &[("so it is", "O O O")]),
        ["Warning tags no-entities: no tag in 1 record is of an entity; is `tags` the right field?"]
    );
    assert_eq!(findings("{}", &[]), Vec::<String>::new());
}

#[test]
fn numbers_are_no_tags() {
    let records: Vec<(&str, &str)> = (0..5).map(|_| ("Anna Lee", "1 2")).collect();
    let found = findings(r#"{ "max-findings": 2 }"#, &records);
    assert_eq!(found.len(), 4, "{found:?}");
    assert_eq!(
        found[2],
        "Error tags unknown-tag: not listed: 3 more records with this fault, beyond `max-findings` = 2"
    );
}

#[test]
fn broken_states_are_refused() {
    let make = |json: &str| TagCheck::configure(json).unwrap();
    let state = make("{}").state().unwrap();
    for length in 0..state.len() {
        assert!(make("{}").merge(&state[..length]).is_err(), "{length} bytes");
    }
    let error = make(r#"{ "types": ["A"] }"#).merge(&state).unwrap_err();
    assert!(error.message().contains("another number of types"));
}

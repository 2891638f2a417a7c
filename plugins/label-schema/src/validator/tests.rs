//! Findings of small sets, however they are shared among instances.

use pegbox_plugin::testing::{found, rows};

use super::*;

const SINGLE: &str = r#"{ "labels": [
    { "name": "card_arrival", "definition": "The card is on its way.", "aliases": ["delivery"] },
    { "name": "login", "definition": "Getting into the app." },
    { "name": "sign-in", "definition": "As login.", "replaced-by": "login" },
    { "name": "other", "definition": "None of these.", "deprecated": true }
] OTHERS }"#;

const MULTI: &str = r#"{ "labels": [
    { "name": "toxic", "definition": "Hurts." },
    { "name": "threat", "definition": "Threatens.", "aliases": ["menace"] },
    { "name": "insult", "definition": "Insults." },
    { "name": "none", "definition": "Is none of these." }
], "mode": "multi", "exclude": [["none", "toxic"], ["none", "insult"]], "require": { "threat": ["toxic"] },
   "min-per-label": 0, "levels": { "unused-label": "off" } OTHERS }"#;

fn lines(findings: &[Finding]) -> Vec<String> {
    let line = |Finding { level, row, code, message, proposed_fix, .. }: &Finding| {
        let row = row.map(|row| format!(" {row}")).unwrap_or_default();
        let fix = proposed_fix.as_ref().map(|fix| format!(" -> {}", fix.value)).unwrap_or_default();
        format!("{level:?}{row} {code}: {message}{fix}")
    };
    findings.iter().map(line).collect()
}

/// What is found of the rows, and at the end.
fn findings(configuration: &str, others: &str, values: &[Option<&str>]) -> (Vec<String>, Vec<String>) {
    let values: Vec<[Option<&str>; 1]> = values.iter().map(|value| [*value]).collect();
    let values: Vec<&[Option<&str>]> = values.iter().map(<[_; 1]>::as_slice).collect();
    let configuration = configuration.replace("OTHERS", others);
    let found = found::<LabelSchema>(&configuration, &rows(&[LABEL], &values));
    (lines(&found.rows), lines(&found.finish))
}

#[test]
fn labels_of_the_schema_have_no_findings() {
    let twice = [Some("card_arrival"), Some("login"), Some("login"), Some("card_arrival")];
    assert_eq!(findings(SINGLE, "", &twice), (vec![], vec![]));
}

#[test]
fn slips_aliases_and_what_is_deprecated_are_mended() {
    let values =
        [" card_arrival", "Card Arrival", "delivery", "card_arival", "sign-in", "SIGN IN", "login"].map(Some);
    let (of_rows, finish) = findings(SINGLE, "", &values);
    assert_eq!(
        of_rows,
        [
            "Error 0 label-spelling: ` card_arrival` should be written `card_arrival` -> card_arrival",
            "Error 1 label-spelling: `Card Arrival` should be written `card_arrival` -> card_arrival",
            "Error 2 label-alias: `delivery` is an alias; the label is `card_arrival` (The card is on its way) \
             -> card_arrival",
            "Error 3 unknown-label: `card_arival` is not in the schema; did you mean `card_arrival` \
             (The card is on its way)? -> card_arrival",
            "Warning 4 deprecated-label: `sign-in` is deprecated; use `login` (Getting into the app) -> login",
            "Error 5 label-spelling: `SIGN IN` should be written `sign-in` -> login",
            "Warning 5 deprecated-label: `sign-in` is deprecated; use `login` (Getting into the app) -> login",
        ]
    );
    assert_eq!(
        finish,
        ["Warning rare-label: 1 record has the label `login` (Getting into the app), fewer than \
          `min-per-label` = 2"]
    );
}

#[test]
fn what_cannot_be_mended_is_listed_at_the_end() {
    let values = [None, Some(" "), Some("refund"), Some("other"), Some("refund")];
    let (of_rows, finish) = findings(SINGLE, r#", "min-per-label": 0, "max-findings": 1"#, &values);
    assert!(of_rows.is_empty());
    assert_eq!(
        finish,
        [
            "Error 0 empty-label: there is no label",
            "Error 2 unknown-label: `refund` is none of the 4 labels of the schema",
            "Warning 3 deprecated-label: `other` is deprecated, and nothing replaces it",
            "Error empty-label: not listed: 1 more record with this fault, beyond `max-findings` = 1",
            "Error unknown-label: not listed: 1 more record with this fault, beyond `max-findings` = 1",
            "Warning unused-label: no record has the label `card_arrival` (The card is on its way)",
            "Warning unused-label: no record has the label `login` (Getting into the app)",
        ]
    );
}

#[test]
fn levels_are_the_recipes() {
    let levels = r#", "levels": { "label-alias": "info", "unknown-label": "off", "unused-label": "error", "rare-label": "off" }"#;
    let (of_rows, finish) = findings(SINGLE, levels, &[Some("delivery"), Some("refund"), Some("logn")]);
    assert_eq!(
        of_rows,
        ["Info 0 label-alias: `delivery` is an alias; the label is `card_arrival` (The card is on its way) \
          -> card_arrival"]
    );
    assert_eq!(finish, ["Error unused-label: no record has the label `login` (Getting into the app)"]);
}

#[test]
fn several_labels_are_held_against_the_rules() {
    let values = [
        "toxic,threat",
        "toxic, insult",
        r#"["toxic","threat"]"#,
        "threat",
        "none, toxic",
        "none,insult,toxic",
        "[]",
        "[toxic]",
    ]
    .map(Some);
    let (of_rows, finish) = findings(MULTI, r#", "max-labels": 2"#, &values);
    assert_eq!(of_rows, Vec::<String>::new());
    assert_eq!(
        finish,
        [
            "Error 3 required-label: `threat` requires `toxic` (Hurts), which is not there",
            "Error 4 excluded-labels: `none` (Is none of these) and `toxic` (Hurts) exclude each other: one of \
             them is wrong",
            "Error 5 too-many-labels: the record has 3 labels; the schema wants 1 to 2",
            "Error 5 excluded-labels: `none` (Is none of these) and `insult` (Insults) exclude each other: one \
             of them is wrong (and 1 more in this record)",
            "Error 6 too-few-labels: the record has 0 labels; the schema wants 1 to 2",
            "Error 7 unreadable-labels: the labels should be a JSON list of texts: expected ident at line 1 \
             column 3",
        ]
    );
}

#[test]
fn one_fix_mends_all_of_a_record() {
    let values =
        ["Toxic, menace, toxic, ,whatever", r#"["insult","insult"]"#, "menace;x", "toxic,threat"].map(Some);
    let (of_rows, finish) = findings(MULTI, "", &values);
    assert_eq!(
        of_rows,
        [
            "Error 0 label-spelling: `Toxic` should be written `toxic` (and 1 more in this record) -> toxic, \
             threat, whatever",
            "Error 0 label-alias: `menace` is an alias; the label is `threat` (Threatens) -> toxic, threat, \
             whatever",
            "Warning 0 repeated-label: `toxic` is there more than once -> toxic, threat, whatever",
            "Warning 1 repeated-label: `insult` is there more than once -> [\"insult\"]",
        ]
    );
    assert_eq!(
        finish,
        [
            "Error 0 unknown-label: `whatever` is none of the 4 labels of the schema",
            "Error 2 unknown-label: `menace;x` is none of the 4 labels of the schema",
        ]
    );
}

#[test]
fn the_number_is_that_of_the_mended_record() {
    let (of_rows, finish) = findings(
        MULTI,
        r#", "min-labels": 2, "max-labels": 2"#,
        &[Some("toxic, Toxic"), Some("insult,Toxic,toxic"), Some("insult,insultt")],
    );
    assert_eq!(of_rows.len(), 5, "{of_rows:?}");
    assert_eq!(
        finish,
        [
            "Error 0 too-few-labels: the record has 1 label; the schema wants 2 to 2",
            "Error 2 too-few-labels: the record has 1 label; the schema wants 2 to 2",
        ]
    );
}

#[test]
fn a_record_may_have_no_labels_where_none_are_needed() {
    assert_eq!(findings(MULTI, r#", "min-labels": 0"#, &[None, Some(""), Some("[]")]), (vec![], vec![]));
    let (_, finish) = findings(MULTI, "", &[None, Some("[]")]);
    assert_eq!(
        finish,
        [
            "Error 0 empty-label: there is no label",
            "Error 1 too-few-labels: the record has 0 labels; the schema wants 1 or more",
        ]
    );
}

#[test]
fn labels_without_end_are_counted() {
    let labels: Vec<String> = (0..150)
        .map(|number| format!(r#"{{ "name": "label {number}", "definition": "Number {number}." }}"#))
        .collect();
    let json = format!(r#"{{ "labels": [{}] }}"#, labels.join(","));
    let (_, finish) = findings(&json, "", &[Some("label 7")]);
    assert_eq!(finish.len(), LISTED + 2);
    assert_eq!(finish[LISTED], "Warning unused-label: not listed: 49 more labels that no record has");
}

#[test]
fn broken_states_are_refused() {
    let schema = || LabelSchema::configure(&SINGLE.replace("OTHERS", "")).unwrap();
    let state = schema().state().unwrap();
    for length in 0..state.len() {
        assert!(schema().merge(&state[..length]).is_err(), "{length} bytes");
    }
    let other = r#"{ "labels": [{ "name": "a", "definition": "A." }] }"#;
    let other = LabelSchema::configure(other).unwrap().state().unwrap();
    assert!(schema().merge(&other).unwrap_err().message().contains("another number of labels"));
}

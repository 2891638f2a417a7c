//! Findings of small sets, however they are shared among instances.

use pegbox_plugin::testing::{found, rows};

use super::*;

fn lines(findings: &[Finding]) -> Vec<String> {
    let line = |Finding { level, row, code, message, proposed_fix, .. }: &Finding| {
        let row = row.map(|row| format!(" {row}")).unwrap_or_default();
        let fix = proposed_fix.as_ref().map(|fix| format!(" -> {}", fix.value)).unwrap_or_default();
        format!("{level:?}{row} {code}: {message}{fix}")
    };
    findings.iter().map(line).collect()
}

/// All findings, those of the rows first.
fn findings(configuration: &str, records: &[&str]) -> Vec<String> {
    let values: Vec<[Option<&str>; 1]> = records.iter().map(|ratings| [Some(*ratings)]).collect();
    let values: Vec<&[Option<&str>]> = values.iter().map(<[_; 1]>::as_slice).collect();
    let found = found::<RatingRange>(configuration, &rows(&[ANNOTATIONS], &values));
    [lines(&found.rows), lines(&found.finish)].concat()
}

#[test]
fn right_ratings_have_no_findings() {
    let records = [r#"{ "a": 1, "b": 5 }"#, r#"{ "a": 3, "c": null, "b": 3.0 }"#];
    assert_eq!(
        findings(r#"{ "minimum": 1, "maximum": 5, "step": 1, "annotators": ["a", "b", "c"] }"#, &records),
        Vec::<String>::new()
    );
}

#[test]
fn wrong_ratings_are_found() {
    let records = [
        r#"{ "a": 6, "b": 0, "c": 3, "d": 4 }"#,
        r#"{ "a": 2.5, "b": 3, "c": 3 }"#,
        r#"{ "a": "4", "b": true, "c": "good", "d": 1, "e": 1 }"#,
        r#"{ "a": 4, "a": 5, "b": 5 }"#,
        r#"{ "a": 4, "b": null }"#,
        "[1, 2]",
        "",
    ];
    assert_eq!(
        findings(r#"{ "minimum": 1, "maximum": 5, "step": 1 }"#, &records),
        [
            "Error 2 not-a-number: the rating of `a` is `4`, which is not a number (and 2 more in this record) -> \
             {\"a\":4,\"b\":true,\"c\":\"good\",\"d\":1,\"e\":1}",
            "Error 0 rating-out-of-range: the rating of `a` is 6; the scale is 1 to 5 in steps of 1 (and 1 more \
             in this record)",
            "Error 1 rating-off-scale: the rating of `a` is 2.5; the scale is 1 to 5 in steps of 1",
            "Error 3 repeated-annotator: annotator `a` is there more than once; the first rating counts",
            "Warning 4 too-few-raters: the record has 1 rating that can be used, fewer than `min-raters` = 2",
            "Error 5 unreadable-ratings: the ratings cannot be read: invalid type: sequence, expected an object \
             {annotator: rating} at line 1 column 0",
            "Warning 6 too-few-raters: the record has 0 ratings that can be used, fewer than `min-raters` = 2",
        ]
    );
}

#[test]
fn annotators_are_the_recipes() {
    assert_eq!(
        findings(
            r#"{ "annotators": ["annotator_1", "annotator_2"], "min-raters": 1 }"#,
            &[r#"{ "annotator_1": 1, "Annotator-2": 1 }"#, r#"{ "annotator_2": 1, "nobody": 1 }"#,]
        ),
        [
            "Error 0 unknown-annotator: annotator `Annotator-2` is not one of `annotators`; is it `annotator_2`?",
            "Error 1 unknown-annotator: annotator `nobody` is not one of `annotators`",
        ]
    );
}

#[test]
fn annotators_who_stand_out_are_found_over_the_whole_set() {
    let records: Vec<String> = (0..24)
        .map(|record| {
            let truth = record % 4;
            let (far, lazy) = ((truth + 2) % 5, 2);
            format!(r#"{{ "ann": {truth}, "bob": {truth}, "eve": {far}, "dan": {truth}, "zoe": {lazy} }}"#)
        })
        .collect();
    let records: Vec<&str> = records.iter().map(String::as_str).collect();
    let found = findings("{}", &records);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(
        found[0].starts_with("Warning constant-annotator: annotator `zoe` gave 2 in all of 24 ratings"),
        "{found:?}"
    );
    assert!(found[1].starts_with("Warning deviating-annotator: annotator `eve` is "), "{found:?}");
    let off = r#"{ "levels": { "constant-annotator": "off", "deviating-annotator": "error" } }"#;
    let found = findings(off, &records);
    assert!(found.len() == 1 && found[0].starts_with("Error deviating-annotator"), "{found:?}");
}

#[test]
fn what_is_not_on_the_scale_does_not_count() {
    // 99 says that there is no answer.
    let records: Vec<String> =
        (0..30).map(|record| format!(r#"{{ "a": {}, "b": {}, "c": 99 }}"#, record % 3, record % 3)).collect();
    let records: Vec<&str> = records.iter().map(String::as_str).collect();
    let found = findings(r#"{ "values": [0, 1, 2], "max-findings": 1 }"#, &records);
    assert_eq!(
        found,
        [
            "Error 0 rating-out-of-range: the rating of `c` is 99; the scale is 0, 1, 2",
            "Error rating-out-of-range: not listed: 29 more records with this fault, beyond `max-findings` = 1",
        ]
    );
}

#[test]
fn broken_states_are_refused() {
    let mut range = RatingRange::configure("{}").unwrap();
    let one = rows(&[ANNOTATIONS], &[&[Some(r#"{ "a": 1, "b": 2 }"#)]]);
    range.validate(one).unwrap();
    let state = range.state().unwrap();
    for length in 0..state.len() {
        assert!(RatingRange::configure("{}").unwrap().merge(&state[..length]).is_err(), "{length} bytes");
    }
    assert!(RatingRange::configure("{}").unwrap().merge(&state).is_ok());
}

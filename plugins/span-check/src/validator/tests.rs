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
fn findings(configuration: &str, records: &[(&str, &str)]) -> Vec<String> {
    let values: Vec<[Option<&str>; 2]> =
        records.iter().map(|(text, spans)| [Some(*text), Some(*spans)]).collect();
    let values: Vec<&[Option<&str>]> = values.iter().map(<[_; 2]>::as_slice).collect();
    let found = found::<SpanCheck>(configuration, &rows(&[TEXT, SPANS], &values));
    [lines(&found.rows), lines(&found.finish)].concat()
}

#[track_caller]
fn finds(configuration: &str, text: &str, spans: &str, expected: &[&str]) {
    assert_eq!(findings(configuration, &[(text, spans)]), expected);
}

#[test]
fn right_spans_have_no_findings() {
    finds(
        r#"{ "labels": ["PER", "LOC"] }"#,
        "Anna lives in Köln.",
        r#"[{ "start": 0, "end": 4, "label": "PER", "text": "Anna" }, [14, 18, "LOC", "Köln"]]"#,
        &[],
    );
    finds(r#"{ "unit": "bytes" }"#, "Köln, Köln", r#"[[0, 5, "LOC"], [7, 12, "LOC", "Köln"]]"#, &[]);
    finds(r#"{ "unit": "utf-16" }"#, "😀 Köln", r#"[[3, 7, "LOC", "Köln"]]"#, &[]);
}

#[test]
fn what_is_no_part_of_the_text_is_found() {
    finds(
        "{}",
        "to Anna",
        r#"[[3, 8, "PER"], [9, 12, "PER"]]"#,
        &[
            "Error 0 span-out-of-bounds: span 1 (`PER`, 3 to 8) is out of the text, which has 7 characters (and 1 \
           more in this record)",
        ],
    );
    finds("{}", "to Anna", r#"[[3, 3, "PER"]]"#, &["Error 0 empty-span: span 1 (`PER`, 3 to 3) is empty"]);
    finds(
        "{}",
        "to Anna",
        r#"[[7, 3, "PER"]]"#,
        &["Error 0 empty-span: span 1 (`PER`, 7 to 3) ends before it begins"],
    );
    finds(
        "{}",
        "to  Anna",
        r#"[[2, 4, "PER"]]"#,
        &["Error 0 empty-span: span 1 (`PER`, 2 to 4) holds nothing but white space"],
    );
    finds(
        "{}",
        "to Anna",
        r#"[{ "start": 4, "end": 8, "label": "PER", "text": "Anna", "id": 1 }]"#,
        &[
            r#"Error 0 span-out-of-bounds: span 1 (`PER`, 4 to 8) is out of the text, which has 7 characters -> [{"start":3,"end":7,"label":"PER","text":"Anna","id":1}]"#,
        ],
    );
}

#[test]
fn a_text_that_stands_elsewhere_is_found_there() {
    finds(
        "{}",
        "Grüße an Anna",
        r#"[[11, 15, "PER", "Anna"]]"#,
        &[
            r#"Error 0 span-out-of-bounds: span 1 (`PER`, 11 to 15) is out of the text, which has 13 characters; counted in bytes it would be right, so look at `unit` -> [[9,13,"PER","Anna"]]"#,
        ],
    );
    finds(
        "{}",
        "Anna met Anna, then Anna",
        r#"[[8, 12, "PER", "Anna"]]"#,
        &[
            r#"Error 0 span-text: span 1 (`PER`, 8 to 12) should be `Anna`, and there stands ` Ann` -> [[9,13,"PER","Anna"]]"#,
        ],
    );
    finds(
        "{}",
        "Anna met Bob, then Anna",
        r#"[[9, 12, "PER", "Anna"], [0, 4, "PER", "Eve"]]"#,
        &[
            "Error 0 span-text: span 1 (`PER`, 9 to 12) should be `Anna`, and there stands `Bob` (and 1 more in \
           this record)",
        ],
    );
}

#[test]
fn ends_are_mended_to_whole_characters_and_without_white_space() {
    finds(
        "{}",
        "at  Köln, now",
        r#"[{"start":2,"end":8,"label":"LOC","text":"  Köln"}]"#,
        &[
            r#"Warning 0 span-white-space: span 1 (`LOC`, 2 to 8) begins or ends with white space: `  Köln` -> [{"start":4,"end":8,"label":"LOC","text":"Köln"}]"#,
        ],
    );
    finds(
        "{}",
        "at Köln, now",
        r#"[[2, 7, "LOC", "Köln"]]"#,
        &[
            r#"Warning 0 span-white-space: span 1 (`LOC`, 2 to 7) begins or ends with white space: ` Köln` -> [[3,7,"LOC","Köln"]]"#,
        ],
    );
    finds(
        r#"{ "unit": "bytes" }"#,
        "in Köln",
        r#"[[3, 5, "LOC"]]"#,
        &[
            r#"Error 0 cut-character: span 1 (`LOC`, 3 to 5) ends within the character `ö` -> [[3,6,"LOC"]]"#,
            "Warning 0 cut-word: span 1 (`LOC`, 3 to 5) is `Kö`, which cuts the word `Köln`",
        ],
    );
    finds(
        r#"{ "unit": "utf-16" }"#,
        "👩‍👧 and 😀",
        r#"[[3, 5, "X"], [11, 12, "X"]]"#,
        &[
            r#"Error 0 cut-character: span 1 (`X`, 3 to 5) begins within the character `👩‍👧` (and 1 more in this record) -> [[0,5,"X"],[10,12,"X"]]"#,
        ],
    );
}

#[test]
fn words_are_not_cut() {
    finds(
        "{}",
        "Annabel and Bob",
        r#"[[0, 4, "PER"], [12, 15, "PER"]]"#,
        &["Warning 0 cut-word: span 1 (`PER`, 0 to 4) is `Anna`, which cuts the word `Annabel`"],
    );
}

#[test]
fn labels_are_the_recipes() {
    let labels = r#"{ "labels": ["PERSON", "PLACE"] }"#;
    assert_eq!(
        findings(
            labels,
            &[
                ("Anna", r#"[{"start": 0, "end": 4, "label": "person"}]"#),
                ("Anna", r#"[{"start": 0, "end": 4, "label": "TIME"}]"#),
                ("Anna", r#"[{"start": 0, "end": 4}]"#),
                ("Anna", r#"[{"start": 0, "end": 4, "label": "PERSON"}]"#),
            ]
        ),
        [
            r#"Error 0 unknown-label: span 1 (`person`, 0 to 4) has a label that is not one of `labels`; did you mean `PERSON`? -> [{"start":0,"end":4,"label":"PERSON"}]"#,
            "Error 1 unknown-label: span 1 (`TIME`, 0 to 4) has a label that is not one of `labels`",
            "Error 2 empty-label: span 1 (0 to 4) has no label",
            "Warning unused-label: no span has the label `PLACE`",
        ]
    );
}

#[test]
fn overlaps_are_found_as_far_as_they_are_forbidden() {
    let (text, spans) = ("one two three", r#"[[0, 7, "A"], [4, 13, "B"], [8, 13, "C"], [0, 7, "A"]]"#);
    let repeated = r#"Warning 0 repeated-span: span 4 (`A`, 0 to 7) repeats span 1 -> [[0, 7, "A"],[4, 13, "B"],[8, 13, "C"]]"#;
    let overlapping = "Error 0 overlapping-spans: span 2 (`B`, 4 to 13) overlaps span 1 (`A`, 0 to 7)";
    let nested = "Error 0 nested-spans: span 3 (`C`, 8 to 13) lies within span 2 (`B`, 4 to 13)";
    finds("{}", text, spans, &[repeated, overlapping, nested]);
    finds(r#"{ "overlaps": "nest" }"#, text, spans, &[repeated, overlapping]);
    finds(r#"{ "overlaps": "allow" }"#, text, spans, &[repeated]);
    let off = r#"{ "overlaps": "allow", "levels": { "repeated-span": "off" } }"#;
    finds(off, text, spans, &[]);
    finds(
        "{}",
        "Anna Lee",
        r#"[[0, 5, "A"], [4, 8, "B"]]"#,
        &[
            r#"Warning 0 span-white-space: span 1 (`A`, 0 to 5) begins or ends with white space: `Anna ` (and 1 more in this record) -> [[0,4,"A"],[5,8,"B"]]"#,
        ],
    );
}

#[test]
fn what_cannot_be_read_is_listed_and_counted() {
    let records = [("Anna", "[[0]]"), ("Anna", "Anna"), ("Anna", ""), ("Anna", "[]")];
    assert_eq!(
        findings(r#"{ "max-findings": 1 }"#, &records),
        [
            "Error 0 unreadable-spans: the spans cannot be read: a span that is a list needs a start and an end \
             at line 1 column 4",
            "Error unreadable-spans: not listed: 1 more record with this fault, beyond `max-findings` = 1",
            "Warning no-spans: none of the 4 records has a span; is `spans` the right field?",
        ]
    );
    assert_eq!(findings("{}", &[]), Vec::<String>::new());
}

#[test]
fn a_text_of_a_million_characters_is_no_trap() {
    let text = "ä ".repeat(500_000);
    let spans: Vec<String> = (0..2000).map(|_| r#"[5, 3, "A", "nowhere"]"#.to_owned()).collect();
    let found = findings("{}", &[(&text, &format!("[{}]", spans.join(",")))]);
    assert_eq!(
        found,
        ["Error 0 empty-span: span 1 (`A`, 5 to 3) ends before it begins (and 1999 more in this record)"]
    );
}

#[test]
fn broken_states_are_refused() {
    let make = |json: &str| SpanCheck::configure(json).unwrap();
    let state = make("{}").state().unwrap();
    for length in 0..state.len() {
        assert!(make("{}").merge(&state[..length]).is_err(), "{length} bytes");
    }
    let error = make(r#"{ "labels": ["A"] }"#).merge(&state).unwrap_err();
    assert!(error.message().contains("another number of labels"));
}

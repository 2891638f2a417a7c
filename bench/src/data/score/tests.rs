use std::fs;

use pegbox_records::parquet_out::Values;
use pegbox_records::parquet_out::{Column, ColumnKind, ParquetWriter};
use tempfile::TempDir;

use super::super::text::PiiKind;
use super::super::truth::{Pair, Planted};
use super::*;

fn truth(kind: RowKind, pairs: &[(u64, f64)]) -> Truth {
    Truth {
        kind,
        cluster: 0,
        label: None,
        flipped: false,
        corruptions: Vec::new(),
        pii: Vec::new(),
        pairs: pairs.iter().map(|(line, jaccard)| Pair { line: *line, jaccard: *jaccard }).collect(),
    }
}

/// An output whose parts hold these lines, from 1, and texts.
fn output(parts: [&[(u64, &str)]; 3], dropped: &str, suspects: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, rows) in output::PARTS.iter().zip(parts) {
        let columns = ["text", "origin"].map(|name| Column::new(name, ColumnKind::Text)).to_vec();
        let path = folder.path().join(format!("{name}-00000.parquet"));
        let mut writer = ParquetWriter::create(&path, columns).unwrap();
        let texts = rows.iter().map(|(_, text)| Some((*text).to_owned())).collect();
        let origins = rows.iter().map(|(line, _)| Some(format!("corpus.jsonl:{line}"))).collect();
        writer.append(vec![Values::Text(texts), Values::Text(origins)]).unwrap();
        writer.finish().unwrap();
    }
    fs::write(folder.path().join("dropped.jsonl"), dropped).unwrap();
    fs::write(folder.path().join("suspects.jsonl"), suspects).unwrap();
    folder
}

fn gone(line: u64, stage: &str) -> String {
    format!("{{\"origin\": \"corpus.jsonl:{line}\", \"stage\": \"{stage}\", \"of\": null}}\n")
}

#[test]
fn removed_rows_are_right_wrong_or_missed() {
    let known = [
        truth(RowKind::Text, &[]),
        truth(RowKind::Text, &[(1, 1.0)]),
        truth(RowKind::Text, &[(1, 0.85), (2, 0.85)]),
        truth(RowKind::Text, &[(1, 0.79), (2, 0.79), (3, 0.9)]),
        // The later one of a pair stays, and the earlier one goes.
        truth(RowKind::Text, &[]),
        truth(RowKind::Text, &[(5, 0.8)]),
        // Nothing justifies that it goes.
        truth(RowKind::Text, &[(6, 0.7999)]),
        // Of a duplicate that somebody else dropped, nothing is missed.
        truth(RowKind::Text, &[]),
        truth(RowKind::Text, &[(8, 1.0)]),
        // Missed.
        truth(RowKind::Text, &[(9, 0.95)]),
        // Noise is no duplicate, right or wrong.
        truth(RowKind::Noise, &[]),
    ];
    let dropped: String =
        [2, 3, 5, 7, 11].map(|line| gone(line, "duplicates")).concat() + &gone(8, "noise-filter");
    let folder = output([&[(1, "a"), (4, "b"), (6, "c")], &[(9, "d")], &[(10, "e")]], &dropped, "");
    let scores = score(&known, folder.path()).unwrap();
    assert_eq!(scores.duplicates, Finds { right: 3, wrong: 1, missed: 1 });
    assert_eq!((scores.duplicates.precision(), scores.duplicates.f1()), (0.75, 0.75));
    assert_eq!((scores.parts, scores.lost, scores.unexplained), ([3, 1, 1], 1, 0));
    assert_eq!(scores.noise, Of { some: 1, all: 1 });
    // 9 and 10 are one cluster; 1 and 4 are, too, but stand together.
    assert_eq!(scores.straddling, duplicates::Straddling { clusters: 1, texts: 0 });
}

#[test]
fn texts_that_stand_in_two_parts_straddle() {
    let known = vec![truth(RowKind::Text, &[]); 4];
    let folder = output([&[(1, "Same  text"), (2, "x")], &[(3, "same text ")], &[(4, "y")]], "", "");
    assert_eq!(score(&known, folder.path()).unwrap().straddling.texts, 1);
}

#[test]
fn personal_data_is_gone_or_not_and_placeholders_are_due_or_not() {
    let mut known = vec![truth(RowKind::Text, &[]); 4];
    let planted = |kind, value: &str| Planted { kind, value: value.to_owned() };
    known[0].pii =
        vec![planted(PiiKind::Email, "jane@example.com"), planted(PiiKind::Phone, "020 7946 0123")];
    known[1].pii = vec![planted(PiiKind::Email, "joe@example.org")];
    let folder = output(
        [&[(1, "[EMAIL] or 020 7946 0123"), (2, "[EMAIL] and [IP]")], &[(3, "plain")], &[(4, "my [CARD]")]],
        "",
        "",
    );
    let pii = score(&known, folder.path()).unwrap().pii;
    assert_eq!(pii.gone[&PiiKind::Email], Of { some: 2, all: 2 });
    assert_eq!(pii.gone[&PiiKind::Phone], Of { some: 0, all: 1 });
    assert_eq!(pii.clean_rows, Of { some: 1, all: 2 });
    assert_eq!(pii.finds(), Finds { right: 2, wrong: 2, missed: 1 });
}

#[test]
fn flipped_labels_count_where_they_were_looked_for() {
    let mut known = vec![truth(RowKind::Text, &[]); 6];
    for line in [0, 1, 4, 5] {
        known[line].flipped = true;
    }
    let suspects = gone(1, "") + &gone(3, "") + &gone(6, "");
    // The sixth row was removed, and the validation part was not searched.
    let folder =
        output([&[(1, "a"), (2, "b"), (3, "c")], &[(5, "e")], &[]], &gone(6, "duplicates"), &suspects);
    let scores = score(&known, folder.path()).unwrap();
    assert_eq!(scores.flipped, Finds { right: 1, wrong: 1, missed: 1 });
    assert_eq!(scores.unexplained, 1);
}

#[test]
fn what_is_no_output_of_this_corpus_is_refused() {
    let known = vec![truth(RowKind::Text, &[]); 2];
    for rows in [&[(3, "a")][..], &[(0, "a")], &[(1, "a"), (1, "a")]] {
        let folder = output([rows, &[], &[]], "", "");
        assert!(score(&known, folder.path()).is_err(), "{rows:?}");
    }
}

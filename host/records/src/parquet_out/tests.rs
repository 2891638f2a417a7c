use super::*;

fn columns() -> Vec<Column> {
    vec![
        Column::new("row", ColumnKind::U64),
        Column::new("label", ColumnKind::U32),
        Column::new("weight", ColumnKind::F32),
        Column::new("text", ColumnKind::Text),
        Column::new("tokens", ColumnKind::U32List),
    ]
}

fn values(rows: Range<u64>) -> Vec<Values> {
    let lists = |row: u64| (0..row as u32 % 5).map(|token| token * 7).collect::<Vec<_>>();
    vec![
        Values::U64(rows.clone().collect()),
        Values::U32(rows.clone().map(|row| row as u32 % 3).collect()),
        Values::F32(rows.clone().map(|row| row as f32 / 3.0).collect()),
        Values::Text(rows.clone().map(|row| (row % 4 > 0).then(|| format!("row {row}"))).collect()),
        Values::U32List(rows.map(lists).collect::<Vec<_>>().iter().map(Vec::as_slice).collect()),
    ]
}

use std::ops::Range;

/// A table of two row groups and a bit.
const ROWS: u64 = (1 << 17) + 1000;

fn written(folder: &Path) -> PathBuf {
    let path = folder.join("new/train.parquet");
    let mut writer = ParquetWriter::create(&path, columns()).unwrap();
    for first in (0..ROWS).step_by(10_000) {
        writer.append(values(first..(first + 10_000).min(ROWS))).unwrap();
    }
    assert!(!path.exists());
    assert_eq!(writer.finish().unwrap(), ROWS);
    path
}

#[test]
fn a_table_comes_back_as_it_went() {
    let folder = tempfile::tempdir().unwrap();
    let path = written(folder.path());
    assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    // In another order than they stand in the file.
    let table = ParquetRows::open(&path, &["tokens", "text", "row", "weight", "label"]).unwrap();
    assert_eq!((table.rows(), table.row_groups()), (ROWS, 3));
    assert_eq!(table.columns()[0], Column::new("tokens", ColumnKind::U32List));
    let mut next = 0;
    for batch in table.batches().unwrap() {
        let batch = batch.unwrap();
        assert_eq!(batch.first, next);
        next += batch.values[0].len() as u64;
        let mut expected = values(batch.first..next);
        for place in [4, 3, 0, 2, 1] {
            let column = std::mem::replace(&mut expected[place], Values::U64(vec![]));
            assert_eq!(batch.values[[2, 4, 3, 1, 0][place]], column);
        }
    }
    assert_eq!(next, ROWS);

    let only = ParquetRows::open(&path, &["row"]).unwrap();
    assert_eq!(only.rows_of(1), Some(1 << 16..1 << 17));
    let batches: Vec<_> = only.batches_of(1..2).unwrap().collect::<Result<_, _>>().unwrap();
    assert_eq!(batches[0].first, 1 << 16);
    assert_eq!(batches.iter().map(|batch| batch.values[0].len()).sum::<usize>(), 1 << 16);
}

#[test]
fn what_is_not_finished_is_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("train.parquet");
    let mut writer = ParquetWriter::create(&path, columns()).unwrap();
    writer.append(values(0..10)).unwrap();
    drop(writer);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn what_does_not_fit_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("train.parquet");
    let mut writer = ParquetWriter::create(&path, columns()[..2].to_vec()).unwrap();
    let mut told = |values| writer.append(values).unwrap_err().to_string();
    let error = told(vec![Values::U64(vec![1])]);
    assert!(error.ends_with("train.parquet: 1 columns were given, the table has 2"), "{error}");
    let error = told(vec![Values::U64(vec![1]), Values::F32(vec![1.0])]);
    assert!(error.ends_with("the column `label` holds U32, F32 was given"), "{error}");
    let error = told(vec![Values::U64(vec![1]), Values::U32(vec![1, 2])]);
    assert!(error.ends_with("the column `label` was given 2 values, the first 1"), "{error}");
    let twice = ParquetWriter::create(&path, vec![columns()[0].clone(), columns()[0].clone()]);
    assert!(twice.err().unwrap().to_string().ends_with("the column `row` is there twice"));
}

#[test]
fn damage_is_told_and_never_a_panic() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("small.parquet");
    let mut writer = ParquetWriter::create(&path, columns()).unwrap();
    writer.append(values(0..300)).unwrap();
    writer.finish().unwrap();
    let error = ParquetRows::open(&path, &["tokens", "tags"]).err().unwrap();
    assert!(
        error
            .to_string()
            .ends_with("the table has no column `tags`; it has row, label, weight, text, tokens"),
        "{error}"
    );

    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    assert!(matches!(ParquetRows::open(&path, &["row"]), Err(TableError::Damaged { .. })));
    for place in (4..whole.len()).step_by(11) {
        let mut bytes = whole.clone();
        bytes[place] ^= 0x55;
        std::fs::write(&path, bytes).unwrap();
        // A flipped bit may go unseen in a plain value; what matters is that reading ends with an answer.
        let names = ["row", "label", "weight", "text", "tokens"];
        if let Ok(batches) = ParquetRows::open(&path, &names).as_ref().map(ParquetRows::batches)
            && let Ok(batches) = batches
        {
            batches.for_each(drop);
        }
    }
}

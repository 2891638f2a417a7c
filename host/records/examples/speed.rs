//! How fast records are read and kept: `cargo run --release -p pegbox-records --example speed`.

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::time::Instant;

use parquet_out::{Column, ColumnKind, Lists, ParquetRows, ParquetWriter, Values};
use pegbox_records::{ReadSettings, Record, Schema, open, parquet_out, shard};

const ROWS: usize = 200_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let schema = Schema::new([("text", "text"), ("label", "label")])?;
    let settings = ReadSettings::new(schema.clone());
    let mut records = Vec::new();
    for name in ["rows.jsonl", "rows.csv", "rows.tsv"] {
        let path = folder.path().join(name);
        let content = content(name);
        fs::write(&path, &content)?;
        for _ in 0..2 {
            let start = Instant::now();
            records = open(&path, &settings, 0, 0)?.collect::<Result<Vec<Record>, _>>()?;
            told(&format!("read {name}"), content.len(), start);
        }
    }
    shards(folder.path(), &schema, &records)?;
    tables(folder.path())
}

fn shards(folder: &Path, schema: &Schema, records: &[Record]) -> Result<(), Box<dyn std::error::Error>> {
    let path = folder.join("0.shard");
    let records = records.get(..1 << 16).unwrap_or(records);
    let size = records.iter().flat_map(|record| &record.values).flatten().map(String::len).sum();
    for _ in 0..2 {
        let start = Instant::now();
        shard::write(&path, schema, records)?;
        told("write a shard", size, start);
        let start = Instant::now();
        assert_eq!(shard::read(&path, schema)?.len(), records.len());
        told("read a shard", size, start);
    }
    println!("a shard of {size} bytes of text takes {} on disk", fs::metadata(&path)?.len());
    Ok(())
}

fn tables(folder: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let path = folder.join("tokens.parquet");
    let lists = || -> Lists {
        let list = |row: usize| (0..64).map(|token| (row * 7919 + token * 104_729) as u32 % 30_000).collect();
        (0..1 << 16).map(list).collect::<Vec<Vec<u32>>>().iter().map(Vec::as_slice).collect()
    };
    let size = lists().flat().len() * 4;
    let values = vec![Values::U32List(lists())];
    let start = Instant::now();
    let mut writer = ParquetWriter::create(&path, vec![Column::new("tokens", ColumnKind::U32List)])?;
    writer.append(values)?;
    writer.finish()?;
    told("write token ids", size, start);
    let start = Instant::now();
    let table = ParquetRows::open(&path, &["tokens"])?;
    let rows: usize = table.batches()?.flatten().map(|batch| batch.values[0].len()).sum();
    assert_eq!(rows, 1 << 16);
    told("read token ids", size, start);
    Ok(())
}

/// Rows of about 500 bytes of which about 300 are wanted, with what real text has: quotes, other letters.
fn content(name: &str) -> String {
    let words = ["the", "card", "that", "I", "ordered", "hasn't", "arrived", "café", "yet,", "why", "please"];
    let mut content = String::new();
    let mut state = 7_u32;
    let mut text = |length: usize| {
        let mut text = String::new();
        while text.len() < length {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            text.push_str(words[(state >> 16) as usize % words.len()]);
            text.push(' ');
        }
        text
    };
    if !name.ends_with("jsonl") {
        let separator = if name.ends_with("csv") { "," } else { "\t" };
        content.push_str(&["id", "text", "unread", "label"].join(separator));
        content.push('\n');
    }
    for row in 0..ROWS {
        let (wanted, unread, label) = (text(300), text(150), row % 77);
        let done = match name {
            "rows.csv" => writeln!(content, "{row},\"{wanted}\",\"{unread}\",{label}"),
            "rows.tsv" => writeln!(content, "{row}\t{wanted}\t{unread}\t{label}"),
            _ => writeln!(
                content,
                "{{\"id\": {row}, \"text\": \"{wanted}\\n\", \"unread\": \"{unread}\", \"label\": \"{label}\"}}"
            ),
        };
        // Writing to a string never fails.
        let _ = done;
    }
    content
}

fn told(what: &str, size: usize, start: Instant) {
    let seconds = start.elapsed().as_secs_f64();
    println!("{what}: {:.0} MB/s", size as f64 / 1e6 / seconds);
}

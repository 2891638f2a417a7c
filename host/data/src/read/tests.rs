use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::*;

/// The line, the text and the label of a record.
type Seen = (u64, Option<String>, Option<String>);

fn schema() -> Schema {
    Schema::new([("text", "text"), ("label", "label")]).unwrap()
}

/// Reads `bytes` as a file called `name`: the rows, or the error's line and help.
fn read(name: &str, bytes: &[u8]) -> Result<Vec<Seen>, (String, String)> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    let told = |error: ReadError| {
        let line = error.to_string();
        let line = line.strip_prefix(&format!("{}/", folder.path().display())).unwrap().to_owned();
        (line, error.help().unwrap_or_default())
    };
    read_file(&path, &schema(), 0, 0)
        .map_err(told)?
        .map(|record| {
            let record = record.map_err(told)?;
            Ok((record.line, record.values[0].clone(), record.values[1].clone()))
        })
        .collect()
}

fn row(line: u64, text: &str, label: &str) -> Seen {
    (line, Some(text.to_owned()), Some(label.to_owned()))
}

#[test]
fn jsonl_gives_rows_with_their_lines() {
    let rows = read("a.jsonl", "\u{feff}{\"text\":\"é\",\"label\":\"x\"}\n\n{\"text\":\"b\",\"label\":3}\r\n{\"label\":true,\"text\":null}".as_bytes());
    assert_eq!(rows, Ok(vec![row(1, "é", "x"), row(3, "b", "3"), (4, None, Some("true".to_owned()))]));
}

#[test]
fn csv_gives_rows_with_their_lines() {
    let rows = read(
        "a.csv",
        b"id,text,label\r\n1,plain,x\r\n\r\n2,\"two\nlines, and a \"\"quote\"\"\",y\r\n3,\"\",5\" disk\n",
    );
    assert_eq!(
        rows,
        Ok(vec![row(2, "plain", "x"), row(4, "two\nlines, and a \"quote\"", "y"), row(6, "", "5\" disk")])
    );
}

#[test]
fn gzipped_files_are_read_and_cut_ones_are_told() {
    let mut packer = GzEncoder::new(Vec::new(), Compression::default());
    for number in 0..1000 {
        writeln!(packer, "{{\"text\":\"row {}\",\"label\":\"x\"}}", number * 7919 % 1000).unwrap();
    }
    let packed = packer.finish().unwrap();
    assert_eq!(read("a.jsonl.gz", &packed).unwrap().len(), 1000);
    let (line, help) = read("a.jsonl.gz", &packed[..packed.len() / 2]).unwrap_err();
    assert!(line.contains("the gzip stream is damaged"), "{line}");
    assert!(help.contains("cut short"));
    let (line, _) = read("a.jsonl.gz", b"{\"text\": \"not packed\"}").unwrap_err();
    assert!(line.contains("the gzip stream is damaged"), "{line}");
}

#[test]
fn errors_say_where_and_what() {
    let cases: &[(&str, &[u8], &str, &str)] = &[
        (
            "a.jsonl",
            b"{\"text\":\"a\",\"label\":\"x\"}\n{\"text\": oops}",
            "a.jsonl:2:10: the line is not JSON: expected value",
            "one whole JSON object",
        ),
        ("a.jsonl", b"[1]", "a.jsonl:1: expected a JSON object, found an array", "each line is an object"),
        (
            "a.jsonl",
            b"{\"txet\":\"a\",\"label\":\"x\"}",
            "a.jsonl:1: the record has no field `text`; it has `label`, `txet`",
            "did you mean `txet`?",
        ),
        (
            "a.jsonl",
            b"{\"text\":7,\"label\":\"x\"}",
            "a.jsonl:1: the field `text` is a number, expected a string",
            "",
        ),
        (
            "a.jsonl",
            b"{\"text\":\"a\",\"label\":[]}",
            "a.jsonl:1: the field `label` is an array, expected a string, a number or a boolean",
            "",
        ),
        (
            "a.jsonl",
            b"{\"text\":\"\xff\",\"label\":\"x\"}",
            "a.jsonl:1:10: the bytes are not valid UTF-8",
            "UTF-8",
        ),
        ("a.jsonl", b"{\0\"\0t\0", "a.jsonl:1:2: a NUL byte", "UTF-8"),
        ("a.parquet", b"", "a.parquet: `.parquet` is no format that Pegbox reads", ".jsonl"),
        ("a.csv", b"", "a.csv:1: the file is empty", ""),
        (
            "a.csv",
            b"text;label\na;b\n",
            "a.csv:1: the record has no field `text`; it has `text;label`",
            "[data].fields.text",
        ),
        (
            "a.csv",
            b"text,text,label\n",
            "a.csv:1: the header names the column `text` twice",
            "a name of its own",
        ),
        (
            "a.csv",
            b"text,label\na,b\none, two,c\n",
            "a.csv:3: the row has 3 columns, the header has 2",
            "double quotes",
        ),
        (
            "a.csv",
            b"text,label\na,\"b\nc,d\n",
            "a.csv:2:3: a quote is opened here and never closed",
            "written twice",
        ),
        ("a.csv", b"text,label\na,\"b\nc\"d,e\n", "a.csv:3:3: text after a closing quote", "written twice"),
    ];
    for (name, bytes, line, help) in cases {
        let error = read(name, bytes).unwrap_err();
        assert!(error.0.starts_with(line), "{} is not {line}", error.0);
        assert!(error.1.contains(help), "{} lacks {help}", error.1);
    }
}

#[test]
fn lines_without_end_are_refused() {
    let long = vec![b'x'; MAXIMUM_LINE + 10];
    assert!(read("a.jsonl", &long).unwrap_err().0.contains("the line is longer than 16 MiB"));
    let mut quoted = b"text,label\n\"".to_vec();
    quoted.extend(std::iter::repeat_n(*b"0123456789abcde\n", 1 << 20).flatten());
    quoted.extend(b"xx\n\",y\n");
    let (line, _) = read("a.csv", &quoted).unwrap_err();
    assert!(line.starts_with("a.csv:2:1: the quoted field that begins here is longer"), "{line}");
}

#[test]
fn a_missing_file_is_told() {
    let error = read_file(Path::new("no/such.jsonl"), &schema(), 0, 0).err().unwrap();
    assert!(error.to_string().starts_with("no/such.jsonl: cannot open the file:"));
}

use super::*;

fn faults(name: &str, bytes: &[u8], settings: &ReadSettings) -> (String, String) {
    let sample = Sample::new(name, bytes);
    let error = match open(&sample.path, settings, 0, 0) {
        Err(error) => error,
        Ok(mut reader) => reader.find_map(Result::err).expect("a fault"),
    };
    (sample.told(&error), error.help().unwrap_or_default())
}

#[test]
fn errors_say_where_and_what() {
    let cases: &[(&str, &[u8], &str, &str)] = &[
        (
            "a.jsonl",
            b"{\"text\":\"a\",\"label\":\"x\"}\n{\"text\": oops}",
            "a.jsonl:2:10: this is not JSON: expected value",
            "one whole JSON object",
        ),
        ("a.jsonl", b"{\"text\":\"a\"", "a.jsonl:1:11: this is not JSON: EOF while parsing an object", ""),
        (
            "a.jsonl",
            b"{\"text\":\"a\",\"label\":\"x\"} {}",
            "a.jsonl:1:26: this is not JSON: trailing characters",
            "one whole JSON object",
        ),
        ("a.jsonl", b"[1]", "a.jsonl:1: expected a JSON object, found an array", "each record is an object"),
        ("a.jsonl", b"null", "a.jsonl:1: expected a JSON object, found null", "each record is an object"),
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
            b"{\"text\":{\"a\":1},\"label\":\"x\"}",
            "a.jsonl:1: the field `text` is an object, expected a string or a list of strings",
            "",
        ),
        (
            "a.jsonl",
            b"{\"text\":[\"a\",\"b c\"],\"label\":\"x\"}",
            "a.jsonl:1: the field `text`, entry 2: it holds white space",
            "one space between them",
        ),
        (
            "a.jsonl",
            b"{\"text\":[\"a\",\"\"],\"label\":\"x\"}",
            "a.jsonl:1: the field `text`, entry 2: it is empty",
            "one space between them",
        ),
        (
            "a.jsonl",
            b"{\"text\":\"\xff\",\"label\":\"x\"}",
            "a.jsonl:1:10: the bytes are not valid UTF-8",
            "UTF-8",
        ),
        ("a.jsonl", b"{\0\"\0t\0", "a.jsonl:1:2: a NUL byte", "UTF-8"),
        (
            "a.json",
            b"[{\"text\": 1,\n \"label\": oops}]",
            "a.json:2:11: this is not JSON: expected value",
            "one array",
        ),
        ("a.json", b"[\n  {\"text\" 1}]", "a.json:2:11: this is not JSON: expected `:`", "one array"),
        ("a.json", b"[\n  {\"text\": \"\xff\"}]", "a.json:2:13: the bytes are not valid UTF-8", "UTF-8"),
        ("a.json", b"[\n7]", "a.json:2: expected a JSON object, found a number", ""),
        ("a.json", b"[,]", "a.json:1:2: this is not JSON: expected a value", ""),
        ("a.json", b"7", "a.json:1:1: this is not JSON: expected `[`", "one array"),
        ("a.json", b"", "a.json:1:1: this is not JSON: the array has no end", "one array"),
        (
            "a.json",
            b"[{\"text\":\"a\",\"label\":\"x\"} {}]",
            "a.json:1:27: this is not JSON: expected `,` or `]`",
            "",
        ),
        (
            "a.json",
            b"[{\"text\":\"a\",\"label\":\"x\"}] 7",
            "a.json:1:28: this is not JSON: characters after the array's end",
            "",
        ),
        ("a.xlsx", b"", "a.xlsx: `.xlsx` is no format that Pegbox reads", ".jsonl, .ndjson, .json, .csv"),
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
            b"text,label\n\"a\nb\"\n",
            "a.csv:2: the row has 1 columns, the header has 2",
            "several lines",
        ),
        (
            "a.tsv",
            b"text\tlabel\na\n",
            "a.tsv:2: the row has 1 columns, the header has 2",
            "separated by tabs",
        ),
        (
            "a.csv",
            b"text,label\na,\"b\nc,d\n",
            "a.csv:2:3: a quote is opened here and never closed",
            "written twice",
        ),
        ("a.csv", b"text,label\na,\"b\nc\"d,e\n", "a.csv:3:3: text after a closing quote", "written twice"),
        ("a.csv", b"text,label\na,\"b\nc\xff\",e\n", "a.csv:3:2: the bytes are not valid UTF-8", "UTF-8"),
        ("a.txt", b"a", "a.txt: the record has no field `label`; it has `text`", "[data].fields.label"),
        ("a.parquet", b"PAR1", "a.parquet: the Parquet file is damaged: ", "cut short"),
        (
            "a.parquet",
            b"\x1f\x8b\x08",
            "a.parquet: a Parquet file that is packed with gzip as a whole",
            "unpack it",
        ),
    ];
    for (name, bytes, line, help) in cases {
        let error = faults(name, bytes, &text_and_label());
        assert!(error.0.starts_with(line), "{} is not {line}", error.0);
        assert!(error.1.contains(help), "{} lacks {help}", error.1);
    }
}

#[test]
fn faults_of_sentences() {
    let fields = settings(&[("tokens", "tokens"), ("tags", "tags")]);
    let cases: &[(&[u8], &str)] = &[
        (b"EU B-ORG\nrejects\n", "a.conll:2: the line has 1 column(s), the tag or token is in column 2"),
        (b"EU B-ORG\nthe lamb\tO\n", "a.conll:2: the field `token`, entry 1: it holds white space"),
        (b"EU\t\n", "a.conll:1: the field `tag`, entry 2: it is empty"),
        (b"EU B-ORG\n\xff O\n", "a.conll:2:1: the bytes are not valid UTF-8"),
    ];
    for (bytes, line) in cases {
        assert_eq!(faults("a.conll", bytes, &fields).0, *line);
    }
    let named = settings(&[("text", "text"), ("label", "label")]);
    let error = faults("a.conll", b"EU B-ORG\n", &named);
    assert_eq!(error.0, "a.conll: the record has no field `label`; it has `tokens`, `tags`, `text`");
}

#[test]
fn faults_of_layouts() {
    let cases: &[(Layout, &[&str], &str, &str)] = &[
        (
            Layout::Messages,
            &["prompt", "completion"],
            r#"{"messages": []}"#,
            "the field `messages` does not fit the layout messages: the list of turns is empty; expected at least a user's and an assistant's",
        ),
        (
            Layout::Messages,
            &["completion"],
            r#"{"messages": [{"role":"user","content":"a"}]}"#,
            "the field `messages` does not fit the layout messages: no turn is the assistant's; expected at least one",
        ),
        (
            Layout::ShareGpt,
            &["prompt"],
            r#"{"conversations": [{"from":"gpt","value":"a"}]}"#,
            "the field `conversations` does not fit the layout share-gpt: nothing comes before the assistant's turn; expected a user's",
        ),
        (
            Layout::ShareGpt,
            &["prompt"],
            r#"{"conversations": [{"from":"alien","value":"a"}]}"#,
            "the field `conversations` does not fit the layout share-gpt: turn 1: the role `alien` is unknown; expected user, assistant, system or tool (or human, gpt)",
        ),
        (
            Layout::Alpaca,
            &["prompt"],
            r#"{"input": "a"}"#,
            "the record has no field `instruction`; it has `input`",
        ),
        (
            Layout::Alpaca,
            &["prompt"],
            r#"{"instruction": ["a"]}"#,
            "the field `instruction` does not fit the layout alpaca: it is an array; expected a string",
        ),
        (
            Layout::Preference,
            &["prompt", "chosen"],
            r#"{"chosen": "a", "rejected": "b"}"#,
            "the field `prompt` does not fit the layout preference: there is none, no `instruction` and no `question`, and the answers are no lists of messages with a common beginning",
        ),
        (
            Layout::Preference,
            &["chosen"],
            r#"{"chosen": [{"role":"user","content":"a"}], "rejected": "b"}"#,
            "the field `rejected` does not fit the layout preference: it is a string where `chosen` is a list; expected both alike",
        ),
        (
            Layout::Preference,
            &["chosen"],
            r#"{"chosen": [{"role":"user","content":"a"},{"role":"assistant","content":"b"}], "rejected": [{"role":"user","content":"c"},{"role":"assistant","content":"d"}]}"#,
            "the field `chosen` does not fit the layout preference: after what `chosen` and `rejected` have in common come 2 turn(s); expected one, the assistant's",
        ),
        (
            Layout::PromptCompletion,
            &["prompt", "completion"],
            r#"{"prompt": "a", "completion": [{"role":"user","content":"b"}]}"#,
            "the field `completion` does not fit the layout prompt-completion: it has 1 turn(s); expected one, the assistant's",
        ),
    ];
    for (layout, roles, line, what) in cases {
        let fields: Vec<_> = roles.iter().map(|role| (*role, *role)).collect();
        let named = ReadSettings { layout: Some(*layout), ..settings(&fields) };
        let (error, help) = faults("a.jsonl", line.as_bytes(), &named);
        assert_eq!(error, format!("a.jsonl:1: {what}"));
        assert!(help.contains("layout"), "{help}");
    }
}

#[test]
fn a_fault_of_one_row_does_not_end_the_file() {
    let long = "x".repeat(MAXIMUM_LINE + 10);
    let sample = Sample::new(
        "a.jsonl",
        [
            b"{\"text\":\"a\",\"label\":\"x\"}\noops\n{\"text\":\"\xff\"}\n{\"text\":\"b\"}\n".as_slice(),
            long.as_bytes(),
            b"\n{\"text\":\"c\",\"label\":\"z\"}\n",
        ]
        .concat(),
    );
    let rows = sample.rows(&text_and_label());
    assert_eq!(
        rows,
        [
            seen(1, &["a", "x"]),
            Err("a.jsonl:2:1: this is not JSON: expected value".to_owned()),
            Err("a.jsonl:3:10: the bytes are not valid UTF-8".to_owned()),
            Err("a.jsonl:4: the record has no field `label`; it has `text`".to_owned()),
            Err("a.jsonl:5: the line is longer than 16 MiB".to_owned()),
            seen(6, &["c", "z"]),
        ]
    );
    let errors: Vec<ReadError> =
        open(&sample.path, &text_and_label(), 0, 0).unwrap().filter_map(Result::err).collect();
    assert!(errors.iter().all(ReadError::is_of_row));
    assert_eq!(errors[0].raw.as_deref(), Some("oops"));
    assert_eq!(errors[1].raw.as_deref(), Some("{\"text\":\"\u{fffd}\"}"));
    assert_eq!(errors[3].raw.as_deref().map(str::len), Some(ReadError::RAW));
    let aside = Quarantined::from(&errors[0]);
    let json = serde_json::to_string(&aside).unwrap();
    assert!(
        json.ends_with(r#"a.jsonl:2:1","reason":"this is not JSON: expected value","raw":"oops"}"#),
        "{json}"
    );
    assert_eq!(serde_json::from_str::<Quarantined>(&json).unwrap(), aside);
    // Ids count records, not rows.
    let ids: Vec<u64> =
        open(&sample.path, &text_and_label(), 0, 7).unwrap().flatten().map(|record| record.id).collect();
    assert_eq!(ids, [7, 8]);
}

#[test]
fn faulty_rows_of_csv_and_conll_are_passed_over_whole() {
    let sample = Sample::new("a.csv", b"text,label\n\"a\xff\nb\",x\n\"c\n,\",y,z\nd,\"e\"f\ng,h\n");
    let rows = sample.rows(&text_and_label());
    assert_eq!(
        rows,
        [
            Err("a.csv:2:3: the bytes are not valid UTF-8".to_owned()),
            Err("a.csv:4: the row has 3 columns, the header has 2".to_owned()),
            Err("a.csv:6:6: text after a closing quote".to_owned()),
            seen(7, &["g", "h"])
        ]
    );
    let errors: Vec<ReadError> =
        open(&sample.path, &text_and_label(), 0, 0).unwrap().filter_map(Result::err).collect();
    assert_eq!(errors[1].raw.as_deref(), Some("\"c\n,\",y,z"));

    let sample = Sample::new("a.conll", b"a O\nb\nc O\n\nd O\n");
    let fields = settings(&[("tokens", "tokens"), ("tags", "tags")]);
    let rows = sample.rows(&fields);
    let told = "a.conll:2: the line has 1 column(s), the tag or token is in column 2".to_owned();
    assert_eq!(rows, [Err(told), seen(5, &["d", "O"])]);
    let error = open(&sample.path, &fields, 0, 0).unwrap().next().unwrap().unwrap_err();
    assert_eq!(error.raw.as_deref(), Some("a O\nb\nc O"));
}

#[test]
fn what_cannot_be_read_on_ends_the_file() {
    let open_quote = Sample::new("a.csv", "text,label\na,\"b\nc,d\n");
    let mut reader = open(&open_quote.path, &text_and_label(), 0, 0).unwrap();
    assert!(!reader.next().unwrap().unwrap_err().is_of_row());
    assert!(reader.next().is_none());

    let lines: String =
        (0..3000).map(|row| format!("{{\"text\":\"{}\",\"label\":\"x\"}}\n", row * 7919 % 1000)).collect();
    let gzip = gzipped(lines.as_bytes());
    let zstd = zstd::encode_all(lines.as_bytes(), 1).unwrap();
    for (name, bytes, packing) in [("a.jsonl.gz", gzip, "gzip"), ("a.jsonl.zst", zstd, "zstd")] {
        let mut rotten = bytes.clone();
        let middle = bytes.len() / 2;
        rotten[middle..middle + 8].fill(0xff);
        for bytes in [bytes[..middle].to_vec(), rotten, b"{\"text\": \"not packed\"}".to_vec()] {
            let sample = Sample::new(name, bytes);
            let last = open(&sample.path, &text_and_label(), 0, 0).unwrap().last().unwrap().unwrap_err();
            assert!(sample.told(&last).contains(&format!("the {packing} stream is damaged: ")), "{last}");
            assert!(!last.is_of_row());
            assert!(last.help().unwrap().contains("cut short"));
        }
    }
}

#[test]
fn quoted_fields_without_end_are_refused() {
    let mut quoted = b"text,label\n\"".to_vec();
    quoted.extend(std::iter::repeat_n(*b"0123456789abcde\n", 1 << 20).flatten());
    quoted.extend(b"xx\n\",y\n");
    let (line, _) = faults("a.csv", &quoted, &text_and_label());
    assert!(line.starts_with("a.csv:2:1: the quoted field that begins here is longer"), "{line}");
}

#[test]
fn damaged_parquet_is_told_and_never_a_panic() {
    use crate::parquet_out::{Column, ColumnKind, ParquetWriter, Values};
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.parquet");
    let columns = vec![Column::new("text", ColumnKind::Text), Column::new("label", ColumnKind::U32)];
    let mut writer = ParquetWriter::create(&path, columns).unwrap();
    let texts = (0..300).map(|row| Some(format!("row {row}"))).collect();
    writer.append(vec![Values::Text(texts), Values::U32((0..300).collect())]).unwrap();
    writer.finish().unwrap();
    let whole = std::fs::read(&path).unwrap();
    let mut told = 0;
    for place in (4..whole.len()).step_by(7) {
        let mut bytes = whole.clone();
        bytes[place] ^= 0x55;
        std::fs::write(&path, bytes).unwrap();
        let error = match open(&path, &text_and_label(), 0, 0) {
            Ok(reader) => reader.filter_map(Result::err).last(),
            Err(error) => Some(error),
        };
        told += usize::from(error.is_some_and(|error| !error.is_of_row()));
    }
    assert!(told > 20, "{told}");
}

#[test]
fn a_missing_file_is_told() {
    let error = open(Path::new("no/such.jsonl"), &text_and_label(), 0, 0).err().unwrap();
    assert!(error.to_string().starts_with("no/such.jsonl: cannot open the file:"));
    assert!(!error.is_of_row());
}

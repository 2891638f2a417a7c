use std::sync::Arc;

use ::parquet::arrow::ArrowWriter;
use ::parquet::file::properties::WriterProperties;
use arrow_array::builder::{ListBuilder, StringBuilder, StructBuilder};
use arrow_array::{
    ArrayRef, Int64Array, LargeStringArray, RecordBatch, StringArray, TimestampMillisecondArray,
};
use arrow_schema::{DataType, Field};

use super::*;

#[test]
fn jsonl_gives_rows_with_their_lines() {
    let sample = Sample::new(
        "a.jsonl",
        "\u{feff}{\"text\":\"é\\n\",\"label\":\"x\"}\n\n{\"text\":\"b\",\"label\":3}\r\n{\"label\":true,\"text\":null}",
    );
    let mut rows = sample.rows(&text_and_label());
    assert_eq!(rows.pop(), Some(Ok((4, vec![None, Some("true".to_owned())]))));
    assert_eq!(rows, [seen(1, &["é\n", "x"]), seen(3, &["b", "3"])]);
    let mut reader = open(&sample.path, &text_and_label(), 3, 100).unwrap();
    let record = reader.nth(1).unwrap().unwrap();
    assert_eq!((record.id, record.source, reader.next_id()), (101, 3, 102));
    assert_eq!((reader.format(), reader.layout()), (Format::Jsonl, Layout::Fields));
}

#[test]
fn json_gives_the_entries_of_an_array() {
    let array = "\u{feff}[\n  {\n    \"text\": \"a ] } \\\\\", \"label\": [\"[\\\"\"]\n  },{\"text\":\"b\",\"label\":1}\n,\n{\"label\":{},\"text\":\"c\"}]\n";
    let expected = [seen(2, &["a ] } \\", "[\"[\\\"\"]"]), seen(4, &["b", "1"]), seen(6, &["c", "{}"])];
    // A role of the plugins' own: a label is no list.
    let fields = settings(&[("text", "text"), ("about", "label")]);
    assert_eq!(Sample::new("a.json", array).rows(&fields), expected);
    assert_eq!(Sample::new("a.json.gz", gzipped(array.as_bytes())).rows(&fields), expected);
    assert_eq!(Sample::new("a.json", " [ ] ").rows(&text_and_label()), []);
    // Longer than what is read at once.
    let long = format!("[{{\"text\":\"{}\",\"label\":\"x\"}}]", "y".repeat(300_000));
    assert_eq!(Sample::new("a.json", long).rows(&text_and_label()), [seen(1, &[&"y".repeat(300_000), "x"])]);
    // Many call JSONL so.
    let lines = "\n{\"text\":\"a\",\"label\":\"x\"}\n{\"text\":\"b\",\"label\":\"y\"}";
    assert_eq!(
        Sample::new("a.json", lines).rows(&text_and_label()),
        [seen(2, &["a", "x"]), seen(3, &["b", "y"])]
    );
    let alpaca = Sample::new("a.json", r#"[{"instruction":"a","input":"","output":"b"}]"#);
    assert_eq!(Layout::detect(&alpaca.path, &text_and_label()).unwrap(), Layout::Alpaca);
}

#[test]
fn json_values_become_text() {
    let sample = Sample::new(
        "a.jsonl",
        r#"{"label": [ "a" , {"b": 1.0, "c\n": [null, true, -2, "\u00e9\u0001"]}, []], "text": 1e3, "score": {} , "label2": 0.1}"#,
    );
    let rows = sample.rows(&settings(&[("l", "label"), ("t", "text"), ("s", "score"), ("u", "label2")]));
    assert_eq!(
        rows,
        [seen(1, &[r#"["a",{"b":1.0,"c\n":[null,true,-2,"é\u0001"]},[]]"#, "1000.0", "{}", "0.1"])]
    );
}

#[test]
fn one_field_may_have_two_roles_and_a_name_may_come_twice() {
    let sample = Sample::new("a.jsonl", r#"{"body":"first","body":"last"}"#);
    assert_eq!(sample.rows(&settings(&[("text", "body"), ("label", "body")])), [seen(1, &["last", "last"])]);
    let sample = Sample::new("a.csv", "body\nb\n");
    assert_eq!(sample.rows(&settings(&[("text", "body"), ("label", "body")])), [seen(2, &["b", "b"])]);
}

#[test]
fn csv_gives_rows_with_their_lines() {
    let sample = Sample::new(
        "a.csv",
        "id,text,label\r\n1,plain,x\r\n\r\n2,\"two\nlines, and a \"\"quote\"\"\",y\r\n3,\"\",5\" disk\n4,,\"z\"",
    );
    assert_eq!(
        sample.rows(&text_and_label()),
        [
            seen(2, &["plain", "x"]),
            seen(4, &["two\nlines, and a \"quote\"", "y"]),
            seen(6, &["", "5\" disk"]),
            seen(7, &["", "z"])
        ]
    );
}

#[test]
fn quotes_in_tsv_are_characters_unless_asked_for() {
    let sample = Sample::new("a.tsv", "text\tlabel\n\"Hi, \"\"you\"\"\tx\n\"a b\"\ty\n");
    let rows = sample.rows(&text_and_label());
    assert_eq!(rows, [seen(2, &["\"Hi, \"\"you\"\"", "x"]), seen(3, &["\"a b\"", "y"])]);
    let sample = Sample::new("a.tab", "text\tlabel\n\"a\tb\"\ty\n");
    let quoted = ReadSettings { quotes: Some(true), ..text_and_label() };
    assert_eq!(sample.rows(&quoted), [seen(2, &["a\tb", "y"])]);
}

#[test]
fn another_separator_and_another_format_can_be_named() {
    let sample = Sample::new("export.dat", "text;label\na,b;c\n");
    let named = ReadSettings { separator: Some(b';'), format: Some(Format::Csv), ..text_and_label() };
    assert_eq!(sample.rows(&named), [seen(2, &["a,b", "c"])]);
    let alpaca = Sample::new("a.csv", "instruction;output\n");
    assert_eq!(Layout::detect(&alpaca.path, &named).unwrap(), Layout::Alpaca);
    let quote = ReadSettings { separator: Some(b'"'), ..named };
    assert_eq!(sample.rows(&quote), [Err(r#"export.dat: `\"` cannot separate fields"#.to_owned())]);
}

#[test]
fn packed_files_are_read_by_name_and_by_their_first_bytes() {
    let mut lines = String::new();
    for number in 0..1000 {
        lines.push_str(&format!("{{\"text\":\"row {}\",\"label\":\"x\"}}\n", number * 7919 % 1000));
    }
    let zstd = zstd::encode_all(lines.as_bytes(), 1).unwrap();
    let gzip = gzipped(lines.as_bytes());
    let twice = [gzip.clone(), gzip.clone()].concat();
    for (name, bytes, rows) in [
        ("a.jsonl", lines.as_bytes(), 1000),
        ("a.jsonl.gz", &gzip, 1000),
        ("a.jsonl", &gzip, 1000),
        ("a.jsonl.gz", &twice, 2000),
        ("a.ndjson.zst", &zstd, 1000),
        ("a.jsonl", &zstd, 1000),
    ] {
        let rows_read = Sample::new(name, bytes).rows(&text_and_label());
        assert!(
            rows_read.len() == rows && rows_read.iter().all(Result::is_ok),
            "{name}: {:?}",
            rows_read.last()
        );
    }
}

/// As in CoNLL-2003 and WNUT 17.
const CONLL: &str = "-DOCSTART- -X- O O\n\nEU NNP I-NP B-ORG\nrejects VBZ I-VP O\n\n\n# NN I-NP O\n";

#[test]
fn conll_gives_sentences() {
    let all = settings(&[("tokens", "tokens"), ("tags", "tags"), ("text", "text"), ("label", "tags")]);
    let rows = Sample::new("a.conll", CONLL).rows(&all);
    assert_eq!(
        rows,
        [seen(3, &["EU rejects", "B-ORG O", "EU rejects", "B-ORG O"]), seen(7, &["#", "O", "#", "O"])]
    );
    let tabs = Sample::new("a.bio", "1\tEmpire\tB-location\r\n2\tState\tI-location\r\n");
    let named = ReadSettings { token_column: Some(2), ..settings(&[("tokens", "tokens"), ("tags", "tags")]) };
    assert_eq!(tabs.rows(&named), [seen(1, &["Empire State", "B-location I-location"])]);
    let parts = ReadSettings { tag_column: Some(2), ..settings(&[("tags", "tags")]) };
    assert_eq!(Sample::new("a.conll", CONLL).rows(&parts), [seen(3, &["NNP VBZ"]), seen(7, &["NN"])]);
}

#[test]
fn lists_of_tokens_are_as_conll_has_them() {
    let sample = Sample::new("a.jsonl", r#"{"tokens": ["@paulwalk", "It", "'s"], "tags": ["O", "O", "O"]}"#);
    let fields = settings(&[("tokens", "tokens"), ("tags", "tags"), ("text", "tokens"), ("list", "tokens")]);
    assert_eq!(
        sample.rows(&fields),
        [seen(1, &["@paulwalk It 's", "O O O", "@paulwalk It 's", r#"["@paulwalk","It","'s"]"#])]
    );
    let sample = Sample::new("a.jsonl", r#"{"tokens": ["It"], "tags": [3]}"#);
    assert_eq!(sample.rows(&settings(&[("tags", "tags")])), [seen(1, &["3"])]);
}

#[test]
fn text_gives_lines() {
    let sample = Sample::new("a.txt", "one \r\n\n  \ntwo, \"three\"");
    assert_eq!(
        sample.rows(&settings(&[("text", "body")])),
        [seen(1, &["one "]), seen(4, &["two, \"three\""])]
    );
}

fn parquet(columns: Vec<(&str, ArrayRef)>) -> Vec<u8> {
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let small = WriterProperties::builder().set_max_row_group_row_count(Some(2)).build();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(small)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    bytes
}

#[test]
fn parquet_gives_rows_with_their_numbers() {
    let mut tokens = ListBuilder::new(StringBuilder::new());
    for word in ["a", "b", "c"] {
        tokens.append_value([Some(word), Some("x")]);
    }
    let bytes = parquet(vec![
        ("unread", Arc::new(Int64Array::from(vec![1, 2, 3]))),
        ("label", Arc::new(Int64Array::from(vec![Some(7), None, Some(-1)]))),
        ("when", Arc::new(TimestampMillisecondArray::from(vec![0, 1_000, 1_769_860_800_000]))),
        ("tokens", Arc::new(tokens.finish())),
        ("text", Arc::new(StringArray::from(vec!["one", "two", "three"]))),
        ("long", Arc::new(LargeStringArray::from(vec!["1", "2", "3"]))),
    ]);
    let fields = [
        ("text", "text"),
        ("label", "label"),
        ("when", "when"),
        ("tokens", "tokens"),
        ("list", "tokens"),
        ("long", "long"),
    ];
    let mut rows = Sample::new("a.parquet", bytes).rows(&settings(&fields));
    let second = rows.remove(1).unwrap();
    assert_eq!((second.0, &second.1[1]), (2, &None));
    assert_eq!(
        rows,
        [
            seen(1, &["one", "7", "1970-01-01T00:00:00", "a x", r#"["a","x"]"#, "1"]),
            seen(3, &["three", "-1", "2026-01-31T12:00:00", "c x", r#"["c","x"]"#, "3"])
        ]
    );
}

#[test]
fn parquet_holds_messages_as_lists_of_structs() {
    let field = |name: &str| Field::new(name, DataType::Utf8, true);
    let turn = StructBuilder::from_fields(vec![field("role"), field("content")], 2);
    let mut messages = ListBuilder::new(turn);
    for said in [["user", "Hi"], ["assistant", "Hello!"]] {
        for (place, text) in said.into_iter().enumerate() {
            messages.values().field_builder::<StringBuilder>(place).unwrap().append_value(text);
        }
        messages.values().append(true);
    }
    messages.append(true);
    let sample = Sample::new("a.parquet", parquet(vec![("messages", Arc::new(messages.finish()))]));
    assert_eq!(Layout::detect(&sample.path, &text_and_label()).unwrap(), Layout::Messages);
    let rows = sample.rows(&settings(&[("prompt", "prompt"), ("completion", "completion")]));
    assert_eq!(rows, [seen(1, &["Hi", "Hello!"])]);
}

fn detected(name: &str, lines: &str) -> (Sample, Layout) {
    let sample = Sample::new(name, lines);
    let layout = Layout::detect(&sample.path, &text_and_label()).unwrap();
    (sample, layout)
}

#[test]
fn alpaca() {
    let (sample, layout) = detected(
        "a.jsonl",
        r#"{"instruction": "Convert 45 kilometers to meters.", "input": "", "output": "45000 meters.", "source": "rasbt"}
{"instruction": "Correct the spelling.", "input": "freind", "output": "friend", "source": "rasbt"}"#,
    );
    assert_eq!(layout, Layout::Alpaca);
    let fields = [("prompt", "-"), ("completion", "-"), ("source", "source"), ("text", "output")];
    assert_eq!(
        sample.rows(&settings(&fields)),
        [
            seen(1, &["Convert 45 kilometers to meters.", "45000 meters.", "rasbt", "45000 meters."]),
            seen(2, &["Correct the spelling.\n\nfreind", "friend", "rasbt", "friend"])
        ]
    );
    let rows = sample.rows(&settings(&[("system", "system"), ("prompt", "prompt")]));
    assert_eq!(rows[0], Ok((1, vec![None, Some("Convert 45 kilometers to meters.".to_owned())])));
    let (csv, layout) = detected("a.csv", "instruction,output\nAdd 1 and 1.,2\n");
    assert_eq!(layout, Layout::Alpaca);
    assert_eq!(
        csv.rows(&settings(&[("prompt", "prompt"), ("completion", "-")])),
        [seen(2, &["Add 1 and 1.", "2"])]
    );
    let by_name = ReadSettings { layout: Some(Layout::Fields), ..settings(&[("prompt", "input")]) };
    assert_eq!(sample.rows(&by_name), [seen(1, &[""]), seen(2, &["freind"])]);
}

#[test]
fn conversations() {
    let (sample, layout) = detected(
        "a.jsonl",
        r#"{"system": "Be kind.", "conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello!"}, {"from": "human", "value": "Bye"}]}"#,
    );
    assert_eq!(layout, Layout::ShareGpt);
    let json = r#"[{"role":"system","content":"Be kind."},{"role":"user","content":"Hi"},{"role":"assistant","content":"Hello!"},{"role":"user","content":"Bye"}]"#;
    assert_eq!(
        sample.rows(&settings(&[("messages", "-"), ("prompt", "-"), ("completion", "-")])),
        [seen(1, &[json, "system: Be kind.\nuser: Hi", "Hello!"])]
    );
    assert_eq!(
        sample.rows(&settings(&[("prompt", "-"), ("system", "-"), ("completion", "-")])),
        [seen(1, &["Hi", "Be kind.", "Hello!"])]
    );
    let (sample, layout) = detected(
        "a.jsonl",
        r#"{"messages": [{"role": "user", "content": "1"}, {"role": "assistant", "content": "2"}, {"role": "user", "content": "3"}, {"role": "assistant", "content": "4"}]}"#,
    );
    assert_eq!(layout, Layout::Messages);
    assert_eq!(
        sample.rows(&settings(&[("prompt", "-"), ("completion", "-")])),
        [seen(1, &["user: 1\nassistant: 2\nuser: 3", "4"])]
    );
}

#[test]
fn prompts_and_completions() {
    let (sample, layout) = detected(
        "a.jsonl",
        r#"{"prompt": "Hi", "completion": "Hello!"}
{"prompt": [{"role": "user", "content": "Hi"}], "completion": [{"role": "assistant", "content": "Hello!"}]}"#,
    );
    // A list here and a string there are no fields that all rows have alike, so it is named.
    assert_eq!(layout, Layout::Fields);
    let named = ReadSettings {
        layout: Some(Layout::PromptCompletion),
        ..settings(&[("prompt", "-"), ("completion", "-")])
    };
    assert_eq!(sample.rows(&named), [seen(1, &["Hi", "Hello!"]), seen(2, &["Hi", "Hello!"])]);
    assert_eq!(detected("a.tsv", "prompt\tcompletion\n").1, Layout::PromptCompletion);
}

#[test]
fn preferences() {
    let fields = settings(&[("prompt", "-"), ("chosen", "-"), ("rejected", "-")]);
    for line in [
        r#"{"instruction": "Say hi", "input": "", "chosen": "Hello!", "rejected": "What?"}"#,
        r#"{"prompt": "Say hi", "chosen": "Hello!", "rejected": "What?"}"#,
        r#"{"question": "Say hi", "chosen": "Hello!", "rejected": "What?"}"#,
        r#"{"prompt": [{"role":"user","content":"Say hi"}], "chosen": [{"role":"assistant","content":"Hello!"}], "rejected": [{"role":"assistant","content":"What?"}]}"#,
        r#"{"prompt": "unused", "chosen": [{"role":"user","content":"Say hi"},{"role":"assistant","content":"Hello!"}], "rejected": [{"role":"user","content":"Say hi"},{"role":"assistant","content":"What?"}]}"#,
    ] {
        let (sample, layout) = detected("a.jsonl", line);
        assert_eq!(layout, Layout::Preference);
        assert_eq!(sample.rows(&fields), [seen(1, &["Say hi", "Hello!", "What?"])], "{line}");
    }
}

#[test]
fn layouts_are_told_by_all_of_the_first_rows() {
    assert_eq!(detected("a.jsonl", "{\"text\":\"a\",\"label\":\"b\"}").1, Layout::Fields);
    assert_eq!(detected("a.jsonl", "").1, Layout::Fields);
    assert_eq!(detected("a.txt", "prompt").1, Layout::Fields);
    let both = "{\"prompt\":\"a\",\"completion\":\"b\"}\n{\"prompt\":\"a\"}\n";
    assert_eq!(detected("a.jsonl", both).1, Layout::Fields);
    let faulty = "oops\n\n{\"prompt\":\"a\",\"completion\":\"b\"}\n\u{ff}\n";
    assert_eq!(detected("a.jsonl", faulty).1, Layout::PromptCompletion);
    assert_eq!(detected("a.jsonl", "{\"messages\":\"none\"}").1, Layout::Fields);
}

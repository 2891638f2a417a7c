use std::fs;
use std::sync::{Arc, Mutex};

use pegbox_runtime::{Cleaner, Finding, Outcome, PluginError, RowBatch, Severity, Validator};

use pegbox_records::Schema;
use pegbox_records::parquet_out::Values;
use pegbox_sampling::batches::{BatchSettings, BatchSize};
use pegbox_sampling::lengths::OverLong;

use super::*;
use crate::job::{BalanceSettings, DuplicateSettings, KeepRow, Reading, SourceFile};
use crate::split::SplitSettings;
use crate::stage::{CleanStage, OnFailure, StageIdentity, ValidateStage};
use crate::task::Task;
use crate::tokenize::TokenSettings;
use crate::tokens::RowTarget;

const TINY: &str = include_str!("../tokenize/tiny.json");

/// Drops texts with `bad`.
struct NoBad;

impl Cleaner for NoBad {
    fn clean(&mut self, batch: &RowBatch) -> Result<Vec<Outcome>, PluginError> {
        let bad = |text: &Option<String>| text.as_deref().is_some_and(|text| text.contains("bad"));
        let outcome = |drop| {
            if drop { Outcome::Drop("bad-word".to_owned()) } else { Outcome::Keep }
        };
        Ok(batch.rows.iter().map(|row| outcome(bad(&row.values[0]))).collect())
    }
}

/// Warns of every text with more than 60 bytes.
struct Long;

impl Validator for Long {
    fn validate(&mut self, batch: &RowBatch) -> Result<Vec<Finding>, PluginError> {
        let long = batch.rows.iter().filter(|row| row.values[0].as_ref().is_some_and(|text| text.len() > 60));
        Ok(long
            .map(|row| Finding {
                level: Severity::Warning,
                row: Some(row.id),
                field: Some("text".to_owned()),
                code: "long".to_owned(),
                message: "more than 60 bytes".to_owned(),
                proposed_fix: None,
            })
            .collect())
    }

    fn state(&mut self) -> Result<Vec<u8>, PluginError> {
        Ok(vec![])
    }

    fn merge(&mut self, _: &[u8]) -> Result<(), PluginError> {
        Ok(())
    }

    fn finish(&mut self) -> Result<Vec<Finding>, PluginError> {
        Ok(vec![])
    }
}

fn identity(plugin: &str) -> StageIdentity {
    StageIdentity {
        plugin: plugin.to_owned(),
        version: "1.0.0".to_owned(),
        digest: None,
        configuration: serde_json::json!({}),
    }
}

/// A folder with a training file of 1200 rows in 4 classes and a test file of 40.
fn job(folder: &Path) -> PrepareJob {
    let row = |number: usize| {
        let words = "hello world ".repeat(1 + number * 7919 % 9);
        let bad = if number % 50 == 49 { " bad" } else { "" };
        format!("{{\"text\": \"{words}{number}{bad}\", \"label\": {}}}\n", number % 4)
    };
    fs::write(folder.join("train.jsonl"), (0..1200).map(row).collect::<String>()).unwrap();
    fs::write(folder.join("test.jsonl"), (1200..1240).map(row).collect::<String>()).unwrap();
    let source = |part, name| SourceFile { part, path: folder.join(name) };
    PrepareJob {
        sources: vec![source(Part::Train, "train.jsonl"), source(Part::Test, "test.jsonl")],
        schema: Schema::new([("text", "text"), ("label", "label")]).unwrap(),
        cleaners: vec![CleanStage {
            identity: identity("acme/no-bad"),
            roles: vec!["text".to_owned()],
            modes: Vec::new(),
            make: Arc::new(|_| Ok(Box::new(NoBad))),
            on_failure: OnFailure::Fail,
        }],
        validators: vec![ValidateStage {
            identity: identity("acme/long"),
            roles: vec!["text".to_owned()],
            make: Arc::new(|| Ok(Box::new(Long))),
            on_failure: OnFailure::Fail,
            fail_on: Some(Severity::Error),
        }],
        task: Task::Classification,
        reading: Reading::default(),
        annotations: None,
        duplicates: None,
        suspects: None,
        split: SplitSettings { validation: 0.1, seed: 7, ..SplitSettings::default() },
        leakage: None,
        balance: BalanceSettings::default(),
        tokenizer: TINY.as_bytes().to_vec(),
        tokens: TokenSettings { max_length: 16, ..TokenSettings::default() },
        batching: BatchSettings::new(BatchSize::Tokens(256)),
        threads: 2,
    }
}

fn run(job: &PrepareJob, folder: &Path) -> Result<Prepared, DataError> {
    prepare(job, &folder.join("cache"), &())
}

#[test]
fn a_dataset_is_built_once_and_then_loaded() {
    let folder = tempfile::tempdir().unwrap();
    let mut job = job(folder.path());
    let stages = Mutex::new(Vec::new());
    let progress = |stage: &str, done: u64, total: Option<u64>| {
        stages.lock().unwrap().push((stage.to_owned(), done, total));
    };
    let built = prepare(&job, &folder.path().join("cache"), &progress).unwrap();
    assert_eq!(built.outcome, CacheOutcome::Built);
    let stages = stages.into_inner().unwrap();
    assert!(stages.contains(&("read train.jsonl".to_owned(), 1200, Some(1200))));
    assert!(stages.contains(&("clean".to_owned(), 1240, Some(1240))));
    assert!(stages.iter().any(|(stage, ..)| stage == "tokenize"));

    let report = &built.report;
    assert_eq!(report.stages[0].dropped["bad-word"], 24);
    let findings = built.dataset.findings().unwrap();
    assert_eq!((report.findings[0].count as usize, report.findings[0].examples.len()), (findings.len(), 5));
    assert_eq!(
        (report.rows[&Part::Train], report.rows[&Part::Validation], report.rows[&Part::Test]),
        (1058, 118, 40)
    );
    assert!(report.truncation.rows > 0 && report.truncation.tokens > report.truncation.rows);
    assert!(report.padding.grouped < report.padding.naive && report.padding.naive <= report.padding.fixed);
    assert_eq!(report.classes.len(), 4);
    assert_eq!(report.classes.iter().map(|class| class.train).sum::<u64>(), 1058);
    assert_eq!((report.split.straddling, report.split.left_out), (0, 0));

    // Every record that was not dropped is in one part, with its own text.
    let dataset = &built.dataset;
    let mut seen: Vec<u64> =
        Part::ALL.iter().flat_map(|part| dataset.split(*part).unwrap().records().to_vec()).collect();
    seen.extend(dataset.dropped().unwrap().iter().map(|dropped| dropped.id));
    seen.sort_unstable();
    assert_eq!(seen, (0..1240).collect::<Vec<_>>());
    assert_eq!(dataset.dropped().unwrap()[0].origin, "train.jsonl:50");
    let row = dataset.rows().unwrap().get(1205).unwrap();
    assert_eq!((row.origin.as_str(), row.label.as_str(), row.part), ("test.jsonl:6", "1", Part::Test));
    assert_eq!(dataset.origins(&[0, 1239, 5000]), ["train.jsonl:1", "test.jsonl:40", "record 5000"]);

    // Neither threads nor batch settings change the dataset; batch settings change the padding figures.
    job.threads = 5;
    job.batching = BatchSettings::new(BatchSize::Rows(8));
    let loaded = run(&job, folder.path()).unwrap();
    assert_eq!(loaded.outcome, CacheOutcome::Loaded);
    assert_ne!(loaded.report.padding, report.padding);
    for part in Part::ALL {
        assert_eq!(loaded.dataset.split(part).unwrap(), dataset.split(part).unwrap());
    }
    let rebuilt = prepare(&job, &folder.path().join("other"), &()).unwrap();
    assert_eq!(rebuilt.dataset.train().unwrap(), dataset.train().unwrap());
    assert_eq!(rebuilt.dataset.key(), dataset.key());
}

#[test]
fn whatever_changes_the_dataset_changes_its_key() {
    let folder = tempfile::tempdir().unwrap();
    let changes: [fn(&mut PrepareJob, &Path); 8] = [
        |job, _| job.split.seed = 8,
        |job, _| job.tokens.max_length = 17,
        |job, _| job.tokens.over_long = OverLong::Drop,
        |job, _| job.cleaners[0].identity.configuration = serde_json::json!({"x": 1}),
        |job, _| job.cleaners[0].identity.digest = Some("sha256:00".to_owned()),
        |job, _| job.validators[0].fail_on = None,
        |job, _| job.tokenizer.push(b' '),
        |_, folder| {
            let path = folder.join("test.jsonl");
            let text = fs::read_to_string(&path).unwrap();
            fs::write(path, text.replacen("hello", "world", 1)).unwrap();
        },
    ];
    let mut keys = vec![run(&job(folder.path()), folder.path()).unwrap().dataset.key().to_owned()];
    for change in changes {
        let mut job = job(folder.path());
        change(&mut job, folder.path());
        let prepared = run(&job, folder.path()).unwrap();
        assert_eq!(prepared.outcome, CacheOutcome::Built);
        keys.push(prepared.dataset.key().to_owned());
    }
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), 9);
}

#[test]
fn damage_to_any_file_is_named_and_mended() {
    let folder = tempfile::tempdir().unwrap();
    let job = job(folder.path());
    let built = run(&job, folder.path()).unwrap();
    let train = built.dataset.train().unwrap().clone();
    let place = built.dataset.folder().to_owned();
    let names: Vec<String> = fs::read_dir(&place)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(names.len(), 9, "{names:?}");
    for name in names.into_iter().filter(|name| name != "timings.json") {
        let path = place.join(&name);
        let mut bytes = fs::read(&path).unwrap();
        if bytes.is_empty() {
            bytes.push(0);
        }
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(&path, bytes).unwrap();
        let error = Dataset::open(&place).and_then(|dataset| dataset.verify()).unwrap_err();
        assert!(error.to_string().contains(&name), "{error} does not name {name}");
        let mended = run(&job, folder.path()).unwrap();
        assert!(matches!(mended.outcome, CacheOutcome::Rebuilt { damage } if damage.contains(&name)));
        assert_eq!(mended.dataset.train().unwrap(), &train);
    }
    fs::remove_file(place.join("train-00000.parquet")).unwrap();
    assert!(
        Dataset::open(&place).unwrap_err().to_string().contains("00000.parquet: the file cannot be read")
    );
    // Nothing is left lying about but the dataset and the steps.
    run(&job, folder.path()).unwrap();
    assert_eq!(fs::read_dir(folder.path().join("cache")).unwrap().count(), 2);
}

#[test]
fn grave_findings_stop_the_run_and_leave_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut job = job(folder.path());
    job.validators[0].fail_on = Some(Severity::Warning);
    let error = run(&job, folder.path()).unwrap_err();
    assert!(error.to_string().starts_with("plugin acme/long found "), "{error}");
    assert!(error.to_string().contains("fail-on = \"warning\"; the first: train.jsonl:"), "{error}");
    assert_eq!(error.report().unwrap().findings[0].code, "long");
    // The steps are there for the next try, a dataset is not.
    let names = fs::read_dir(folder.path().join("cache")).unwrap().map(|entry| entry.unwrap().file_name());
    assert_eq!(names.collect::<Vec<_>>(), ["steps"]);
}

#[test]
fn rows_that_cannot_be_trained_on_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("train.jsonl");
    let fails = |job: &PrepareJob| run(job, folder.path()).unwrap_err();

    let mut over_long = job(folder.path());
    over_long.tokens.over_long = OverLong::Fail;
    let error = fails(&over_long);
    assert!(error.to_string().contains("max-length is 16 ("), "{error}");
    over_long.tokens.over_long = OverLong::Drop;
    let prepared = run(&over_long, folder.path()).unwrap();
    assert!(prepared.report.truncation.dropped > 0);
    assert_eq!(prepared.dataset.len(Part::Test), 40);

    let text = fs::read_to_string(&path).unwrap();
    let with = |line: &str| fs::write(&path, format!("{line}\n{text}")).unwrap();
    let plain = |over_long: PrepareJob| PrepareJob { tokens: TokenSettings::default(), ..over_long };
    let job = plain(over_long);
    with("{\"text\": null, \"label\": 1}");
    assert!(fails(&job).to_string().starts_with("train.jsonl:1: the record has no `text` (1 such"));
    fs::write(&path, &text).unwrap();
    fs::write(folder.path().join("test.jsonl"), "{\"text\": \"a\", \"label\": \"7\"}\n").unwrap();
    assert!(fails(&job).to_string().starts_with("test.jsonl:1: the label `7` is in the test rows but not"));
    fs::write(folder.path().join("test.jsonl"), "").unwrap();
    assert!(fails(&job).to_string().starts_with("the test part has no rows"));
    with("{\"text\": }");
    assert!(fails(&job).to_string().contains("train.jsonl:1:10: this is not JSON"));
}

/// The data of the quickstart: the official files of banking77.
#[test]
fn the_example_holds_banking77() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/support-intents/data");
    let folder = tempfile::tempdir().unwrap();
    let mut job = job(folder.path());
    let source = |part, name| SourceFile { part, path: data.join(name) };
    job.sources = vec![source(Part::Train, "train.jsonl.gz"), source(Part::Test, "test.jsonl.gz")];
    job.cleaners.clear();
    job.validators.clear();
    let prepared = run(&job, folder.path()).unwrap();
    let report = &prepared.report;
    assert_eq!((report.files[0].rows, report.files[1].rows), (10_003, 3_080));
    assert_eq!(prepared.dataset.labels().len(), 77);
    // Six training rows say what a test row says.
    assert_eq!((report.rows[&Part::Train], report.rows[&Part::Validation]), (8997, 1000));
    assert_eq!((report.split.left_out, report.conflicts.as_ref().unwrap().conflicts), (6, 1));
    assert!(report.classes.iter().all(|class| class.test == 40 && class.validation >= 3));
    assert_eq!(report.split.straddling, 0);
}

#[test]
fn a_classifier_needs_a_text_and_a_label() {
    let folder = tempfile::tempdir().unwrap();
    let mut job = job(folder.path());
    for (fields, lacks) in
        [([("text", "text"), ("about", "label")], "label"), ([("label", "label"), ("a", "text")], "text")]
    {
        job.schema = Schema::new(fields).unwrap();
        let error = prepare(&job, &folder.path().join("cache"), &()).unwrap_err();
        assert_eq!(error.to_string(), format!("[data].fields: no field has the role `{lacks}`"));
    }
}

#[test]
fn the_format_of_a_file_does_not_change_the_dataset() {
    let folder = tempfile::tempdir().unwrap();
    let mut job = job(folder.path());
    let lines = run(&job, folder.path()).unwrap().dataset;
    let jsonl = fs::read_to_string(folder.path().join("train.jsonl")).unwrap();
    let mut table = "text\tlabel\n".to_owned();
    for line in jsonl.lines() {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        table += &format!("{}\t{}\n", row["text"].as_str().unwrap(), row["label"]);
    }
    job.sources[0].path = folder.path().join("train.tsv");
    fs::write(&job.sources[0].path, table).unwrap();
    let tabs = run(&job, folder.path()).unwrap().dataset;
    assert_ne!(lines.key(), tabs.key());
    for part in Part::ALL {
        assert_eq!(lines.split(part).unwrap(), tabs.split(part).unwrap());
    }
}

/// Tags and entities, or prompts and completions, in the place of texts and labels.
#[test]
fn tokens_with_tags_and_prompts_with_completions_are_prepared() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rows.jsonl");
    let row = |number: usize| {
        let tag = if number.is_multiple_of(3) { "B-place" } else { "O" };
        format!(
            "{{\"tokens\": [\"hello\", \"world\", \"{number}\"], \"tags\": [\"O\", \"{tag}\", \"O\"], \
             \"instruction\": \"hello {number}\", \"input\": \"\", \"output\": \"world\"}}\n"
        )
    };
    fs::write(&path, (0..60).map(row).collect::<String>()).unwrap();
    let mut job = job(folder.path());
    job.sources = vec![SourceFile { part: Part::Train, path }];
    (job.cleaners, job.validators) = (Vec::new(), Vec::new());
    job.split = SplitSettings { seed: 7, ..SplitSettings::default() };

    job.task = Task::Tagging;
    job.schema = Schema::new([("tokens", "tokens"), ("tags", "tags")]).unwrap();
    let tagged = run(&job, folder.path()).unwrap();
    assert_eq!(tagged.report.split.method, "iterative");
    assert_eq!(tagged.dataset.labels().names(), ["B-place", "O"]);
    let rows = |prepared: &Prepared, columns: &[&str]| {
        let table = prepared.dataset.folder().join("train-00000.parquet");
        let table = pegbox_records::parquet_out::ParquetRows::open(&table, columns).unwrap();
        table.batches().unwrap().next().unwrap().unwrap().values
    };
    let Values::I32List(labels) = &rows(&tagged, &["labels"])[0] else { panic!("no list") };
    let with_entity = labels.iter().filter(|labels| labels.contains(&0)).count();
    assert_eq!((labels.len(), with_entity), (42, 14));
    assert!(labels.iter().all(|labels| labels[0] == -100 && labels[1] == 1));
    let trained = tagged.dataset.train().unwrap();
    let targets = (0..trained.len()).map(|row| trained.example(row).unwrap().target);
    let with_entity = targets.filter(|target| matches!(target, RowTarget::Tokens(tags) if tags.contains(&0)));
    assert_eq!(with_entity.count(), 14);

    job.task = Task::Generation;
    job.schema = Schema::new([("prompt", "prompt"), ("completion", "completion")]).unwrap();
    let generated = run(&job, folder.path()).unwrap();
    assert_eq!(generated.report.files[0].layout, "alpaca");
    let [Values::U32List(ids), Values::I32List(labels)] = &rows(&generated, &["input_ids", "labels"])[..]
    else {
        panic!("no lists")
    };
    for (ids, labels) in ids.iter().zip(labels.iter()) {
        assert_eq!((ids.len(), labels.iter().filter(|label| **label >= 0).count()), (labels.len(), 2));
    }
    let trained = generated.dataset.train().unwrap();
    assert_eq!(trained.len(), ids.len());
    for (row, labels) in labels.iter().enumerate() {
        let example = trained.example(row).unwrap();
        assert_eq!(example.target, RowTarget::Completion(labels));
        assert_eq!(example.type_ids, vec![0; labels.len()]);
    }

    job.task = Task::Seq2Seq;
    job.schema = Schema::new([("source", "instruction"), ("target", "output")]).unwrap();
    let pairs = run(&job, folder.path()).unwrap();
    let [Values::Text(sources), Values::Text(targets), Values::U32List(ids), Values::I32List(labels)] =
        &rows(&pairs, &["source", "target", "input_ids", "labels"])[..]
    else {
        panic!("no texts and lists")
    };
    assert_eq!(ids.len(), sources.len());
    assert!(sources.iter().zip(targets).all(|(source, target)| {
        source.as_deref().is_some_and(|text| text.starts_with("hello ")) && target.as_deref() == Some("world")
    }));
    assert!(labels.iter().all(|labels| labels.len() == 3), "the target and its special tokens");
    let trained = pairs.dataset.train().unwrap();
    for (row, (ids, labels)) in ids.iter().zip(labels.iter()).enumerate() {
        let example = trained.example(row).unwrap();
        assert_eq!((example.ids, example.target), (ids, RowTarget::Text(labels)));
    }

    let text = fs::read_to_string(&job.sources[0].path).unwrap();
    fs::write(&job.sources[0].path, text.replacen("\"O\", \"B-place\"", "\"B-place\"", 1)).unwrap();
    job.task = Task::Tagging;
    job.schema = Schema::new([("tokens", "tokens"), ("tags", "tags")]).unwrap();
    let error = run(&job, folder.path()).unwrap_err();
    assert_eq!(error.to_string(), "rows.jsonl:1: 3 tokens have 2 tags");
}

/// Replaces sixteen digits.
struct Scrubber;

impl Cleaner for Scrubber {
    fn clean(&mut self, batch: &RowBatch) -> Result<Vec<Outcome>, PluginError> {
        let outcome = |text: &str| match text.find("4111 1111 1111 1111") {
            Some(_) => Outcome::Replace(vec![Some(text.replace("4111 1111 1111 1111", "[CARD]"))]),
            None => Outcome::Keep,
        };
        Ok(batch.rows.iter().map(|row| outcome(row.values[0].as_deref().unwrap_or_default())).collect())
    }
}

#[test]
fn texts_that_were_near_before_they_were_cleaned_stay_together() {
    let folder = tempfile::tempdir().unwrap();
    let mut job = job(folder.path());
    // Of each pair one number is wrong by a digit, and stays.
    let row = |number: usize| {
        let card = ["4111 1111 1111 1111", "4111 1111 1111 111"][number % 2];
        let text = format!("{0:020} {0:020} my card {card} is lost at {0:020}", number / 2 * 7919);
        format!("{{\"text\": \"{text}\", \"label\": {}}}\n", number / 2 % 2)
    };
    fs::write(folder.path().join("train.jsonl"), (0..400).map(row).collect::<String>()).unwrap();
    job.sources.truncate(1);
    job.validators.clear();
    job.cleaners[0].make = Arc::new(|_| Ok(Box::new(Scrubber)));
    job.split = SplitSettings { validation: 0.3, test: 0.2, ..job.split };
    job.duplicates = Some(DuplicateSettings {
        near: Some(0.8),
        shingle: pegbox_duplicates::Shingle::default(),
        fields: vec!["text".to_owned()],
        keep: KeepRow::First,
        seed: 7,
    });
    let prepared = run(&job, folder.path()).unwrap();
    let duplicates = prepared.report.duplicates.clone().unwrap();
    assert_eq!((duplicates.exact_removed, duplicates.near_removed), (0, 0));
    let rows = prepared.dataset.rows().unwrap();
    for number in (0..400).step_by(2) {
        let part = |id| rows.get(id).unwrap().part;
        assert_eq!(part(number), part(number + 1), "{number}");
    }
}

/// Writes the most frequent value where there is none.
struct Filler(Option<String>);

impl Cleaner for Filler {
    fn clean(&mut self, batch: &RowBatch) -> Result<Vec<Outcome>, PluginError> {
        let outcome = |value: &Option<String>| match value {
            Some(_) => Outcome::Keep,
            None => Outcome::Replace(vec![self.0.clone()]),
        };
        Ok(batch.rows.iter().map(|row| outcome(&row.values[0])).collect())
    }
}

#[test]
fn a_cleaner_is_told_the_most_frequent_values() {
    let folder = tempfile::tempdir().unwrap();
    let mut job = job(folder.path());
    let row = |number: usize| {
        let text = format!("hello {number}");
        let label = [r#""a""#, r#""b""#, r#""b""#, "null"][number % 4];
        format!("{{\"text\": \"{text}\", \"label\": {label}}}\n")
    };
    fs::write(folder.path().join("train.jsonl"), (0..400).map(row).collect::<String>()).unwrap();
    job.sources.truncate(1);
    job.validators.clear();
    let key = KeyParts::of(&job, &Origins::new(&[&job.sources[0].path])).unwrap().key().unwrap();
    let stage = &mut job.cleaners[0];
    (stage.roles, stage.modes) = (vec!["label".to_owned()], vec!["label".to_owned()]);
    stage.make = Arc::new(|modes| {
        assert_eq!(modes["label"], ["b", "a"]);
        Ok(Box::new(Filler(modes["label"].first().cloned())))
    });
    assert_ne!(KeyParts::of(&job, &Origins::new(&[&job.sources[0].path])).unwrap().key().unwrap(), key);
    let prepared = run(&job, folder.path()).unwrap();
    let rows = prepared.dataset.rows().unwrap();
    assert!((3..400).step_by(4).all(|number| rows.get(number).unwrap().label == "b"));

    job.cleaners[0].modes = vec!["priority".to_owned()];
    let error = run(&job, folder.path()).unwrap_err().to_string();
    assert!(error.contains("priority"), "{error}");
}

//! `pegbox prepare`: killed at random moments, on a full disk, and with everything that it can do.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::Value;

use crate::fixture::Project;

const ROWS: usize = 24_000;

/// A project whose recipe asks for every step, over several shards of dirty rows.
fn project() -> Project {
    let project = Project::new();
    project.edit("test = \"data/test.jsonl\"\n", "on-error = \"quarantine\"\n");
    project.edit("fields = {", "fields = { source = \"source\", ");
    project.edit(
        "split = { validation = 0.2, seed = 7 }",
        "[data.split]\nseed = 7\n\n\
         [[data.clean]]\nplugin = \"pegbox/text-normalizer@^0.1\"\n\n\
         [data.duplicates]\nnear = 0.7\n\n\
         [data.suspects]\naction = \"drop\"\n\n\
         [[data.validate]]\nplugin = \"pegbox/label-guard@^0.1\"\nfail-on = \"never\"\n\n\
         [data.leakage]\naction = \"report\"\n\n\
         [data.balance]\nmethod = \"over-sample\"\nreport = \"source\"",
    );
    let mut lines = String::new();
    for row in 0..ROWS {
        // A row of every hundred is there again, and another one nearly so.
        let number = match row % 100 {
            98 => row - 60,
            99 => row - 50,
            _ => row,
        };
        let colour = ["red", "green", "blue", "yellow"][number * number % 7 % 4];
        let end = if row % 100 == 99 { "!" } else { "" };
        writeln!(
            lines,
            "{{\"text\": \"{colour} thing {number} of {} &amp; {} {end}\", \"label\": \"{colour}\", \"source\": \"s{}\"}}",
            number * 7919 % 10_007,
            number * 104_729 % 99_991,
            row % 3,
        )
        .unwrap();
        if row % 5000 == 17 {
            lines.push_str("{\"text\": \n");
        }
    }
    project.write("data/train.jsonl", &lines);
    project
}

fn arguments() -> Vec<String> {
    let built = crate::first_party::built();
    ["--plugins", built.to_str().unwrap(), "prepare", "--log", "json"].map(str::to_owned).to_vec()
}

/// The files of the only dataset, by name; the times that the steps took are no part of it.
fn dataset(project: &Project) -> BTreeMap<String, Vec<u8>> {
    let datasets = project.path("cache/datasets");
    let mut folders: Vec<PathBuf> =
        fs::read_dir(&datasets).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.retain(|folder| folder.file_name().unwrap() != "steps");
    assert_eq!(folders.len(), 1, "{folders:?}");
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(&folders[0]).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if name != "timings.json" && name != "report.html" {
            files.insert(name, fs::read(path).unwrap());
        }
    }
    files
}

/// Everything that was left half-written.
fn temporaries(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().unwrap().to_str().unwrap().starts_with(".writing-") {
            found.push(path);
        } else if path.is_dir() {
            temporaries(&path, found);
        }
    }
}

#[test]
fn every_step_leaves_what_it_says() {
    let project = project();
    let arguments = arguments();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    project.pegbox(&arguments).succeeds();
    let files = dataset(&project);
    let report: Value = serde_json::from_slice(&files["report.json"]).unwrap();
    let lines = |name: &str| -> Vec<Value> {
        let text = String::from_utf8(files[name].clone()).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    assert_eq!(report["quarantined"], 5);
    let quarantined = lines("quarantined.jsonl");
    assert_eq!(quarantined.len(), 5);
    assert!(quarantined[0]["origin"].as_str().unwrap().starts_with("train.jsonl:19:9"), "{}", quarantined[0]);
    assert_eq!(report["files"][0]["rows"], ROWS);
    let duplicates = &report["duplicates"];
    let removed =
        duplicates["exact_removed"].as_u64().unwrap() + duplicates["near_removed"].as_u64().unwrap();
    assert!(duplicates["exact_removed"].as_u64().unwrap() >= (ROWS / 100) as u64, "{duplicates}");
    let dropped = lines("dropped.jsonl");
    let of_stage = |stage: &str| dropped.iter().filter(|dropped| dropped["stage"] == stage).count() as u64;
    assert_eq!(of_stage("duplicates"), removed);
    assert!(
        dropped
            .iter()
            .filter(|dropped| dropped["stage"] == "duplicates")
            .all(|dropped| { dropped["of"].as_str().is_some_and(|of| of.starts_with("train.jsonl:")) })
    );
    assert_eq!(report["split"]["straddling"], 0);
    // Every row that was read is in one part or has a reason.
    let rows: u64 =
        ["train", "validation", "test"].map(|part| report["rows"][part].as_u64().unwrap()).iter().sum();
    let balance = &report["balance"];
    let repeated = balance["rows_after"].as_u64().unwrap() - balance["rows_before"].as_u64().unwrap();
    assert!(repeated > 0, "{balance}");
    assert_eq!(rows - repeated + dropped.len() as u64, ROWS as u64);
    let sources = &balance["groups"][1];
    assert_eq!((sources["field"].as_str(), sources["groups"].as_array().unwrap().len()), (Some("source"), 3));
    assert!(files.keys().any(|name| name.starts_with("train-") && name.ends_with(".parquet")));
}

#[test]
fn killed_five_times_and_resumed_the_dataset_is_the_same() {
    let arguments = arguments();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let whole = project();
    let started = Instant::now();
    whole.pegbox(&arguments).succeeds();
    let took = started.elapsed();
    let expected = dataset(&whole);

    let seed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().subsec_nanos();
    println!("random moments from {seed} within {took:?}");
    let killed = project();
    let mut random = pegbox_data::SplitMix64::new(seed.into());
    for _ in 0..5 {
        let mut child = killed.spawn(&arguments);
        std::thread::sleep(Duration::from_micros(random.below(took.as_micros() as usize) as u64));
        // Kill sends SIGKILL.
        child.kill().unwrap();
        child.wait().unwrap();
    }
    killed.pegbox(&arguments).succeeds();
    let found = dataset(&killed);
    assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
    for (name, bytes) in &expected {
        assert!(found[name] == *bytes, "{name} differs");
    }
    let mut left = Vec::new();
    temporaries(&killed.path("cache/datasets"), &mut left);
    assert_eq!(left, Vec::<PathBuf>::new());
}

/// In a namespace of its own the cache lies on a disk of four MiB.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_told_and_nothing_is_half_written() {
    let project = project();
    let arguments = arguments().join(" ");
    let script = format!(
        "mkdir -p cache && mount -t tmpfs -o size=4m tmpfs cache && {{ {} {arguments}; echo status $?; find cache; }}",
        env!("CARGO_BIN_EXE_pegbox"),
    );
    let output = project.within("unshare", &["--user", "--map-root-user", "--mount", "sh", "-c", &script]);
    let (said, found) = (output.messages(), output.results());
    assert!(found.contains("status 1\n"), "{said}\n{found}");
    assert!(said.contains("No space left on device"), "{said}");
    assert!(said.contains("free some space and run the same command again"), "{said}");
    assert!(!found.contains("manifest.json"), "a dataset under its final name:\n{found}");
    assert!(!found.contains(".writing-"), "half-written:\n{found}");
}

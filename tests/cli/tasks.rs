//! Every task from the recipe to a prediction.

use std::fs;

use serde_json::{Value, json};

use crate::fixture::Project;

/// The fixture's rows with other labels.
fn relabelled(project: &Project, label: impl Fn(&str) -> Value) {
    for file in ["data/train.jsonl", "data/test.jsonl"] {
        let lines = fs::read_to_string(project.path(file)).unwrap();
        let rows: String = lines
            .lines()
            .map(|line| {
                let row: Value = serde_json::from_str(line).unwrap();
                let text = row["text"].as_str().unwrap();
                format!("{}\n", json!({ "text": text, "label": label(text) }))
            })
            .collect();
        project.write(file, &rows);
    }
}

/// The scores of the test part, and config.json, after a training.
fn trained(project: &Project) -> (Value, Value) {
    project.pegbox(&["train"]).succeeds();
    project.pegbox(&["eval"]).succeeds();
    let runs = project.path("runs");
    let run = fs::read_dir(runs).unwrap().next().unwrap().unwrap().path();
    let read = |name: &str| -> Value { serde_json::from_slice(&fs::read(run.join(name)).unwrap()).unwrap() };
    (read("evaluation.json")["scores"]["test"].clone(), read("model/config.json"))
}

fn predicted(project: &Project, text: &str) -> Value {
    let seen = project.pegbox(&["predict", "--json", text]).succeeds();
    serde_json::from_str(&seen.results()).unwrap()
}

#[test]
fn tagging() {
    let project = Project::new();
    for file in ["data/train.jsonl", "data/test.jsonl"] {
        let lines = fs::read_to_string(project.path(file)).unwrap();
        let rows: String = lines
            .lines()
            .map(|line| {
                let row: Value = serde_json::from_str(line).unwrap();
                let tokens: Vec<&str> = row["text"].as_str().unwrap().split(' ').collect();
                let colours = ["red", "green", "blue", "grey"];
                let tags: Vec<&str> = tokens
                    .iter()
                    .map(|token| if colours.contains(token) { "B-colour" } else { "O" })
                    .collect();
                format!("{}\n", json!({ "tokens": tokens, "tags": tags }))
            })
            .collect();
        project.write(file, &rows);
    }
    project.edit("task = \"classification\"", "task = \"tagging\"");
    project.edit(
        "fields = { text = \"text\", label = \"label\" }",
        "fields = { tokens = \"tokens\", tags = \"tags\" }",
    );
    project.edit("epochs = 2", "epochs = 6");
    let (scores, config) = trained(&project);
    assert!(scores["accuracy"].as_f64().unwrap() > 0.95, "{scores}");
    assert_eq!(config["architectures"], json!(["BertForTokenClassification"]));
    assert_eq!(config["id2label"], json!({ "0": "B-colour", "1": "O" }));
    let found = predicted(&project, "the old car is red today 7");
    assert_eq!(found["tags"], json!(["O", "O", "O", "O", "B-colour", "O", "O"]), "{found}");
    assert_eq!(found["entities"], json!([{ "type": "colour", "words": [4, 5], "text": "red" }]));
}

#[test]
fn several_labels() {
    let project = Project::new();
    relabelled(&project, |text| {
        let words = ["red", "car", "tree"].into_iter().filter(|word| text.contains(word));
        words.collect::<Vec<_>>().join(" ").into()
    });
    project.edit("task = \"classification\"", "task = \"multi-label\"\npooling = \"mean\"");
    project.edit("loss = { builtin = \"cross-entropy\" }", "");
    project.edit("epochs = 2", "epochs = 40");
    let (scores, config) = trained(&project);
    assert!(scores["micro-f1"].as_f64().unwrap() > 0.8, "{scores}");
    assert_eq!(config["problem_type"], "multi_label_classification");
    let found = predicted(&project, "the old car is red today 7");
    let labels = found["labels"].as_array().unwrap();
    let mut best = [0, 1].map(|at| labels[at]["label"].as_str().unwrap());
    best.sort_unstable();
    assert_eq!(best, ["car", "red"], "{found}");
}

#[test]
fn numbers() {
    let project = Project::new();
    relabelled(&project, |text| if text.contains("red") { json!(1.5) } else { json!(-0.5) });
    project.edit("task = \"classification\"", "task = \"regression\"");
    project.edit("loss = { builtin = \"cross-entropy\" }", "");
    project.edit("epochs = 2", "epochs = 40");
    let (scores, config) = trained(&project);
    assert!(scores["pearson"].as_f64().unwrap() > 0.9, "{scores}");
    assert_eq!(
        (&config["problem_type"], &config["id2label"]),
        (&json!("regression"), &json!({ "0": "LABEL_0" }))
    );
    assert!(predicted(&project, "the old car is red today 7")["value"].as_f64().unwrap() > 0.5);

    let rows = fs::read_to_string(project.path("data/train.jsonl")).unwrap();
    project.write("data/train.jsonl", &format!("{{\"text\": \"the car\", \"label\": \"much\"}}\n{rows}"));
    let report = project.pegbox(&["prepare"]).report();
    assert!(report.contains("train.jsonl:1") && report.contains("`much` is no number"), "{report}");
}

#[test]
fn more_pretraining() {
    let project = Project::new();
    project.edit("task = \"classification\"", "task = \"masked-lm\"");
    project.edit("loss = { builtin = \"cross-entropy\" }", "");
    let base = project.pegbox(&["eval", "--base"]).succeeds();
    assert!(base.results().contains("perplexity"), "{}", base.results());
    let (scores, config) = trained(&project);
    assert!(scores["perplexity"].as_f64().unwrap() < 44.0, "{scores}");
    assert_eq!(config["architectures"], json!(["BertForMaskedLM"]));
    let report = project.pegbox(&["predict", "the car"]).report();
    assert!(report.contains("is a masked language model"), "{report}");
}

#[test]
fn embeddings_need_a_loss_that_compares_texts() {
    let project = Project::new();
    project.edit("task = \"classification\"", "task = \"embeddings\"");
    project.edit("loss = { builtin = \"cross-entropy\" }", "");
    let report = project.pegbox(&["check"]).report();
    assert!(report.contains("pegbox/contrastive-loss"), "{report}");
}

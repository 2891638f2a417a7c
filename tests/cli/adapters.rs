//! Adapters from the recipe to a merged model.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::fixture::Project;

const TEXTS: [&str; 3] = ["the old car is red today 7", "a new tree is blue", "the river is grey not 3"];

/// A recipe that trains an adapter and exports it, and the model with it merged.
fn project(adapter: &str) -> Project {
    let project = Project::new();
    project.edit("epochs = 2", "epochs = 12");
    project.edit("learning-rate = 1e-3", "learning-rate = 5e-3");
    project.edit("[data]", &format!("[model.adapter]\n{adapter}\n\n[data]"));
    project.edit(
        "loss = { builtin = \"cross-entropy\" }",
        "loss = { builtin = \"cross-entropy\" }\n\n[[export]]\nbuiltin = \"peft-folder\"\nto = \"out/adapter\"\n",
    );
    project
}

/// The logits of the texts by the model in `folder`.
fn logits(project: &Project, arguments: &[&str]) -> Vec<f64> {
    let arguments = [&["predict", "--json", "--logits"], arguments, &TEXTS].concat();
    let results = project.pegbox(&arguments).succeeds().results();
    let lines = results.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let logits = lines.flat_map(|line| line["logits"].as_array().unwrap().clone());
    logits.map(|value| value.as_f64().unwrap()).collect()
}

#[track_caller]
fn assert_near(ours: &[f64], theirs: &[f64], limit: f64) {
    assert_eq!(ours.len(), theirs.len());
    for (a, b) in ours.iter().zip(theirs) {
        assert!((a - b).abs() < limit, "{a} and {b}");
    }
}

fn run_of(project: &Project) -> PathBuf {
    fs::read_dir(project.path("runs")).unwrap().next().unwrap().unwrap().path()
}

fn read(project: &Project, path: &str) -> Value {
    serde_json::from_slice(&fs::read(project.path(path)).unwrap()).unwrap()
}

#[test]
fn an_adapter_is_trained_exported_merged_and_gone_on_from() {
    let project = project("rank = 4\ntargets = [\"query\", \"value\", \"dense\"]\ndropout = 0.1");
    project.pegbox(&["run"]).succeeds();
    let scores = read(&project, &format!("{}/evaluation.json", run_of(&project).display()));
    assert!(scores["scores"]["test"]["accuracy"].as_f64().unwrap() > 0.9, "{scores}");

    let config = read(&project, "out/adapter/adapter_config.json");
    assert_eq!(config["modules_to_save"], json!(["classifier"]));
    assert_eq!((&config["r"], &config["lora_alpha"]), (&json!(4), &json!(8)));
    assert_eq!(config["base_model_name_or_path"], "model");
    assert_eq!(config["target_modules"], json!(["dense", "query", "value"]));

    let of_run = logits(&project, &[]);
    let of_adapter = logits(&project, &["--model", "out/adapter"]);
    assert_near(&of_adapter, &of_run, 1e-6);
    project.pegbox(&["merge", "out/adapter", "--out", "out/merged"]).succeeds();
    assert_near(&logits(&project, &["--model", "out/merged"]), &of_run, 1e-4);
    assert_eq!(
        read(&project, "out/merged/config.json")["architectures"],
        json!(["BertForSequenceClassification"])
    );
    let labels = read(&project, "out/merged/config.json")["id2label"].clone();
    assert_eq!(labels["0"], "blue");
    let taken = project.pegbox(&["merge", "out/adapter", "--out", "out/merged"]).report();
    assert!(taken.contains("out/merged exists already"), "{taken}");

    // Elsewhere, the base must be named.
    fs::rename(project.path("model"), project.path("moved")).unwrap();
    assert_ne!(project.pegbox(&["merge", "out/adapter", "--out", "out/m"]).status(), 0);
    assert_near(&logits(&project, &["--model", "out/adapter", "--base", "moved"]), &of_run, 1e-6);
    fs::rename(project.path("moved"), project.path("model")).unwrap();

    // Training goes on from an adapter: before its first step it is what the other became.
    project.edit(
        "rank = 4\ntargets = [\"query\", \"value\", \"dense\"]\ndropout = 0.1",
        "from = \"out/adapter\"",
    );
    let again = project.pegbox(&["eval", "--base"]).succeeds().results();
    let accuracy = scores["scores"]["test"]["accuracy"].as_f64().unwrap();
    assert!(again.contains(&format!("{accuracy:.4}")), "{again}");
    project.edit("epochs = 12", "epochs = 1");
    project.edit("to = \"out/adapter\"", "to = \"out/second\"");
    project.pegbox(&["run"]).succeeds();
    assert_eq!(read(&project, "out/second/adapter_config.json")["r"], 4);
}

#[test]
fn magnitudes_on_a_base_in_four_bits() {
    let project = project("kind = \"dora\"\nquantize = \"nf4-double\"\ntargets = \"all-linear\"");
    let messages = project.pegbox(&["train"]).succeeds().messages();
    assert!(messages.contains("13 matrices of the base model in NF4"), "{messages}");
    project.pegbox(&["export"]).succeeds();
    let config = read(&project, "out/adapter/adapter_config.json");
    assert_eq!(
        (&config["use_dora"], &config["pegbox"]),
        (&json!(true), &json!({ "quantize": "nf4-double" }))
    );
    let of_run = logits(&project, &[]);
    assert_near(&logits(&project, &["--model", "out/adapter"]), &of_run, 1e-6);
    project.pegbox(&["merge", "out/adapter", "--out", "out/merged"]).succeeds();
    assert_near(&logits(&project, &["--model", "out/merged"]), &of_run, 1e-4);
}

#[test]
fn what_is_wrong_with_an_adapter_is_said() {
    let wrong = project("targets = [\"q_proj\"]").pegbox(&["train"]).report();
    assert!(wrong.contains("`q_proj` fits no linear layer"), "{wrong}");
    assert!(wrong.contains("query"), "{wrong}");
    let project = project("from = \"out/adapter\"");
    let missing = project.pegbox(&["train"]).report();
    assert!(missing.contains("out/adapter"), "{missing}");
    project.write("out/adapter/adapter_model.safetensors", "");
    project.write("out/adapter/adapter_config.json", "{\"peft_type\": \"IA3\"}");
    let kind = project.pegbox(&["train"]).report();
    assert!(kind.contains("IA3") && kind.contains("LoRA and DoRA"), "{kind}");
    let none = project.pegbox(&["merge", "model", "--out", "x"]).report();
    assert!(none.contains("model holds no adapter"), "{none}");
}

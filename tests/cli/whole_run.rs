//! A whole run with the real binary: what is stale is done, what is not comes from the cache.

use std::fs;

use serde_json::Value;

use crate::fixture::Project;

#[test]
fn a_run_ends_in_predictions_and_the_next_one_uses_the_caches() {
    let project = Project::new();
    let first = project.pegbox(&["run"]).succeeds();
    let results = first.results();
    assert!(results.contains("test, 40 rows"), "{results}");
    assert!(results.contains("accuracy"), "{results}");
    assert!(project.path("pegbox.lock").is_file());

    let second = project.pegbox(&["run"]).succeeds().messages();
    for stage in ["prepare", "train", "eval"] {
        assert!(second.contains(&format!("{stage}: unchanged, from cache")), "{second}");
    }

    let predicted =
        project.pegbox(&["predict", "--json", "--top", "2", "the car is red"]).succeeds().results();
    let predicted: Value = serde_json::from_str(&predicted).unwrap();
    let labels = predicted["labels"].as_array().unwrap();
    assert_eq!(labels.len(), 2);
    assert!(labels[0]["probability"].as_f64() >= labels[1]["probability"].as_f64());

    // A change of the recipe makes the training stale, and the dataset not.
    project.edit("epochs = 2", "epochs = 1");
    let third = project.pegbox(&["run"]).succeeds().messages();
    assert!(third.contains("prepare: unchanged, from cache"), "{third}");
    assert!(!third.contains("train: unchanged"), "{third}");
}

#[test]
fn the_same_recipe_gives_the_same_weights() {
    let weights = || {
        let project = Project::new();
        project.pegbox(&["train"]).succeeds();
        let run = fs::read_dir(project.path("runs")).unwrap().next().unwrap().unwrap().path();
        let mut found: Vec<_> = fs::read_dir(run.join("checkpoints"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.is_dir())
            .collect();
        found.sort();
        fs::read(found.last().unwrap().join("model.safetensors")).unwrap()
    };
    assert!(weights() == weights());
}

#[test]
fn json_logs_are_json() {
    let project = Project::new();
    let messages = project.pegbox(&["train", "--log", "json"]).succeeds().messages();
    let events: Vec<Value> = messages.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let named = |name: &str| events.iter().any(|event| event["event"] == name);
    assert!(named("stage-started") && named("step") && named("stage-finished"), "{messages}");
}

#[test]
fn check_finds_nothing_wrong_in_seconds() {
    let project = Project::new();
    let seen = project.pegbox(&["check"]).succeeds();
    assert!(seen.messages().contains("check: all is well"), "{}", seen.messages());
    assert!(seen.results().contains("[CLS] "), "{}", seen.results());
}

#[test]
fn init_writes_a_recipe_and_never_over_one() {
    let project = Project::new();
    project.pegbox(&["init", "fresh"]).succeeds();
    assert!(project.path("fresh/pegbox.toml").is_file());
    let again = project.pegbox(&["init", "fresh"]);
    assert_eq!(again.status(), 2, "{}", again.messages());
}

#[test]
fn a_model_can_be_inspected() {
    let project = Project::new();
    let seen = project.pegbox(&["models", "inspect", "model", "--tensors"]).succeeds().results();
    assert!(seen.contains("licence       MIT"), "{seen}");
    assert!(seen.contains("embeddings.word_embeddings.weight"), "{seen}");
}

//! Every task from the recipe to a prediction.

use std::fs;

use pegbox_models::Head;
use serde_json::{Value, json};

use crate::first_party::built;
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

/// Learns to answer questions by the recipe's `task`, and to measure its answers.
fn asks(project: &Project, task: &str, [read, written]: [&str; 2]) {
    project.write_questions();
    project.edit("task = \"classification\"", &format!("task = \"{task}\""));
    project.edit(
        "fields = { text = \"text\", label = \"label\" }",
        &format!("fields = {{ {read} = \"question\", {written} = \"answer\" }}"),
    );
    project.edit("epochs = 2", "epochs = 30");
    project.edit("learning-rate = 1e-3", "learning-rate = 3e-3");
    project.edit(
        "loss = { builtin = \"cross-entropy\" }",
        "\n[[metrics]]\nbuiltin = \"perplexity\"\n\n[[metrics]]\nbuiltin = \"exact-match\"\n",
    );
}

fn gpt2() -> Value {
    json!({
        "model_type": "gpt2", "vocab_size": 43, "n_embd": 32, "n_layer": 2, "n_head": 2, "n_positions": 64,
        "initializer_range": 0.1, "bos_token_id": 2, "eos_token_id": 2,
    })
}

fn llama() -> Value {
    json!({
        "model_type": "llama", "vocab_size": 43, "hidden_size": 32, "intermediate_size": 64,
        "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
        "max_position_embeddings": 64, "initializer_range": 0.1, "tie_word_embeddings": true,
    })
}

fn t5() -> Value {
    json!({
        "model_type": "t5", "vocab_size": 43, "d_model": 32, "d_kv": 8, "d_ff": 64, "num_layers": 2, "num_heads": 4,
        "feed_forward_proj": "gated-gelu", "dropout_rate": 0.0, "eos_token_id": 3, "tie_word_embeddings": false,
    })
}

#[test]
fn answers_to_prompts() {
    let rows = "batch = { rows = 16 }";
    for (model, class, batch) in
        [(gpt2(), "GPT2LMHeadModel", rows), (llama(), "LlamaForCausalLM", "batch = { packed = 160 }")]
    {
        let project = Project::new();
        project.set_model(&model, Head::CausalLm, Some(1));
        asks(&project, "generation", ["prompt", "completion"]);
        project.edit(rows, batch);
        let check = project.pegbox(&["check"]).succeeds();
        assert!(check.results().contains("writes red car [SEP] after"), "{}", check.results());
        let base = project.pegbox(&["eval", "--base"]).succeeds().results();
        assert!(base.contains("perplexity") && base.contains("exact-match          0.0000"), "{base}");
        let (scores, config) = trained(&project);
        assert!(scores["perplexity"].as_f64().unwrap() < 1.1, "{class}: {scores}");
        assert_eq!(
            (&scores["exact-match"], &scores["token-error-rate"]),
            (&json!(1.0), &json!(0.0)),
            "{class}"
        );
        assert_eq!(config["architectures"], json!([class]));
        let ends = if class == "GPT2LMHeadModel" { json!([3, 2]) } else { json!(3) };
        assert_eq!((&config["tie_word_embeddings"], &config["eos_token_id"]), (&json!(true), &ends));
        assert_eq!(predicted(&project, "the old car 1007")["answer"], "red car");
    }
}

#[test]
fn texts_for_texts_from_new_weights() {
    let project = Project::new();
    project.set_model(&t5(), Head::Seq2Seq, None);
    asks(&project, "seq2seq", ["source", "target"]);
    let report = project.pegbox(&["check"]).report();
    assert!(report.contains("lacks model.safetensors"), "{report}");
    project.edit("task = \"seq2seq\"", "task = \"seq2seq\"\ninit = \"random\"");
    project.pegbox(&["check"]).succeeds();
    let (scores, config) = trained(&project);
    assert!(scores["perplexity"].as_f64().unwrap() < 1.1, "{scores}");
    assert_eq!((&scores["exact-match"], &scores["token-error-rate"]), (&json!(1.0), &json!(0.0)));
    assert_eq!(config["architectures"], json!(["T5ForConditionalGeneration"]));
    assert_eq!(config["tie_word_embeddings"], false);
    assert_eq!(predicted(&project, "a very old river 3")["answer"], "grey river");
}

/// A plugin's loss trains it, and the artifact writes what the run writes.
#[test]
fn a_loss_plugin_and_an_artifact_of_models_that_write() {
    let built = built();
    let plugins = ["--plugins", built.to_str().unwrap()];
    for (task, roles, model, head) in [
        ("generation", ["prompt", "completion"], llama(), Head::CausalLm),
        ("seq2seq", ["source", "target"], t5(), Head::Seq2Seq),
    ] {
        let project = Project::new();
        project.set_model(&model, head, Some(1));
        asks(&project, task, roles);
        project.edit(
            "[[metrics]]\nbuiltin = \"exact-match\"",
            "[[export]]\nplugin = \"pegbox/hf-folder@^0.1\"\nto = \"out/hf\"",
        );
        project.edit(
            "[train]",
            "[train]\nloss = { plugin = \"pegbox/focal-loss@^0.1\", config = { gamma = 1.0 } }",
        );
        project.pegbox(&[&plugins[..], &["run"]].concat()).succeeds();
        let texts = ["the old car 1007", "a new tree 1012"];
        let of_run = project.pegbox(&[&["predict", "--json"][..], &texts].concat()).succeeds().results();
        let of_artifact =
            project.pegbox(&[&["predict", "--json", "--model", "out/hf"][..], &texts].concat()).succeeds();
        assert_eq!(of_run, of_artifact.results());
        assert!(of_run.contains("\"answer\":\"red car\""), "{of_run}");
    }
}

#[test]
fn a_model_without_the_tasks_head_is_refused() {
    let project = Project::new();
    project.edit("task = \"classification\"", "task = \"generation\"");
    project.edit("text = \"text\", label = \"label\"", "prompt = \"text\", completion = \"label\"");
    project.edit("loss = { builtin = \"cross-entropy\" }", "");
    let report = project.pegbox(&["train"]).report();
    assert!(report.contains("a bert has no head for `generation`: it serves classification, "), "{report}");
    // A dataset can be made all the same, for whoever reads it.
    project.pegbox(&["prepare"]).succeeds();
}

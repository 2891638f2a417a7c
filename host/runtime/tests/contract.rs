//! The contract of earlier versions: plugins that were built for it, kept as they were then, still run; and every world
//! of today fits where the earlier one was.

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use flate2::read::GzDecoder;
use pegbox_runtime::{
    ArtifactError, Bundle, Element, Grants, LoadOptions, ModelFile, ModelView, Outcome, Permissions, Plugin,
    PluginFolders, Row, RowBatch, Runtime, Severity, TensorEngine, TensorInfo,
};
use serde_json::json;
use support::TestStep;
use wit_parser::Resolve;

/// The plugins of one version of the contract, unpacked where a recipe finds them.
fn plugins(version: &str) -> tempfile::TempDir {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/contract").join(version);
    let folder = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(corpus).unwrap() {
        let source = entry.unwrap().path();
        let target = folder.path().join(source.file_name().unwrap());
        fs::create_dir(&target).unwrap();
        fs::copy(source.join("plugin.toml"), target.join("plugin.toml")).unwrap();
        let mut component = Vec::new();
        let packed = fs::File::open(source.join("plugin.wasm.gz")).unwrap();
        GzDecoder::new(packed).read_to_end(&mut component).unwrap();
        fs::write(target.join("plugin.wasm"), component).unwrap();
    }
    folder
}

/// `pegbox/name`, with its digest checked as ever.
fn load(name: &str) -> Plugin {
    let folder = plugins("0.1.0");
    let found =
        PluginFolders::new(vec![folder.path().to_owned()]).resolve(&format!("pegbox/{name}")).unwrap();
    assert!(found.manifest.component.as_ref().is_some_and(|binary| binary.digest.is_some()));
    let cache = tempfile::tempdir().unwrap();
    let permissions = Permissions { read_tensors: true, ..Permissions::default() };
    let grants = Grants { permissions, ..Grants::default() };
    Runtime::new(cache.path())
        .unwrap()
        .load(&found, &LoadOptions { grants, ..LoadOptions::default() })
        .unwrap()
}

fn batch(fields: &[&str], rows: &[&[&str]]) -> RowBatch {
    let row = |(id, values): (usize, &&[&str])| Row {
        id: id as u64,
        values: values.iter().map(|value| Some((*value).to_owned())).collect(),
    };
    RowBatch {
        fields: fields.iter().map(|field| (*field).to_owned()).collect(),
        rows: rows.iter().enumerate().map(row).collect(),
    }
}

#[test]
fn the_old_cleaner_cleans() {
    let mut cleaner = load("text-normalizer").cleaner(&json!({ "lower-case": true })).unwrap();
    let outcomes =
        cleaner.clean(&batch(&["text"], &[&["plain"], &["Two  Words &amp; more"], &[" \u{200b} "]])).unwrap();
    let replaced = Outcome::Replace(vec![Some("two words & more".to_owned())]);
    assert_eq!(outcomes[..2], [Outcome::Keep, replaced]);
    assert!(matches!(outcomes[2], Outcome::Drop(_)), "{outcomes:?}");
}

#[test]
fn the_old_validator_finds_and_its_state_travels() {
    let plugin = load("label-guard");
    let configuration = json!({ "labels": ["yes", "no"], "min-per-class": 2 });
    let mut first = plugin.validator(&configuration).unwrap();
    let rows = batch(&["text", "label"], &[&["a text", "yes"], &["", "no"], &["more text", "nope"]]);
    let found = first.validate(&rows).unwrap();
    let codes: Vec<_> = found.iter().map(|finding| (finding.row, finding.code.as_str())).collect();
    assert_eq!(codes, [(Some(1), "empty-text"), (Some(2), "unknown-label")]);
    assert!(found.iter().all(|finding| finding.level == Severity::Error));
    let mut second = plugin.validator(&configuration).unwrap();
    second.merge(&first.state().unwrap()).unwrap();
    let last = second.finish().unwrap();
    assert!(last.iter().any(|finding| finding.code == "rare-class"), "{last:?}");
    assert_eq!(first.finish().unwrap(), last);
}

#[test]
fn the_old_loss_has_the_value_of_its_formula() {
    let mut loss = load("focal-loss").loss(&json!({ "gamma": 2.0 })).unwrap();
    let step = TestStep::new(0);
    let value = loss.compute(step.clone()).unwrap();
    // Labels 0 and 2 of the logits 1, 2, 3 and 4, 5, 6.
    let all = 1.0_f64 + 1.0_f64.exp() + 2.0_f64.exp();
    let focal = |p: f64| -(1.0 - p).powi(2) * p.ln();
    let wanted = (focal(1.0 / all) + focal(2.0_f64.exp() / all)) / 2.0;
    let found = f64::from(step.engine.read_floats(&value).unwrap()[0]);
    assert!((found - wanted).abs() < 1e-6, "{found} is not {wanted}");
}

#[test]
fn the_old_metric_reads_tensors_if_it_is_granted_and_merges() {
    let plugin = load("classification-report");
    let mut first = plugin.metric(&json!({})).unwrap();
    first.update(TestStep::new(0)).unwrap();
    let mut second = plugin.metric(&json!({})).unwrap();
    second.update(TestStep::new(1)).unwrap();
    second.merge(&first.state().unwrap()).unwrap();
    // Class 2 is predicted for both rows, and is the label of one.
    let score = |report: &pegbox_runtime::Report, name: &str| {
        report.scores.iter().find(|score| score.name == name).unwrap().value
    };
    let report = second.compute().unwrap();
    assert_eq!(score(&report, "accuracy"), 0.5);
    assert_eq!(score(&report, "weighted-recall"), 0.5);
    assert!(report.details.iter().any(|detail| detail.name == "per-class.csv"));
    second.reset().unwrap();
    assert!(second.compute().is_err());
}

/// Reading tensors was every plugin's right then; today it needs the recipe's word.
#[test]
fn the_old_metric_does_not_read_tensors_without_a_grant() {
    let folder = plugins("0.1.0");
    let folders = PluginFolders::new(vec![folder.path().to_owned()]);
    let found = folders.resolve("pegbox/classification-report").unwrap();
    let cache = tempfile::tempdir().unwrap();
    let plugin = Runtime::new(cache.path()).unwrap().load(&found, &LoadOptions::default()).unwrap();
    let error = plugin.metric(&json!({})).unwrap().update(TestStep::new(0)).unwrap_err();
    assert!(error.cause().to_string().contains("no permission"), "{error:?}");
    assert!(error.help().unwrap().contains("[grants.\"pegbox/classification-report\"]"));
}

#[test]
fn the_old_exporter_writes_the_same_files() {
    let files = Arc::new(Files::default());
    let mut exporter = load("hf-folder").exporter(&json!({ "name": "tiny" })).unwrap();
    exporter.export(Arc::new(Tiny), files.clone()).unwrap();
    let files = files.0.lock().unwrap();
    let names: Vec<&str> = files.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        ["README.md", "config.json", "model.safetensors", "pegbox-provenance.json", "tokenizer.json"]
    );
    let config: serde_json::Value = serde_json::from_slice(&files["config.json"]).unwrap();
    assert_eq!(config["model_type"], "bert");
    assert_eq!(files["tokenizer.json"], b"{}");
    // Eight bytes of length, a header of JSON, and the four elements.
    let weights = &files["model.safetensors"];
    let length = u64::from_le_bytes(weights[..8].try_into().unwrap()) as usize;
    let header: serde_json::Value = serde_json::from_slice(&weights[8..8 + length]).unwrap();
    assert_eq!(header["w"]["shape"], json!([2, 2]));
    assert_eq!(weights[8 + length..], [1.0_f32, 2.0, 3.0, 4.0].map(f32::to_le_bytes).concat());
}

struct Tiny;

impl ModelView for Tiny {
    fn configuration(&self) -> String {
        json!({ "model_type": "bert", "architectures": ["BertForSequenceClassification"] }).to_string()
    }

    fn tokenizer_files(&self) -> Result<Vec<ModelFile>, ArtifactError> {
        Ok(vec![ModelFile { path: "tokenizer.json".to_owned(), content: b"{}".to_vec() }])
    }

    fn labels(&self) -> Vec<String> {
        vec!["no".to_owned(), "yes".to_owned()]
    }

    fn metrics(&self) -> String {
        json!({ "test": { "accuracy": 0.9 } }).to_string()
    }

    fn provenance(&self) -> String {
        "{}".to_owned()
    }

    fn tensors(&self) -> Vec<TensorInfo> {
        vec![TensorInfo { name: "w".to_owned(), shape: vec![2, 2] }]
    }

    fn read(&self, _: &str, start: u64, count: u64, element: Element) -> Result<Vec<u8>, ArtifactError> {
        assert_eq!(element, Element::Float32);
        let bytes = [1.0_f32, 2.0, 3.0, 4.0].map(f32::to_le_bytes).concat();
        Ok(bytes[start as usize * 4..(start + count) as usize * 4].to_vec())
    }
}

/// A bundle in memory.
#[derive(Default)]
struct Files(Mutex<BTreeMap<String, Vec<u8>>>);

impl Bundle for Files {
    fn create(&self, path: &str) -> Result<(), ArtifactError> {
        self.0.lock().unwrap().insert(path.to_owned(), Vec::new());
        Ok(())
    }

    fn append(&self, path: &str, content: &[u8]) -> Result<(), ArtifactError> {
        self.0.lock().unwrap().get_mut(path).unwrap().extend(content);
        Ok(())
    }
}

/// A component made for an old world must be one of today's world: it may lack what was added, and nothing else may
/// have changed.
#[test]
fn every_world_stays_compatible_with_its_first_version() {
    let wit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit");
    let worlds = ["cleaner", "validator", "loss", "metric", "exporter"];
    for world in worlds {
        let check = |old: &Path| compatible(old, &wit, world);
        check(&wit.join("since-0.1.0")).unwrap_or_else(|fault| panic!("{world}: {fault}"));
    }
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(&wit).unwrap();
    assert_eq!(resolve.packages[package].worlds.len(), worlds.len(), "a world is not checked");
}

#[test]
fn a_world_that_changed_would_be_noticed() {
    let old = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit/since-0.1.0");
    let changed = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(&old).unwrap() {
        let file = entry.unwrap().path();
        let text = fs::read_to_string(&file).unwrap().replace("plugin@0.1.0", "plugin@0.1.1");
        // One more case of an outcome: an old host would not know it, and an old plugin's type is another.
        let text = text.replace("        keep,\n", "        keep,\n        postpone,\n");
        fs::write(changed.path().join(file.file_name().unwrap()), text).unwrap();
    }
    assert!(compatible(&old, changed.path(), "loss").is_ok());
    assert!(compatible(&old, changed.path(), "cleaner").is_err());
}

fn compatible(old: &Path, new: &Path, world: &str) -> Result<(), String> {
    let mut resolve = Resolve::default();
    let folders: [PathBuf; 2] = [old.to_owned(), new.to_owned()];
    let [old, new] = folders.map(|folder| resolve.push_dir(folder).unwrap().0);
    let select = |package| resolve.select_world(&[package], Some(world)).unwrap();
    let (old, new) = (select(old), select(new));
    wit_component::semver_check(resolve, old, new).map_err(|error| format!("{error:#}"))
}

//! Cases of components in the sandbox, from the folder to the verdicts.

#![expect(clippy::result_large_err, reason = "an error ends the test")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use burn::tensor::Device;
use pegbox_hostile_plugins::build;
use pegbox_runtime::Runtime;
use pegbox_workshop::{CaseReport, Options, Summary, Verdict, WorkshopError, open_folder, run_cases};
use tempfile::TempDir;

/// A plugin's folder with cases.
struct Plugin {
    _around: TempDir,
    folder: PathBuf,
}

impl Plugin {
    fn new(name: &str, cases: &[(&str, &str)]) -> Self {
        let around = TempDir::new().unwrap();
        let folder = build(name, around.path()).unwrap();
        fs::create_dir(folder.join("tests")).unwrap();
        for (case, text) in cases {
            fs::write(folder.join("tests").join(format!("{case}.toml")), text).unwrap();
        }
        Self { _around: around, folder }
    }

    fn run(&self, options: &Options) -> Result<Vec<CaseReport>, WorkshopError> {
        let plugin = open_folder(runtime(), &self.folder, false)?;
        run_cases(&plugin, &self.folder, &Device::flex(), options, &mut |_| {})
    }
}

fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<(TempDir, Runtime)> = OnceLock::new();
    let made = || {
        let cache = TempDir::new().unwrap();
        let runtime = Runtime::new(cache.path()).unwrap();
        (cache, runtime)
    };
    &RUNTIME.get_or_init(made).1
}

#[track_caller]
fn passes(plugin: &str, case: &str) {
    let reports = Plugin::new(plugin, &[("a", case)]).run(&Options::default()).unwrap();
    assert_eq!(reports[0].verdict, Verdict::Passed, "{plugin}");
}

#[track_caller]
fn fails(plugin: &str, case: &str, with: &str) {
    let reports = Plugin::new(plugin, &[("a", case)]).run(&Options::default()).unwrap();
    let Verdict::Failed(failures) = &reports[0].verdict else { panic!("{plugin} passed") };
    let text = format!("{failures:?}");
    assert!(text.contains(with), "{text}");
}

const BATCH: &str = "[batch]\nlogits = [[0.5, -0.5], [0.1, 0.2]]\nlabels = [0, 1]\n";

#[test]
fn a_loss_that_fails_fails_its_case_and_may_be_expected_to() {
    fails("not-a-number", BATCH, "the loss is NaN");
    passes("not-a-number", &format!("error = \"the loss is NaN\"\n{BATCH}"));
    fails("not-a-number", &format!("error = \"infinite\"\n{BATCH}"), "the loss is NaN");
    fails("not-a-scalar", BATCH, "it must be float [1]");
    passes("not-a-scalar", &format!("error = \"float [2, 2]\"\n{BATCH}"));
    fails("misshapen", BATCH, "gather");
}

#[test]
fn a_cleaner_that_fails_fails_its_case() {
    let record = "[[records]]\nin = { text = \"a\" }\nkeep = true\n";
    fails("miscounting", record, "0 outcomes for 1 rows");
    passes("miscounting", &format!("error = \"0 outcomes\"\n{record}"));
    fails("unlucky", &record.repeat(13), "trap");
    passes("unlucky", &record.repeat(12));
    fails("unlucky", "[[records]]\nin = { text = \"a\" }\ndrop = \"x\"\n", "keep");
    // An error was expected, and none came.
    fails("unlucky", &format!("error = \"bad luck\"\n{record}"), "no error");
}

#[test]
fn an_exporter_that_leaves_its_artifact_is_stopped() {
    let model = "[model]\nlabels = [\"a\"]\n[model.tensors]\nw = [1.0]\n";
    fails("escapist", model, "bundle.create");
}

#[test]
fn golden_files_are_written_by_bless_and_compared_from_then_on() {
    let plugin = Plugin::new("unlucky", &[("a", "[[records]]\nin = { text = \"a\" }\n")]);
    let golden = plugin.folder.join("tests/a.expected.json");
    let run = |bless| plugin.run(&Options { bless, case: None }).unwrap().remove(0).verdict;
    let Verdict::Failed(missing) = run(false) else { panic!("nothing was expected") };
    assert!(missing[0].what.contains("there is no a.expected.json"), "{missing:?}");
    assert!(!golden.exists());

    assert_eq!(run(true), Verdict::Blessed(golden.clone()));
    assert_eq!(fs::read_to_string(&golden).unwrap(), "[\"keep\"]\n");
    assert_eq!(run(false), Verdict::Passed);
    fs::write(&golden, "[\"replace\"]").unwrap();
    assert!(matches!(run(false), Verdict::Failed(_)));
    // Only the golden file lies there: it was written whole.
    assert_eq!(names(&plugin.folder.join("tests")), ["a.expected.json", "a.toml"]);
}

#[test]
fn one_case_can_be_chosen_and_a_wrong_name_is_told() {
    let record = "[[records]]\nin = { text = \"a\" }\nkeep = true\n";
    let wrong = record.replace("keep = true", "drop = \"x\"");
    let plugin = Plugin::new("unlucky", &[("good", record), ("wrong", &wrong)]);
    let all = plugin.run(&Options::default()).unwrap();
    assert_eq!(Summary::of(&all), Summary { passed: 1, failed: 1, blessed: 0 });
    let chosen = |name: &str| plugin.run(&Options { bless: false, case: Some(name.to_owned()) });
    assert_eq!(chosen("good").unwrap().len(), 1);
    assert!(chosen("godo").err().unwrap().help().unwrap().contains("did you mean `good`?"));

    let none = Plugin::new("unlucky", &[]);
    assert!(matches!(none.run(&Options::default()), Err(WorkshopError::NoCases { .. })));
    let broken = Plugin::new("unlucky", &[("a", "[[records]]\nin = { text = 1 }\n")]);
    let error = broken.run(&Options::default()).err().unwrap();
    assert!(error.to_string().contains("a.toml:2: "), "{error}");
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

//! The cases of the first-party plugins, on what `cargo xtask plugins --native` built: as components and as native
//! libraries.

use std::path::{Path, PathBuf};

use burn::tensor::Device;
use pegbox_runtime::Runtime;
use pegbox_workshop::{Options, Verdict, open_folder, run_cases};
use tempfile::TempDir;

const PLUGINS: [&str; 11] = [
    "classification-report",
    "contrastive-loss",
    "entity-report",
    "focal-loss",
    "hf-folder",
    "label-guard",
    "label-schema",
    "rating-range",
    "span-check",
    "tag-check",
    "text-normalizer",
];

/// Beside the folder of this program's profile: `target/release/deps/first_party-...`.
fn built() -> PathBuf {
    let program = std::env::current_exe().unwrap();
    let folder = program.ancestors().nth(3).unwrap().join("pegbox-plugins");
    assert!(folder.is_dir(), "{} is missing: run `cargo xtask plugins --native`", folder.display());
    folder
}

fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../plugins")
}

fn all_pass(native: bool) {
    let cache = TempDir::new().unwrap();
    let runtime = Runtime::new(cache.path()).unwrap();
    for name in PLUGINS {
        let plugin = open_folder(&runtime, &built().join(name), native).unwrap();
        let cases = sources().join(name);
        let reports = run_cases(&plugin, &cases, &Device::flex(), &Options::default(), &mut |_| {}).unwrap();
        assert!(reports.len() >= 2, "{name} has {} cases", reports.len());
        for report in reports {
            assert_eq!(report.verdict, Verdict::Passed, "{name}: {}", report.name);
        }
    }
}

#[test]
fn components_pass_their_cases() {
    all_pass(false);
}

#[test]
fn native_libraries_pass_the_same_cases() {
    all_pass(true);
}

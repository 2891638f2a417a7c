//! Native plugins: loaded only when trusted by digest, and their failures are errors like any other's.

mod support;

use std::path::{Path, PathBuf};

use pegbox_runtime::{
    Cause, LoadError, LoadOptions, Outcome, Plugin, PluginFolders, Runtime, TensorEngine, Trust, TrustLevel,
    digest,
};
use serde_json::json;
use support::{TestStep, batch};

/// The library that cargo builds from `tests/fixtures/native.rs` beside the tests.
fn library() -> PathBuf {
    let name = format!("{}native_fixture{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    let tests = std::env::current_exe().unwrap();
    let profile = tests.ancestors().nth(2).unwrap();
    let path = profile.join("examples").join(name);
    assert!(path.is_file(), "{} is missing: run all tests of the crate, not this file alone", path.display());
    path
}

/// A plugin folder with the library, and the library's digest.
fn folder() -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let plugin = folder.path().join("fixture");
    std::fs::create_dir(&plugin).unwrap();
    std::fs::copy(library(), plugin.join("fixture.so")).unwrap();
    let digest = digest::of(&std::fs::read(library()).unwrap());
    let manifest = "[plugin]\nname = \"native/fixture\"\nversion = \"0.1.0\"\nkinds = [\"cleaner\", \"loss\"]\n\
        contract = \"0.1.0\"\nlicence = \"MIT\"\nsummary = \"\"\n\
        [records]\nfields = [\"text\"]\n[native]\npath = \"fixture.so\"\n";
    std::fs::write(plugin.join("plugin.toml"), manifest).unwrap();
    (folder, digest)
}

fn load(folder: &Path, trust: TrustLevel) -> Result<Plugin, LoadError> {
    let found = PluginFolders::new(vec![folder.to_owned()]).resolve("native/fixture").unwrap();
    let cache = tempfile::tempdir().unwrap();
    let runtime = Runtime::new(cache.path()).unwrap();
    runtime.load(&found, &LoadOptions { trust, ..LoadOptions::default() })
}

fn trusted() -> Plugin {
    let (folder, digest) = folder();
    load(folder.path(), TrustLevel::Native { digest }).unwrap()
}

#[test]
fn a_library_is_loaded_only_with_trust_and_the_right_digest() {
    let (folder, digest) = folder();
    let refused = |trust| load(folder.path(), trust).map(|_| ()).unwrap_err();
    let error = refused(TrustLevel::Sandboxed);
    assert!(matches!(error, LoadError::NoBuild { .. }), "{error}");
    assert!(error.help().unwrap().contains("trust = \"native\""));
    let other = digest::of(b"something else");
    assert!(matches!(refused(TrustLevel::Native { digest: other }), LoadError::Tampered { .. }));
    let plugin = load(folder.path(), TrustLevel::Native { digest: digest.clone() }).unwrap();
    assert_eq!(plugin.identity().trust, Trust::Native);
    assert_eq!(plugin.identity().digest, Some(digest));
}

#[test]
fn a_file_that_is_no_plugin_is_told_apart() {
    let (folder, _) = folder();
    let file = folder.path().join("fixture/fixture.so");
    std::fs::write(&file, b"not a library").unwrap();
    let digest = digest::of(b"not a library");
    let error = load(folder.path(), TrustLevel::Native { digest }).map(|_| ()).unwrap_err();
    assert!(error.to_string().contains("the system does not load it"), "{error}");
}

#[test]
fn a_native_cleaner_and_a_native_loss_work() {
    let plugin = trusted();
    let mut cleaner = plugin.cleaner(&json!({ "do": "sum" })).unwrap();
    let outcome = Outcome::Replace(vec![Some("TEXT".to_owned())]);
    assert_eq!(cleaner.clean(&batch(0..2)).unwrap(), vec![outcome; 2]);
    let mut loss = plugin.loss(&json!({ "do": "sum" })).unwrap();
    let step = TestStep::new(3);
    for _ in 0..3 {
        let value = loss.compute(step.clone()).unwrap();
        assert_eq!(step.engine.read_floats(&value).unwrap(), [21.0]);
    }
}

#[test]
fn failures_come_back_as_errors_and_the_next_call_works_on() {
    let plugin = trusted();
    let error = |behaviour: &str| {
        let mut loss = plugin.loss(&json!({ "do": behaviour })).unwrap();
        loss.compute(TestStep::new(9)).unwrap_err();
        let error = loss.compute(TestStep::new(9)).unwrap_err();
        assert_eq!(error.to_string(), "plugin native/fixture@0.1.0 failed in loss.compute at step 9");
        error.cause().clone()
    };
    assert_eq!(error("panic"), Cause::Panicked { message: "index out of bounds".to_owned() });
    assert_eq!(error("refuse"), Cause::Refused { message: "not today".to_owned(), help: None });
    assert!(error("bad-shape").to_string().contains("6 elements of shape [2, 3] do not fill [7]"));
    assert_eq!(error("host-panic"), Cause::Host { message: "the engine's own mistake".to_owned() });
    assert!(plugin.loss(&json!({})).is_err(), "the schema wants `do`");
}

//! Plugins that are wrong in one way each, as objects of the host's traits: each must fail for that reason.

mod exports;
mod losses;
mod metrics;
mod records;

use std::sync::Arc;

use pegbox_manifest::Kind;
use pegbox_runtime::{PluginError, PluginIdentity};

use super::*;

fn identity() -> Arc<PluginIdentity> {
    Arc::new(PluginIdentity::built_in("test/wrong", semver::Version::new(1, 0, 0)))
}

fn fields() -> Vec<String> {
    vec!["text".to_owned(), "label".to_owned()]
}

/// The case that `text` stands for.
fn body(kind: Kind, text: &str) -> Body {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("tests")).unwrap();
    std::fs::write(folder.path().join("tests/a.toml"), text).unwrap();
    let mut cases = case::find(folder.path(), &[kind], &fields()).unwrap();
    cases.remove(0).body
}

/// What failed, in one text.
fn said(checked: &Checked) -> String {
    let one = |failure: &Failure| format!("{failure:?}\n");
    checked.failures.iter().map(one).collect()
}

#[track_caller]
fn fails(checked: &Checked, with: &str) {
    assert!(said(checked).contains(with), "nothing says {with:?} in {:?}", said(checked));
}

#[track_caller]
fn passes(checked: &Checked) {
    assert!(checked.failures.is_empty(), "{}", said(checked));
}

fn unwrap<T>(result: Result<T, Refusal>) -> T {
    result.unwrap_or_else(|refusal| panic!("{}", refusal.text()))
}

#[test]
fn a_golden_file_is_written_once_and_then_compared() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("tests")).unwrap();
    std::fs::write(folder.path().join("tests/a.toml"), "[[records]]\nin = { text = \"x\" }\n").unwrap();
    let case = case::find(folder.path(), &[Kind::Cleaner], &fields()).unwrap().remove(0);
    let checked = |value: serde_json::Value| Checked { golden: Some(value), ..Checked::default() };
    let settle = |value, bless| golden::settle(&case, checked(value), bless).unwrap().0;
    let keep = serde_json::json!(["keep"]);

    let Verdict::Failed(missing) = settle(keep.clone(), false) else { panic!("nothing was expected") };
    assert!(missing[0].what.contains("a.expected.json"), "{missing:?}");
    assert!(missing[0].help.as_ref().unwrap().contains("--bless"));
    assert!(matches!(settle(keep.clone(), true), Verdict::Blessed(_)));
    assert_eq!(settle(keep, false), Verdict::Passed);
    let Verdict::Failed(other) = settle(serde_json::json!([{ "drop": "x" }]), false) else { panic!() };
    assert!(other[0].expected.as_ref().unwrap().contains("keep"), "{other:?}");

    // A result that breaks a rule is not blessed.
    let mut broken = checked(serde_json::json!(["keep"]));
    broken.failures.push(Failure::new("not the same one by one"));
    assert!(matches!(golden::settle(&case, broken, true).unwrap().0, Verdict::Failed(_)));
}

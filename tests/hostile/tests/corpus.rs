//! The corpus itself: every plugin is built, and has a name of its own.

use std::collections::HashSet;

#[test]
fn every_plugin_of_the_corpus_builds() {
    let folder = std::env::temp_dir().join(format!("pegbox-hostile-{}", std::process::id()));
    let names = pegbox_hostile_plugins::all().unwrap();
    let mut failed = Vec::new();
    for name in &names {
        if let Err(fault) = pegbox_hostile_plugins::build(name, &folder) {
            failed.push(format!("{name}: {fault:#}"));
        }
    }
    let _ = std::fs::remove_dir_all(&folder);
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    assert_eq!(names.iter().collect::<HashSet<_>>().len(), names.len(), "a name is used twice");
}

//! Everything that permissions give, called in any order with any arguments. `fuzz/` does this with a fuzzer's scripts;
//! here they are random, and the same in every run.

use std::fs;

use pegbox_hostile_plugins::build_scripted;
use pegbox_runtime::{Grants, LimitOverrides, LoadOptions, PluginFolders, Row, RowBatch, Runtime};
use serde_json::json;

const SCRIPTS: usize = 400;
/// The longest.
const CHARACTERS: usize = 60;

#[test]
fn whatever_a_script_calls_ends_in_an_answer_or_an_error_and_changes_nothing() {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir_all(root.path().join("granted/sub")).unwrap();
    fs::write(root.path().join("granted/notes.txt"), "some notes\n").unwrap();
    let plugins = root.path().join("plugins");
    build_scripted(&plugins).unwrap();
    let found = PluginFolders::new(vec![plugins]).resolve("hostile/scripted").unwrap();
    // All that it asks for.
    let permissions = found.manifest.permissions.clone();
    let options = LoadOptions {
        limits: LimitOverrides { deadline_ms: Some(200), memory_mib: Some(16), ..LimitOverrides::default() },
        grants: Grants { permissions, root: root.path().to_owned() },
        ..LoadOptions::default()
    };
    let cache = tempfile::tempdir().unwrap();
    let plugin = Runtime::new(cache.path()).unwrap().load(&found, &options).unwrap();

    let mut random = pegbox_random::SplitMix64::new(1);
    let mut answered = 0;
    for number in 0..SCRIPTS {
        let length = 1 + random.below(CHARACTERS);
        let script = (0..length).map(|_| char::from(random.below(128) as u8)).collect();
        let rows = vec![Row { id: number as u64, values: vec![Some(script)] }];
        let mut cleaner = plugin.cleaner(&json!({})).unwrap();
        match cleaner.clean(&RowBatch { fields: vec!["text".to_owned()], rows }) {
            Ok(_) => answered += 1,
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
    // Most end at a handle that is none; those that do not show that the functions are really reached.
    assert!(answered > 0, "no script came to its end");
    let names = fs::read_dir(root.path().join("granted")).unwrap().count();
    assert_eq!(
        (names, fs::read(root.path().join("granted/notes.txt")).unwrap()),
        (2, b"some notes\n".to_vec())
    );
}

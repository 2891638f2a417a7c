//! Everything that permissions give, called by a plugin whose record is the fuzzer's script: any function, in any order,
//! with any arguments.

#![no_main]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use libfuzzer_sys::fuzz_target;
use pegbox_hostile_plugins::build_scripted;
use pegbox_runtime::{Grants, LimitOverrides, LoadOptions, Plugin, PluginFolders, Row, RowBatch, Runtime};
use serde_json::json;

const SECRET: &str = "nobody may read this";

/// The plugin, loaded, and the folder beside which it may read another.
static LOADED: LazyLock<(Plugin, PathBuf)> = LazyLock::new(|| {
    let root = tempfile::tempdir().expect("a folder").keep();
    fs::create_dir_all(root.join("granted/sub")).expect("a folder to read");
    fs::write(root.join("granted/notes.txt"), "some notes\n").expect("a file");
    fs::write(root.join("granted/sub/deep.txt"), "deeper\n").expect("a file");
    fs::write(root.join("secret.txt"), SECRET).expect("a file");
    std::os::unix::fs::symlink("../secret.txt", root.join("granted/way-out")).expect("a link");
    let plugins = root.join("plugins");
    build_scripted(&plugins).expect("the plugin is built");
    let found = PluginFolders::new(vec![plugins]).resolve("hostile/scripted").expect("it is found");
    // All that it asks for.
    let permissions = found.manifest.permissions.clone();
    let options = LoadOptions {
        limits: LimitOverrides {
            deadline_ms: Some(50),
            memory_mib: Some(16),
            copy_mib: Some(1),
            ..LimitOverrides::default()
        },
        grants: Grants { permissions, root: root.clone() },
        ..LoadOptions::default()
    };
    let runtime = Runtime::new(Path::new("/dev/null/none")).expect("the engine starts");
    (runtime.load(&found, &options).expect("it loads"), root)
});

fuzz_target!(|bytes: &[u8]| {
    let (plugin, root) = &*LOADED;
    let script = bytes.iter().map(|byte| char::from(byte & 0x7f)).collect();
    let rows = vec![Row { id: 1, values: vec![Some(script)] }];
    let mut cleaner = plugin.cleaner(&json!({})).expect("an instance");
    let begun = Instant::now();
    let outcome = cleaner.clean(&RowBatch { fields: vec!["text".to_owned()], rows });
    assert!(begun.elapsed() < Duration::from_secs(5), "a call outlasts its deadline");
    if let Err(error) = outcome {
        let told = format!("{error} {:?} {}", error.help(), error.cause());
        assert!(!told.contains(SECRET), "what was not granted was read");
    }
    // Reading is all that was granted.
    assert_eq!(names(&root.join("granted")), ["notes.txt", "sub", "way-out"]);
    assert_eq!(names(&root.join("granted/sub")), ["deep.txt"]);
    assert_eq!(fs::read(root.join("granted/notes.txt")).expect("the notes are there"), b"some notes\n");
});

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("the folder is there");
    let mut names: Vec<_> =
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

//! Every plugin of the corpus: built, loaded, called as its kind is called, its errors compared with a snapshot. After
//! each, the host still works.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::LazyLock;

use pegbox_runtime::{LimitOverrides, Outcome, Runtime};
use serde_json::json;

use crate::playground::Playground;
use crate::support::{batch, load};

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    // Kept until the process ends: the cache is used by every test.
    let folder = tempfile::tempdir().unwrap().keep();
    Runtime::new(&folder).unwrap()
});

macro_rules! families {
    ($($name:ident)+) => {
        const TESTED: &[&str] = &[$(stringify!($name)),+];
        $(
            #[test]
            fn $name() {
                family(stringify!($name));
            }
        )+
    };
}

families!(plugins cleaning exporting lifecycle loss metric modules network permissions start validation);

#[test]
fn the_corpus_is_whole() {
    let families = pegbox_hostile_plugins::families().unwrap();
    let names: Vec<&str> = families.iter().map(|family| family.name.as_str()).collect();
    assert!(names.iter().all(|name| TESTED.contains(name)), "{names:?} are not all tested");
    let count: usize = families.iter().map(|family| family.plugins.len()).sum();
    assert!(count >= 60, "{count} plugins");
}

/// Runs all plugins of a family; those that need a compiler of their own are in `tests/compiler.rs`.
fn family(family: &str) {
    let families = pegbox_hostile_plugins::families().unwrap();
    let plugins = &families.iter().find(|found| found.name == family).unwrap().plugins;
    let playground = Playground::new();
    let good = load(&RUNTIME, "unlucky", LimitOverrides::default()).unwrap();
    let mut kept = good.cleaner(&json!({})).unwrap();
    let mut told = String::new();
    let mut failed = Vec::new();
    for name in plugins.iter().filter(|name| !pegbox_hostile_plugins::scenario(name).unwrap().own_process) {
        match catch_unwind(AssertUnwindSafe(|| playground.run(&RUNTIME, name))) {
            Ok(text) => told.push_str(&text),
            Err(_) => failed.push(name),
        }
        let mut fresh = good.cleaner(&json!({})).unwrap();
        for cleaner in [&mut kept, &mut fresh] {
            assert_eq!(cleaner.clean(&batch(1..4)).unwrap(), vec![Outcome::Keep; 3], "after {name}");
        }
    }
    assert!(failed.is_empty(), "these did not end as they should: {failed:?}");
    insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!(family, told);
    });
}

//! Plugins that are bombs for the compiler: it runs in a process of its own and ends at the plugin's limits. This test
//! is that process as well: it has its own `main`.

#[path = "hostile/playground.rs"]
mod playground;
mod support;

use pegbox_runtime::{COMPILE_COMMAND, Compiler, LimitOverrides, Outcome, Runtime, serve_compiler};
use playground::Playground;
use serde_json::json;
use support::{batch, load};

fn main() {
    let mut arguments = std::env::args().skip(1);
    if arguments.next().as_deref() == Some(COMPILE_COMMAND) {
        std::process::exit(serve_compiler(&arguments.collect::<Vec<_>>()));
    }
    bombs_end_at_their_limits();
    println!("test compiler ... ok");
}

fn bombs_end_at_their_limits() {
    let cache = tempfile::tempdir().unwrap();
    let program = std::env::current_exe().unwrap();
    let runtime = Runtime::with_compiler(cache.path(), Compiler { program }).unwrap();
    let playground = Playground::new();
    let mut told = String::new();
    for name in pegbox_hostile_plugins::all().unwrap() {
        if !pegbox_hostile_plugins::scenario(&name).unwrap().own_process {
            continue;
        }
        told.push_str(&playground.run(&runtime, &name));
        // The next plugin compiles as ever.
        std::fs::read_dir(cache.path()).unwrap().for_each(|entry| {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|end| end == "compiled") {
                std::fs::remove_file(path).unwrap();
            }
        });
        let good = load(&runtime, "unlucky", LimitOverrides::default()).unwrap();
        let mut cleaner = good.cleaner(&json!({})).unwrap();
        assert_eq!(cleaner.clean(&batch(1..4)).unwrap(), vec![Outcome::Keep; 3], "after {name}");
    }
    insta::with_settings!({ snapshot_path => "hostile/snapshots", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!("compiler", told);
    });
}

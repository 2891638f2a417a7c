//! A component composed of two with `wac` loads and runs like any other: an exporter that lacks a word list, and a
//! word list that another team built.

use std::fs;
use std::path::Path;

use wac_graph::types::Package;
use wac_graph::{CompositionGraph, EncodeOptions, plug};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

use crate::fixture::Project;

const WIT: &str = "
    package acme:words;
    interface lexicon { contains: func(word: string) -> bool; }
    world exporter { include pegbox:plugin/exporter@0.1.1; import lexicon; }
    world words { export lexicon; }
";

/// What both modules have: memory, and an allocator that never frees.
const MEMORY: &str = r#"
    (memory (export "memory") 1)
    (global $top (mut i32) (i32.const 32768))
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
        (local $at i32)
        (local.set $at (i32.and (i32.add (global.get $top) (i32.const 7)) (i32.const -8)))
        (global.set $top (i32.add (local.get $at) (local.get 3)))
        (local.get $at))
"#;

/// Holds every word of three bytes.
const WORDS: &str = r#"
    (func (export "acme:words/lexicon#contains") (param i32 i32) (result i32)
        (i32.eq (local.get 1) (i32.const 3)))
"#;

/// Creates the file `yes.txt` if the lexicon holds `peg`, else `no.txt`.
const EXPORTER: &str = r#"
    (import "acme:words/lexicon" "contains" (func $contains (param i32 i32) (result i32)))
    (import "pegbox:plugin/artifacts@0.1.1" "[method]bundle.create" (func $create (param i32 i32 i32)))
    (import "pegbox:plugin/artifacts@0.1.1" "[resource-drop]model" (func $drop-model (param i32)))
    (import "pegbox:plugin/artifacts@0.1.1" "[resource-drop]bundle" (func $drop-bundle (param i32)))
    (;memory;)
    (data (i32.const 1024) "peg")
    (data (i32.const 1032) "yes.txt")
    (data (i32.const 1048) "no.txt")
    (data (i32.const 1064) "acme/shelf")
    (data (i32.const 1080) "1.0.0")
    (data (i32.const 1088) "{}")
    (data (i32.const 1096) "\04")
    (data (i32.const 1104)
        "\28\04\00\00\0a\00\00\00" "\38\04\00\00\05\00\00\00" "\48\04\00\00\01\00\00\00" "\40\04\00\00\02\00\00\00")
    (func (export "pegbox:plugin/lifecycle@0.1.1#describe") (result i32) (i32.const 1104))
    (func (export "pegbox:plugin/lifecycle@0.1.1#configure") (param i32 i32) (result i32) (i32.const 8))
    (func (export "pegbox:plugin/exporting@0.1.1#export-model") (param $model i32) (param $bundle i32) (result i32)
        (if (call $contains (i32.const 1024) (i32.const 3))
            (then (call $create (local.get $bundle) (i32.const 1032) (i32.const 7)))
            (else (call $create (local.get $bundle) (i32.const 1048) (i32.const 6))))
        (call $drop-model (local.get $model))
        (call $drop-bundle (local.get $bundle))
        (i32.const 8))
"#;

fn component(module: &str, world: &str) -> Vec<u8> {
    let mut resolve = Resolve::default();
    resolve.push_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit")).unwrap();
    let package = resolve.push_str("words.wit", WIT).unwrap();
    let world = resolve.select_world(&[package], Some(world)).unwrap();
    let text = match module.contains("(;memory;)") {
        true => module.replace("(;memory;)", MEMORY),
        false => format!("{MEMORY}{module}"),
    };
    let mut module = wat::parse_str(format!("(module {text})")).unwrap();
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
    ComponentEncoder::default().validate(true).module(&module).unwrap().encode().unwrap()
}

/// What `wac plug exporter.wasm --plug words.wasm` does.
fn composed() -> Vec<u8> {
    let mut graph = CompositionGraph::new();
    let mut register = |name: &str, bytes: Vec<u8>| {
        let package = Package::from_bytes(name, None, bytes, graph.types_mut()).unwrap();
        graph.register_package(package).unwrap()
    };
    let words = register("acme:words", component(WORDS, "words"));
    let exporter = register("acme:shelf", component(EXPORTER, "exporter"));
    plug(&mut graph, vec![words], exporter).unwrap();
    graph.encode(EncodeOptions::default()).unwrap()
}

const MANIFEST: &str = r#"
[plugin]
name = "acme/shelf"
version = "1.0.0"
kinds = ["exporter"]
contract = "0.1.1"
licence = "MIT"
summary = "Asks a word list of another team"

[component]
path = "plugin.wasm"
"#;

#[test]
fn a_composed_component_runs_like_any_other() {
    let project = Project::new();
    project.write("plugins/shelf/plugin.toml", MANIFEST);
    fs::write(project.path("plugins/shelf/plugin.wasm"), composed()).unwrap();
    project.edit("[train]", "[[export]]\nplugin = \"acme/shelf\"\nto = \"out\"\n\n[train]");
    project.pegbox(&["run"]).succeeds();
    assert!(project.path("out/yes.txt").is_file());
    assert!(!project.path("out/no.txt").exists());
}

#[test]
fn a_component_that_still_lacks_its_words_is_refused_by_the_import() {
    let project = Project::new();
    project.write("plugins/shelf/plugin.toml", MANIFEST);
    fs::write(project.path("plugins/shelf/plugin.wasm"), component(EXPORTER, "exporter")).unwrap();
    project.edit("[train]", "[[export]]\nplugin = \"acme/shelf\"\nto = \"out\"\n\n[train]");
    let seen = project.pegbox(&["check"]);
    assert_eq!(seen.status(), 2);
    let messages = seen.messages();
    assert!(messages.contains("imports `acme:words/lexicon`"), "{messages}");
}

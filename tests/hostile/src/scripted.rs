//! A plugin that does what its record says: each function behind a permission can be called, in any order and with any
//! arguments. What a fuzzer finds to write, the plugin calls.
//!
//! A script is ASCII. Two characters choose a function, one more each of its arguments: a slot of [`SLOTS`], where
//! small and extreme numbers, the addresses of strings, and the results of the calls before stand.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use wit_parser::abi::{AbiVariant, WasmSignature, WasmType};
use wit_parser::{InterfaceId, Resolve, TypeDefKind, WorldItem};

use crate::build::write;
use crate::plugin::{Code, Plugin, Scenario, sources};

/// What permissions give, all of it.
const INTERFACES: [&str; 14] = [
    "pegbox:plugin/logging@0.1.1",
    "wasi:cli/environment@0.2.12",
    "wasi:clocks/monotonic-clock@0.2.12",
    "wasi:clocks/wall-clock@0.2.12",
    "wasi:filesystem/preopens@0.2.12",
    "wasi:filesystem/types@0.2.12",
    "wasi:http/outgoing-handler@0.2.12",
    "wasi:http/types@0.2.12",
    "wasi:io/error@0.2.12",
    "wasi:io/poll@0.2.12",
    "wasi:io/streams@0.2.12",
    "wasi:random/insecure-seed@0.2.12",
    "wasi:random/insecure@0.2.12",
    "wasi:random/random@0.2.12",
];
/// 128 numbers of four bytes: 64 that never change, 16 for results, the rest is where results larger than a number go.
const SLOTS: usize = 4096;
const RESULTS: usize = SLOTS + 64 * 4;
const AREA: usize = SLOTS + 80 * 4;
/// Strings, 32 bytes apart.
const STRINGS: usize = 8192;
const TEXTS: [&str; 12] = [
    "notes.txt",
    "sub",
    "sub/deep.txt",
    "../secret.txt",
    "way-out",
    "/etc/passwd",
    "new.txt",
    ".",
    "127.0.0.1:9",
    "example.org",
    "/path?a=b",
    "content-length",
];

/// Builds the plugin into `folder/scripted/`. Its manifest asks to read the folder `granted`, for the variable `PATH`,
/// for the host `127.0.0.1:9`, and for everything that needs no name.
///
/// # Errors
/// `folder` cannot be written to.
pub fn build_scripted(folder: &Path) -> Result<PathBuf> {
    let imports = INTERFACES.map(|name| format!("import {name}; ")).concat();
    let plugin = Plugin {
        name: "scripted".to_owned(),
        manifest: "[plugin]\nname = \"hostile/scripted\"\nversion = \"0.1.0\"\nkinds = [\"cleaner\"]\n\
            contract = \"0.1.1\"\nlicence = \"MIT OR Apache-2.0\"\nsummary = \"\"\n[component]\npath = \"plugin.wasm\"\n\
            [records]\nfields = [\"text\"]\n[permissions]\nclock = true\nenvironment = [\"PATH\"]\nlog = true\n\
            network = [\"127.0.0.1:9\"]\nrandom = true\nread = [\"granted\"]\n"
            .to_owned(),
        code: Code::Module(module()?),
        schema: b"{}".to_vec(),
        imports: format!("world extra {{ {imports}}}"),
        scenario: Scenario {
            expect: String::new(),
            limits: toml::Table::new(),
            grants: toml::Table::new(),
            own_process: false,
        },
    };
    write(&plugin, folder)
}

fn module() -> Result<String> {
    let functions = functions()?;
    let mut text = String::new();
    for (number, function) in functions.iter().enumerate() {
        let Function { interface, name, signature } = function;
        let types = |types: &[WasmType]| types.iter().map(|of| format!(" {}", core(*of))).collect::<String>();
        let (params, results) = (types(&signature.params), types(&signature.results));
        writeln!(
            text,
            "(import \"{interface}\" \"{name}\" (func $i{number} (param{params}) (result{results})))"
        )?;
    }
    text.push_str("(;prelude;)\n(type $call (func))\n");
    writeln!(text, "(table {} funcref)", functions.len())?;
    let names: String = (0..functions.len()).map(|number| format!(" $c{number}")).collect();
    writeln!(text, "(elem (i32.const 0) func{names})")?;
    writeln!(text, "(data (i32.const {SLOTS}) \"{}\")", slots())?;
    for (number, string) in TEXTS.iter().enumerate() {
        writeln!(text, "(data (i32.const {}) \"{string}\")", STRINGS + 32 * number)?;
    }
    text.push_str(READER);
    for (number, function) in functions.iter().enumerate() {
        writeln!(text, "(func $c{number} {})", call(number, &function.signature))?;
    }
    write!(
        text,
        r#"(func (export "pegbox:plugin/cleaning@0.1.1#clean") (param i32 i32) (param $rows i32) (param $count i32) (result i32)
            (global.set $at (i32.load offset=4 (i32.load offset=8 (local.get $rows))))
            (global.set $end (i32.add (global.get $at) (i32.load offset=8 (i32.load offset=8 (local.get $rows)))))
            (loop $again
                (if (i32.lt_u (global.get $at) (global.get $end))
                    (then
                        (call_indirect (type $call)
                            (i32.rem_u
                                (i32.add (i32.mul (call $next) (i32.const 128)) (call $next))
                                (i32.const {})))
                        (br $again))))
            (i32.store (i32.const 64) (i32.const 0))
            (i32.store (i32.const 68) (call $allocate (i32.const 0) (i32.const 0) (i32.const 4) (i32.mul (local.get $count) (i32.const 12))))
            (i32.store (i32.const 72) (local.get $count))
            (i32.const 64))"#,
        functions.len()
    )?;
    Ok(text)
}

/// The script's next character; a slot's number as an argument.
const READER: &str = r#"
    (global $at (mut i32) (i32.const 0))
    (global $end (mut i32) (i32.const 0))
    (global $results (mut i32) (i32.const 0))
    (func $next (result i32)
        (if (i32.ge_u (global.get $at) (global.get $end)) (then (return (i32.const 0))))
        (global.set $at (i32.add (global.get $at) (i32.const 1)))
        (i32.load8_u (i32.sub (global.get $at) (i32.const 1))))
    (func $argument (result i32)
        (i32.load offset=4096 (i32.mul (i32.and (call $next) (i32.const 127)) (i32.const 4))))
    (func $keep (param $result i32)
        (i32.store offset=4352
            (i32.mul (i32.and (global.get $results) (i32.const 15)) (i32.const 4))
            (local.get $result))
        (global.set $results (i32.add (global.get $results) (i32.const 1))))
"#;

/// A call with arguments from the script, whose result goes into a slot.
fn call(number: usize, signature: &WasmSignature) -> String {
    let given = signature.params.len() - usize::from(signature.retptr);
    let argument = |of: &WasmType| match core(*of) {
        "i64" => "(i64.extend_i32_s (call $argument))",
        "f32" => "(f32.convert_i32_s (call $argument))",
        "f64" => "(f64.convert_i32_s (call $argument))",
        _ => "(call $argument)",
    };
    let mut arguments: Vec<String> =
        signature.params.iter().take(given).map(|of| argument(of).to_owned()).collect();
    if signature.retptr {
        arguments.push(format!("(i32.const {AREA})"));
    }
    let call = format!("(call $i{number} {})", arguments.join(" "));
    match signature.results.first().map(|of| core(*of)) {
        None => call,
        Some("i32") => format!("(call $keep {call})"),
        Some("i64") => format!("(call $keep (i32.wrap_i64 {call}))"),
        Some(_) => format!("(drop {call})"),
    }
}

/// The first 64 slots: small numbers, addresses, extremes.
fn slots() -> String {
    let mut numbers: Vec<u32> = (0..32).collect();
    numbers.extend((0..TEXTS.len()).map(|number| (STRINGS + 32 * number) as u32));
    numbers.extend([48, 64, 127, 128, 255, 256, 1024, SLOTS as u32, RESULTS as u32, AREA as u32, 9999]);
    numbers.extend([65535, 65536, 0x0010_0000, 0x7fff_ffff, 0x8000_0000, 0xffff_fff0, 0xffff_ffff, 80, 443]);
    numbers.resize(64, 0);
    numbers.iter().flat_map(|number| number.to_le_bytes()).map(|byte| format!("\\{byte:02x}")).collect()
}

struct Function {
    interface: String,
    name: String,
    signature: WasmSignature,
}

/// Every function of every interface, with those that drop a resource.
fn functions() -> Result<Vec<Function>> {
    let mut resolve = Resolve::default();
    resolve.push_dir(sources().join("../../wit"))?;
    let imports = INTERFACES.map(|name| format!("import {name}; ")).concat();
    let package = resolve.push_str("all.wit", &format!("package hostile:all;\nworld all {{ {imports}}}"))?;
    let world = resolve.select_world(&[package], Some("all"))?;
    let mut functions = Vec::new();
    for item in resolve.worlds[world].imports.values() {
        let WorldItem::Interface { id, .. } = item else { continue };
        functions.extend(functions_of(&resolve, *id)?);
    }
    Ok(functions)
}

fn functions_of(resolve: &Resolve, id: InterfaceId) -> Result<Vec<Function>> {
    let interface = resolve.id_of(id).context("an interface without a name")?;
    let described = &resolve.interfaces[id];
    let drops =
        described.types.values().map(|id| &resolve.types[*id]).filter(|of| of.kind == TypeDefKind::Resource);
    let drop = |name: &str| Function {
        interface: interface.clone(),
        name: format!("[resource-drop]{name}"),
        signature: WasmSignature {
            params: vec![WasmType::I32],
            results: Vec::new(),
            indirect_params: false,
            retptr: false,
        },
    };
    let mut functions: Vec<Function> = drops.filter_map(|of| of.name.as_deref()).map(drop).collect();
    functions.extend(described.functions.values().map(|function| Function {
        interface: interface.clone(),
        name: function.name.clone(),
        signature: resolve.wasm_signature(AbiVariant::GuestImport, function),
    }));
    Ok(functions)
}

fn core(of: WasmType) -> &'static str {
    match of {
        WasmType::I64 | WasmType::PointerOrI64 => "i64",
        WasmType::F32 => "f32",
        WasmType::F64 => "f64",
        WasmType::I32 | WasmType::Pointer | WasmType::Length => "i32",
    }
}

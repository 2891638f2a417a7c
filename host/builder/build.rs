//! Puts into the program what it unpacks for authors: the contract, the SDKs, the templates. Each file becomes an
//! entry `(path, bytes)` of a table, under the path that it has in the unpacked SDK.

use std::collections::BTreeMap;
use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

/// The languages' folders in `plugin-api/`. One that is not there has no files.
const LANGUAGES: [&str; 7] = ["rust", "python", "javascript", "typescript", "c", "cpp", "zig"];

/// What a checkout may hold that is no source.
const LEFT_OUT: [&str; 6] = ["target", "node_modules", "__pycache__", "since-0.1.0", ".mypy_cache", ".venv"];

/// Path in the program, file in the repository.
type Files = BTreeMap<String, PathBuf>;

fn main() {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("../..");
    let root = root.canonicalize().expect("the repository is there");
    let out = PathBuf::from(env::var("OUT_DIR").expect("cargo sets it"));

    let mut sdk = Files::new();
    add(&mut sdk, "wit", &root.join("wit"));
    for language in LANGUAGES {
        add(&mut sdk, language, &root.join("plugin-api").join(language).join("sdk"));
    }
    add_rust_sdk(&mut sdk, &root, &out);

    let mut templates = Files::new();
    add(&mut templates, "all", &root.join("plugin-api/templates"));
    for language in LANGUAGES {
        add(&mut templates, language, &root.join("plugin-api").join(language).join("templates"));
    }

    let mut builder = Files::new();
    add(&mut builder, "src", &root.join("host/builder/src"));

    let mut text = String::new();
    table(&mut text, "SDK", &sdk);
    table(&mut text, "TEMPLATES", &templates);
    digest(&mut text, "SDK_DIGEST", "What the SDK's files hold, as 64 hex digits.", &sdk);
    digest(&mut text, "BUILDER_DIGEST", "This crate's sources, as 64 hex digits.", &builder);
    fs::write(out.join("embedded.rs"), text).expect("cargo's folder can be written");
}

/// The crate `pegbox-plugin` and what it needs, as a workspace of its own: its manifests inherit from one.
fn add_rust_sdk(files: &mut Files, root: &Path, out: &Path) {
    add(files, "rust/wit", &root.join("wit"));
    add(files, "rust/plugin-api/src", &root.join("plugin-api/src"));
    add(files, "rust/plugin-api/abi", &root.join("plugin-api/abi"));
    files.insert("rust/plugin-api/Cargo.toml".to_owned(), root.join("plugin-api/Cargo.toml"));
    let workspace = root.join("Cargo.toml");
    println!("cargo::rerun-if-changed={}", workspace.display());
    println!("cargo::rerun-if-changed={}", root.join("plugin-api/Cargo.toml").display());
    let small = out.join("workspace.toml");
    fs::write(&small, small_workspace(&read(&workspace))).expect("cargo's folder can be written");
    files.insert("rust/Cargo.toml".to_owned(), small);
}

/// Of the repository's workspace what the SDK's crates inherit: everything but members, patches and profiles. A
/// dependency that nobody inherits costs nothing.
fn small_workspace(whole: &str) -> String {
    let mut text =
        String::from("[workspace]\nresolver = \"3\"\nmembers = [\"plugin-api\", \"plugin-api/abi\"]\n");
    let mut wanted = false;
    for line in whole.lines() {
        if line.starts_with('[') {
            wanted = matches!(line.trim_end(), "[workspace.package]" | "[workspace.dependencies]");
        }
        let of_another_crate = line.contains("path = \"") && !line.contains("path = \"plugin-api");
        if wanted && !of_another_crate && !line.starts_with('#') {
            text += line;
            text += "\n";
        }
    }
    text
}

/// Every file below `folder`, as `name/...`.
fn add(files: &mut Files, name: &str, folder: &Path) {
    println!("cargo::rerun-if-changed={}", folder.display());
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries {
        let path = entry.expect("a folder of the repository can be read").path();
        let own = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if LEFT_OUT.contains(&own.as_str()) {
            continue;
        }
        let name = format!("{name}/{own}");
        if path.is_dir() {
            add(files, &name, &path);
        } else {
            println!("cargo::rerun-if-changed={}", path.display());
            files.insert(name, path);
        }
    }
}

fn table(text: &mut String, name: &str, files: &Files) {
    writeln!(text, "pub static {name}: &[(&str, &[u8])] = &[").expect("memory");
    for (path, file) in files {
        writeln!(text, "    ({path:?}, include_bytes!({file:?})),").expect("memory");
    }
    text.push_str("];\n");
}

fn digest(text: &mut String, name: &str, doc: &str, files: &Files) {
    let mut hash = Sha256::new();
    for (path, file) in files {
        let content = fs::read(file).expect("a file of the repository can be read");
        hash.update((path.len() as u64).to_le_bytes());
        hash.update(path);
        hash.update((content.len() as u64).to_le_bytes());
        hash.update(content);
    }
    let hex: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    writeln!(text, "/// {doc}\npub const {name}: &str = {hex:?};").expect("memory");
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).expect("a file of the repository can be read")
}

//! From a core module to a component, for the languages whose compilers make core modules.

use wasmparser::{Parser, Payload};
use wit_component::ComponentEncoder;

use crate::error::BuildError;

/// Wraps a core module whose own sections say what it imports and exports, as wit-bindgen leaves them.
///
/// # Errors
/// The module calls an operating system, or it does not export what the sections say.
pub(crate) fn component(module: &[u8]) -> Result<Vec<u8>, BuildError> {
    refuse_operating_system(module)?;
    let encoded = ComponentEncoder::default()
        .validate(true)
        .module(module)
        .and_then(|mut encoder| encoder.encode())
        .map_err(|error| BuildError::Component { fault: format!("{error:#}"), help: None })?;
    Ok(encoded)
}

/// A libc that was linked in shows in the imports: they would be the operating system's, and there is none.
fn refuse_operating_system(module: &[u8]) -> Result<(), BuildError> {
    let functions: Vec<String> = imports(module)
        .into_iter()
        .filter(|(module, _)| module.starts_with("wasi_"))
        .map(|(_, name)| name)
        .collect();
    if functions.is_empty() {
        return Ok(());
    }
    let permissions: Vec<&str> = PERMISSIONS
        .iter()
        .filter(|(start, _)| functions.iter().any(|function| function.starts_with(start)))
        .map(|(_, permission)| *permission)
        .collect();
    let instead = if permissions.is_empty() {
        String::new()
    } else {
        format!("; what there is instead, with a permission in plugin.toml: {}", permissions.join("; "))
    };
    Err(BuildError::OperatingSystem {
        functions,
        help: format!("leave out what uses files, standard input and output, clocks or processes{instead}"),
    })
}

/// What a function of `wasi_snapshot_preview1` is for, and the permission that serves it.
const PERMISSIONS: [(&str, &str); 6] = [
    ("fd_write", "`log = true` for the SDK's log, in place of standard output"),
    ("path_", "`read = [\"folder\"]` for files"),
    ("clock_", "`clock = true` for the time"),
    ("random_", "`random = true` for random numbers"),
    ("environ_", "`environment = [\"NAME\"]` for variables of the environment"),
    ("sock_", "`network = [\"host\"]` for HTTP"),
];

/// Module and name of everything that a core module imports. A module that cannot be read has none: the encoder
/// says what is wrong with it.
fn imports(module: &[u8]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for payload in Parser::new(0).parse_all(module) {
        if let Ok(Payload::ImportSection(section)) = payload {
            let imports = section.into_imports().flatten();
            found.extend(imports.map(|import| (import.module.to_owned(), import.name.to_owned())));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_that_calls_an_operating_system_is_refused_with_what_there_is_instead() {
        let module = wat::parse_str(
            r#"(module
                (import "wasi_snapshot_preview1" "clock_time_get" (func (param i32 i64 i32) (result i32)))
                (import "wasi_snapshot_preview1" "proc_exit" (func (param i32))))"#,
        )
        .unwrap();
        let error = component(&module).unwrap_err();
        assert!(error.to_string().ends_with("clock_time_get, proc_exit"), "{error}");
        assert!(error.help().unwrap().contains("`clock = true`"));
    }

    /// A module with the world `plugin` of a small package written into it.
    fn with_world(module: &str) -> Vec<u8> {
        let mut module = wat::parse_str(module).unwrap();
        let mut resolve = wit_parser::Resolve::default();
        let package = resolve.push_str("a.wit", "package a:b; world plugin { export run: func(); }").unwrap();
        let world = resolve.select_world(&[package], Some("plugin")).unwrap();
        let encoding = wit_component::StringEncoding::UTF8;
        wit_component::embed_component_metadata(&mut module, &resolve, world, encoding).unwrap();
        module
    }

    #[test]
    fn a_module_that_lacks_an_export_is_refused_by_name() {
        assert!(component(&with_world(r#"(module (func (export "run")))"#)).is_ok());
        let error = component(&with_world("(module)")).unwrap_err().to_string();
        assert!(error.contains("run"), "{error}");
    }
}

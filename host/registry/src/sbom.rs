//! The parts list of a package: CycloneDX 1.6, in JSON. No time and no path stands in it, so that the same
//! plugin has the same list everywhere.

use pegbox_manifest::Manifest;
use pegbox_manifest::digest::hex;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::dependencies::Dependency;
use crate::layout::canonical;
use crate::package::{Origin, PackagedFile, Tool};

/// The list, as bytes.
pub(crate) fn of(
    manifest: &Manifest,
    binaries: &[&PackagedFile],
    dependencies: &[Dependency],
    origin: &Origin,
) -> Vec<u8> {
    let root = format!("{manifest}");
    let files = binaries.iter().map(|file| file_component(file));
    let packages = dependencies.iter().map(package_component);
    let references: Vec<String> = binaries
        .iter()
        .map(|file| file_reference(file))
        .chain(dependencies.iter().map(Dependency::purl))
        .collect();
    let (team, name) = manifest.plugin.name.split_once('/').unwrap_or(("", &manifest.plugin.name));
    canonical(json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": serial_number(&root, binaries),
        "version": 1,
        "metadata": {
            "component": {
                "type": "library",
                "bom-ref": root,
                "group": team,
                "name": name,
                "version": manifest.plugin.version,
                "description": manifest.plugin.summary,
                "licenses": [licence(&manifest.plugin.licence)],
            },
            "tools": {"components": tools(origin)},
        },
        "components": files.chain(packages).collect::<Vec<_>>(),
        "dependencies": [{"ref": root, "dependsOn": references}],
    }))
}

fn file_component(file: &PackagedFile) -> Value {
    json!({
        "type": "file",
        "bom-ref": file_reference(file),
        "name": file.name,
        "hashes": [{"alg": "SHA-256", "content": hex(&Sha256::digest(&file.bytes))}],
    })
}

fn file_reference(file: &PackagedFile) -> String {
    format!("file:{}", file.name)
}

fn package_component(dependency: &Dependency) -> Value {
    let mut component = json!({
        "type": "library",
        "bom-ref": dependency.purl(),
        "name": dependency.name,
        "version": dependency.version,
        "purl": dependency.purl(),
    });
    if let (Some((algorithm, content)), Some(fields)) = (&dependency.checksum, component.as_object_mut()) {
        fields.insert("hashes".to_owned(), json!([{"alg": algorithm, "content": content}]));
    }
    component
}

fn tools(origin: &Origin) -> Vec<Value> {
    let pegbox = Tool { name: "pegbox".to_owned(), version: origin.pegbox.clone() };
    [&pegbox]
        .into_iter()
        .chain(&origin.tools)
        .map(|tool| json!({"type": "application", "name": tool.name, "version": tool.version}))
        .collect()
}

/// A word that SPDX does not know is a licence's name.
fn licence(expression: &str) -> Value {
    match spdx::Expression::parse(expression) {
        Ok(_) => json!({"expression": expression}),
        Err(_) => json!({"license": {"name": expression}}),
    }
}

/// A UUID of version 8 that follows from what is listed.
fn serial_number(root: &str, binaries: &[&PackagedFile]) -> String {
    let mut hasher = Sha256::new();
    hasher.update(b"pegbox sbom\0");
    hasher.update(root.as_bytes());
    for file in binaries {
        hasher.update(Sha256::digest(&file.bytes));
    }
    let mut bytes: [u8; 32] = hasher.finalize().into();
    bytes[6] = bytes[6] & 0x0f | 0x80;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let part = |range: std::ops::Range<usize>| hex(&bytes[range]);
    format!("urn:uuid:{}-{}-{}-{}-{}", part(0..4), part(4..6), part(6..8), part(8..10), part(10..16))
}

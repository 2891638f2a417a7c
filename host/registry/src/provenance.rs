//! How a package was built: an in-toto statement with SLSA's provenance, version 1. No time and no path of
//! the machine stands in it.

use pegbox_manifest::Manifest;
use pegbox_manifest::digest::hex;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::dependencies::Dependency;
use crate::layout::canonical;
use crate::package::{Origin, PackagedFile};
use crate::sources::Source;

const BUILDER: &str = "https://github.com/pegbox/pegbox";
const BUILD_TYPE: &str = "https://github.com/pegbox/pegbox/plugin-build/v1";

/// The statement, as bytes.
pub(crate) fn of(
    manifest: &Manifest,
    binaries: &[&PackagedFile],
    sources: &[Source],
    dependencies: &[Dependency],
    origin: &Origin,
) -> Vec<u8> {
    let subject: Vec<Value> = binaries
        .iter()
        .map(|file| json!({"name": file.name, "digest": {"sha256": hex(&Sha256::digest(&file.bytes))}}))
        .collect();
    let of_source = |source: &Source| json!({"name": source.name, "digest": sha256(&source.digest)});
    let resolved = sources.iter().map(of_source).chain(dependencies.iter().map(of_dependency));
    let tools: Vec<Value> =
        origin.tools.iter().map(|tool| json!({"name": tool.name, "version": tool.version})).collect();
    canonical(json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": subject,
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": {
                    "plugin": manifest.plugin.name,
                    "version": manifest.plugin.version,
                    "contract": manifest.plugin.contract,
                    "language": manifest.build.as_ref().map(|build| build.language.name()),
                },
                "internalParameters": {"toolchain": tools},
                "resolvedDependencies": resolved.collect::<Vec<_>>(),
            },
            "runDetails": {
                "builder": {"id": BUILDER, "version": {"pegbox": origin.pegbox}},
            },
        },
    }))
}

fn of_dependency(dependency: &Dependency) -> Value {
    let mut described = json!({"uri": dependency.purl()});
    if let (Some((algorithm, content)), Some(fields)) = (&dependency.checksum, described.as_object_mut()) {
        let algorithm = algorithm.replace('-', "").to_lowercase();
        fields.insert("digest".to_owned(), json!({algorithm: content}));
    }
    described
}

fn sha256(digest: &str) -> Value {
    json!({"sha256": digest.strip_prefix("sha256:").unwrap_or(digest)})
}

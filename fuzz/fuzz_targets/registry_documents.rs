//! What lies beside packages: policies, pins, keys, signatures, and the names of registries.

#![no_main]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use pegbox_manifest::Manifest;
use pegbox_registry::{
    Candidate, Place, Policy, PublicKey, Statement, parse_bundle, parse_envelope, read_pins, write_pins,
};
use semver::Version;

/// The public key of RFC 8032's first test.
const KEY: &str = "ed25519:11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";

const MANIFEST: &str = r#"
[plugin]
name = "acme/focal"
version = "1.2.3"
kinds = ["loss"]
contract = "0.1.0"
licence = "MIT OR Apache-2.0"
summary = "A loss"

[component]
path = "focal.wasm"

[native]
path = "libfocal.so"

[permissions]
network = ["example.org"]
"#;

static PLUGIN: LazyLock<Manifest> =
    LazyLock::new(|| Manifest::parse(MANIFEST, Path::new("plugin.toml")).expect("it is a manifest"));

fuzz_target!(|text: &str| {
    if text.trim_start().starts_with('{') {
        envelope(text);
        bundle(text);
    } else {
        policy(text);
        pins(text);
        key(text);
        place(text);
        licence(text);
    }
});

fn envelope(text: &str) {
    let Ok(envelope) = parse_envelope(text.as_bytes()) else { return };
    let statement = Statement {
        digest: pegbox_manifest::digest::of(b"manifest"),
        name: "acme/focal".to_owned(),
        version: Version::new(1, 2, 3),
    };
    let key = PublicKey::parse(KEY).expect("it is a key");
    let trusted = BTreeMap::from([("release".to_owned(), key)]);
    if let Err(error) = envelope.signers(&statement, &trusted) {
        let _ = (error.to_string(), error.help());
    }
    let strangers = envelope.signers(&statement, &BTreeMap::new());
    assert!(strangers.map_or(true, |signers| signers.is_empty()));
}

fn bundle(text: &str) {
    if let Err(error) = parse_bundle(text) {
        let _ = (error.to_string(), error.help());
    }
}

fn policy(text: &str) {
    let file = Path::new("pegbox-policy.toml");
    let policy = match Policy::parse(text, file) {
        Ok(policy) => policy,
        Err(error) => {
            assert!(error.line.is_none_or(|line| line <= text.lines().count() + 1));
            return;
        }
    };
    let keys = policy.trusted().expect("the keys of a policy that was read are keys");
    assert_eq!(keys.len(), policy.keys.len());
    let (plugin, place) = (&PLUGIN.plugin, Place::parse("registry.example.org/plugins").expect("a place"));
    let signers: Vec<String> = policy.keys.keys().cloned().collect();
    let candidate = Candidate {
        name: &plugin.name,
        version: &plugin.version,
        registry: Some(&place),
        manifest: Some(&PLUGIN),
        signers: Some(&[]),
    };
    let unsigned = policy.objections(&candidate);
    assert_eq!(policy.check(&candidate).is_ok(), unsigned.is_empty());
    // Who is signed by everybody can only have fewer objections against it.
    let signed = policy.objections(&Candidate { signers: Some(&signers), ..candidate });
    assert!(signed.len() <= unsigned.len());
    assert!(policy.wants_signature(&plugin.name) || signed.len() == unsigned.len());
}

fn pins(text: &str) {
    static FOLDER: LazyLock<std::path::PathBuf> = LazyLock::new(|| {
        let folder = std::env::temp_dir().join(format!("pegbox-fuzz-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder for the lock file");
        folder
    });
    // What no lock file is need not go over the disk.
    if !text.contains("plugin") {
        return;
    }
    let file = FOLDER.join("pegbox.lock");
    fs::write(&file, text).expect("the lock file is written");
    let Ok(mut pins) = read_pins(&FOLDER) else { return };
    if write_pins(&FOLDER, &pins).is_err() {
        assert_eq!(fs::read(&file).expect("the lock file is there"), text.as_bytes());
        return;
    }
    pins.sort_by(|a, b| (&a.name, &a.version, &a.digest).cmp(&(&b.name, &b.version, &b.digest)));
    pins.dedup();
    assert_eq!(read_pins(&FOLDER).expect("pins that were written can be read"), pins);
}

fn key(text: &str) {
    if let Ok(key) = PublicKey::parse(text) {
        assert_eq!(PublicKey::parse(&key.to_string()).ok(), Some(key));
        assert_eq!(key.fingerprint().len(), 32);
    }
}

fn place(text: &str) {
    let Ok(place) = Place::parse(text) else { return };
    assert_eq!(Place::parse(&place.to_string()).ok().as_ref(), Some(&place));
    assert!(place.is_within(&place));
    let _ = place.is_loopback();
    if let Ok(repository) = place.repository("acme/focal") {
        assert_eq!(place.name_of(&repository), Some("acme/focal"));
    }
}

/// A licence comes from a stranger's manifest and is weighed by a team's policy.
fn licence(text: &str) {
    let mut manifest = PLUGIN.clone();
    text.clone_into(&mut manifest.plugin.licence);
    let policy = Policy { licences: Some(vec!["MIT".to_owned()]), ..Policy::default() };
    let (name, version) = (&manifest.plugin.name, &manifest.plugin.version);
    let candidate = Candidate { name, version, registry: None, manifest: Some(&manifest), signers: None };
    assert!(policy.objections(&candidate).len() <= 1);
}

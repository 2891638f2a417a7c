//! What a registry answers: an image's manifest, and a list of tags.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pegbox_registry::{OciManifest, highest, parse_oci_manifest, parse_tags};
use semver::VersionReq;

/// The annotation under which a file's name stands.
const TITLE: &str = "org.opencontainers.image.title";

fuzz_target!(|bytes: &[u8]| {
    match parse_oci_manifest(bytes) {
        Ok(manifest) => is_harmless(&manifest),
        Err(error) => {
            let text = error.to_string();
            assert!(!text.contains('\u{1b}'), "{text:?}");
            let _ = error.help();
        }
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        tags(text);
    }
});

fn is_harmless(manifest: &OciManifest) {
    let described = [&manifest.config].into_iter().chain(&manifest.layers).chain(&manifest.subject);
    for descriptor in described {
        assert!(pegbox_manifest::digest::is_well_formed(&descriptor.digest));
        if let Some(title) = descriptor.annotations.get(TITLE) {
            assert!(!title.contains(['/', '\\', '\0', '\u{1b}']) && !title.starts_with('.'), "{title:?}");
        }
    }
    let written = serde_json::to_vec(manifest).expect("a manifest is JSON");
    assert_eq!(&parse_oci_manifest(&written).expect("it reads as it was written"), manifest);
}

fn tags(text: &str) {
    let published = parse_tags(text.split_whitespace());
    assert!(published.is_sorted());
    for requirement in text.lines().filter_map(|line| VersionReq::parse(line).ok()).take(8) {
        if let Some(version) = highest(&requirement, &published) {
            assert!(requirement.matches(version));
            assert!(published.iter().any(|entry| entry.version == *version && !entry.yanked));
        }
    }
}

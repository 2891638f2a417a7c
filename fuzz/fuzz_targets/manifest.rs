//! `plugin.toml` and `team/name@requirement`. What is read must be written so that it reads the same.

#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use pegbox_manifest::{LimitOverrides, Limits, Manifest, ManifestError, PluginReference, is_name};

fuzz_target!(|text: &str| {
    let file = Path::new("plugin.toml");
    match Manifest::parse(text, file) {
        Ok(manifest) => reads_the_same(&manifest, file),
        Err(error) => told(&error, text),
    }
    match PluginReference::parse(text) {
        Ok(reference) => assert!(is_name(&reference.name)),
        Err(error) => told(&error, text),
    }
});

fn reads_the_same(manifest: &Manifest, file: &Path) {
    let written = toml::to_string(manifest).expect("a manifest that was read can be written");
    let again = Manifest::parse(&written, file).expect("a manifest that was written can be read");
    assert_eq!(&again, manifest, "{written}");
    let _ = manifest.check();
    let _ = Limits::settle(&manifest.plugin.kinds, &manifest.limits, &LimitOverrides::default());
    let asked = &manifest.permissions;
    assert!(asked.without(asked).is_empty());
    assert_eq!(&asked.within(asked), asked);
    // What `lines` gives is what a recipe would have to say.
    let granted = toml::from_str(&asked.lines().join("\n")).expect("the lines are TOML");
    assert!(asked.without(&granted).is_empty());
}

fn told(error: &ManifestError, text: &str) {
    let _ = (error.to_string(), error.help());
    if let ManifestError::Wrong { line: Some(line), .. } = error {
        assert!((1..=text.lines().count().max(1) + 1).contains(line), "line {line}");
    }
}

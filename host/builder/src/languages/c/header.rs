//! What the code is to know of the manifest: name, version, kinds and permissions, as macros.

use std::fmt::Write as _;
use std::path::Path;

use pegbox_manifest::{Manifest, Permissions};

use crate::error::BuildError;

const NAME: &str = "pegbox_build.h";

/// Writes the header to `folder`.
///
/// # Errors
/// The disk's.
pub(super) fn write(manifest: &Manifest, folder: &Path) -> Result<(), BuildError> {
    let path = folder.join(NAME);
    std::fs::write(&path, text(manifest)).map_err(BuildError::file("written", path))
}

fn text(manifest: &Manifest) -> String {
    let about = &manifest.plugin;
    let mut text = String::from("/* Written from plugin.toml by `pegbox plugin build`. */\n#pragma once\n");
    let mut define = |name: &str, value: &str| {
        let _ = writeln!(text, "#define PEGBOX_{name} {value}");
    };
    // Neither can hold a quote or a backslash.
    define("PLUGIN_NAME", &format!("\"{}\"", about.name));
    define("PLUGIN_VERSION", &format!("\"{}\"", about.version));
    for kind in &about.kinds {
        define(&format!("KIND_{}", kind.to_string().to_uppercase()), "1");
    }
    for (permission, _) in permissions(&manifest.permissions).iter().filter(|(_, asked)| *asked) {
        define(&format!("PERMISSION_{permission}"), "1");
    }
    text
}

fn permissions(asked: &Permissions) -> [(&'static str, bool); 6] {
    [
        ("LOG", asked.log),
        ("CLOCK", asked.clock),
        ("RANDOM", asked.random),
        ("READ", !asked.read.is_empty()),
        ("ENVIRONMENT", !asked.environment.is_empty()),
        ("NETWORK", !asked.network.is_empty()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_and_permissions_are_macros() {
        let manifest = "[plugin]\nname = \"acme/x\"\nversion = \"1.2.3\"\nkinds = [\"loss\", \"metric\"]\n\
                        contract = \"0.1.1\"\nlicence = \"MIT\"\nsummary = \"x\"\n[component]\npath = \"x.wasm\"\n\
                        [permissions]\nlog = true\nread = [\"a\"]\n";
        let text = text(&Manifest::parse(manifest, Path::new("plugin.toml")).unwrap());
        for line in [
            "#define PEGBOX_PLUGIN_NAME \"acme/x\"",
            "#define PEGBOX_PLUGIN_VERSION \"1.2.3\"",
            "#define PEGBOX_KIND_LOSS 1",
            "#define PEGBOX_KIND_METRIC 1",
            "#define PEGBOX_PERMISSION_LOG 1",
            "#define PEGBOX_PERMISSION_READ 1",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
        assert_eq!(text.lines().count(), 8);
    }
}

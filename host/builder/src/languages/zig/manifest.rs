//! What the code is to know of the manifest: name, version and kinds, as constants.

use std::path::Path;

use pegbox_manifest::Manifest;

use crate::error::BuildError;

pub(super) const NAME: &str = "manifest.zig";

/// Writes the module to `folder`.
///
/// # Errors
/// The disk's.
pub(super) fn write(manifest: &Manifest, folder: &Path) -> Result<(), BuildError> {
    let path = folder.join(NAME);
    std::fs::write(&path, text(manifest)).map_err(BuildError::file("written", path))
}

fn text(manifest: &Manifest) -> String {
    let about = &manifest.plugin;
    let kinds: Vec<String> = about.kinds.iter().map(|kind| format!("\"{kind}\"")).collect();
    // None of them can hold a quote or a backslash.
    format!(
        "//! Written from plugin.toml by `pegbox plugin build`.\n\n\
         pub const name = \"{}\";\npub const version = \"{}\";\npub const kinds = .{{ {} }};\n",
        about.name,
        about.version,
        kinds.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_kinds_are_there() {
        let manifest = "[plugin]\nname = \"acme/x\"\nversion = \"1.2.3\"\nkinds = [\"loss\", \"metric\"]\n\
                        contract = \"0.1.1\"\nlicence = \"MIT\"\nsummary = \"x\"\n[component]\npath = \"x.wasm\"\n";
        let text = text(&Manifest::parse(manifest, Path::new("plugin.toml")).unwrap());
        assert!(text.contains("name = \"acme/x\";\npub const version = \"1.2.3\";"), "{text}");
        assert!(text.contains("kinds = .{ \"loss\", \"metric\" };"), "{text}");
    }
}

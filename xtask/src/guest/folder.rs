//! One built plugin on disk.

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};
use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::fs::File;
use std::io::Write;
use std::path::Path;

/// A file that the manifest names in a table, with its digest.
pub struct Artifact {
    table: &'static str,
    pub file: String,
    pub content: Vec<u8>,
}

impl Artifact {
    pub fn component(content: Vec<u8>) -> Self {
        Self { table: "component", file: "plugin.wasm".to_owned(), content }
    }

    /// The shared library that cargo left in `folder`.
    pub fn native(folder: &Path, library: &str) -> Result<Self> {
        let file = format!("{DLL_PREFIX}{library}{DLL_SUFFIX}");
        let path = folder.join(&file);
        let content = std::fs::read(&path).with_context(|| format!("{} cannot be read", path.display()))?;
        Ok(Self { table: "native", file, content })
    }
}

/// Writes the artifacts and the manifest that vouches for them. Each file appears whole, the manifest last,
/// and only if it changes.
pub fn write(folder: &Path, manifest: &str, artifacts: &[Artifact]) -> Result<()> {
    std::fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    for artifact in artifacts {
        write_file(&folder.join(&artifact.file), &artifact.content)?;
    }
    write_file(&folder.join("plugin.toml"), with_digests(manifest, artifacts)?.as_bytes())
}

/// The manifest as its author wrote it, with the digest of each artifact under its path; a table that the
/// author left out, such as `[native]`, comes at the end.
fn with_digests(manifest: &str, artifacts: &[Artifact]) -> Result<String> {
    let mut text = manifest.trim_end().to_owned() + "\n";
    let read: toml::Table = manifest.parse().context("plugin.toml")?;
    for Artifact { table, file, content } in artifacts {
        let digest: String = Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect();
        let path = format!("path = \"{file}\"\n");
        let lines = format!("{path}digest = \"sha256:{digest}\"\n");
        match read.get(*table) {
            None => text += &format!("\n[{table}]\n{lines}"),
            Some(_) => {
                let header = format!("[{table}]\n{path}");
                if text.matches(&header).count() != 1 || read[*table].get("digest").is_some() {
                    bail!("plugin.toml: the table [{table}] must be `path = \"{file}\"` and nothing else");
                }
                text = text.replace(&header, &format!("[{table}]\n{lines}"));
            }
        }
    }
    Ok(text)
}

fn write_file(path: &Path, content: &[u8]) -> Result<()> {
    if std::fs::read(path).is_ok_and(|there| there == content) {
        return Ok(());
    }
    let new = path.with_extension(format!("new-{}", std::process::id()));
    let write = || -> std::io::Result<()> {
        let mut file = File::create(&new)?;
        file.write_all(content)?;
        file.sync_all()?;
        std::fs::rename(&new, path)
    };
    write().with_context(|| format!("{} cannot be written", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str =
        "[plugin]\nname = \"a/b\"\n\n[component]\npath = \"plugin.wasm\"\n\n[limits]\ndeadline-ms = 5\n";

    #[test]
    fn digests_stand_under_their_paths() {
        let native = Artifact { table: "native", file: "libb.so".to_owned(), content: b"native".to_vec() };
        let text = with_digests(MANIFEST, &[Artifact::component(b"abc".to_vec()), native]).unwrap();
        let read: toml::Table = text.parse().unwrap();
        assert_eq!(
            read["component"]["digest"].as_str(),
            Some("sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        );
        assert_eq!(read["native"]["path"].as_str(), Some("libb.so"));
        assert_eq!(read["limits"]["deadline-ms"].as_integer(), Some(5));
    }

    #[test]
    fn a_manifest_that_names_another_file_is_refused() {
        let manifest = MANIFEST.replace("plugin.wasm", "other.wasm");
        assert!(with_digests(&manifest, &[Artifact::component(Vec::new())]).is_err());
    }

    #[test]
    fn a_file_is_replaced_whole_and_left_alone_if_it_is_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        write_file(&path, b"one").unwrap();
        write_file(&path, b"two").unwrap();
        write_file(&path, b"two").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"two");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}

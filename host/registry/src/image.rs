//! OCI manifests: untrusted bytes in, checked values out. No input or output happens here.

use std::collections::BTreeMap;

use pegbox_manifest::digest;
use serde::{Deserialize, Serialize};

use crate::error::RegistryError;
use crate::limits;

/// The media type of an image's manifest.
pub(crate) const MANIFEST_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";

/// The key under which a file's name stands.
pub(crate) const TITLE: &str = "org.opencontainers.image.title";

/// An image's manifest, as far as Pegbox reads it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OciManifest {
    pub schema_version: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    pub config: Descriptor,
    pub layers: Vec<Descriptor>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<Descriptor>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// What some bytes are, without the bytes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    pub media_type: String,
    pub digest: String,
    pub size: u64,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

impl Descriptor {
    pub(crate) fn of(media_type: &str, bytes: &[u8]) -> Self {
        Self {
            media_type: media_type.to_owned(),
            digest: digest::of(bytes),
            size: bytes.len() as u64,
            annotations: BTreeMap::new(),
        }
    }

    pub(crate) fn titled(mut self, title: &str) -> Self {
        self.annotations.insert(TITLE.to_owned(), title.to_owned());
        self
    }

    /// # Errors
    /// `bytes` are not those that this describes.
    pub(crate) fn verify(&self, what: &str, bytes: &[u8]) -> Result<(), RegistryError> {
        let actual = digest::of(bytes);
        if actual != self.digest {
            return Err(RegistryError::Tampered {
                what: what.to_owned(),
                expected: self.digest.clone(),
                actual,
            });
        }
        if bytes.len() as u64 != self.size {
            return Err(RegistryError::Layout {
                what: what.to_owned(),
                fault: format!("its size is {} bytes, not the {} that stand there", bytes.len(), self.size),
            });
        }
        Ok(())
    }
}

impl OciManifest {
    /// The bytes whose digest names the image; the same value gives the same bytes.
    pub(crate) fn to_bytes(&self) -> Result<Vec<u8>, RegistryError> {
        serde_json::to_vec(self)
            .map_err(|fault| RegistryError::Layout { what: "the image".to_owned(), fault: fault.to_string() })
    }
}

/// Understands the manifest of an image. Keys that Pegbox does not know are passed over, as the specification
/// of OCI wants it.
///
/// # Errors
/// It is too large, not JSON, not an image's manifest, has too many layers, a digest that is not SHA-256, or
/// a file name that leaves its folder.
pub fn parse_oci_manifest(bytes: &[u8]) -> Result<OciManifest, RegistryError> {
    let fail = |fault: String| RegistryError::Layout { what: "the OCI manifest".to_owned(), fault };
    if bytes.len() as u64 > limits::MANIFEST {
        return Err(RegistryError::TooLarge { what: "the OCI manifest".to_owned(), limit: limits::MANIFEST });
    }
    let manifest: OciManifest = serde_json::from_slice(bytes).map_err(|fault| fail(fault.to_string()))?;
    if manifest.schema_version != 2 {
        return Err(fail(format!("its schema version is {}, not 2", manifest.schema_version)));
    }
    match manifest.media_type.as_deref() {
        None | Some(MANIFEST_TYPE) => {}
        Some(other) => return Err(fail(format!("it is a `{}`, not an image", shown(other)))),
    }
    if manifest.layers.len() > limits::LAYERS {
        return Err(fail(format!(
            "it has {} layers; {} are the most",
            manifest.layers.len(),
            limits::LAYERS
        )));
    }
    let described = [&manifest.config].into_iter().chain(&manifest.layers).chain(&manifest.subject);
    for descriptor in described {
        if !digest::is_well_formed(&descriptor.digest) {
            return Err(fail(format!("`{}` is not `sha256:` and 64 hex digits", shown(&descriptor.digest))));
        }
        if let Some(title) = descriptor.annotations.get(TITLE).filter(|title| !is_file_name(title)) {
            return Err(fail(format!("`{}` is not the name of a file in the package", shown(title))));
        }
    }
    Ok(manifest)
}

/// A plain name: no folders, nothing hidden, nothing that a file system or a terminal reads otherwise.
pub(crate) fn is_file_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 128
        && !name.starts_with(['.', '-'])
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b'+'))
}

/// Foreign text for a message: short, and without control characters.
pub(crate) fn shown(text: &str) -> String {
    let plain: String = text
        .chars()
        .take(200)
        .map(|letter| if letter.is_control() { char::REPLACEMENT_CHARACTER } else { letter })
        .collect();
    if plain.len() < text.len() { format!("{plain}...") } else { plain }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good() -> OciManifest {
        OciManifest {
            schema_version: 2,
            media_type: Some(MANIFEST_TYPE.to_owned()),
            artifact_type: None,
            config: Descriptor::of("application/json", b"{}"),
            layers: vec![Descriptor::of("application/wasm", b"wasm").titled("plugin.wasm")],
            subject: None,
            annotations: BTreeMap::new(),
        }
    }

    #[track_caller]
    fn fails(change: impl FnOnce(&mut OciManifest), with: &str) {
        let mut manifest = good();
        change(&mut manifest);
        let error = parse_oci_manifest(&manifest.to_bytes().unwrap()).unwrap_err().to_string();
        assert!(error.contains(with), "{error}");
    }

    #[test]
    fn a_manifest_is_read_as_it_was_written() {
        assert_eq!(parse_oci_manifest(&good().to_bytes().unwrap()).unwrap(), good());
    }

    #[test]
    fn keys_of_later_versions_are_passed_over() {
        let text = String::from_utf8(good().to_bytes().unwrap()).unwrap();
        let text = text.replacen('{', "{\"later\":[1],", 1);
        assert_eq!(parse_oci_manifest(text.as_bytes()).unwrap(), good());
    }

    #[test]
    fn what_is_not_a_plain_image_is_refused() {
        fails(|m| m.schema_version = 1, "schema version is 1");
        fails(|m| m.media_type = Some("application/vnd.oci.image.index.v1+json".to_owned()), "not an image");
        fails(|m| m.layers = vec![m.layers[0].clone(); 33], "33 layers");
        fails(|m| m.layers[0].digest = "sha256:../../etc/passwd".to_owned(), "64 hex digits");
        fails(|m| m.config.digest = format!("sha512:{}", "0".repeat(128)), "64 hex digits");
        assert!(parse_oci_manifest(b"").is_err());
        assert!(parse_oci_manifest(b"[1]").is_err());
        let deep = [b"[".repeat(100_000), b"]".repeat(100_000)].concat();
        assert!(parse_oci_manifest(&deep).is_err());
        let large = vec![b' '; usize::try_from(limits::MANIFEST).unwrap() + 1];
        assert!(matches!(parse_oci_manifest(&large), Err(RegistryError::TooLarge { .. })));
    }

    #[test]
    fn a_file_name_that_leaves_its_folder_is_refused() {
        for bad in ["../plugin.wasm", "/etc/passwd", "a/b", "", ".hidden", "a\\b", "a\u{1b}[31m", "-rf"] {
            fails(
                |m| {
                    m.layers[0].annotations.insert(TITLE.to_owned(), bad.to_owned());
                },
                "is not the name of a file",
            );
        }
    }

    #[test]
    fn other_bytes_are_noticed() {
        let descriptor = Descriptor::of("text/plain", b"abc");
        assert!(descriptor.verify("the file", b"abc").is_ok());
        assert!(matches!(descriptor.verify("the file", b"abd"), Err(RegistryError::Tampered { .. })));
    }
}

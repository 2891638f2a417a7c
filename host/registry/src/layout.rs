//! How a package lies in a registry.
//!
//! The image `team/name:1.2.3` is what the Bytecode Alliance's tools expect, and they expect no more: its
//! only layer is the component. An annotation names a second image by digest, tagged
//! `sha256-<its digest>.pegbox` so that no clean-up takes it; its layers are the package's other files.

use std::collections::BTreeMap;

use pegbox_manifest::{Kind, digest};
use semver::Version;
use serde::Serialize;
use serde_json::Value;

use crate::error::RegistryError;
use crate::image::{Descriptor, MANIFEST_TYPE, OciManifest, TITLE, parse_oci_manifest, shown};
use crate::package::{COMPONENT, Package, Role, check_names};
use crate::sign::Evidence;

const CONFIG_TYPE: &str = "application/vnd.wasm.config.v0+json";
const EMPTY_TYPE: &str = "application/vnd.oci.empty.v1+json";
const PACKAGE_TYPE: &str = "application/vnd.pegbox.plugin.package.v1";
const SIGNATURES_TYPE: &str = "application/vnd.pegbox.plugin.signatures.v1";
const YANKED_TYPE: &str = "application/vnd.pegbox.plugin.yanked.v1";
pub(crate) const ENVELOPE_TYPE: &str = "application/vnd.dsse.envelope.v1+json";
pub(crate) const BUNDLE_TYPE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";

const VERSION: &str = "org.opencontainers.image.version";
const LICENCES: &str = "org.opencontainers.image.licenses";
const DESCRIPTION: &str = "org.opencontainers.image.description";
const KINDS: &str = "io.github.pegbox.plugin.kinds";
const CONTRACT: &str = "io.github.pegbox.plugin.contract";
/// The digest of the second image.
const PACKAGE: &str = "io.github.pegbox.plugin.package";
const REASON: &str = "io.github.pegbox.plugin.yanked.reason";

/// A manifest and the blobs that it names.
pub(crate) struct Image {
    pub manifest: Vec<u8>,
    pub digest: String,
    pub blobs: Vec<(Descriptor, Vec<u8>)>,
}

/// What an image says of the plugin whose component it holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Summary {
    pub name: String,
    pub version: Version,
    pub licence: String,
    pub summary: String,
    pub kinds: Vec<String>,
    pub component: Descriptor,
    /// The digest of the second image.
    pub package: String,
}

/// A file that the second image names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Listed {
    pub role: Role,
    pub name: String,
    pub descriptor: Descriptor,
}

/// Both images of a package: the component's, and that of the other files.
///
/// # Errors
/// The component's types cannot be read.
pub(crate) fn images(package: &Package) -> Result<(Image, Image), RegistryError> {
    let rest = package_image(package)?;
    Ok((component_image(package, &rest.digest)?, rest))
}

fn component_image(package: &Package, rest: &str) -> Result<Image, RegistryError> {
    let manifest = package.manifest();
    let about = &manifest.plugin;
    let bytes = package.component().to_vec();
    let layer = Descriptor::of(Role::Component.media_type(), &bytes).titled(COMPONENT);
    let config = configuration(&bytes, &layer)?;
    let annotations = [
        (TITLE, about.name.clone()),
        (VERSION, about.version.to_string()),
        (LICENCES, about.licence.clone()),
        (DESCRIPTION, about.summary.clone()),
        (KINDS, about.kinds.iter().map(|kind| kind_name(*kind)).collect::<Vec<_>>().join(",")),
        (CONTRACT, about.contract.to_string()),
        (PACKAGE, rest.to_owned()),
    ];
    image(None, (CONFIG_TYPE, config), vec![(layer, bytes)], &annotations)
}

fn package_image(package: &Package) -> Result<Image, RegistryError> {
    let layers = package.files().iter().filter(|file| file.role != Role::Component).map(|file| {
        (Descriptor::of(file.role.media_type(), &file.bytes).titled(&file.name), file.bytes.clone())
    });
    let about = &package.manifest().plugin;
    let annotations = [(TITLE, about.name.clone()), (VERSION, about.version.to_string())];
    image(Some(PACKAGE_TYPE), (EMPTY_TYPE, b"{}".to_vec()), layers.collect(), &annotations)
}

/// Signatures of the image `subject`; where a registry has an interface for referrers, they show there.
///
/// # Errors
/// None that signatures have.
pub(crate) fn signatures_image(subject: &[u8], evidence: &Evidence) -> Result<Image, RegistryError> {
    let mut layers = Vec::new();
    for envelope in &evidence.envelopes {
        let bytes = envelope.to_bytes()?;
        layers.push((Descriptor::of(ENVELOPE_TYPE, &bytes), bytes));
    }
    for bundle in &evidence.bundles {
        layers.push((Descriptor::of(BUNDLE_TYPE, bundle.as_bytes()), bundle.clone().into_bytes()));
    }
    with_subject(
        image(Some(SIGNATURES_TYPE), (EMPTY_TYPE, b"{}".to_vec()), layers, &[])?,
        Descriptor::of(MANIFEST_TYPE, subject),
    )
}

/// The mark that a version is not to be chosen any more.
///
/// # Errors
/// None that a reason has.
pub(crate) fn yanked_image(reason: &str) -> Result<Image, RegistryError> {
    let layer = (Descriptor::of(EMPTY_TYPE, b"{}"), b"{}".to_vec());
    image(Some(YANKED_TYPE), (EMPTY_TYPE, b"{}".to_vec()), vec![layer], &[(REASON, reason.to_owned())])
}

fn image(
    artifact_type: Option<&str>,
    (config_type, config): (&str, Vec<u8>),
    layers: Vec<(Descriptor, Vec<u8>)>,
    annotations: &[(&str, String)],
) -> Result<Image, RegistryError> {
    let config_descriptor = Descriptor::of(config_type, &config);
    let manifest = OciManifest {
        schema_version: 2,
        media_type: Some(MANIFEST_TYPE.to_owned()),
        artifact_type: artifact_type.map(str::to_owned),
        config: config_descriptor.clone(),
        layers: layers.iter().map(|(descriptor, _)| descriptor.clone()).collect(),
        subject: None,
        annotations: annotations.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect(),
    };
    let bytes = manifest.to_bytes()?;
    // What was made must be what is read: a package that nobody could pull is refused here, not there.
    parse_oci_manifest(&bytes)?;
    let blobs = [(config_descriptor, config)].into_iter().chain(layers).collect();
    Ok(Image { digest: digest::of(&bytes), manifest: bytes, blobs })
}

fn with_subject(made: Image, subject: Descriptor) -> Result<Image, RegistryError> {
    let mut manifest = parse_oci_manifest(&made.manifest)?;
    manifest.subject = Some(subject);
    let bytes = manifest.to_bytes()?;
    Ok(Image { digest: digest::of(&bytes), manifest: bytes, blobs: made.blobs })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Configuration {
    created: &'static str,
    author: Option<String>,
    architecture: &'static str,
    os: &'static str,
    layer_digests: Vec<String>,
    component: Types,
}

#[derive(Serialize)]
struct Types {
    exports: Vec<String>,
    imports: Vec<String>,
    target: Option<String>,
}

/// What the tools of the Bytecode Alliance want to know of a component, without the time.
fn configuration(component: &[u8], layer: &Descriptor) -> Result<Vec<u8>, RegistryError> {
    let fail = |fault: String| RegistryError::Layout { what: "the component".to_owned(), fault };
    let decoded = wit_component::decode(component).map_err(|fault| fail(format!("{fault:#}")))?;
    let wit_component::DecodedWasm::Component(resolve, world) = decoded else {
        return Err(fail("it holds types only".to_owned()));
    };
    let world = &resolve.worlds[world];
    let configuration = Configuration {
        created: "1970-01-01T00:00:00Z",
        author: None,
        architecture: "wasm",
        os: "wasip2",
        layer_digests: vec![layer.digest.clone()],
        component: Types {
            exports: world.exports.keys().map(|key| resolve.name_world_key(key)).collect(),
            imports: world.imports.keys().map(|key| resolve.name_world_key(key)).collect(),
            target: None,
        },
    };
    serde_json::to_vec(&configuration).map_err(|fault| fail(fault.to_string()))
}

/// Reads the first image of a package.
///
/// # Errors
/// It is not one.
pub(crate) fn read_component_image(bytes: &[u8]) -> Result<Summary, RegistryError> {
    let fail = |fault: &str| RegistryError::Layout { what: "the image".to_owned(), fault: fault.to_owned() };
    let manifest = parse_oci_manifest(bytes)?;
    let get = |key: &str| manifest.annotations.get(key).cloned();
    let [layer] = manifest.layers.as_slice() else {
        return Err(fail("it has other layers than the component"));
    };
    if layer.media_type != Role::Component.media_type() {
        return Err(fail("its layer is not a component"));
    }
    let package =
        get(PACKAGE).ok_or_else(|| fail("it names no package; `wkg` can pull it, Pegbox cannot"))?;
    if !digest::is_well_formed(&package) {
        return Err(fail("the digest of its package is not `sha256:` and 64 hex digits"));
    }
    let name = get(TITLE).filter(|name| pegbox_manifest::is_name(name));
    let version = get(VERSION).and_then(|version| Version::parse(&version).ok());
    let (Some(name), Some(version)) = (name, version) else {
        return Err(fail("it does not say which plugin it is"));
    };
    let text = |key| get(key).map(|text| shown(&text)).unwrap_or_default();
    Ok(Summary {
        name,
        version,
        licence: text(LICENCES),
        summary: text(DESCRIPTION),
        kinds: text(KINDS).split(',').filter(|kind| !kind.is_empty()).map(str::to_owned).collect(),
        component: layer.clone(),
        package,
    })
}

/// Reads the second image of a package.
///
/// # Errors
/// It is not one, or has a layer that no file of a package is.
pub(crate) fn read_package_image(bytes: &[u8]) -> Result<Vec<Listed>, RegistryError> {
    let fail = |fault: String| RegistryError::Layout { what: "the package's image".to_owned(), fault };
    let manifest = parse_oci_manifest(bytes)?;
    if manifest.artifact_type.as_deref() != Some(PACKAGE_TYPE) {
        return Err(fail(format!("its type is not {PACKAGE_TYPE}")));
    }
    let listed = |descriptor: Descriptor| -> Result<Listed, RegistryError> {
        let is_of = |role: &Role| role.media_type() == descriptor.media_type && *role != Role::Component;
        let role = Role::ALL
            .into_iter()
            .find(is_of)
            .ok_or_else(|| fail(format!("no file of a plugin is a `{}`", shown(&descriptor.media_type))))?;
        let name = descriptor
            .annotations
            .get(TITLE)
            .cloned()
            .ok_or_else(|| fail("a file has no name".to_owned()))?;
        Ok(Listed { role, name, descriptor })
    };
    let found: Vec<Listed> = manifest.layers.into_iter().map(listed).collect::<Result<_, _>>()?;
    check_names(&found.iter().map(|listed| (listed.role, &*listed.name)).collect::<Vec<_>>())?;
    Ok(found)
}

/// The envelopes and bundles that an image of signatures names. Other tools may have put theirs beside ours.
///
/// # Errors
/// It is not an image.
pub(crate) fn read_signatures_image(bytes: &[u8]) -> Result<Vec<Descriptor>, RegistryError> {
    let layers = parse_oci_manifest(bytes)?.layers;
    Ok(layers
        .into_iter()
        .filter(|layer| [ENVELOPE_TYPE, BUNDLE_TYPE].contains(&&*layer.media_type))
        .collect())
}

/// `sha256:abc` as the tag `sha256-abc.ending`, which other tools know to pass over.
pub(crate) fn digest_tag(digest: &str, ending: &str) -> String {
    format!("{}.{ending}", digest.replacen(':', "-", 1))
}

fn kind_name(kind: Kind) -> String {
    format!("{kind:?}").to_lowercase()
}

/// JSON whose keys are sorted at every depth, whatever the maps of this build keep.
pub(crate) fn canonical(value: Value) -> Vec<u8> {
    let mut text = sorted(value).to_string().into_bytes();
    text.push(b'\n');
    text
}

fn sorted(value: Value) -> Value {
    match value {
        Value::Array(items) => Value::Array(items.into_iter().map(sorted).collect()),
        Value::Object(fields) => {
            let fields: BTreeMap<String, Value> =
                fields.into_iter().map(|(key, value)| (key, sorted(value))).collect();
            Value::Object(fields.into_iter().collect())
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_without_our_annotations_is_told_apart() {
        let layer = (Descriptor::of("application/wasm", b"x"), b"x".to_vec());
        let foreign = image(None, (CONFIG_TYPE, b"{}".to_vec()), vec![layer.clone()], &[]).unwrap();
        let error = read_component_image(&foreign.manifest).unwrap_err().to_string();
        assert!(error.contains("names no package"), "{error}");
        let two = image(None, (CONFIG_TYPE, b"{}".to_vec()), vec![layer.clone(), layer], &[]).unwrap();
        assert!(read_component_image(&two.manifest).unwrap_err().to_string().contains("other layers"));
    }

    #[test]
    fn a_layer_that_is_no_file_of_a_plugin_is_refused() {
        let layer = (Descriptor::of("application/x-tar", b"x").titled("a.tar"), b"x".to_vec());
        let made = image(Some(PACKAGE_TYPE), (EMPTY_TYPE, b"{}".to_vec()), vec![layer], &[]).unwrap();
        let error = read_package_image(&made.manifest).unwrap_err().to_string();
        assert!(error.contains("no file of a plugin is a `application/x-tar`"), "{error}");
    }

    #[test]
    fn json_is_sorted_at_every_depth() {
        let value = serde_json::json!({"b": [{"d": 1, "c": 2}], "a": null});
        assert_eq!(canonical(value), b"{\"a\":null,\"b\":[{\"c\":2,\"d\":1}]}\n");
    }
}

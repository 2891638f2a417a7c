//! Push, pull, sign, verify, lock and vendor against a real registry.

mod common;

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::{PASSWORD, Running, Source, USER, component, origin};
use pegbox_manifest::{PluginReference, digest};
use pegbox_registry::{
    Demands, Package, Pin, Policy, Published, RegistryError, Role, SecretKey, Store, Upgrade, open_vendored,
    pinned_packages, vendor, write_pins,
};
use semver::Version;

const NAME: &str = "acme/cleaner";

fn version(text: &str) -> Version {
    Version::parse(text).unwrap()
}

fn push(registry: &Running, version: &str, content: &str) -> String {
    registry.connect(None).push(&Source::new(NAME, version, content).pack(), None).unwrap().digest
}

fn policy(signer: &SecretKey) -> Policy {
    let text = format!(
        "[policy.keys]\nrelease = \"{}\"\n[[policy.signers]]\nplugins = \"acme/*\"\nby = [\"release\"]\n[policy]\n",
        signer.public()
    );
    Policy::parse(&text, Path::new("pegbox-policy.toml")).unwrap()
}

#[test]
fn what_was_pushed_is_what_is_pulled() {
    let running = Running::open();
    let registry = running.connect(None);
    let package = Source::new(NAME, "1.2.3", "spaces").pack();
    let pushed = registry.push(&package, None).unwrap();
    assert!(!pushed.was_there);
    assert_eq!(pushed.reference, format!("{}/acme/cleaner:1.2.3", running.place()));
    let pulled = registry.pull(NAME, &version("1.2.3"), &Demands::default()).unwrap();
    assert_eq!(pulled.package, package);
    assert_eq!(pulled.digest, pushed.digest);
    assert!(pulled.signers.is_empty());
    let again = registry.push(&package, None).unwrap();
    assert!(again.was_there && again.digest == pushed.digest);
}

#[test]
fn the_same_sources_give_the_same_package_wherever_they_lie() {
    let (one, two) = (Source::new(NAME, "1.2.3", "spaces"), Source::new(NAME, "1.2.3", "spaces"));
    assert_eq!(one.pack(), two.pack());
    for file in one.pack().files() {
        let text = String::from_utf8_lossy(&file.bytes).into_owned();
        assert!(!text.contains(one.path().to_str().unwrap()), "{} names a path of the machine", file.name);
    }
    two.write("plugin.zig", "// another source\n");
    assert_ne!(one.pack(), two.pack());
}

#[test]
fn the_image_is_what_the_tools_of_the_bytecode_alliance_demand() {
    let running = Running::open();
    let digest = push(&running, "1.2.3", "spaces");
    let text = fs::read_to_string(running.blob(&digest)).unwrap();
    let manifest: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(manifest["mediaType"], "application/vnd.oci.image.manifest.v1+json");
    assert_eq!(manifest["config"]["mediaType"], "application/vnd.wasm.config.v0+json");
    assert_eq!(manifest["layers"].as_array().unwrap().len(), 1);
    assert_eq!(manifest["layers"][0]["mediaType"], "application/wasm");
    let config = running.blob(manifest["config"]["digest"].as_str().unwrap());
    let config: serde_json::Value = serde_json::from_str(&fs::read_to_string(config).unwrap()).unwrap();
    assert_eq!(config["os"], "wasip2");
    assert_eq!(config["architecture"], "wasm");
    assert_eq!(config["layerDigests"][0], manifest["layers"][0]["digest"]);
}

#[test]
fn a_published_version_never_changes() {
    let running = Running::open();
    let there = push(&running, "1.2.3", "spaces");
    let error = running.connect(None).push(&Source::new(NAME, "1.2.3", "tabs").pack(), None).unwrap_err();
    assert!(matches!(error, RegistryError::Published { .. }), "{error}");
    assert!(error.help().unwrap().contains(&there));
}

#[test]
fn versions_are_listed_resolved_and_yanked() {
    let running = Running::open();
    for version in ["1.0.0", "1.10.0", "1.9.0", "2.0.0-rc.1"] {
        push(&running, version, version);
    }
    let registry = running.connect(None);
    let listed: Vec<String> =
        registry.versions(NAME).unwrap().iter().map(|entry| entry.version.to_string()).collect();
    assert_eq!(listed, ["1.0.0", "1.9.0", "1.10.0", "2.0.0-rc.1"]);
    let reference = PluginReference::parse("acme/cleaner@^1").unwrap();
    assert_eq!(registry.resolve(&reference).unwrap(), version("1.10.0"));
    registry.yank(NAME, &version("1.10.0"), "it cleans too much").unwrap();
    assert_eq!(registry.resolve(&reference).unwrap(), version("1.9.0"));
    assert!(
        registry.versions(NAME).unwrap().contains(&Published { version: version("1.10.0"), yanked: true })
    );
    assert!(registry.pull(NAME, &version("1.10.0"), &Demands::default()).is_ok());
    let error = registry.resolve(&PluginReference::parse("acme/cleaner@^3").unwrap()).unwrap_err();
    assert!(error.help().unwrap().contains("1.10.0 (yanked)"), "{error}");
    assert!(matches!(registry.versions("acme/none"), Err(RegistryError::NoPlugin { .. })));
    let error = registry.pull(NAME, &version("1.1.0"), &Demands::default()).unwrap_err();
    assert!(matches!(error, RegistryError::NoVersion { .. }), "{error}");
}

#[test]
fn a_search_shows_the_newest_of_each() {
    let running = Running::open();
    let registry = running.connect(None);
    assert!(registry.search("").unwrap().is_empty());
    push(&running, "1.0.0", "old");
    push(&running, "1.1.0", "new");
    registry.push(&Source::new("other/loss", "0.1.0", "nothing").pack(), None).unwrap();
    let found = registry.search("clean").unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!((&*found[0].name, &*found[0].summary), (NAME, "Cleans new"));
    assert_eq!((&*found[0].kinds[0], &*found[0].licence), ("cleaner", "MIT OR Apache-2.0"));
    assert_eq!(registry.search("").unwrap().len(), 2);
}

#[test]
fn a_registry_that_asks_gets_dockers_credentials() {
    let running = Running::locked();
    let package = Source::new(NAME, "1.2.3", "spaces").pack();
    let error = running.connect(None).push(&package, None).unwrap_err();
    assert!(matches!(error, RegistryError::Denied { had_credentials: false, .. }), "{error}");
    assert!(error.help().unwrap().contains("docker login 127.0.0.1:"));
    let folder = tempfile::tempdir().unwrap();
    let host = running.place().host().to_owned();
    let config = |password: &str| {
        format!(r#"{{"auths": {{"{host}": {{"username": "{USER}", "password": "{password}"}}}}}}"#)
    };
    fs::write(folder.path().join("config.json"), config("wrong")).unwrap();
    let error = running.connect(Some(folder.path())).push(&package, None).unwrap_err();
    assert!(matches!(error, RegistryError::Denied { had_credentials: true, .. }), "{error}");
    assert!(!error.to_string().contains("wrong"));
    fs::write(folder.path().join("config.json"), config(PASSWORD)).unwrap();
    let registry = running.connect(Some(folder.path()));
    registry.push(&package, Some(&SecretKey::generate().unwrap())).unwrap();
    assert_eq!(registry.pull(NAME, &version("1.2.3"), &Demands::default()).unwrap().package, package);
    assert_eq!(registry.versions(NAME).unwrap().len(), 1);
    assert_eq!(registry.search("").unwrap().len(), 1);
    let error = running.connect(None).versions(NAME).unwrap_err();
    assert!(matches!(error, RegistryError::Denied { .. }), "{error}");
}

#[cfg(unix)]
#[test]
fn a_credential_helper_is_asked() {
    use std::os::unix::fs::PermissionsExt;
    const CHILD: &str = "PEGBOX_TEST_CHILD";
    // A helper is found by PATH, so the second half runs in a process of its own.
    if let Ok(place) = env::var(CHILD) {
        let place = pegbox_registry::Place::parse(&place).unwrap();
        let registry = pegbox_registry::Registry::connect(&place, &Default::default()).unwrap();
        registry.push(&Source::new(NAME, "1.2.3", "spaces").pack(), None).unwrap();
        return;
    }
    let running = Running::locked();
    let folder = tempfile::tempdir().unwrap();
    let helper = folder.path().join("docker-credential-pegboxtest");
    let answer = format!(r#"{{"Username": "{USER}", "Secret": "{PASSWORD}"}}"#);
    fs::write(&helper, format!("#!/bin/sh\nread server\necho '{answer}'\n")).unwrap();
    fs::set_permissions(&helper, fs::Permissions::from_mode(0o755)).unwrap();
    let config = format!(r#"{{"credHelpers": {{"{}": "pegboxtest"}}}}"#, running.place().host());
    fs::write(folder.path().join("config.json"), config).unwrap();
    let path = env::join_paths(
        [folder.path().to_owned()].into_iter().chain(env::split_paths(&env::var_os("PATH").unwrap())),
    );
    let output = Command::new(env::current_exe().unwrap())
        .args(["--exact", "a_credential_helper_is_asked"])
        .env(CHILD, running.place().to_string())
        .env("DOCKER_CONFIG", folder.path())
        .env("PATH", path.unwrap())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert!(!String::from_utf8_lossy(&output.stdout).contains(PASSWORD));
}

#[test]
fn a_signed_package_is_pulled_and_its_signers_are_named() {
    let running = Running::open();
    let registry = running.connect(None);
    let (release, other) = (SecretKey::generate().unwrap(), SecretKey::generate().unwrap());
    let package = Source::new(NAME, "1.2.3", "spaces").pack();
    registry.push(&package, Some(&release)).unwrap();
    // The same key once more, and a second one: each stands there once.
    registry.push(&package, Some(&release)).unwrap();
    registry.sign(NAME, &version("1.2.3"), &other).unwrap();
    let trusted = BTreeMap::from([("friend".to_owned(), other.public())]);
    let policy = policy(&release);
    let demands =
        Demands { policy: Some(&policy), trusted: Some(&trusted), signed: true, ..Demands::default() };
    let pulled = registry.pull(NAME, &version("1.2.3"), &demands).unwrap();
    assert_eq!(pulled.signers, ["friend", "release"]);
}

#[test]
fn a_wrong_signer_and_none_at_all_are_refused() {
    let running = Running::open();
    let registry = running.connect(None);
    let (release, stranger) = (SecretKey::generate().unwrap(), SecretKey::generate().unwrap());
    let policy = policy(&release);
    let demands = Demands { policy: Some(&policy), ..Demands::default() };
    let package = Source::new(NAME, "1.2.3", "spaces").pack();
    registry.push(&package, None).unwrap();
    let unsigned = registry.pull(NAME, &version("1.2.3"), &demands).unwrap_err();
    assert_eq!(
        unsigned.to_string(),
        "the policy does not allow acme/cleaner@1.2.3: plugins acme/* must be signed by release; nobody that \
         the policy trusts has"
    );
    registry.sign(NAME, &version("1.2.3"), &stranger).unwrap();
    let wrong = registry.pull(NAME, &version("1.2.3"), &demands).unwrap_err();
    assert!(matches!(wrong, RegistryError::Policy { .. }), "{wrong}");
    let trusted = BTreeMap::from([("friend".to_owned(), release.public())]);
    let demands = Demands { trusted: Some(&trusted), signed: true, ..Demands::default() };
    let wrong = registry.pull(NAME, &version("1.2.3"), &demands).unwrap_err();
    assert!(matches!(wrong, RegistryError::Unsigned { .. }), "{wrong}");
}

#[test]
fn a_signature_that_was_tampered_with_is_refused() {
    let running = Running::open();
    let registry = running.connect(None);
    let release = SecretKey::generate().unwrap();
    let pushed = registry.push(&Source::new(NAME, "1.2.3", "spaces").pack(), Some(&release)).unwrap();
    let stored = tempfile::tempdir().unwrap();
    let pulled = registry.pull(NAME, &version("1.2.3"), &Demands::default()).unwrap();
    let stored = Store::new(stored.path()).put(&pulled).unwrap();
    // One that another version's owner signed, in the place of this one's.
    let other = registry.push(&Source::new(NAME, "1.2.4", "tabs").pack(), Some(&release)).unwrap();
    let envelopes = |digest: &str| {
        let tag = format!("{}.sig", digest.replace(':', "-"));
        let link = running
            .blob(digest)
            .ancestors()
            .nth(5)
            .unwrap()
            .join(format!("repositories/plugins/{NAME}/_manifests/tags/{tag}/current/link"));
        (fs::read_to_string(&link).unwrap(), link)
    };
    let (of_other, _) = envelopes(&other.digest);
    let (_, link) = envelopes(&pushed.digest);
    fs::write(link, of_other).unwrap();
    let policy = policy(&release);
    let demands = Demands { policy: Some(&policy), ..Demands::default() };
    let error = registry.pull(NAME, &version("1.2.3"), &demands).unwrap_err();
    assert!(matches!(error, RegistryError::SignedOther { .. }), "{error}");
    assert!(stored.admit(Some(&running.place()), &demands).is_ok());
    let stranger = self::policy(&SecretKey::generate().unwrap());
    let demands = Demands { policy: Some(&stranger), ..Demands::default() };
    assert!(stored.admit(Some(&running.place()), &demands).is_err());
}

#[test]
fn a_sigstore_bundle_over_other_bytes_is_refused() {
    let running = Running::open();
    let registry = running.connect(None);
    let package = Source::new(NAME, "1.2.3", "spaces").pack();
    let digest = registry.push(&package, Some(&SecretKey::generate().unwrap())).unwrap().digest;
    assert_eq!(digest::of(&package.oci_manifest().unwrap()), digest);
    assert!(registry.attach_bundle(NAME, &version("1.2.3"), "{}").is_err());
    registry
        .attach_bundle(NAME, &version("1.2.3"), include_str!("data/sigstore-js-2.0.0.sigstore.json"))
        .unwrap();
    let policy = Policy::parse(
        "[policy.identities.js]\n\
         identity = \"https://github.com/sigstore/sigstore-js/.github/workflows/release.yml@refs/heads/main\"\n\
         issuer = \"https://token.actions.githubusercontent.com\"\n\
         [[policy.signers]]\nplugins = \"*/*\"\nby = [\"js\"]\n[policy]\n",
        Path::new("p"),
    );
    let policy = policy.unwrap();
    let demands = Demands { policy: Some(&policy), ..Demands::default() };
    let error = registry.pull(NAME, &version("1.2.3"), &demands).unwrap_err();
    assert!(matches!(error, RegistryError::Policy { .. }), "{error}");
    assert!(error.to_string().contains("a Sigstore bundle is not js's: "), "{error}");
    // It harms nobody who does not ask for it.
    assert!(registry.pull(NAME, &version("1.2.3"), &Demands::default()).is_ok());
}

#[test]
fn a_tampered_layer_is_refused() {
    let running = Running::open();
    let registry = running.connect(None);
    let package = Source::new(NAME, "1.2.3", "spaces").pack();
    registry.push(&package, None).unwrap();
    for file in package.files() {
        let blob = running.blob(&digest::of(&file.bytes));
        let mut bytes = file.bytes.clone();
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        fs::write(&blob, &bytes).unwrap();
        let error = registry.pull(NAME, &version("1.2.3"), &Demands::default()).unwrap_err();
        assert!(matches!(error, RegistryError::Tampered { .. }), "{}: {error}", file.name);
        assert!(error.to_string().contains(&digest::of(&file.bytes)), "{error}");
        // Longer or shorter than it was.
        for bytes in [&file.bytes[..last], &[&*file.bytes, b"more"].concat()] {
            fs::write(&blob, bytes).unwrap();
            assert!(registry.pull(NAME, &version("1.2.3"), &Demands::default()).is_err());
        }
        fs::write(&blob, &file.bytes).unwrap();
    }
    assert!(registry.pull(NAME, &version("1.2.3"), &Demands::default()).is_ok());
}

#[test]
fn a_moved_tag_is_refused_with_both_digests() {
    let running = Running::open();
    let registry = running.connect(None);
    push(&running, "1.2.3", "spaces");
    let pin = Pin::of(&registry.pull(NAME, &version("1.2.3"), &Demands::default()).unwrap());
    let demands = Demands { pin: Some(&pin), ..Demands::default() };
    assert!(registry.pull(NAME, &version("1.2.3"), &demands).is_ok());
    running.forget(NAME, "1.2.3");
    let moved = push(&running, "1.2.3", "tabs");
    let error = registry.pull(NAME, &version("1.2.3"), &demands).unwrap_err();
    assert!(matches!(error, RegistryError::Moved { .. }), "{error}");
    let text = error.to_string();
    assert!(text.contains(&moved) && text.contains(pin.manifest.as_ref().unwrap()), "{text}");
}

#[test]
fn a_tag_that_points_at_another_plugin_is_refused() {
    let running = Running::open();
    push(&running, "1.2.3", "spaces");
    push(&running, "1.2.4", "tabs");
    let link = |version: &str| {
        let blobs = running.blob(&digest::of(b""));
        let tags = format!("repositories/plugins/{NAME}/_manifests/tags/{version}/current/link");
        blobs.ancestors().nth(5).unwrap().join(tags)
    };
    fs::copy(link("1.2.3"), link("1.2.4")).unwrap();
    let error = running.connect(None).pull(NAME, &version("1.2.4"), &Demands::default()).unwrap_err();
    assert!(error.to_string().contains("it is acme/cleaner@1.2.3"), "{error}");
}

#[test]
fn a_downgrade_is_refused_unless_asked_for() {
    let running = Running::open();
    let registry = running.connect(None);
    push(&running, "1.0.0", "old");
    push(&running, "1.1.0", "new");
    let pin = Pin::of(&registry.pull(NAME, &version("1.1.0"), &Demands::default()).unwrap());
    let demands = Demands { pin: Some(&pin), ..Demands::default() };
    let error = registry.pull(NAME, &version("1.0.0"), &demands).unwrap_err();
    assert!(matches!(error, RegistryError::Downgrade { .. }), "{error}");
    let demands = Demands { upgrade: Upgrade::AnyWay, ..demands };
    assert!(registry.pull(NAME, &version("1.0.0"), &demands).is_ok());
}

#[test]
fn a_policy_is_asked_about_the_registry_before_it_is_reached() {
    // Nothing listens there: an error about the connection would mean that it was tried.
    let place = pegbox_registry::Place::parse("127.0.0.1:1/plugins").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let options =
        pegbox_registry::Options { docker_config: Some(folder.path().to_owned()), ..Default::default() };
    let registry = pegbox_registry::Registry::connect(&place, &options).unwrap();
    let policy = Policy::parse("[policy]\nregistries = [\"good.dev\"]", Path::new("p")).unwrap();
    let demands = Demands { policy: Some(&policy), ..Demands::default() };
    let error = registry.pull(NAME, &version("1.0.0"), &demands).unwrap_err();
    assert!(error.to_string().contains("127.0.0.1:1/plugins is not one of good.dev"), "{error}");
    let error = registry.pull(NAME, &version("1.0.0"), &Demands::default()).unwrap_err();
    assert!(matches!(error, RegistryError::Registry { .. }), "{error}");
}

#[test]
fn a_policy_is_asked_about_the_manifest() {
    let running = Running::open();
    push(&running, "1.2.3", "spaces");
    let policy = Policy::parse(
        "[policy]\nforbidden-capabilities = [\"log\"]\nlicences = [\"BSD-3-Clause\"]",
        Path::new("p"),
    );
    let policy = policy.unwrap();
    let demands = Demands { policy: Some(&policy), ..Demands::default() };
    let error = running.connect(None).pull(NAME, &version("1.2.3"), &demands).unwrap_err().to_string();
    assert!(error.contains("it asks for `log`") && error.contains("its licence"), "{error}");
}

#[test]
fn a_stored_package_is_checked_whenever_it_is_opened() {
    let running = Running::open();
    let digest = push(&running, "1.2.3", "spaces");
    let pulled = running.connect(None).pull(NAME, &version("1.2.3"), &Demands::default()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path());
    assert!(store.get(&digest).unwrap().is_none());
    let stored = store.put(&pulled).unwrap();
    assert_eq!(store.get(&digest).unwrap().unwrap(), stored);
    assert_eq!(stored.package, pulled.package);
    for entry in fs::read_dir(&stored.folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let good = fs::read(&path).unwrap();
        if ["signatures.json", "SHA256SUMS"].contains(&name) {
            continue;
        }
        fs::write(&path, [&*good, b" "].concat()).unwrap();
        let error = store.get(&digest).unwrap_err();
        assert!(matches!(error, RegistryError::Tampered { .. }), "{name}: {error}");
        fs::remove_file(&path).unwrap();
        assert!(store.get(&digest).is_err(), "{name}");
        #[cfg(unix)]
        {
            let elsewhere = folder.path().join("elsewhere");
            fs::write(&elsewhere, &good).unwrap();
            std::os::unix::fs::symlink(&elsewhere, &path).unwrap();
            let error = store.get(&digest).unwrap_err();
            assert!(error.to_string().contains("is a symbolic link"), "{name}: {error}");
            fs::remove_file(&path).unwrap();
        }
        fs::write(&path, &good).unwrap();
    }
    fs::write(stored.folder.join("extra.so"), "x").unwrap();
    assert!(store.get(&digest).unwrap_err().to_string().contains("does not belong"));
    store.put(&pulled).unwrap();
    assert!(store.get(&digest).unwrap().is_some());
    assert!(store.get("sha256:../../etc").is_err());
}

#[test]
fn vendored_packages_need_no_registry() {
    let running = Running::open();
    push(&running, "1.2.3", "spaces");
    let pulled = running.connect(None).pull(NAME, &version("1.2.3"), &Demands::default()).unwrap();
    drop(running);
    let (cache, recipe) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = Store::new(cache.path());
    let pin = Pin::of(&pulled);
    let error = vendor(recipe.path(), std::slice::from_ref(&pin), &store).unwrap_err();
    assert!(matches!(error, RegistryError::NotPulled { .. }), "{error}");
    store.put(&pulled).unwrap();
    let local = Pin { name: "acme/local".to_owned(), manifest: None, ..pin.clone() };
    let done = vendor(recipe.path(), &[local.clone(), pin.clone()], &store).unwrap();
    let folder = recipe.path().join("vendor/plugins/acme/cleaner-1.2.3");
    assert_eq!(done.written, std::slice::from_ref(&folder));
    assert!(done.stale.is_empty());
    // What a run finds: the vendored one, and without it the store's.
    write_pins(recipe.path(), &[local.clone(), pin.clone()]).unwrap();
    let folders = |store: &Store| -> Vec<PathBuf> {
        pinned_packages(recipe.path(), store).unwrap().into_iter().map(|stored| stored.folder).collect()
    };
    assert_eq!(folders(&store), std::slice::from_ref(&folder));
    fs::rename(recipe.path().join("vendor"), recipe.path().join("aside")).unwrap();
    assert_eq!(folders(&store), [store.get(pin.manifest.as_ref().unwrap()).unwrap().unwrap().folder]);
    fs::rename(recipe.path().join("aside"), recipe.path().join("vendor")).unwrap();
    drop(cache);
    let stored = open_vendored(recipe.path(), &pin).unwrap();
    assert_eq!((stored.package, &stored.folder), (pulled.package, &folder));
    let sums = Command::new("sha256sum")
        .args(["--check", "--strict", "SHA256SUMS"])
        .current_dir(&folder)
        .output()
        .unwrap();
    assert!(sums.status.success());

    // Another pin, a pin without a package, a changed file, a name that would leave the folder.
    let other = Pin { digest: digest::of(b"other"), ..pin.clone() };
    assert!(matches!(open_vendored(recipe.path(), &other), Err(RegistryError::Moved { .. })));
    assert!(matches!(open_vendored(recipe.path(), &local), Err(RegistryError::NotPinned { .. })));
    let newer = Pin { version: version("1.2.4"), ..pin.clone() };
    assert!(matches!(open_vendored(recipe.path(), &newer), Err(RegistryError::NotVendored { .. })));
    let escape = Pin { name: "../../acme".to_owned(), ..pin.clone() };
    assert!(matches!(open_vendored(recipe.path(), &escape), Err(RegistryError::Name { .. })));
    fs::write(folder.join("plugin.wasm"), component("evil")).unwrap();
    assert!(matches!(open_vendored(recipe.path(), &pin), Err(RegistryError::Tampered { .. })));
    assert_eq!(vendor(recipe.path(), &[], &store).unwrap().stale, [folder]);
}

#[test]
fn a_native_library_travels_beside_the_component() {
    let running = Running::open();
    let source = Source::new(NAME, "1.2.3", "spaces");
    source.edit("[records]", "[native]\npath = \"libcleaner.so\"\n\n[records]");
    source.write("libcleaner.so", "\x7fELF");
    let registry = running.connect(None);
    registry.push(&source.pack(), None).unwrap();
    let pulled = registry.pull(NAME, &version("1.2.3"), &Demands::default()).unwrap();
    assert_eq!(pulled.package.file(Role::Native).unwrap().bytes, b"\x7fELF");
    let policy = Policy::parse("[policy]\nnative = \"forbidden\"", Path::new("p")).unwrap();
    let demands = Demands { policy: Some(&policy), ..Demands::default() };
    let error = registry.pull(NAME, &version("1.2.3"), &demands).unwrap_err();
    assert!(error.to_string().contains("brings a native library"), "{error}");
}

#[test]
fn what_cannot_be_packed_is_told_apart() {
    let fails = |source: &Source, with: &str| {
        let error = Package::pack(source.path(), &origin()).unwrap_err().to_string();
        assert!(error.contains(with), "{error}");
    };
    let source = Source::new(NAME, "1.2.3", "spaces");
    source.write("built.wasm", b"\0asm\x01\0\0\0");
    fails(&source, "is not a WebAssembly component");
    source.write("built.wasm", [&*component("x"), &[0xff; 9]].concat());
    fails(&source, "is not a WebAssembly component");
    let source = Source::new(NAME, "1.2.3", "spaces");
    source.edit("\"built.wasm\"", &format!("\"built.wasm\"\ndigest = \"{}\"", digest::of(b"other")));
    fails(&source, "is not what its digest says");
    let source = Source::new(NAME, "1.2.3", "spaces");
    source.edit("[component]\npath = \"built.wasm\"", "[native]\npath = \"built.wasm\"");
    fails(&source, "without a component cannot be shared");
    #[cfg(unix)]
    {
        let source = Source::new(NAME, "1.2.3", "spaces");
        fs::remove_file(source.path().join("README.md")).unwrap();
        std::os::unix::fs::symlink("/etc/passwd", source.path().join("README.md")).unwrap();
        fails(&source, "is a symbolic link");
    }
    let running = Running::open();
    let source = Source::new(NAME, "1.2.3+build", "spaces");
    let error = running.connect(None).push(&source.pack(), None).unwrap_err();
    assert!(matches!(error, RegistryError::BuildMetadata { .. }), "{error}");
}

#[test]
fn a_package_says_what_it_is_made_of_and_how() {
    let source = Source::new(NAME, "1.2.3", "spaces");
    source.write("requirements.txt", "numpy==2.0.0\n");
    let package = source.pack();
    let json = |role: Role| -> serde_json::Value {
        serde_json::from_slice(&package.file(role).unwrap().bytes).unwrap()
    };
    let sbom = json(Role::Sbom);
    assert_eq!((&sbom["bomFormat"], &sbom["specVersion"]), (&"CycloneDX".into(), &"1.6".into()));
    assert_eq!(sbom["components"][1]["purl"], "pkg:pypi/numpy@2.0.0");
    let hash = digest::of(package.component()).replace("sha256:", "");
    assert_eq!(sbom["components"][0]["hashes"][0]["content"], *hash);
    let tools = sbom["metadata"]["tools"]["components"].to_string();
    assert!(
        tools.contains("\"Zig\"") && tools.contains("\"lld\"") && tools.contains("\"pegbox\""),
        "{tools}"
    );
    let statement = json(Role::Provenance);
    assert_eq!(statement["predicateType"], "https://slsa.dev/provenance/v1");
    assert_eq!(statement["subject"][0]["digest"]["sha256"], *hash);
    let build = &statement["predicate"]["buildDefinition"];
    assert_eq!(build["externalParameters"]["language"], "zig");
    let resolved = build["resolvedDependencies"].to_string();
    assert!(resolved.contains("plugin.zig") && !resolved.contains("built.wasm"), "{resolved}");
    assert_eq!(statement["predicate"]["runDetails"]["builder"]["version"]["pegbox"], "0.1.0");
}

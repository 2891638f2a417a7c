//! `pegbox plugin push`: publishes a built plugin, signed if there is a key.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use pegbox_registry::{KeyStore, Origin, Package, parse_bundle};

use super::sharing::RegistryArguments;
use crate::console::print;
use crate::report::Report;
use crate::session::Session;

#[derive(Debug, Args)]
pub struct Push {
    /// The plugin's folder, which must be built
    #[arg(default_value = ".")]
    pub folder: PathBuf,
    /// Sign with the key of this name, or in this file
    #[arg(long, value_name = "KEY")]
    pub sign: Option<String>,
    /// Add a Sigstore bundle over the OCI manifest, as `cosign sign-blob --bundle` makes it
    #[arg(long, value_name = "FILE")]
    pub bundle: Option<PathBuf>,
    /// Push nothing; write the OCI manifest to this file, for Sigstore to sign
    #[arg(long, value_name = "FILE", conflicts_with_all = ["sign", "bundle"])]
    pub manifest_to: Option<PathBuf>,
    #[command(flatten)]
    pub registry: RegistryArguments,
}

pub fn run(session: &Session, arguments: &Push) -> Result<(), Box<Report>> {
    // Whatever is wrong with the key, the bundle or the plugin shows before anything is sent.
    let key = match &arguments.sign {
        Some(name) => Some(KeyStore::locate()?.secret(name)?),
        None => None,
    };
    let bundle = match &arguments.bundle {
        Some(path) => Some(read_bundle(path)?),
        None => None,
    };
    let origin = Origin { pegbox: env!("CARGO_PKG_VERSION").to_owned(), tools: Vec::new() };
    let package = Package::pack(&arguments.folder, &origin)?;
    if let Some(path) = &arguments.manifest_to {
        return pegbox_durable::write_file(path, &package.oci_manifest()?)
            .map_err(|error| Report::new(format!("cannot write {}: {error}", path.display())));
    }
    for file in package.files() {
        session.console.say(format!("{:<24} {:>10} bytes", file.name, file.bytes.len()));
    }
    let registry = arguments.registry.connect()?;
    let pushed = registry.push(&package, key.as_ref())?;
    if let Some(bundle) = bundle {
        let about = &package.manifest().plugin;
        registry.attach_bundle(&about.name, &about.version, &bundle)?;
    }
    if pushed.was_there {
        session.console.say("this version is there already, the same");
    }
    if let Some(key) = key {
        session.console.say(format!("signed by {}", key.public()));
    }
    print(&format!("{}@{}\n", pushed.reference, pushed.digest));
    Ok(())
}

fn read_bundle(path: &Path) -> Result<String, Box<Report>> {
    let text =
        fs::read_to_string(path).map_err(|error| Report::new(format!("{}: {error}", path.display())))?;
    parse_bundle(&text)?;
    Ok(text)
}

//! `pegbox plugin pull`: brings plugins from a registry and pins them in pegbox.lock; without names, brings
//! what is pinned there.

use std::path::{Path, PathBuf};

use clap::Args;
use pegbox_manifest::PluginReference;
use pegbox_registry::{Demands, Pin, Place, Store, Upgrade, pinned_package, read_pins, write_pins};

use super::folder_of;
use super::sharing::{Guard, RegistryArguments};
use crate::console::print;
use crate::report::Report;
use crate::session::Session;

#[derive(Debug, Args)]
pub struct Pull {
    /// `team/name` or `team/name@requirement`; what pegbox.lock pins where none is named
    // Not `plugins`: that is a global option, of another type.
    #[arg(value_name = "PLUGINS")]
    pub names: Vec<String>,
    /// The recipe whose pegbox.lock pins what was pulled
    #[arg(long, default_value = pegbox_recipe::FILE_NAME)]
    pub recipe: PathBuf,
    /// Take a lower version than the pinned one
    #[arg(long)]
    pub allow_downgrade: bool,
    /// Take only what a trusted key has signed
    #[arg(long)]
    pub signed: bool,
    #[command(flatten)]
    pub registry: RegistryArguments,
}

pub fn run(session: &Session, arguments: &Pull) -> Result<(), Box<Report>> {
    let folder = folder_of(&arguments.recipe);
    if arguments.names.is_empty() {
        return restore(session, &folder, &arguments.registry, arguments.signed);
    }
    let references: Result<Vec<PluginReference>, _> =
        arguments.names.iter().map(|plugin| PluginReference::parse(plugin)).collect();
    let references = references.map_err(pegbox_registry::RegistryError::from)?;
    let (guard, store) = (Guard::of(&folder)?, Store::locate()?);
    let registry = arguments.registry.connect()?;
    for reference in references {
        let mut pins = read_pins(&folder)?;
        let pinned = pins.iter().find(|pin| pin.name == reference.name).cloned();
        let version = registry.resolve(&reference)?;
        let upgrade = if arguments.allow_downgrade { Upgrade::AnyWay } else { Upgrade::Upwards };
        let demands = Demands { pin: pinned.as_ref(), upgrade, ..demands(&guard, arguments.signed) };
        let pulled = registry.pull(&reference.name, &version, &demands)?;
        let stored = store.put(&pulled)?;
        say_permissions(session, pinned.as_ref(), &pulled);
        pins.retain(|pin| pin.name != reference.name);
        pins.push(Pin::of(&pulled));
        write_pins(&folder, &pins)?;
        print(&format!("{} {}\n", stored.package.manifest(), stored.digest));
    }
    Ok(())
}

/// Brings what is pinned and neither vendored nor in the store, each from the registry that its pin names.
pub fn restore(
    session: &Session,
    folder: &Path,
    registry: &RegistryArguments,
    signed: bool,
) -> Result<(), Box<Report>> {
    let (guard, store) = (Guard::of(folder)?, Store::locate()?);
    for pin in read_pins(folder)? {
        let Some(place) = pin.registry.as_ref().filter(|_| pin.manifest.is_some()) else { continue };
        let place = Place::parse(place)?;
        let demands = Demands { pin: Some(&pin), ..demands(&guard, signed) };
        // What is here may have been let in under another policy.
        if let Some(stored) = pinned_package(folder, &pin, &store)? {
            stored.admit(Some(&place), &demands)?;
            continue;
        }
        let pulled = registry.connect_to(&place)?.pull(&pin.name, &pin.version, &demands)?;
        store.put(&pulled)?;
        session.console.say(format!("pulled {pin} from {place}"));
    }
    Ok(())
}

fn demands(guard: &Guard, signed: bool) -> Demands<'_> {
    Demands {
        policy: guard.policy.as_ref().map(|(_, policy)| policy),
        trusted: Some(&guard.trusted),
        signed,
        ..Demands::default()
    }
}

/// Nothing is granted by pulling: the recipe decides.
fn say_permissions(session: &Session, pinned: Option<&Pin>, pulled: &pegbox_registry::Pulled) {
    let manifest = pulled.package.manifest();
    let (asked, what) = match pinned {
        Some(pin) => (pin.new_permissions(manifest), "asks for more than before"),
        None => (manifest.permissions.clone(), "asks for"),
    };
    if !asked.is_empty() {
        let lines = asked.lines().join(", ");
        session
            .console
            .say(format!("{manifest} {what}: {lines}; [grants.\"{}\"] decides", manifest.plugin.name));
    }
    if !pulled.signers.is_empty() {
        session.console.say(format!("{manifest} is signed by {}", pulled.signers.join(", ")));
    }
}

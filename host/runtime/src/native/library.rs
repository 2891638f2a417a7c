//! Loads a library and checks that it speaks this host's language.

use std::collections::HashMap;
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use pegbox_plugin_abi::lifecycle::Description;
use pegbox_plugin_abi::table::{ABI_VERSION, Buffer, ENTRY_SYMBOL, Entry, PluginTable, Status};
use pegbox_plugin_abi::wire;
use semver::Version;

use super::instance::take;
use crate::engine::Runtime;
use crate::error::{Cause, PluginError};
use crate::identity::PluginIdentity;
use crate::load_error::LoadError;
use pegbox_manifest::Limits;
use pegbox_manifest::{CONTRACT, same_track};

/// A library that was loaded and checked.
pub struct Library {
    pub identity: Arc<PluginIdentity>,
    pub limits: Limits,
    pub runtime: Runtime,
    pub table: &'static PluginTable,
}

/// The tables of the libraries that this process has loaded, by digest.
static LOADED: Mutex<Option<HashMap<String, &'static PluginTable>>> = Mutex::new(None);

impl Library {
    /// Loads the library whose file holds `bytes`; the caller has verified their digest.
    ///
    /// # Errors
    /// The system does not load it, it lacks the entry symbol, or speaks another version of the ABI or
    /// the contract.
    pub fn load(
        runtime: &Runtime,
        identity: Arc<PluginIdentity>,
        limits: Limits,
        file: &Path,
        bytes: &[u8],
    ) -> Result<Self, LoadError> {
        let digest = identity.digest.clone().unwrap_or_default();
        let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
        let tables = loaded.get_or_insert_default();
        let table = match tables.get(&digest) {
            Some(table) => *table,
            None => {
                let table = open(runtime, &identity, file, bytes)?;
                tables.insert(digest, table);
                table
            }
        };
        drop(loaded);
        Ok(Self { identity, limits, runtime: runtime.clone(), table })
    }

    /// What the library says of itself.
    ///
    /// # Errors
    /// It panics or answers nonsense.
    pub fn describe(&self) -> Result<Description, PluginError> {
        let mut out = Buffer::EMPTY;
        // SAFETY: the table was checked when the library was loaded.
        let status = unsafe { (self.table.describe)(&mut out) };
        let answer = take(self.table, out);
        let cause = match status {
            Status::OK => match wire::decode(&answer) {
                Ok(description) => return Ok(description),
                Err(error) => {
                    Cause::Contract { what: format!("its answer makes no sense: {error}"), help: None }
                }
            },
            _ => Cause::Panicked { message: String::from_utf8_lossy(&answer).into_owned() },
        };
        Err(PluginError::new(Arc::clone(&self.identity), "lifecycle.describe", cause))
    }
}

fn open(
    runtime: &Runtime,
    identity: &PluginIdentity,
    file: &Path,
    bytes: &[u8],
) -> Result<&'static PluginTable, LoadError> {
    let fail = |fault: String, help: Option<&str>| LoadError::Native {
        plugin: identity.to_string(),
        fault: format!("{}: {fault}", file.display()),
        help: help.map(str::to_owned),
    };
    let library = open_copy(runtime, file, bytes).map_err(|fault| fail(fault, None))?;
    // SAFETY: the symbol's name carries the version of its type.
    let entry = unsafe { library.get::<Entry>(ENTRY_SYMBOL) }.map(|entry| *entry).map_err(|_| {
        fail(
            format!(
                "it has no symbol `{}`",
                String::from_utf8_lossy(&ENTRY_SYMBOL[..ENTRY_SYMBOL.len() - 1])
            ),
            Some("build it with `pegbox_plugin::export!` and the crate type `cdylib`"),
        )
    })?;
    // Its code may be in use until the process ends: threads, thread-local destructors, static data.
    std::mem::forget(library);
    // SAFETY: as above.
    let table = unsafe { entry() };
    if table.is_null() {
        return Err(fail("its entry symbol gives no table".to_owned(), None));
    }
    // SAFETY: the version comes first in every version of the table, and the table is static.
    let version = unsafe { (*table).abi_version };
    if version != ABI_VERSION {
        return Err(fail(
            format!("it speaks version {version} of the native ABI, this host version {ABI_VERSION}"),
            Some("build the plugin with the SDK of this Pegbox"),
        ));
    }
    // SAFETY: the version says that it is this table.
    let table: &'static PluginTable = unsafe { &*table };
    let contract = String::from_utf8_lossy(unsafe { table.contract.as_bytes() }).into_owned();
    if Version::parse(&contract).is_ok_and(|built_for| same_track(&built_for)) {
        return Ok(table);
    }
    Err(fail(
        format!("it is built for contract {contract}, this host serves {CONTRACT}"),
        Some("build the plugin with the SDK of this Pegbox"),
    ))
}

/// Loads a private copy of the bytes that were verified: the file itself may have been exchanged since.
fn open_copy(runtime: &Runtime, file: &Path, bytes: &[u8]) -> Result<libloading::Library, String> {
    let name = file.file_name().unwrap_or_default();
    let mut copy = tempfile::Builder::new()
        .prefix("native-")
        .suffix(name)
        .tempfile_in(runtime.private_folder())
        .map_err(|error| format!("no room for a private copy: {error}"))?;
    copy.write_all(bytes).map_err(|error| format!("no room for a private copy: {error}"))?;
    let path = copy.into_temp_path();
    // SAFETY: this runs the library's initialisers: the recipe trusts this very file.
    unsafe { libloading::Library::new(&*path) }
        .map_err(|error| format!("the system does not load it: {error}"))
}

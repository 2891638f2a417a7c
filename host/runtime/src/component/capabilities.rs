//! What a component may import beyond the interfaces of its kinds, and the state behind it. The contract's
//! `logging` and a part of WASI 0.2, each under one permission of the manifest.
//!
//! One linker holds them all; which of them a component may import is checked before it is linked, and what
//! stands behind an import (folders, variables, hosts) is only what was granted.

/// `wasi:clocks/monotonic-clock` without waiting.
mod clock;
/// `wasi:filesystem/types` without waiting.
mod files;
/// `pegbox:plugin/logging`.
mod log;
/// Hosts for `wasi:http`.
mod network;
/// `wasi:io` that waits no longer than a call may take.
mod waiting;

use std::sync::Arc;
use std::time::Instant;

use pegbox_manifest::Permissions;
use wasmtime::Result as WasmResult;
use wasmtime::component::{Linker, ResourceTable};
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use super::state::HostState;
use crate::grants::Grants;
use crate::identity::PluginIdentity;
use log::LogBook;
use network::Hosts;

/// Handles to files, streams and requests that an instance may hold at once.
pub const MAX_HANDLES: usize = 1024;
/// Bytes that one call for random numbers gives.
const MAX_RANDOM: u64 = 1 << 20;
/// Bytes of the headers of one HTTP message.
const MAX_HEADERS: usize = 64 << 10;

/// The permission that an import needs, or several of which one is enough. None for an import that no
/// permission gives.
pub fn permissions_for(import: &str) -> Option<&'static [&'static str]> {
    let name = import.split_once('@').map_or(import, |(name, _)| name);
    Some(match name {
        "pegbox:plugin/logging" => &["log"],
        "wasi:clocks/wall-clock" | "wasi:clocks/monotonic-clock" => &["clock"],
        "wasi:random/random" | "wasi:random/insecure" | "wasi:random/insecure-seed" => &["random"],
        "wasi:cli/environment" => &["environment"],
        "wasi:filesystem/types" | "wasi:filesystem/preopens" => &["read"],
        "wasi:http/types" | "wasi:http/outgoing-handler" => &["network"],
        // What files and requests are read through.
        "wasi:io/error" | "wasi:io/poll" | "wasi:io/streams" => &["read", "network", "clock"],
        _ => return None,
    })
}

/// Whether a manifest asks for the permission of that name.
pub fn asks_for(permissions: &Permissions, name: &str) -> bool {
    match name {
        "log" => permissions.log,
        "clock" => permissions.clock,
        "random" => permissions.random,
        "environment" => !permissions.environment.is_empty(),
        "read" => !permissions.read.is_empty(),
        "network" => !permissions.network.is_empty(),
        _ => false,
    }
}

/// Adds everything that some permission gives.
pub fn add_to_linker(linker: &mut Linker<HostState>) -> WasmResult<()> {
    use wasmtime_wasi::cli::{WasiCli, WasiCliView};
    use wasmtime_wasi::clocks::{WasiClocks, WasiClocksView};
    use wasmtime_wasi::filesystem::{WasiFilesystem, WasiFilesystemView};
    use wasmtime_wasi::p2::bindings::{cli, clocks, filesystem, random};
    use wasmtime_wasi::random::{WasiRandom, WasiRandomView};

    clocks::wall_clock::add_to_linker::<HostState, WasiClocks>(linker, HostState::clocks)?;
    clock::add_to_linker(linker)?;
    random::random::add_to_linker::<HostState, WasiRandom>(linker, HostState::random)?;
    random::insecure::add_to_linker::<HostState, WasiRandom>(linker, HostState::random)?;
    random::insecure_seed::add_to_linker::<HostState, WasiRandom>(linker, HostState::random)?;
    cli::environment::add_to_linker::<HostState, WasiCli>(linker, HostState::cli)?;
    filesystem::preopens::add_to_linker::<HostState, WasiFilesystem>(linker, HostState::filesystem)?;
    files::add_to_linker(linker)?;
    wasmtime_wasi_io::bindings::wasi::io::error::add_to_linker::<HostState, Table>(linker, table)?;
    waiting::add_to_linker(linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_sync(linker)
}

struct Table;

impl wasmtime::component::HasData for Table {
    type Data<'a> = &'a mut ResourceTable;
}

fn table(state: &mut HostState) -> &mut ResourceTable {
    &mut state.capabilities.table
}

/// What stands behind one instance's imports.
pub struct Capabilities {
    wasi: WasiCtx,
    http: WasiHttpCtx,
    hosts: Hosts,
    table: ResourceTable,
    pub(super) log: LogBook,
    started: Instant,
}

impl Capabilities {
    /// # Errors
    /// A granted folder cannot be opened.
    pub fn new(identity: &Arc<PluginIdentity>, granted: &Grants, log_lines: u64) -> Result<Self, String> {
        let mut wasi = WasiCtx::builder();
        wasi.allow_blocking_current_thread(true).max_random_size(MAX_RANDOM);
        for name in &granted.permissions.environment {
            // A variable that is not set is not set for the plugin either.
            if let Some(value) = std::env::var_os(name).and_then(|value| value.into_string().ok()) {
                wasi.env(name, value);
            }
        }
        for entry in &granted.permissions.read {
            let inside = entry.trim_start_matches("./").trim_end_matches('/');
            let folder = granted.root.join(inside);
            wasi.preopened_dir(&folder, inside, FsPerms::ReadOnly).map_err(|error| {
                format!("the granted folder {} cannot be opened: {error:#}", folder.display())
            })?;
        }
        let mut http = WasiHttpCtx::new();
        http.set_field_size_limit(MAX_HEADERS);
        let mut table = ResourceTable::new();
        table.set_max_capacity(MAX_HANDLES);
        Ok(Self {
            wasi: wasi.build(),
            http,
            hosts: Hosts::new(&granted.permissions.network),
            table,
            log: LogBook::new(Arc::clone(identity), log_lines),
            started: Instant::now(),
        })
    }

    /// How long a request to the network may take from now on.
    pub fn set_time_left(&mut self, ms: u64) {
        self.hosts.set_time_left(ms);
    }
}

impl WasiView for HostState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.capabilities.wasi, table: &mut self.capabilities.table }
    }
}

impl WasiHttpView for HostState {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        let Capabilities { http, hosts, table, .. } = &mut self.capabilities;
        WasiHttpCtxView { hooks: hosts, table, ctx: http }
    }
}

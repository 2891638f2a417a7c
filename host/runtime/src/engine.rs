//! The WebAssembly engine that all plugins of a process share.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use wasmtime::component::{Component, HasSelf, Linker};
use wasmtime::{Config, Engine, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig, Strategy};

use crate::cache::Cache;
use crate::clock::Ticker;
use crate::component::{Everything, HostState};
use crate::load_error::LoadError;

/// Loads and runs plugins. Cheap to clone; one for each process is enough.
#[derive(Clone)]
pub struct Runtime(Arc<Inner>);

struct Inner {
    engine: Engine,
    linker: Linker<HostState>,
    cache: Option<Cache>,
    ticker: Ticker,
}

impl Runtime {
    /// Starts the engine; compiled plugins are kept in `cache_folder`. Without a usable folder they are
    /// compiled each time.
    ///
    /// # Errors
    /// The processor or the system lacks what wasmtime needs.
    pub fn new(cache_folder: &Path) -> Result<Self, LoadError> {
        let fail = |fault: String| LoadError::Engine { fault };
        let engine = engine().map_err(|error| fail(format!("{error:#}")))?;
        let mut linker = Linker::new(&engine);
        Everything::add_to_linker::<_, HasSelf<HostState>>(&mut linker, |state| state)
            .map_err(|error| fail(format!("{error:#}")))?;
        let weak = engine.weak();
        let ticker = Ticker::start(move || {
            if let Some(engine) = weak.upgrade() {
                engine.increment_epoch();
            }
        })
        .map_err(|error| fail(format!("no thread for deadlines: {error}")))?;
        let cache = Cache::open(cache_folder)
            .inspect_err(|error| {
                let folder = cache_folder.display();
                tracing::warn!("compiled plugins are not kept: {folder}: {error}");
            })
            .ok();
        Ok(Self(Arc::new(Inner { engine, linker, cache, ticker })))
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.0.engine
    }

    pub(crate) fn linker(&self) -> &Linker<HostState> {
        &self.0.linker
    }

    pub(crate) fn ticker(&self) -> &Ticker {
        &self.0.ticker
    }

    /// A folder for what nobody else may exchange; without a cache, the system's folder for temporary
    /// files, where at least each file is this user's alone.
    pub(crate) fn private_folder(&self) -> PathBuf {
        let cache = self.0.cache.as_ref();
        cache.map_or_else(std::env::temp_dir, |cache| cache.folder().to_owned())
    }

    /// The component with these bytes, compiled now or in an earlier run.
    pub(crate) fn compile(&self, bytes: &[u8]) -> wasmtime::Result<Component> {
        let Inner { engine, cache, .. } = &*self.0;
        let Some(cache) = cache else { return Component::new(engine, bytes) };
        let entry = Cache::entry(engine, bytes);
        if let Some(code) = cache.get(&entry) {
            // SAFETY: the code carries our authentication code, so it is what `serialize` gave us.
            match unsafe { Component::deserialize(engine, code) } {
                Ok(component) => return Ok(component),
                Err(error) => {
                    tracing::warn!("a compiled plugin does not load, compiling it again: {error:#}")
                }
            }
        }
        let started = Instant::now();
        let component = Component::new(engine, bytes)?;
        tracing::debug!(entry, ms = started.elapsed().as_millis() as u64, "compiled a plugin");
        let kept = component.serialize().map(|code| cache.put(&entry, &code));
        if let Ok(Err(error)) = kept {
            tracing::warn!("a compiled plugin could not be kept: {error}");
        }
        Ok(component)
    }
}

/// Pooled instances where the address space allows, else instances made one by one.
fn engine() -> wasmtime::Result<Engine> {
    let mut config = config();
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool()));
    Engine::new(&config).or_else(|error| {
        tracing::debug!("no room for pooled instances: {error:#}");
        Engine::new(&self::config())
    })
}

fn config() -> Config {
    let mut config = Config::new();
    config
        .strategy(Strategy::Cranelift)
        .cranelift_opt_level(OptLevel::Speed)
        .parallel_compilation(true)
        .wasm_component_model(true)
        // The contract has no asynchronous functions; without their bookkeeping a call costs a third.
        .concurrency_support(false)
        .epoch_interruption(true)
        // Same input, same output, on every processor.
        .relaxed_simd_deterministic(true);
    config
}

/// Room for an instance of several plugins on each thread of a large machine. It is address space, not
/// memory: pages are taken as plugins touch them.
fn pool() -> PoolingAllocationConfig {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(1000)
        .total_core_instances(4000)
        .total_memories(1000)
        .total_tables(4000)
        .max_core_instances_per_component(64)
        .max_memories_per_component(64)
        .max_tables_per_component(64)
        .max_tables_per_module(8)
        .table_elements(200_000)
        .max_memory_size(4 << 30);
    pool
}

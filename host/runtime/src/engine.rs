//! The WebAssembly engine that all plugins of a process share.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use pegbox_manifest::Limits;
use wasmtime::component::{Component, HasSelf, Linker};
use wasmtime::{
    Config, Engine, EngineWeak, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig, Strategy,
};

use crate::cache::Cache;
use crate::clock::Ticker;
use crate::compile::{CompileError, Compiler};
use crate::component::{Everything, HostState, capabilities};
use crate::load_error::LoadError;

/// Loads and runs plugins. Cheap to clone; one for each process is enough.
#[derive(Clone)]
pub struct Runtime(Arc<Inner>);

struct Inner {
    /// One for each size of stack: wasmtime sets it for a whole engine.
    stages: Mutex<BTreeMap<u64, Stage>>,
    engines: Arc<Mutex<Vec<EngineWeak>>>,
    cache: Option<Cache>,
    compiler: Option<Compiler>,
    ticker: Ticker,
}

/// An engine and what its components may import.
#[derive(Clone)]
pub(crate) struct Stage {
    pub engine: Engine,
    pub linker: Arc<Linker<HostState>>,
}

/// KiB of stack of a plugin that asks for nothing else.
pub(crate) const DEFAULT_STACK_KIB: u64 = 512;

impl Runtime {
    /// Starts the engine; compiled plugins are kept in `cache_folder`. Without a usable folder they are
    /// compiled each time. Components are compiled in this process, with no limit on time or memory: for
    /// plugins of one's own, in tests and benchmarks.
    ///
    /// # Errors
    /// The processor or the system lacks what wasmtime needs.
    pub fn new(cache_folder: &Path) -> Result<Self, LoadError> {
        Self::start(cache_folder, None)
    }

    /// As [`Runtime::new`], but components are compiled in a process of `compiler`, which ends at the plugin's
    /// limits.
    ///
    /// # Errors
    /// As [`Runtime::new`].
    pub fn with_compiler(cache_folder: &Path, compiler: Compiler) -> Result<Self, LoadError> {
        Self::start(cache_folder, Some(compiler))
    }

    fn start(cache_folder: &Path, compiler: Option<Compiler>) -> Result<Self, LoadError> {
        let engines = Arc::new(Mutex::new(Vec::new()));
        let ticking = Arc::clone(&engines);
        let ticker = Ticker::start(move || {
            let engines = ticking.lock().unwrap_or_else(PoisonError::into_inner);
            engines.iter().filter_map(EngineWeak::upgrade).for_each(|engine| engine.increment_epoch());
        })
        .map_err(|error| LoadError::Engine { fault: format!("no thread for deadlines: {error}") })?;
        let cache = Cache::open(cache_folder)
            .inspect_err(|error| {
                let folder = cache_folder.display();
                tracing::warn!("compiled plugins are not kept: {folder}: {error}");
            })
            .ok();
        let runtime = Self(Arc::new(Inner { stages: Mutex::default(), engines, cache, compiler, ticker }));
        runtime.stage(DEFAULT_STACK_KIB)?;
        Ok(runtime)
    }

    /// The engine for plugins with a stack of that size.
    pub(crate) fn stage(&self, stack_kib: u64) -> Result<Stage, LoadError> {
        let mut stages = self.0.stages.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(stage) = stages.get(&stack_kib) {
            return Ok(stage.clone());
        }
        let fail = |error: wasmtime::Error| LoadError::Engine { fault: format!("{error:#}") };
        let engine = engine(stack_kib).map_err(fail)?;
        let mut linker = Linker::new(&engine);
        Everything::add_to_linker::<_, HasSelf<HostState>>(&mut linker, |state| state).map_err(fail)?;
        capabilities::add_to_linker(&mut linker).map_err(fail)?;
        self.0.engines.lock().unwrap_or_else(PoisonError::into_inner).push(engine.weak());
        let stage = Stage { engine, linker: Arc::new(linker) };
        stages.insert(stack_kib, stage.clone());
        Ok(stage)
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

    /// The component with these bytes and this digest, compiled now or in an earlier run.
    pub(crate) fn compile(
        &self,
        engine: &Engine,
        bytes: &[u8],
        digest: &str,
        limits: &Limits,
    ) -> Result<Component, CompileError> {
        let cache = self.0.cache.as_ref().map(|cache| (cache, Cache::entry(engine, digest)));
        if let Some(code) = cache.as_ref().and_then(|(cache, entry)| cache.get(entry)) {
            match ours(engine, &code) {
                Ok(component) => return Ok(component),
                Err(error) => {
                    tracing::warn!("a compiled plugin does not load, compiling it again: {error:#}")
                }
            }
        }
        let started = Instant::now();
        let invalid = |error: wasmtime::Error| CompileError::Invalid(format!("{error:#}"));
        let code = match &self.0.compiler {
            Some(compiler) => compiler.compile(bytes, limits)?,
            None => engine.precompile_component(bytes).map_err(invalid)?,
        };
        // The pool of instances refuses what it could never hold.
        let component = ours(engine, &code).map_err(|error| match format!("{error:#}") {
            fault if fault.contains("pooling allocator") => CompileError::DoesNotFit(fault),
            fault => CompileError::Invalid(fault),
        })?;
        let ms = started.elapsed().as_millis() as u64;
        if let Some((cache, entry)) = cache {
            tracing::debug!(entry, ms, "compiled a plugin");
            if let Err(error) = cache.put(&entry, &code) {
                tracing::warn!("a compiled plugin could not be kept: {error}");
            }
        }
        Ok(component)
    }
}

/// Compiled code that this process or its compiler made, or that carries our authentication code.
fn ours(engine: &Engine, code: &[u8]) -> wasmtime::Result<Component> {
    // SAFETY: it is what `precompile_component` gave us.
    unsafe { Component::deserialize(engine, code) }
}

/// Pooled instances where the address space allows, else instances made one by one.
fn engine(stack_kib: u64) -> wasmtime::Result<Engine> {
    let mut config = config(stack_kib);
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool()));
    Engine::new(&config).or_else(|error| {
        tracing::debug!("no room for pooled instances: {error:#}");
        Engine::new(&self::config(stack_kib))
    })
}

/// What compiled code depends on; the same in the process that compiles.
pub(crate) fn config(stack_kib: u64) -> Config {
    let mut config = Config::new();
    config
        .strategy(Strategy::Cranelift)
        .cranelift_opt_level(OptLevel::Speed)
        .parallel_compilation(true)
        .wasm_component_model(true)
        // The contract has no asynchronous functions; without their bookkeeping a call costs a third.
        .concurrency_support(false)
        .epoch_interruption(true)
        .max_wasm_stack(usize::try_from(stack_kib << 10).unwrap_or(usize::MAX))
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

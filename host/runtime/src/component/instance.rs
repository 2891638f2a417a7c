//! One instance of a component: made, configured, called, and made anew after it failed.

use std::sync::Arc;

use wasmtime::component::{Instance, InstancePre, ResourceTableError};
use wasmtime::{Error, Result as WasmResult, Store, Trap, WasmBacktrace};

use super::bindings::exports::pegbox::plugin as exports;
use super::bindings::pegbox::plugin::types;
use super::capabilities::{Capabilities, MAX_HANDLES};
use super::program::Program;
use super::state::{HostState, Refused};
use crate::clock::ticks_in;
use crate::error::{Cause, PluginError, clean_text};
use crate::grants::Grants;
use crate::services::Scene;

/// Handles that an instance may leave behind before it is made anew.
const MAX_LEFT_BEHIND: u64 = 50_000;
/// Slots for handles that wasmtime keeps for an instance, 12 bytes each: those left behind by a metric in one
/// evaluation too.
const MAX_SLOTS: usize = 4 << 20;

/// How many functions of a backtrace are shown.
const MAX_FRAMES: usize = 8;
/// Bytes of a function's name.
const MAX_NAME: usize = 200;
/// Bytes of a reason: names that a component chose may be in it.
const MAX_REASON: usize = 1000;

/// The exported interface of one kind.
pub trait Interface: Sized {
    fn load(
        pre: &InstancePre<HostState>,
        store: &mut Store<HostState>,
        instance: &Instance,
    ) -> WasmResult<Self>;
}

macro_rules! interface {
    ($($name:ident),+) => { $(
        impl Interface for exports::$name::Guest {
            fn load(
                pre: &InstancePre<HostState>,
                store: &mut Store<HostState>,
                instance: &Instance,
            ) -> WasmResult<Self> {
                exports::$name::GuestIndices::new(pre)?.load(store, instance)
            }
        }
    )+ };
}

interface!(lifecycle, cleaning, validation, objective, measurement, exporting);

/// For an instance that is only asked what it is.
impl Interface for () {
    fn load(_: &InstancePre<HostState>, _: &mut Store<HostState>, _: &Instance) -> WasmResult<Self> {
        Ok(())
    }
}

/// An instance that can be called.
pub struct Live<G> {
    pub store: Store<HostState>,
    pub lifecycle: exports::lifecycle::Guest,
    pub guest: G,
}

/// A call that failed, and whether the instance can still be used.
pub struct Failed {
    pub error: PluginError,
    pub usable: bool,
}

/// One configured plugin for one thread. The component's instance behind it is made when first needed.
pub struct Sandbox<G> {
    program: Arc<Program>,
    configuration: String,
    live: Option<Live<G>>,
}

impl<G: Interface> Sandbox<G> {
    /// Makes and configures the first instance, so that a configuration which the plugin refuses is
    /// found now.
    pub fn new(program: Arc<Program>, configuration: String) -> Result<Self, PluginError> {
        let live = configured(&program, &configuration)?;
        Ok(Self { program, configuration, live: Some(live) })
    }

    /// An error of this plugin that no call gave.
    pub fn error(&self, call: &'static str, cause: Cause) -> PluginError {
        PluginError::new(Arc::clone(&self.program.identity), call, cause)
    }

    /// The fields of records that the plugin sees.
    pub fn fields(&self) -> &[String] {
        &self.program.fields
    }

    /// Lets go of an instance that has left many handles behind: the plugin may, for they end with their call, but
    /// wasmtime keeps a slot for each and a limit on the slots. For moments at which an instance has gathered nothing.
    pub fn tidy(&mut self) {
        self.live = self.live.take().filter(|live| live.store.data().left_behind < MAX_LEFT_BEHIND);
    }

    /// Calls the plugin; `call` is the name in errors.
    pub fn call<R>(
        &mut self,
        call: &'static str,
        scene: Scene,
        work: impl FnOnce(&G, &mut Store<HostState>) -> WasmResult<Result<R, types::Error>>,
    ) -> Result<R, PluginError> {
        let mut live = match self.live.take() {
            Some(live) => live,
            None => configured(&self.program, &self.configuration)?,
        };
        let result = run(&self.program, call, &mut live.store, scene, |store| work(&live.guest, store));
        match result {
            Ok(value) => {
                self.live = Some(live);
                Ok(value)
            }
            Err(failed) => {
                if failed.usable {
                    self.live = Some(live);
                }
                Err(failed.error)
            }
        }
    }
}

/// Makes an instance without configuring it.
pub fn start<G: Interface>(program: &Program, granted: &Grants) -> Result<Live<G>, PluginError> {
    let limits = &program.limits;
    let fail = |fault| {
        PluginError::new(
            Arc::clone(&program.identity),
            "lifecycle.instantiate",
            Cause::Contract { what: fault, help: Some("mend the recipe's [grants]".to_owned()) },
        )
    };
    let capabilities = Capabilities::new(&program.identity, granted, limits.log_lines).map_err(fail)?;
    let mut store = Store::new(&program.engine, HostState::new(limits, granted, capabilities));
    store.limiter(|state| &mut state.memory);
    store.set_max_component_handles(MAX_SLOTS);
    store.set_hostcall_fuel(usize::try_from(limits.copy_mib << 20).unwrap_or(usize::MAX));
    let parts = run(program, "lifecycle.instantiate", &mut store, Scene::Records, |store| {
        let instance = program.pre.instantiate(&mut *store)?;
        let lifecycle = exports::lifecycle::Guest::load(&program.pre, store, &instance)?;
        Ok(Ok((lifecycle, G::load(&program.pre, store, &instance)?)))
    });
    let (lifecycle, guest) = parts.map_err(|failed| failed.error)?;
    Ok(Live { store, lifecycle, guest })
}

fn configured<G: Interface>(program: &Program, configuration: &str) -> Result<Live<G>, PluginError> {
    let mut live = start(program, &program.granted)?;
    run(program, "lifecycle.configure", &mut live.store, Scene::Records, |store| {
        live.lifecycle.call_configure(store, configuration)
    })
    .map_err(|failed| failed.error)?;
    Ok(live)
}

/// Runs `work` under the plugin's deadline, with what the host offers in `scene`.
pub fn run<R>(
    program: &Program,
    call: &'static str,
    store: &mut Store<HostState>,
    scene: Scene,
    work: impl FnOnce(&mut Store<HostState>) -> WasmResult<Result<R, types::Error>>,
) -> Result<R, Failed> {
    let deadline_ms = program.limits.deadline_ms;
    let deadline = program.runtime.ticker().deadline(deadline_ms);
    store.set_epoch_deadline(ticks_in(deadline_ms));
    store.data_mut().failure = None;
    store.data_mut().capabilities.set_time_left(deadline_ms);
    store.data_mut().services.begin(scene, deadline);
    let result = work(store);
    let left = store.data_mut().services.end();
    store.data_mut().left_behind += left;
    let (cause, usable) = match result {
        Ok(Ok(value)) => return Ok(value),
        Ok(Err(types::Error { message, help })) => (Cause::refused(&message, help.as_deref()), true),
        Err(error) => (cause(program, store.data_mut(), &error), false),
    };
    Err(Failed { error: PluginError::new(Arc::clone(&program.identity), call, cause), usable })
}

/// Why wasmtime ended the call. A host function that failed says so itself; memory that was refused
/// explains the abort that follows it.
fn cause(program: &Program, state: &mut HostState, error: &Error) -> Cause {
    if let Some(cause) = state.failure.take() {
        return cause;
    }
    let limits = &program.limits;
    let backtrace = error.downcast_ref::<WasmBacktrace>().map(functions).unwrap_or_default();
    match (error.downcast_ref::<Trap>(), state.memory.refused()) {
        (Some(Trap::Interrupt), _) => Cause::Deadline { limit_ms: limits.deadline_ms },
        (Some(Trap::StackOverflow), _) => Cause::StackOverflow { limit_kib: limits.stack_kib, backtrace },
        (_, Some(Refused::Memory)) => Cause::Memory { limit_mib: limits.memory_mib },
        (_, Some(Refused::Table)) => {
            Cause::limit("it wanted a larger table than it may have", "table-elements", limits.table_elements)
        }
        (Some(trap), None) => Cause::Trap { what: trap.to_string(), backtrace },
        (None, None) if matches!(error.downcast_ref(), Some(ResourceTableError::Full)) => Cause::Contract {
            what: format!("it holds more than {MAX_HANDLES} files, streams and requests at once"),
            help: Some("drop those that are no longer needed".to_owned()),
        },
        (None, None) => match error.root_cause().to_string() {
            what if what.contains("fuel allocated for hostcalls") => {
                Cause::Copied { limit_mib: limits.copy_mib }
            }
            what if what.contains("handle limit exceeded") => Cause::Contract {
                what: "it left more handles behind in earlier calls than one instance may".to_owned(),
                help: Some("drop tensors that are no longer needed".to_owned()),
            },
            // As wasmtime words it when `ResourceLimiter::instances` and the like are passed.
            what if what.contains("count too high") => Cause::limit(
                "it consists of more instances, memories or tables than it may",
                "instances",
                limits.instances,
            ),
            what => Cause::Trap { what: clean_text(&what, MAX_REASON), backtrace },
        },
    }
}

fn functions(backtrace: &WasmBacktrace) -> Vec<String> {
    backtrace
        .frames()
        .iter()
        .take(MAX_FRAMES)
        .map(|frame| match frame.func_name() {
            Some(name) => clean_text(&format!("{:#}", rustc_demangle::demangle(name)), MAX_NAME),
            None => format!("function {}", frame.func_index()),
        })
        .collect()
}

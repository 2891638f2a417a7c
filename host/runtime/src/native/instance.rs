//! One instance of a native plugin: made, configured, called, and made anew after a panic.

use std::ffi::c_void;
use std::sync::Arc;

use pegbox_plugin_abi::lifecycle::Refusal;
use pegbox_plugin_abi::table::{Buffer, HostTable, PluginTable, Slice, Status};
use pegbox_plugin_abi::wire::{self, Method};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::library::Library;
use super::serve::{self, Context};
use crate::error::{Cause, PluginError};
use crate::services::{Scene, Services};

/// One configured native plugin for one thread.
pub struct NativeInstance {
    library: Arc<Library>,
    configuration: String,
    live: Option<Live>,
    context: Box<Context>,
}

impl NativeInstance {
    pub fn new(library: Arc<Library>, configuration: &str) -> Result<Self, PluginError> {
        let context = Box::new(Context::new(Services::new(&library.limits, true)));
        let live = Some(configured(&library, configuration)?);
        Ok(Self { library, configuration: configuration.to_owned(), live, context })
    }

    /// An error of this plugin that no call gave.
    pub fn error(&self, call: &'static str, cause: Cause) -> PluginError {
        PluginError::new(Arc::clone(&self.library.identity), call, cause)
    }

    /// Calls `method`; `finish` makes the result of the answer while the call's tensors still live.
    pub fn call<I: Serialize, T: DeserializeOwned, R>(
        &mut self,
        call: &'static str,
        method: Method,
        input: &I,
        scene: Scene,
        finish: impl FnOnce(T, &mut Services) -> Result<R, Cause>,
    ) -> Result<R, PluginError> {
        let live = match self.live.take() {
            Some(live) => live,
            None => configured(&self.library, &self.configuration)?,
        };
        let deadline = self.library.runtime.ticker().deadline(self.library.limits.deadline_ms);
        self.context.services.begin(scene, deadline);
        let result =
            self.exchange(&live, method, input).and_then(|answer| finish(answer, &mut self.context.services));
        self.context.services.end();
        // A plugin that declined is still whole; anything else may have left it half-way.
        if matches!(result, Ok(_) | Err(Cause::Refused { .. })) {
            self.live = Some(live);
        }
        result.map_err(|cause| self.error(call, cause))
    }

    fn exchange<I: Serialize, T: DeserializeOwned>(
        &mut self,
        live: &Live,
        method: Method,
        input: &I,
    ) -> Result<T, Cause> {
        let input = wire::encode(input).map_err(|error| Cause::Host { message: error.to_string() })?;
        self.context.failure = None;
        let context: *mut Context = &mut *self.context;
        let host = HostTable { context: context.cast::<c_void>(), serve: serve::serve, free: serve::free };
        let table = self.library.table;
        let mut out = Buffer::EMPTY;
        // SAFETY: the table was checked when the library was loaded; the instance came from it; the
        // context outlives the call and nothing else touches it meanwhile.
        let status =
            unsafe { (table.call)(live.pointer, method as u32, Slice::new(&input), &host, &mut out) };
        let answer = take(table, out);
        match status {
            Status::OK => wire::decode(&answer).map_err(|error| nonsense(&error.to_string())),
            Status::HOST_FAILED => Err(self
                .context
                .failure
                .take()
                .unwrap_or_else(|| nonsense("it reports a failure of the host that there was not"))),
            other => Err(cause(other, &answer)),
        }
    }
}

/// An instance inside the library.
struct Live {
    table: &'static PluginTable,
    pointer: *mut c_void,
}

// SAFETY: the ABI says that an instance may move between threads.
unsafe impl Send for Live {}

impl Drop for Live {
    fn drop(&mut self) {
        // SAFETY: the pointer came from this table's `create` and is not used again.
        unsafe { (self.table.destroy)(self.pointer) }
    }
}

fn configured(library: &Library, configuration: &str) -> Result<Live, PluginError> {
    let table = library.table;
    let error = |call, cause| PluginError::new(Arc::clone(&library.identity), call, cause);
    let mut pointer = std::ptr::null_mut();
    let mut out = Buffer::EMPTY;
    // SAFETY: the table was checked when the library was loaded.
    let status = unsafe { (table.create)(&mut pointer, &mut out) };
    let answer = take(table, out);
    if status != Status::OK {
        return Err(error("lifecycle.instantiate", cause(status, &answer)));
    }
    let live = Live { table, pointer };
    let mut out = Buffer::EMPTY;
    // SAFETY: as above; the instance was made just now.
    let status = unsafe { (table.configure)(pointer, Slice::new(configuration.as_bytes()), &mut out) };
    let answer = take(table, out);
    if status == Status::OK { Ok(live) } else { Err(error("lifecycle.configure", cause(status, &answer))) }
}

/// Copies a plugin's answer and gives its buffer back.
pub fn take(table: &PluginTable, buffer: Buffer) -> Vec<u8> {
    // SAFETY: the plugin filled the buffer, and it is freed once, by the side that made it.
    unsafe {
        let bytes = buffer.as_bytes().to_vec();
        (table.free)(buffer);
        bytes
    }
}

fn cause(status: Status, answer: &[u8]) -> Cause {
    let text = || String::from_utf8_lossy(answer).into_owned();
    match status {
        Status::REFUSED => match wire::decode(answer) {
            Ok(Refusal { message, help }) => Cause::refused(&message, help.as_deref()),
            Err(error) => nonsense(&error.to_string()),
        },
        Status::PANICKED => Cause::Panicked { message: text() },
        Status::MALFORMED => nonsense(&text()),
        Status(other) => nonsense(&format!("it reports the unknown status {other}")),
    }
}

fn nonsense(what: &str) -> Cause {
    Cause::Contract { what: format!("its answer makes no sense: {what}"), help: None }
}

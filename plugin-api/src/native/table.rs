//! The functions of the plugin's table. None of them unwinds.

use std::ffi::c_void;

use pegbox_plugin_abi::lifecycle::Refusal;
use pegbox_plugin_abi::table::{ABI_VERSION, Buffer, CONTRACT, HostTable, PluginTable, Slice, Status};
use pegbox_plugin_abi::wire::{Method, encode};

use super::host::{self, HostFailed};
use super::methods::Failure;
use super::panics;
use crate::error::Error;
use crate::export::{Exported, describe};

/// The methods of all kinds that a plugin is of; [`crate::export!`] implements it.
pub trait Dispatch: Exported {
    /// # Errors
    /// The plugin declines, or the method or its input make no sense.
    fn dispatch(&mut self, method: Method, input: &[u8]) -> Result<Vec<u8>, Failure>;
}

/// The table of a plugin.
pub const fn table<T: Dispatch>() -> PluginTable {
    PluginTable {
        abi_version: ABI_VERSION,
        contract: Slice::from_static(CONTRACT),
        describe: describe_plugin::<T>,
        create: create::<T>,
        configure: configure::<T>,
        call: call::<T>,
        destroy: destroy::<T>,
        free,
    }
}

/// What the host holds a pointer to: none until it is configured.
type Instance<T> = Option<T>;

unsafe extern "C" fn describe_plugin<T: Dispatch>(out: *mut Buffer) -> Status {
    let (status, bytes) =
        settle(|| encode(&describe::<T>()).map_err(|error| Failure::Malformed(error.to_string())));
    // SAFETY: the host gives a place to write to.
    unsafe { out.write(Buffer::from_vec(bytes)) };
    status
}

unsafe extern "C" fn create<T: Dispatch>(instance: *mut *mut c_void, out: *mut Buffer) -> Status {
    let empty: Box<Instance<T>> = Box::new(None);
    // SAFETY: the host gives two places to write to.
    unsafe {
        instance.write(Box::into_raw(empty).cast());
        out.write(Buffer::EMPTY);
    }
    Status::OK
}

unsafe extern "C" fn configure<T: Dispatch>(instance: *mut c_void, json: Slice, out: *mut Buffer) -> Status {
    // SAFETY: the pointer came from `create` of this same table, the host uses it from one thread at a time,
    // and lends the text for the length of the call.
    let (instance, json) = unsafe { (&mut *instance.cast::<Instance<T>>(), json.as_bytes()) };
    let (status, bytes) = settle(|| {
        let json = str::from_utf8(json)
            .map_err(|error| Failure::Malformed(format!("the configuration is not UTF-8: {error}")))?;
        *instance = Some(T::configure(json)?);
        Ok(Vec::new())
    });
    // SAFETY: the host gives a place to write to.
    unsafe { out.write(Buffer::from_vec(bytes)) };
    status
}

unsafe extern "C" fn call<T: Dispatch>(
    instance: *mut c_void,
    method: u32,
    input: Slice,
    host: *const HostTable,
    out: *mut Buffer,
) -> Status {
    // SAFETY: as for `configure`.
    let (instance, input) = unsafe { (&mut *instance.cast::<Instance<T>>(), input.as_bytes()) };
    // SAFETY: the host table is valid for the length of the call, and the guard goes before the call ends.
    let serving = unsafe { host::serve_from(host) };
    let (status, bytes) = settle(|| {
        let method = Method::from_number(method)
            .ok_or_else(|| Failure::Malformed(format!("there is no method number {method}")))?;
        let plugin = instance
            .as_mut()
            .ok_or_else(|| Failure::Malformed("the instance was never configured".to_owned()))?;
        plugin.dispatch(method, input)
    });
    // A plugin that caught the unwinding itself does not make the host's failure undone.
    let (status, bytes) =
        if serving.has_failed() { (Status::HOST_FAILED, Vec::new()) } else { (status, bytes) };
    drop(serving);
    // SAFETY: the host gives a place to write to.
    unsafe { out.write(Buffer::from_vec(bytes)) };
    status
}

unsafe extern "C" fn destroy<T: Dispatch>(instance: *mut c_void) {
    // SAFETY: the pointer came from `create` of this same table and is not used again.
    let instance = unsafe { Box::from_raw(instance.cast::<Instance<T>>()) };
    // A plugin whose `drop` panics has nobody left to tell.
    let _ = panics::catch(|| drop(instance));
}

unsafe extern "C" fn free(buffer: Buffer) {
    // SAFETY: the buffer came from one of the functions above, and is freed once.
    drop(unsafe { buffer.into_vec() });
}

/// Runs code of the plugin and says how it ended.
fn settle(work: impl FnOnce() -> Result<Vec<u8>, Failure>) -> (Status, Vec<u8>) {
    match panics::catch(work) {
        Ok(Ok(bytes)) => (Status::OK, bytes),
        Ok(Err(Failure::Refused(error))) => refusal(error),
        Ok(Err(Failure::Malformed(what))) => (Status::MALFORMED, what.into_bytes()),
        Err((payload, _)) if payload.is::<HostFailed>() => (Status::HOST_FAILED, Vec::new()),
        Err((_, said)) => {
            (Status::PANICKED, said.unwrap_or_else(|| "a panic without a message".to_owned()).into_bytes())
        }
    }
}

fn refusal(error: Error) -> (Status, Vec<u8>) {
    match encode(&Refusal::from(error)) {
        Ok(bytes) => (Status::REFUSED, bytes),
        Err(error) => (Status::MALFORMED, error.to_string().into_bytes()),
    }
}

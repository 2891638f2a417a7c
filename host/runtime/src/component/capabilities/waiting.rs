//! `wasi:io/poll` and the waiting half of `wasi:io/streams`. A wait on the host's side is not interrupted when a call's
//! time is over, and a plugin can wait for what never comes (for room in the body of a request that it never sends), so
//! each wait ends with the call's deadline.

use std::time::Duration;

use wasmtime::component::{ComponentNamedList, Lift, Linker, LinkerInstance, Lower, Resource, ResourceTable};
use wasmtime::{Error, Result, StoreContextMut};
use wasmtime_wasi::p2::StreamResult;
use wasmtime_wasi::p2::bindings::sync::io::poll::Pollable;
use wasmtime_wasi::p2::bindings::sync::io::streams::{Host, InputStream, OutputStream, StreamError};
use wasmtime_wasi::p2::bindings::sync::io::{poll, streams};
use wasmtime_wasi::runtime::in_tokio;
use wasmtime_wasi_io::bindings::wasi::io::poll::{Host as Polls, HostPollable};
use wasmtime_wasi_io::bindings::wasi::io::streams::{HostInputStream, HostOutputStream};

use super::{Table, table};
use crate::component::state::HostState;

/// As wasmtime-wasi calls them.
const POLL: &str = "wasi:io/poll@0.2.12";
const STREAMS: &str = "wasi:io/streams@0.2.12";

type In = Resource<InputStream>;
type Out = Resource<OutputStream>;

pub fn add_to_linker(linker: &mut Linker<HostState>) -> Result<()> {
    poll::add_to_linker::<HostState, Table>(linker, table)?;
    streams::add_to_linker::<HostState, Table>(linker, table)?;
    linker.allow_shadowing(true);
    add_polls(&mut linker.instance(POLL)?)?;
    add_streams(&mut linker.instance(STREAMS)?)?;
    linker.allow_shadowing(false);
    Ok(())
}

fn add_polls(polls: &mut LinkerInstance<'_, HostState>) -> Result<()> {
    polls.func_wrap("poll", |mut store, (all,): (Vec<Resource<Pollable>>,)| {
        Ok((in_time(store.data_mut(), async |table| Polls::poll(table, all).await)??,))
    })?;
    polls.func_wrap("[method]pollable.block", |mut store, (one,): (Resource<Pollable>,)| {
        in_time(store.data_mut(), async |table| HostPollable::block(table, one).await)?
    })
}

fn add_streams(streams: &mut LinkerInstance<'_, HostState>) -> Result<()> {
    wait(streams, "[method]input-stream.blocking-read", async |table, (stream, most): (In, u64)| {
        HostInputStream::blocking_read(table, stream, most).await
    })?;
    wait(streams, "[method]input-stream.blocking-skip", async |table, (stream, most): (In, u64)| {
        HostInputStream::blocking_skip(table, stream, most).await
    })?;
    wait(streams, "[method]output-stream.blocking-flush", async |table, (stream,): (Out,)| {
        HostOutputStream::blocking_flush(table, stream).await
    })?;
    wait(
        streams,
        "[method]output-stream.blocking-write-and-flush",
        async |table, (stream, bytes): (Out, Vec<u8>)| {
            HostOutputStream::blocking_write_and_flush(table, stream, bytes).await
        },
    )?;
    wait(
        streams,
        "[method]output-stream.blocking-write-zeroes-and-flush",
        async |table, (stream, count): (Out, u64)| {
            HostOutputStream::blocking_write_zeroes_and_flush(table, stream, count).await
        },
    )?;
    wait(streams, "[method]output-stream.blocking-splice", async |table, (to, from, most): (Out, In, u64)| {
        HostOutputStream::blocking_splice(table, to, from, most).await
    })
}

/// Puts `work` in the place of a function of streams that waits.
fn wait<A, R>(
    streams: &mut LinkerInstance<'_, HostState>,
    name: &str,
    work: impl AsyncFn(&mut ResourceTable, A) -> StreamResult<R> + Send + Sync + 'static,
) -> Result<()>
where
    A: ComponentNamedList + Lift + 'static,
    R: Lower + Send + Sync + 'static,
    (std::result::Result<R, StreamError>,): ComponentNamedList + Lower,
{
    streams.func_wrap(name, move |mut store: StoreContextMut<'_, HostState>, arguments: A| {
        let state = store.data_mut();
        Ok((match in_time(state, async |table| work(table, arguments).await)? {
            Ok(value) => Ok(value),
            Err(error) => Err(Host::convert_stream_error(table(state), error)?),
        },))
    })
}

/// Runs `work`, but not past the end of the call's time.
fn in_time<T>(state: &mut HostState, work: impl AsyncFnOnce(&mut ResourceTable) -> T) -> Result<T> {
    let left = Duration::from_millis(state.services.ms_left());
    let table = table(state);
    match in_tokio(async { tokio::time::timeout(left, work(table)).await }) {
        Ok(done) => Ok(done),
        Err(_) => {
            state.failure = Some(state.services.out_of_time());
            Err(Error::msg("a wait took too long"))
        }
    }
}

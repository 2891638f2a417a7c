//! `wasi:clocks/monotonic-clock`, with which a plugin can measure but not wait: a wait on the host's side
//! would pass every deadline.

use wasmtime::component::{HasSelf, Linker, Resource};
use wasmtime::{Error, Result};
use wasmtime_wasi::p2::DynPollable;
use wasmtime_wasi::p2::bindings::clocks::monotonic_clock::{Duration, Host, Instant, add_to_linker as add};

use super::Capabilities;
use crate::component::state::HostState;
use crate::error::Cause;

pub fn add_to_linker(linker: &mut Linker<HostState>) -> Result<()> {
    add::<HostState, HasSelf<HostState>>(linker, |state| state)
}

impl Host for HostState {
    fn now(&mut self) -> Result<Instant> {
        let Capabilities { started, .. } = &self.capabilities;
        Ok(u64::try_from(started.elapsed().as_nanos()).unwrap_or(u64::MAX))
    }

    fn resolution(&mut self) -> Result<Duration> {
        Ok(1)
    }

    fn subscribe_instant(&mut self, _: Instant) -> Result<Resource<DynPollable>> {
        self.no_waiting()
    }

    fn subscribe_duration(&mut self, _: Duration) -> Result<Resource<DynPollable>> {
        self.no_waiting()
    }
}

impl HostState {
    fn no_waiting<T>(&mut self) -> Result<T> {
        self.failure = Some(Cause::Contract {
            what: "it wanted to wait for a moment in time".to_owned(),
            help: Some("a plugin can read the clock, but not sleep".to_owned()),
        });
        Err(Error::msg("waiting"))
    }
}

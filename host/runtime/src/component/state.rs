//! What wasmtime keeps beside one instance: the host's services, the memory ceiling, and the reason why a
//! host function ended the call.

use wasmtime::component::Resource;
use wasmtime::{Error, ResourceLimiter, Result};

use super::bindings::pegbox::plugin::{records, types};
use super::capabilities::Capabilities;
use super::tensors::TensorRep;
use crate::error::Cause;
use crate::grants::Grants;
use crate::services::Services;
use pegbox_manifest::Limits;

pub struct HostState {
    pub services: Services,
    pub memory: Ceilings,
    pub(super) capabilities: Capabilities,
    /// Handles to tensors that earlier calls left to the host to drop.
    pub left_behind: u64,
    /// Set when a host function fails: the trap that follows carries no types.
    pub failure: Option<Cause>,
}

impl HostState {
    pub fn new(limits: &Limits, granted: &Grants, capabilities: Capabilities) -> Self {
        Self {
            services: Services::new(limits, granted.permissions.read_tensors),
            memory: Ceilings::new(limits),
            capabilities,
            left_behind: 0,
            failure: None,
        }
    }

    /// Turns a failed request into a trap, and remembers why.
    pub fn checked<T>(&mut self, result: Result<T, Cause>) -> Result<T> {
        result.map_err(|cause| {
            self.failure = Some(cause);
            Error::msg("a host function failed")
        })
    }

    /// [`HostState::checked`] for a new tensor.
    pub fn owned(&mut self, result: Result<u32, Cause>) -> Result<Resource<TensorRep>> {
        self.checked(result).map(Resource::new_own)
    }
}

impl types::Host for HostState {}

impl records::Host for HostState {}

/// Counts what an instance is made of, and notes what was refused: what follows is usually an abort that says
/// nothing of it.
pub struct Ceilings {
    used: usize,
    memory: usize,
    table: usize,
    count: usize,
    refused: Option<Refused>,
}

/// What an instance wanted and did not get.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    Memory,
    Table,
}

impl Ceilings {
    fn new(limits: &Limits) -> Self {
        let size = |limit: u64| usize::try_from(limit).unwrap_or(usize::MAX);
        Self {
            used: 0,
            memory: size(limits.memory_mib << 20),
            table: size(limits.table_elements),
            count: size(limits.instances),
            refused: None,
        }
    }

    /// What was refused since this was last asked.
    pub fn refused(&mut self) -> Option<Refused> {
        self.refused.take()
    }
}

impl ResourceLimiter for Ceilings {
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> Result<bool> {
        let used = self.used.saturating_add(desired.saturating_sub(current));
        if used > self.memory {
            self.refused = Some(Refused::Memory);
            return Ok(false);
        }
        self.used = used;
        Ok(true)
    }

    fn table_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> Result<bool> {
        if desired > self.table {
            self.refused = Some(Refused::Table);
            return Ok(false);
        }
        Ok(true)
    }

    fn instances(&self) -> usize {
        self.count
    }

    fn tables(&self) -> usize {
        self.count
    }

    fn memories(&self) -> usize {
        self.count
    }
}

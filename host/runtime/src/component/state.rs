//! What wasmtime keeps beside one instance: the host's services, the memory ceiling, and the reason why a
//! host function ended the call.

use wasmtime::component::Resource;
use wasmtime::{Error, ResourceLimiter, Result};

use super::bindings::pegbox::plugin::{records, types};
use super::tensors::TensorRep;
use crate::error::Cause;
use crate::services::Services;
use pegbox_manifest::Limits;

pub struct HostState {
    pub services: Services,
    pub memory: MemoryCeiling,
    /// Set when a host function fails: the trap that follows carries no types.
    pub failure: Option<Cause>,
}

impl HostState {
    pub fn new(limits: &Limits) -> Self {
        Self { services: Services::new(limits), memory: MemoryCeiling::new(limits.memory_mib), failure: None }
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

/// Counts the linear memory of an instance, and notes whether some was refused: what follows is usually
/// an abort that says nothing of memory.
pub struct MemoryCeiling {
    used: usize,
    limit: usize,
    pub refused: bool,
}

/// A component made from a scripting language's runtime has some 40 core instances.
const MAX_INSTANCES: usize = 64;
const MAX_TABLE_ELEMENTS: usize = 200_000;

impl MemoryCeiling {
    fn new(limit_mib: u64) -> Self {
        let limit = usize::try_from(limit_mib << 20).unwrap_or(usize::MAX);
        Self { used: 0, limit, refused: false }
    }
}

impl ResourceLimiter for MemoryCeiling {
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> Result<bool> {
        let used = self.used.saturating_add(desired.saturating_sub(current));
        if used > self.limit {
            self.refused = true;
            return Ok(false);
        }
        self.used = used;
        Ok(true)
    }

    fn table_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> Result<bool> {
        Ok(desired <= MAX_TABLE_ELEMENTS)
    }

    fn instances(&self) -> usize {
        MAX_INSTANCES
    }

    fn tables(&self) -> usize {
        MAX_INSTANCES
    }

    fn memories(&self) -> usize {
        MAX_INSTANCES
    }
}

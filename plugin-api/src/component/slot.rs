//! The one instance of a plugin in a component's memory: the host makes a component instance for each plugin
//! instance.

use std::sync::{Mutex, PoisonError};

use crate::error::Error;
use crate::export::Exported;

/// Holds the plugin once it is configured. (A mutex costs nothing on this target, which has one thread.)
pub struct Slot<T>(Mutex<Option<T>>);

/// A plugin with its place; [`crate::export!`] implements it.
pub trait Stored: Exported {
    fn slot() -> &'static Slot<Self>;
}

impl<T> Slot<T> {
    pub const fn new() -> Self {
        Self(Mutex::new(None))
    }

    pub fn put(&self, plugin: T) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(plugin);
    }

    /// Calls the plugin.
    pub fn with<R>(&self, work: impl FnOnce(&mut T) -> Result<R, Error>) -> Result<R, Error> {
        match self.0.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            Some(plugin) => work(plugin),
            None => Err(Error::new("the plugin was called before it was configured")),
        }
    }
}

impl<T> Default for Slot<T> {
    fn default() -> Self {
        Self::new()
    }
}

//! Folders that are there whole or not at all, with errors that say which.

use std::path::Path;

use crate::error::DataError;

/// A folder that is being written; it vanishes unless published.
pub struct Draft(pegbox_durable::Draft);

impl Draft {
    /// Beside where it will be published.
    pub fn new(parent: &Path) -> Result<Self, DataError> {
        pegbox_durable::Draft::new(parent).map(Self).map_err(DataError::io("create a folder in", parent))
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes a file and syncs it.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<(), DataError> {
        self.0.write(name, bytes).map_err(DataError::io("write", &self.0.path().join(name)))
    }

    /// Renames the folder to `target`. What stands there is replaced.
    pub fn publish(self, target: &Path) -> Result<(), DataError> {
        self.0.publish(target).map_err(DataError::io("create", target))
    }
}

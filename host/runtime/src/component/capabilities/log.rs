//! `pegbox:plugin/logging`: lines for Pegbox's log, so many a second.

use std::sync::Arc;
use std::time::Instant;

use wasmtime::{Error, Result};

use crate::component::bindings::pegbox::plugin::logging::{Host, Level};
use crate::component::state::HostState;
use crate::error::{Cause, clean_text};
use crate::identity::PluginIdentity;

/// The longest line, in bytes.
const MAX_LINE: usize = 4096;

/// Counts the lines of one instance.
pub struct LogBook {
    plugin: Arc<PluginIdentity>,
    /// Lines a second.
    limit: u64,
    second: Instant,
    lines: u64,
}

impl LogBook {
    pub fn new(plugin: Arc<PluginIdentity>, limit: u64) -> Self {
        Self { plugin, limit, second: Instant::now(), lines: 0 }
    }

    /// Whether another line may be written now.
    fn admit(&mut self) -> Result<(), Cause> {
        if self.second.elapsed().as_secs() >= 1 {
            self.second = Instant::now();
            self.lines = 0;
        }
        self.lines += 1;
        if self.lines <= self.limit {
            return Ok(());
        }
        Err(Cause::limit("it wrote more lines to the log than it may in a second", "log-lines", self.limit))
    }
}

impl Host for HostState {
    fn log(&mut self, level: Level, message: String) -> Result<()> {
        let book = &mut self.capabilities.log;
        if let Err(cause) = book.admit() {
            self.failure = Some(cause);
            return Err(Error::msg("the log is full"));
        }
        let line = clean_text(&message, MAX_LINE);
        let plugin = &*book.plugin;
        match level {
            Level::Debug => tracing::debug!(target: "plugin", %plugin, "{line}"),
            Level::Info => tracing::info!(target: "plugin", %plugin, "{line}"),
            Level::Warning => tracing::warn!(target: "plugin", %plugin, "{line}"),
        }
        Ok(())
    }
}

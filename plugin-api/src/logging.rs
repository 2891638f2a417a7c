//! Lines for Pegbox's log. The manifest asks `log = true`. So many lines a second, or the host ends the call.

/// Shown with `-vv`: for the plugin's author.
pub fn debug(message: &str) {
    write(Level::Debug, message);
}

/// Shown with `-v`.
pub fn info(message: &str) {
    write(Level::Info, message);
}

/// Always shown.
pub fn warning(message: &str) {
    write(Level::Warning, message);
}

#[derive(Clone, Copy, Debug)]
enum Level {
    Debug,
    Info,
    Warning,
}

#[cfg(target_arch = "wasm32")]
fn write(level: Level, message: &str) {
    use crate::component::bindings::capabilities::pegbox::plugin::logging;
    let level = match level {
        Level::Debug => logging::Level::Debug,
        Level::Info => logging::Level::Info,
        Level::Warning => logging::Level::Warning,
    };
    logging::log(level, message);
}

#[cfg(not(target_arch = "wasm32"))]
fn write(level: Level, message: &str) {
    eprintln!("{level:?}: {message}");
}

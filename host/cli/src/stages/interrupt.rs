//! Ctrl-C: what it ends is decided by what is going on.

use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether an answer is being written.
static ANSWERING: AtomicBool = AtomicBool::new(false);
/// Whether it is to end.
static STOP: AtomicBool = AtomicBool::new(false);
/// Whether Ctrl-C came while nothing was written, since the last line.
static ASKED: AtomicBool = AtomicBool::new(false);
static CATCH: Once = Once::new();

/// From now on, Ctrl-C ends an answer that is being written; without one the first says how to leave, and the second
/// leaves.
pub fn catch() {
    CATCH.call_once(|| {
        let handler = || {
            if ANSWERING.load(Ordering::Relaxed) {
                STOP.store(true, Ordering::Relaxed);
            } else if ASKED.swap(true, Ordering::Relaxed) {
                std::process::exit(130);
            } else {
                eprint!("\n(Ctrl-C again, Ctrl-D or /quit ends)\n> ");
            }
        };
        // Somebody else's handler stays in place: then Ctrl-C ends the program.
        if let Err(error) = ctrlc::set_handler(handler) {
            tracing::debug!(%error, "Ctrl-C is not caught");
        }
    });
}

/// An answer begins: Ctrl-C ends it until the guard is dropped.
pub fn answering() -> Answering {
    STOP.store(false, Ordering::Relaxed);
    ASKED.store(false, Ordering::Relaxed);
    ANSWERING.store(true, Ordering::Relaxed);
    Answering
}

pub struct Answering;

impl Answering {
    /// Whether Ctrl-C came.
    pub fn is_stopped(&self) -> bool {
        STOP.load(Ordering::Relaxed)
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        ANSWERING.store(false, Ordering::Relaxed);
    }
}

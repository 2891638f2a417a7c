//! What a panic said, and where: the host shows it with the plugin's name, instead of the bare text on the
//! terminal that Rust prints.

use std::any::Any;
use std::cell::RefCell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

thread_local! {
    /// `Some` while this thread runs code of the plugin: what the last panic said.
    static SAID: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Runs code of the plugin. A panic becomes `Err` with its payload and, unless it was raised without the
/// hook, its message and place.
pub fn catch<R>(work: impl FnOnce() -> R) -> Result<R, (Box<dyn Any + Send>, Option<String>)> {
    static HOOK: Once = Once::new();
    HOOK.call_once(listen);
    SAID.with_borrow_mut(|said| *said = Some(String::new()));
    // Whoever catches a panic here throws the instance away.
    let result = panic::catch_unwind(AssertUnwindSafe(work));
    let said = SAID.take().filter(|said| !said.is_empty());
    result.map_err(|payload| (payload, said))
}

/// Keeps what a panic of the plugin says; other panics go to the hook that was there.
fn listen() {
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        let kept = SAID.try_with(|said| match said.try_borrow_mut().as_deref_mut() {
            Ok(Some(said)) => {
                *said = describe(info);
                true
            }
            _ => false,
        });
        if !kept.unwrap_or(false) {
            before(info);
        }
    }));
}

fn describe(info: &panic::PanicHookInfo<'_>) -> String {
    let what = info.payload_as_str().unwrap_or("a panic without a message");
    match info.location() {
        Some(place) => format!("{what} ({}:{})", place.file(), place.line()),
        None => what.to_owned(),
    }
}

//! A panic as a report.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::panic::{self, PanicHookInfo};

use super::Report;

/// From now on a panic shows a report that asks to be passed on, in place of Rust's own message.
pub fn install(json: bool) {
    panic::set_hook(Box::new(move |info| report(info).show(json)));
}

fn report(info: &PanicHookInfo<'_>) -> Box<Report> {
    let payload = info.payload();
    let what = payload
        .downcast_ref::<&str>()
        .map(|text| text.to_string())
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "something that is not text".into());
    let place = info.location().map_or("an unknown place".into(), |place| place.to_string());
    let mut report = Report::new("Pegbox itself failed; this is a mistake in Pegbox, not in your recipe")
        .cause(format!("panic at {place}: {what}"))
        .help(format!(
            "please report it with this message and your recipe: {}/issues (Pegbox {}, {} {})",
            env!("CARGO_PKG_REPOSITORY"),
            env!("CARGO_PKG_VERSION"),
            std::env::consts::OS,
            std::env::consts::ARCH,
        ))
        .help("checkpoints are written whole or not at all: `pegbox resume` continues from the last one");
    let backtrace = Backtrace::capture();
    if backtrace.status() == BacktraceStatus::Captured {
        report.causes.push(backtrace.to_string());
    }
    report
}

//! The `pegbox` program: arguments, recipe, progress, error reports. No machine learning in here.

/// The command line.
mod arguments;
/// One file a command.
mod commands;
/// Progress and results as the user sees them.
mod console;
/// The recipe's plugins, loaded.
mod plugins;
/// Errors as the user sees them.
mod report;
/// What every command works with.
mod session;
/// The pieces of work that commands are made of.
mod stages;

use std::panic::AssertUnwindSafe;
use std::process::ExitCode;

use clap::Parser;
use tracing_subscriber::EnvFilter;

use arguments::{Arguments, Global, LogFormat};
use report::Report;
use session::Session;

fn main() -> ExitCode {
    if let Some(status) = compile_plugin() {
        return status;
    }
    pegbox_models::device::keep_freed_memory();
    let Arguments { global, command } = Arguments::parse();
    let json = global.log == LogFormat::Json;
    report::install_panic_hook(json);
    start_log(&global);
    // A panic has shown its report already, by the hook.
    let done = std::panic::catch_unwind(AssertUnwindSafe(|| {
        use_threads(&global)?;
        commands::run(&Session::new(global)?, command)
    }));
    match done {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(report)) => {
            report.show(json);
            ExitCode::from(report.exit)
        }
        Err(_) => ExitCode::from(report::FAILED),
    }
}

/// This program as the process in which a stranger's component is compiled: no user calls it so.
fn compile_plugin() -> Option<ExitCode> {
    let mut arguments = std::env::args().skip(1);
    if arguments.next()? != pegbox_runtime::COMPILE_COMMAND {
        return None;
    }
    let status = pegbox_runtime::serve_compiler(&arguments.collect::<Vec<_>>());
    Some(ExitCode::from(u8::try_from(status).unwrap_or(report::FAILED)))
}

/// `PEGBOX_LOG` in the form of `RUST_LOG`, else warnings, with -v what happens, with -vv everything.
fn start_log(global: &Global) {
    let level = match (global.quiet, global.verbose) {
        (true, _) => "error",
        (_, 0) => "warn",
        (_, 1) => {
            "warn,plugin=info,pegbox=debug,pegbox_hub=debug,pegbox_train=debug,pegbox_data=debug,pegbox_runtime=debug"
        }
        _ => "trace",
    };
    let filter = EnvFilter::try_from_env("PEGBOX_LOG").unwrap_or_else(|_| EnvFilter::new(level));
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match global.log {
        LogFormat::Json => subscriber.json().init(),
        LogFormat::Plain => subscriber.without_time().with_target(false).init(),
    }
}

fn use_threads(global: &Global) -> Result<(), Box<Report>> {
    let Some(threads) = global.threads else { return Ok(()) };
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads as usize)
        .build_global()
        .map_err(|error| Report::new(format!("cannot start {threads} threads: {error}")))
}

//! `pegbox plugin watch`: builds and tests again whenever the author saves a file.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use clap::Args;
use pegbox_manifest::Manifest;
use pegbox_workshop::{Options, Watch};

use super::{test, trying};
use crate::report::Report;
use crate::session::Session;

/// Between two looks at the folder.
const INTERVAL: Duration = Duration::from_millis(300);

#[derive(Debug, Args)]
pub struct WatchPlugin {
    /// The plugin's folder
    #[arg(default_value = ".")]
    pub folder: PathBuf,
    /// Only this case
    #[arg(long, value_name = "NAME")]
    pub case: Option<String>,
}

pub fn run(session: &Session, arguments: &WatchPlugin) -> Result<(), Box<Report>> {
    let stopped = Arc::new(AtomicBool::new(false));
    let on_stop = Arc::clone(&stopped);
    ctrlc::set_handler(move || on_stop.store(true, Ordering::Relaxed))
        .map_err(|error| Report::new(format!("cannot listen for Ctrl-C: {error}")))?;
    let folder = &arguments.folder;
    // A folder without a manifest will not become a plugin while we wait; a manifest with a fault will.
    let ignored = match Manifest::read(folder) {
        Ok(manifest) => trying::outputs(folder, &manifest),
        Err(pegbox_manifest::ManifestError::Read { file, fault }) => {
            return Err(Report::usage(format!("{}: {fault}", file.display()))
                .help("name a plugin's folder; `pegbox plugin new` makes one"));
        }
        Err(_) => vec![folder.join("plugin.wasm")],
    };
    let mut watch = Watch::new(folder, &ignored);
    loop {
        attempt(session, arguments);
        session.console.say(format!("watching {}; Ctrl-C ends", folder.display()));
        // Saving is several writes; what comes during the work is seen here, too.
        let mut changes = Vec::new();
        while changes.is_empty() {
            if stopped.load(Ordering::Relaxed) {
                return Ok(());
            }
            thread::sleep(INTERVAL);
            changes = watch.changes();
        }
        thread::sleep(INTERVAL);
        changes.extend(watch.changes());
        changes.dedup();
        let names: Vec<String> = changes.iter().map(|path| path.display().to_string()).collect();
        session.console.say(format!("changed: {}", names.join(", ")));
    }
}

/// What is wrong now is shown, and may be right after the next change.
fn attempt(session: &Session, arguments: &WatchPlugin) {
    let options = Options { bless: false, case: arguments.case.clone() };
    let done = trying::built(session, &arguments.folder)
        .and_then(|found| test::cases(session, &found, &options, false));
    if let Err(report) = done {
        report.show(session.console.is_json());
    }
}

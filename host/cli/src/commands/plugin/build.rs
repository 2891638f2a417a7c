//! `pegbox plugin build`: from a folder of sources to `plugin.wasm` beside the manifest.

use std::path::PathBuf;

use clap::Args;
use pegbox_builder::{Built, Options, Origin, Tools, build};

use super::trying::of_build;
use crate::console::print;
use crate::report::Report;
use crate::session::Session;

#[derive(Debug, Args)]
pub struct Build {
    /// The plugin's folder
    #[arg(default_value = ".")]
    pub folder: PathBuf,
    /// Also a native library for this machine
    #[arg(long)]
    pub native: bool,
    /// Build even if nothing has changed
    #[arg(long)]
    pub force: bool,
}

pub fn run(session: &Session, arguments: &Build) -> Result<(), Box<Report>> {
    let options = Options { native: arguments.native, force: arguments.force };
    let console = session.console;
    let tools = Tools::of_user(move |line| console.say(line)).map_err(of_build)?;
    let Built { plugin, component, native, origin, took, .. } =
        build(&arguments.folder, &options, &tools).map_err(of_build)?;
    let how = match origin {
        Origin::Made => "built",
        Origin::Cache => "unchanged since it was built before",
        Origin::UpToDate => "up to date",
    };
    print(&format!("{plugin}: {how} in {:.1} s\n", took.as_secs_f64()));
    for output in [Some(component), native].into_iter().flatten() {
        print(&format!("  {} {} KB\n", output.path.display(), output.bytes.div_ceil(1024)));
    }
    Ok(())
}

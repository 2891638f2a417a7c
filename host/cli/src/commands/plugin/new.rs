//! `pegbox plugin new`: a folder with a plugin that builds, passes its tests, and says what to change.

use std::path::PathBuf;

use clap::Args;
use pegbox_builder::{NewPlugin, create};
use pegbox_manifest::Kind;

use crate::console::print;
use crate::report::Report;

#[derive(Debug, Args)]
pub struct New {
    /// `team/name`, or `name`; the folder gets the name
    pub name: String,
    /// What it is to be: cleaner, validator, loss, metric or exporter
    #[arg(long, value_parser = kind)]
    pub kind: Kind,
    /// rust, python, javascript, typescript, c, c++ or zig
    #[arg(long, value_name = "LANGUAGE")]
    pub lang: String,
    /// The team, where the name has none
    #[arg(long)]
    pub team: Option<String>,
    /// Where the folder is made
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub within: PathBuf,
}

fn kind(text: &str) -> Result<Kind, String> {
    let names = || Kind::ALL.map(Kind::name).join(", ");
    Kind::ALL.into_iter().find(|kind| kind.name() == text).ok_or_else(|| format!("there are {}", names()))
}

pub fn run(arguments: &New) -> Result<(), Box<Report>> {
    let created = create(&NewPlugin {
        kind: arguments.kind,
        language: arguments.lang.clone(),
        name: arguments.name.clone(),
        team: arguments.team.clone(),
        parent: arguments.within.clone(),
    })
    .map_err(super::trying::of_build)?;
    let folder = created.folder.strip_prefix(".").unwrap_or(&created.folder).display();
    let source = created.source.strip_prefix(".").unwrap_or(&created.source).display();
    print(&format!(
        "made {} in {folder}\n  edit   {source}\n  build  pegbox plugin build {folder}\n  test   pegbox plugin test {folder}\n",
        created.name
    ));
    Ok(())
}

//! Python plugins: componentize-py makes one component of Python itself, the SDK and the author's file. While it does
//! so it runs the file once and keeps what Python's memory holds then.

/// The module that componentize-py begins with.
mod app;
/// A build that Python ended, in the words of the author's file.
mod faults;
/// Folders of scratch files.
mod folders;
/// Packages that a plugin brings along.
mod packages;
/// The author's files, where Python finds them.
mod sources;
/// What editors read.
mod typings;
/// Plugins that may use some of WASI.
mod wasi;

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::BuildError;
use crate::job::Job;
use crate::templates::Template;
use crate::tools::Tools;
use crate::world::WORLD;

pub(crate) const TEMPLATES: &[Template] =
    &[Template { name: "python", aliases: &["py"], folder: "python", source: "plugin.py" }];

/// The SDK counts on how this version's runtime makes its objects: try every template before raising it.
const TOOL: &str = "componentize-py==0.25.1";

/// The Python that is in it.
const PYTHON: &str = "3.14";

pub(crate) fn versions(_: &Tools) -> Result<String, BuildError> {
    Ok(TOOL.to_owned())
}

pub(crate) fn build(job: &Job) -> Result<Vec<u8>, BuildError> {
    let tools = job.tools.python_packages(&[TOOL])?;
    let stage = job.work.join("python");
    typings::write(job, &tools, &stage)?;
    let wit = wasi::disguised(&job.wit, &stage.join("wit"))?;
    let folders = Folders {
        sources: sources::copied(job, &stage.join("sources"))?,
        app: app::written(job, &stage.join("app"))?,
        sdk: job.sdk.join("python"),
        vendor: packages::vendored(job)?,
        packages: packages::installed(job, &tools, &stage.join("packages"))?,
    };
    let component = stage.join("plugin.wasm");
    componentize(job, &tools, &wit, &folders, &component)?;
    let bytes = std::fs::read(&component).map_err(BuildError::file("read", &component))?;
    wasi::revealed(bytes)
}

pub(crate) fn write_for_editors(job: &Job) -> Result<(), BuildError> {
    let tools = job.tools.python_packages(&[TOOL])?;
    typings::write(job, &tools, &job.work.join("python"))
}

/// Where Python looks for modules.
struct Folders {
    /// First of all: the SDK knows the author's files by that.
    sources: PathBuf,
    app: PathBuf,
    sdk: PathBuf,
    vendor: Option<PathBuf>,
    /// A virtual environment, as far as componentize-py cares: without one it would take the packages of whatever
    /// Python is installed.
    packages: PathBuf,
}

fn componentize(
    job: &Job,
    tools: &Path,
    wit: &Path,
    folders: &Folders,
    component: &Path,
) -> Result<(), BuildError> {
    let stage = job.work.join("python");
    // What is said of this command is easier to read without one long path all over it.
    let short = |path: &Path| path.strip_prefix(&stage).unwrap_or(path).to_owned();
    let mut command = Command::new(tools.join("componentize-py"));
    command.current_dir(&stage).arg("--quiet").arg("--wit-path").arg(short(wit)).args(["--world", WORLD]);
    command.args(names_of_types(wit)?);
    // Without the stubs Python would import all of WASI, whatever the plugin does.
    command.args(["componentize", "--stub-wasi"]);
    let searched = [Some(&folders.sources), Some(&folders.app), Some(&folders.sdk), folders.vendor.as_ref()];
    for folder in searched.into_iter().flatten() {
        command.arg("--python-path").arg(short(folder));
    }
    command.arg(app::MODULE).arg("--output").arg(short(component));
    command.env("VIRTUAL_ENV", &folders.packages).env("RUST_BACKTRACE", "0");
    job.tools.run(&mut command).map_err(|error| faults::explained(error, job))
}

/// Several packages have an interface `types`: each is to be called `<package>_types` in Python, also where it is
/// the only one.
fn names_of_types(wit: &Path) -> Result<Vec<String>, BuildError> {
    let mut resolve = wit_parser::Resolve::default();
    resolve
        .push_dir(wit)
        .map_err(|fault| BuildError::Component { fault: format!("{fault:#}"), help: None })?;
    let mut options = Vec::new();
    for (_, package) in
        resolve.packages.iter().filter(|(_, package)| package.interfaces.contains_key("types"))
    {
        let name = &package.name;
        options.push("--import-interface-name".to_owned());
        options.push(format!("{}={}-types", name.interface_id("types"), name.name));
    }
    Ok(options)
}

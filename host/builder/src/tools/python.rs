//! Python and packages from PyPI, each set in a virtual environment of its own.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Tools, on_path};
use crate::error::BuildError;

/// What the packages that we use need.
const OLDEST: (u32, u32) = (3, 10);

impl Tools {
    /// A virtual environment with exactly these packages (`name==version`) and what they need. Returns its folder of
    /// programs.
    ///
    /// # Errors
    /// There is no Python, or the packages cannot be fetched.
    pub fn python_packages(&self, packages: &[&str]) -> Result<PathBuf, BuildError> {
        let folder = self.made_once("python", &packages.join("\n"), |folder| {
            let python = self.python()?;
            self.say(&format!("fetching {} from PyPI (once)", packages.join(", ")));
            self.run(Command::new(python).args(["-m", "venv"]).arg(folder))?;
            let mut install = Command::new(programs(folder).join("python"));
            install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
            self.run(install.args(packages))
        })?;
        Ok(programs(&folder))
    }

    /// A Python that is new enough.
    fn python(&self) -> Result<PathBuf, BuildError> {
        let candidates = ["python3", "python"].into_iter().filter_map(on_path);
        let found = candidates.into_iter().find(|python| self.is_new_enough(python));
        found.ok_or_else(|| BuildError::Missing {
            what: format!("there is no Python {}.{} or newer on PATH", OLDEST.0, OLDEST.1),
            help: Some(
                "install it from python.org, or on Debian `sudo apt-get install python3-venv`".to_owned(),
            ),
        })
    }

    fn is_new_enough(&self, python: &Path) -> bool {
        let question = "import sys, venv, ensurepip; print(sys.version_info[0], sys.version_info[1])";
        let Ok(answer) = self.ask(Command::new(python).args(["-c", question])) else { return false };
        let mut parts = answer.split_whitespace().map_while(|part| part.parse::<u32>().ok());
        parts.next().zip(parts.next()).is_some_and(|version| version >= OLDEST)
    }
}

/// Where a virtual environment has its programs.
fn programs(environment: &Path) -> PathBuf {
    environment.join(if cfg!(windows) { "Scripts" } else { "bin" })
}

//! The compiler: zig compiles Zig, C and C++, and carries the C library and libc++ as sources.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::BuildError;
use crate::job::Job;
use crate::tools::{Tools, on_path};

/// The release that the SDKs are written for: Zig's language changes from one to the next.
const VERSION: &str = "0.15.2";

/// The official release as PyPI carries it.
pub(crate) const PACKAGE: &str = "ziglang==0.15.2";

/// A compiler of the right version.
pub(crate) struct Zig {
    program: PathBuf,
    /// Libraries that it has compiled, for all plugins.
    cache: PathBuf,
}

impl Zig {
    /// The one on PATH if its version is right, else the one from PyPI.
    ///
    /// # Errors
    /// It cannot be fetched.
    pub(crate) fn find(tools: &Tools) -> Result<Self, BuildError> {
        let on_path = on_path("zig").filter(|zig| {
            tools.ask(Command::new(zig).arg("version")).is_ok_and(|version| version.trim() == VERSION)
        });
        let program = match on_path {
            Some(program) => program,
            None => of_package(&tools.python_packages(&[PACKAGE])?)?,
        };
        let cache = tools.folder().join("zig-cache");
        if !cache.exists() {
            tools.say("the first build compiles libraries too, which takes half a minute");
        }
        Ok(Self { program, cache })
    }

    /// `zig <subcommand>`, in the plugin's folder.
    pub(crate) fn command(&self, job: &Job, subcommand: &str) -> Command {
        let mut command = Command::new(&self.program);
        command.arg(subcommand).current_dir(job.folder);
        command
            .env("ZIG_GLOBAL_CACHE_DIR", &self.cache)
            .env("ZIG_LOCAL_CACHE_DIR", job.work.join("zig-cache"));
        command
    }
}

/// A file of the plugin as the compiler is to name it: from the plugin's folder.
pub(crate) fn from_folder<'a>(job: &Job, path: &'a Path) -> &'a Path {
    path.strip_prefix(job.folder).unwrap_or(path)
}

/// The program inside the package: `lib/python3.x/site-packages/ziglang/zig` beside the environment's programs, or
/// `Lib/...` on Windows.
fn of_package(programs: &Path) -> Result<PathBuf, BuildError> {
    let environment = programs.parent().unwrap_or(programs);
    let below = Path::new("site-packages/ziglang/zig").with_extension(std::env::consts::EXE_EXTENSION);
    let versioned = std::fs::read_dir(environment.join("lib")).into_iter().flatten().flatten();
    let mut candidates = versioned.map(|entry| entry.path()).chain([environment.join("Lib")]);
    candidates.find_map(|folder| Some(folder.join(&below)).filter(|program| program.is_file())).ok_or_else(
        || BuildError::Missing {
            what: format!("{PACKAGE} in {} has no program `zig`", environment.display()),
            help: Some("delete that folder; it is fetched again".to_owned()),
        },
    )
}

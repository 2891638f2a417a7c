//! Packages that a plugin brings along: what `requirements.txt` names, installed here, and what lies in `vendor/`.
//! Pure Python only: there is no compiled code in a component but what it was made with.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{PYTHON, folders};
use crate::error::BuildError;
use crate::job::Job;

const REQUIREMENTS: &str = "requirements.txt";

/// The folder `vendor`, if there is one.
pub(super) fn vendored(job: &Job) -> Result<Option<PathBuf>, BuildError> {
    let folder = job.folder.join("vendor");
    if !folder.is_dir() {
        return Ok(None);
    }
    refuse_compiled(&folder)?;
    Ok(Some(folder))
}

/// Installs what `requirements.txt` names into a folder like a virtual environment, once for each content of the
/// file; without the file it is empty. Returns `folder`.
pub(super) fn installed(job: &Job, tools: &Path, folder: &Path) -> Result<PathBuf, BuildError> {
    let requirements = job.folder.join(REQUIREMENTS);
    let wanted = match fs::read(&requirements) {
        Ok(wanted) => wanted,
        Err(fault) if fault.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        Err(fault) => return Err(BuildError::file("read", requirements)(fault)),
    };
    let installed = folder.join(REQUIREMENTS);
    if fs::read(&installed).is_ok_and(|content| content == wanted) {
        return Ok(folder.to_owned());
    }
    folders::empty(folder)?;
    let site = folder.join("lib/site-packages");
    fs::create_dir_all(&site).map_err(BuildError::file("made", &site))?;
    if !wanted.is_empty() {
        install(job, tools, &requirements, &site)?;
        refuse_compiled(&site)?;
    }
    // Last: a folder without it is not finished.
    pegbox_durable::write_file(&installed, &wanted).map_err(BuildError::file("written", &installed))?;
    Ok(folder.to_owned())
}

fn install(job: &Job, tools: &Path, requirements: &Path, site: &Path) -> Result<(), BuildError> {
    let mut command = Command::new(tools.join("python"));
    command.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"]);
    // Wheels for any machine: these are the ones without compiled code.
    command.args(["--only-binary=:all:", "--platform=any", "--implementation=py", "--abi=none"]);
    command.arg(format!("--python-version={PYTHON}")).arg("--target").arg(site);
    command.arg("--requirement").arg(requirements);
    job.tools.run(&mut command).map_err(|error| match error {
        BuildError::Failed { output, .. } if output.contains("No matching distribution") => BuildError::Source {
            file: requirements.to_owned(),
            fault: missing(&output),
            help: Some(
                "only packages in pure Python can be a part of a plugin: there must be a wheel whose name ends in \
                 `-none-any.whl`"
                    .to_owned(),
            ),
        },
        other => other,
    })
}

/// What pip says of the package that it did not find.
fn missing(output: &str) -> String {
    let line = output
        .lines()
        .find_map(|line| line.trim().strip_prefix("ERROR: No matching distribution found for "));
    match line {
        Some(package) => format!("there is no wheel of `{package}` in pure Python for Python {PYTHON}"),
        None => format!("a package has no wheel in pure Python for Python {PYTHON}"),
    }
}

fn refuse_compiled(folder: &Path) -> Result<(), BuildError> {
    match compiled(folder)? {
        None => Ok(()),
        Some(file) => Err(BuildError::Source {
            file,
            fault: "compiled code cannot be a part of a Python plugin".to_owned(),
            help: Some("use a package, or a version of it, that is pure Python".to_owned()),
        }),
    }
}

/// A library for some machine in `folder`, if there is one.
fn compiled(folder: &Path) -> Result<Option<PathBuf>, BuildError> {
    for entry in fs::read_dir(folder).map_err(BuildError::file("read", folder))? {
        let entry = entry.map_err(BuildError::file("read", folder))?;
        let path = entry.path();
        let found = if entry.file_type().map_err(BuildError::file("read", &path))?.is_dir() {
            compiled(&path)?
        } else {
            let is_library =
                path.extension().is_some_and(|end| end == "so" || end == "pyd" || end == "dylib");
            is_library.then_some(path)
        };
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compiled_code_is_found_wherever_it_lies() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("fast/inner")).unwrap();
        fs::write(folder.path().join("fast/__init__.py"), "").unwrap();
        assert!(refuse_compiled(folder.path()).is_ok());
        let library = folder.path().join("fast/inner/core.cpython-314-x86_64-linux-gnu.so");
        fs::write(&library, "").unwrap();
        let error = refuse_compiled(folder.path()).unwrap_err();
        assert!(matches!(&error, BuildError::Source { file, .. } if *file == library));
    }

    #[test]
    fn the_package_that_is_not_pure_python_is_named() {
        let output = "ERROR: Could not find a version that satisfies\nERROR: No matching distribution found for numpy==2.0\n";
        assert!(missing(output).contains("`numpy==2.0`"));
    }
}

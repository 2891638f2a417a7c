//! The author's files, where Python finds them: copied, because componentize-py searches all that lies in a folder,
//! and lets what it runs write there.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::folders;
use crate::error::BuildError;
use crate::job::Job;

/// What lies beside a plugin's source and is no part of it.
const LEFT_OUT: [&str; 6] = ["target", "vendor", "tests", "plugin.wasm", "__pycache__", "node_modules"];

/// Copies the source file and all that is beside it, so that it can import its own modules and read its own data
/// while it is built. Returns `folder`.
pub(super) fn copied(job: &Job, folder: &Path) -> Result<PathBuf, BuildError> {
    folders::copy(job.source.parent().unwrap_or(job.folder), folder, is_source, |content| content)?;
    Ok(folder.to_owned())
}

fn is_source(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    !name.starts_with('.') && !LEFT_OUT.contains(&name.as_ref())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn what_is_no_source_stays_behind() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join("from").join(name);
        for name in ["plugin.py", "words/en.txt", "target/x", ".venv/x", "plugin.wasm", "vendor/x.py"] {
            fs::create_dir_all(at(name).parent().unwrap()).unwrap();
            fs::write(at(name), name).unwrap();
        }
        let to = folder.path().join("to");
        folders::copy(&folder.path().join("from"), &to, is_source, |content| content).unwrap();
        assert_eq!(fs::read_to_string(to.join("words/en.txt")).unwrap(), "words/en.txt");
        let mut names: Vec<_> = fs::read_dir(&to).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["plugin.py", "words"]);
    }
}

//! Toolchains: found on this machine or fetched from their usual registries into a folder of ours, and run in the
//! open: every command is said before it runs.

/// Node.js and packages from npm.
mod node;
/// Python and packages from PyPI.
mod python;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Instant;

use pegbox_manifest::digest;

use crate::error::BuildError;

/// Where tools are kept, and who hears of what is run.
pub struct Tools {
    folder: PathBuf,
    listener: Box<dyn Fn(&str) + Send + Sync>,
}

impl Tools {
    /// Keeps tools in `folder`; `listener` gets a line for everything that is done.
    pub fn new(folder: PathBuf, listener: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self { folder, listener: Box::new(listener) }
    }

    /// Keeps tools in `PEGBOX_TOOLS`, else in `pegbox/tools` of the user's data folder.
    ///
    /// # Errors
    /// No variable of the environment says where that is.
    pub fn of_user(listener: impl Fn(&str) + Send + Sync + 'static) -> Result<Self, BuildError> {
        let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let data = || {
            set("XDG_DATA_HOME")
                .or_else(|| set("HOME").map(|home| home.join(".local/share")))
                .or_else(|| set("LOCALAPPDATA"))
        };
        let folder = set("PEGBOX_TOOLS").or_else(|| data().map(|data| data.join("pegbox/tools")));
        let folder = folder.ok_or_else(|| BuildError::Missing {
            what: "there is no folder for tools: neither PEGBOX_TOOLS, XDG_DATA_HOME nor HOME is set"
                .to_owned(),
            help: Some("set PEGBOX_TOOLS to a folder that Pegbox may fill".to_owned()),
        })?;
        let folder = std::path::absolute(&folder).map_err(BuildError::file("found", folder))?;
        Ok(Self::new(folder, listener))
    }

    /// Where everything is kept.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Tells the user what is done, and why.
    pub fn say(&self, line: &str) {
        (self.listener)(line);
    }

    /// Runs `command`, said beforehand. What it prints is shown if it fails.
    ///
    /// # Errors
    /// It cannot be started, or it fails.
    pub fn run(&self, command: &mut Command) -> Result<(), BuildError> {
        self.say(&format!("$ {}", show(command)));
        let start = Instant::now();
        succeed(command)?;
        let seconds = start.elapsed().as_secs_f64();
        if seconds >= 1.0 {
            self.say(&format!("  ({seconds:.1} s)"));
        }
        Ok(())
    }

    /// Asks a program something: runs it without a word, and returns what it printed.
    ///
    /// # Errors
    /// It cannot be started, or it fails.
    pub fn ask(&self, command: &mut Command) -> Result<String, BuildError> {
        Ok(String::from_utf8_lossy(&succeed(command)?.stdout).into_owned())
    }

    /// A folder of tools that is made once: `make` fills the empty folder that it is given. Two processes do not make
    /// it at the same time, and one that was interrupted does not count as made.
    ///
    /// `contents` says exactly what is in it; `name` is for people who look.
    ///
    /// # Errors
    /// `make`'s, and the disk's.
    pub fn made_once(
        &self,
        name: &str,
        contents: &str,
        make: impl FnOnce(&Path) -> Result<(), BuildError>,
    ) -> Result<PathBuf, BuildError> {
        let key = digest::of(contents.as_bytes());
        let key = &key["sha256:".len()..][..16];
        let folder = self.folder.join(format!("{name}-{key}"));
        let complete = folder.join(".complete");
        if complete.is_file() {
            return Ok(folder);
        }
        let _alone = self.lock(&format!("{name}-{key}"))?;
        if complete.is_file() {
            return Ok(folder);
        }
        if folder.exists() {
            fs::remove_dir_all(&folder).map_err(BuildError::file("removed", &folder))?;
        }
        fs::create_dir_all(&folder).map_err(BuildError::file("made", &folder))?;
        make(&folder)?;
        pegbox_durable::write_file(&complete, contents.as_bytes())
            .map_err(BuildError::file("written", &complete))?;
        Ok(folder)
    }

    /// Waits until no other process holds the lock `name`; it is let go when the result is dropped.
    ///
    /// # Errors
    /// The disk's.
    pub fn lock(&self, name: &str) -> Result<File, BuildError> {
        let folder = self.folder.join("locks");
        fs::create_dir_all(&folder).map_err(BuildError::file("made", &folder))?;
        let path = folder.join(name);
        let file = File::create(&path).map_err(BuildError::file("opened", &path))?;
        file.lock().map_err(BuildError::file("locked", &path))?;
        Ok(file)
    }
}

/// A program on PATH.
pub(crate) fn on_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(program).with_extension(std::env::consts::EXE_EXTENSION))
        .find(|file| file.is_file())
}

fn succeed(command: &mut Command) -> Result<Output, BuildError> {
    let output = command.output().map_err(|fault| BuildError::Start { command: show(command), fault })?;
    if !output.status.success() {
        return Err(BuildError::Failed {
            command: show(command),
            status: output.status.to_string(),
            output: String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned(),
        });
    }
    Ok(output)
}

/// The command as one would type it; the program without its folder.
fn show(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let name = program.file_name().unwrap_or(program.as_os_str()).to_string_lossy().into_owned();
    let quoted = |text: std::borrow::Cow<'_, str>| {
        if text.is_empty() || text.contains([' ', '"', '\'', '$', '`', '\\', '(', ')', ';', '&', '|']) {
            format!("'{}'", text.replace('\'', r"'\''"))
        } else {
            text.into_owned()
        }
    };
    let arguments = command.get_args().map(|argument| quoted(argument.to_string_lossy()));
    std::iter::once(name).chain(arguments).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    fn tools(folder: &Path) -> (Tools, Arc<Mutex<Vec<String>>>) {
        let said = Arc::new(Mutex::new(Vec::new()));
        let listener = Arc::clone(&said);
        let tools = Tools::new(folder.to_owned(), move |line| listener.lock().unwrap().push(line.to_owned()));
        (tools, said)
    }

    #[test]
    fn a_command_is_said_before_it_runs_and_shown_when_it_fails() {
        let folder = tempfile::tempdir().unwrap();
        let (tools, said) = tools(folder.path());
        let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        let error = tools.run(Command::new(rustc).args(["--print", "no such thing"])).unwrap_err();
        assert!(matches!(&error, BuildError::Failed { output, .. } if output.contains("no such thing")));
        assert_eq!(*said.lock().unwrap(), ["$ rustc --print 'no such thing'"]);
        let error = tools.run(&mut Command::new("no-such-program")).unwrap_err();
        assert!(error.help().unwrap().contains("`no-such-program` is installed"));
    }

    #[test]
    fn a_folder_is_made_once_and_again_after_a_failure() {
        let folder = tempfile::tempdir().unwrap();
        let (tools, _) = tools(folder.path());
        let fails = |folder: &Path| {
            fs::write(folder.join("half"), "half").unwrap();
            Err(BuildError::Missing { what: "no".to_owned(), help: None })
        };
        assert!(tools.made_once("x", "x==1", fails).is_err());
        let made = tools
            .made_once("x", "x==1", |folder| {
                assert!(!folder.join("half").exists());
                Ok(())
            })
            .unwrap();
        let again = tools.made_once("x", "x==1", |_| panic!("it is made already")).unwrap();
        assert_eq!(made, again);
        assert_ne!(made, tools.made_once("x", "x==2", |_| Ok(())).unwrap());
    }
}

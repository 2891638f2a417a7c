//! One bash that runs the commands of one page, so that a variable or a background job of one block is there in the
//! next.

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process_group};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// No command of the book takes this long.
const PATIENCE: Duration = Duration::from_secs(600);

pub struct Shell {
    bash: Child,
    input: ChildStdin,
    output: Receiver<String>,
    /// A line that no command prints.
    mark: String,
}

/// What a command printed, standard output and standard error together, and how it ended.
pub struct Printed {
    pub text: String,
    pub status: i32,
}

impl Shell {
    /// A bash in `folder`; `environment` is set or, where there is no value, removed.
    pub fn start(folder: &Path, environment: &[(String, Option<String>)]) -> Result<Self> {
        let (reader, writer) = std::io::pipe().context("a pipe cannot be made")?;
        let mut command = Command::new("bash");
        command.args(["--noprofile", "--norc"]).current_dir(folder).stdin(Stdio::piped());
        command.stdout(writer.try_clone()?).stderr(writer).process_group(0);
        for (name, value) in environment {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        let mut bash = command.spawn().context("bash could not be started")?;
        // Its ends of the pipe would keep the reader from seeing the end.
        drop(command);
        let input = bash.stdin.take().context("bash has no standard input")?;
        let (sender, output) = channel();
        std::thread::spawn(move || {
            let mut reader = BufReader::new(reader);
            let mut line = Vec::new();
            while reader.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
                if sender.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                    return;
                }
                line.clear();
            }
        });
        let mark = format!("--- {} ---", bash.id());
        Ok(Self { bash, input, output, mark })
    }

    /// Runs one command to its end.
    ///
    /// # Errors
    /// The shell has ended, or the command does not end.
    pub fn run(&mut self, command: &str) -> Result<Printed> {
        // `eval` keeps a broken command from swallowing the mark; without an input of its own a command would read
        // the next ones.
        let quoted = command.replace('\'', r"'\''");
        let script = format!("eval '{quoted}' < /dev/null\nprintf '\\n%s %d\\n' '{}' $?\n", self.mark);
        self.input.write_all(script.as_bytes()).context("the page's shell has ended")?;
        self.input.flush()?;
        let end = Instant::now() + PATIENCE;
        let mut text = String::new();
        loop {
            match self.output.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(line) => match line.strip_prefix(&self.mark) {
                    // One line break before the mark is ours.
                    Some(status) => {
                        text.pop();
                        return Ok(Printed { text, status: status.trim().parse()? });
                    }
                    None => text.push_str(&line),
                },
                Err(RecvTimeoutError::Timeout) => {
                    bail!("it does not end; in {} s it printed\n{text}", PATIENCE.as_secs())
                }
                Err(RecvTimeoutError::Disconnected) => {
                    bail!("it ended the page's shell, having printed\n{text}")
                }
            }
        }
    }
}

impl Drop for Shell {
    /// Ends the shell with whatever the page left running.
    fn drop(&mut self) {
        if let Some(group) = i32::try_from(self.bash.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process_group(group, Signal::KILL);
        }
        let _ = self.bash.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell() -> (tempfile::TempDir, Shell) {
        let folder = tempfile::tempdir().unwrap();
        let shell = Shell::start(folder.path(), &[("GIVEN".into(), Some("yes".into()))]).unwrap();
        (folder, shell)
    }

    #[test]
    fn what_a_command_prints_and_how_it_ends() {
        let (_folder, mut shell) = shell();
        let printed = shell.run("echo out; echo err >&2; false").unwrap();
        assert_eq!((printed.text.as_str(), printed.status), ("out\nerr\n", 1));
        assert_eq!(shell.run("printf 'no end'").unwrap().text, "no end");
        assert_eq!(shell.run("echo \"$GIVEN it's\"").unwrap().text, "yes it's\n");
        assert_eq!(shell.run("cat").unwrap().text, "");
        assert_eq!(shell.run("(exit 3)").unwrap().status, 3);
        assert_ne!(shell.run("if").unwrap().status, 0);
    }

    #[test]
    fn variables_folders_and_jobs_stay() {
        let (folder, mut shell) = shell();
        shell.run("mkdir in && cd in && a=1").unwrap();
        assert_eq!(shell.run("echo $a; basename $PWD").unwrap().text, "1\nin\n");
        assert!(folder.path().join("in").is_dir());
        shell.run("sleep 1000 > /dev/null 2>&1 &").unwrap();
        assert_eq!(shell.run("kill %1").unwrap().status, 0);
    }

    #[test]
    fn a_job_that_is_left_ends_with_the_shell() {
        let (folder, mut shell) = shell();
        shell.run("sleep 1000 > /dev/null 2>&1 & echo $! > pid").unwrap();
        let pid = std::fs::read_to_string(folder.path().join("pid")).unwrap();
        assert!(Path::new("/proc").join(pid.trim()).exists());
        drop(shell);
        let gone = || {
            let stat = std::fs::read_to_string(Path::new("/proc").join(pid.trim()).join("stat"));
            stat.map_or(true, |stat| stat.contains(") Z "))
        };
        let end = Instant::now() + Duration::from_secs(10);
        while !gone() && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(10));
        }
        assert!(gone());
    }

    #[test]
    fn a_command_that_ends_the_shell_is_an_error() {
        let (_folder, mut shell) = shell();
        assert!(shell.run("exit 0").is_err());
    }
}

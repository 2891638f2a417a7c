//! What can go wrong when a plugin is made.

use std::path::PathBuf;

use pegbox_manifest::ManifestError;

/// A plugin that was not made, and why.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The manifest is in order, but cannot be built from.
    #[error("{}: {fault}", file.display())]
    Source { file: PathBuf, fault: String, help: Option<String> },
    /// A file or folder of the plugin, or of ours.
    #[error("{} cannot be {action}: {fault}", path.display())]
    File { action: &'static str, path: PathBuf, fault: std::io::Error },
    /// A tool is not there and cannot be fetched.
    #[error("{what}")]
    Missing { what: String, help: Option<String> },
    /// A tool could not be started.
    #[error("`{command}` could not be started: {fault}")]
    Start { command: String, fault: std::io::Error },
    /// A tool ran and failed. `output` is what it printed.
    #[error("`{command}` failed ({status}){}", indented(output))]
    Failed { command: String, status: String, output: String },
    /// The plugin's code imports what no plugin has.
    #[error("the plugin's code calls functions of an operating system, and a plugin has none: {}", functions.join(", "))]
    OperatingSystem { functions: Vec<String>, help: String },
    /// The module that the language's tools made is no plugin.
    #[error("what was compiled does not become a component: {fault}")]
    Component { fault: String, help: Option<String> },
    /// What was asked for does not exist.
    #[error("{what}")]
    Unsupported { what: String, help: Option<String> },
    /// `pegbox plugin new` was given a name or a place that it cannot take.
    #[error("{fault}")]
    New { fault: String, help: String },
}

impl BuildError {
    /// How to mend it.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Manifest(error) => error.help(),
            Self::Source { help, .. }
            | Self::Missing { help, .. }
            | Self::Component { help, .. }
            | Self::Unsupported { help, .. } => help.clone(),
            Self::OperatingSystem { help, .. } | Self::New { help, .. } => Some(help.clone()),
            Self::Start { command, .. } => {
                Some(format!("check that `{}` is installed and on PATH", first_word(command)))
            }
            Self::File { .. } | Self::Failed { .. } => None,
        }
    }

    /// For `map_err` on the file system's errors.
    pub(crate) fn file(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |fault| Self::File { action, path, fault }
    }
}

/// The end of a tool's output: the errors stand there.
fn indented(output: &str) -> String {
    const SHOWN: usize = 60;
    let lines: Vec<&str> = output.trim().lines().collect();
    let hidden = lines.len().saturating_sub(SHOWN);
    let mut text = String::new();
    if hidden > 0 {
        text += &format!("\n  ... {hidden} lines before these");
    }
    for line in &lines[hidden..] {
        text += "\n  ";
        text += line;
    }
    text
}

fn first_word(command: &str) -> &str {
    command.split(' ').next().unwrap_or(command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_long_output_the_end_is_shown() {
        let output: Vec<String> = (0..100).map(|line| format!("line {line}")).collect();
        let error = BuildError::Failed {
            command: "cc x.c".to_owned(),
            status: "exit status: 1".to_owned(),
            output: output.join("\n"),
        };
        let text = error.to_string();
        assert!(
            text.starts_with("`cc x.c` failed (exit status: 1)\n  ... 40 lines before these\n  line 40\n")
        );
        assert!(text.ends_with("line 99"));
    }
}

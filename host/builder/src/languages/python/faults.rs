//! A build that Python ended, in the words of the author's file. The SDK prints one line for us, see
//! `tell_builder` in `pegbox_plugin/_glue/faults.py`.

use std::path::PathBuf;

use crate::error::BuildError;
use crate::job::Job;

const MARK: &str = "pegbox-fault\t";

/// The error of the author's file, if `error` is one.
pub(super) fn explained(error: BuildError, job: &Job) -> BuildError {
    let BuildError::Failed { output, .. } = &error else { return error };
    let Some(fault) = Fault::in_output(output) else { return error };
    let folder = job.source.parent().unwrap_or(job.folder);
    let file = match (fault.file, fault.line) {
        ("", "") => job.source.clone(),
        ("", line) => PathBuf::from(format!("{}:{line}", job.source.display())),
        (file, line) => PathBuf::from(format!("{}:{line}", folder.join(file).display())),
    };
    let help = fault.text.starts_with("ModuleNotFoundError").then(|| {
        "packages in pure Python that requirements.txt names, or that lie in vendor/, become a part of the plugin"
            .to_owned()
    });
    BuildError::Source { file, fault: fault.text.to_owned(), help }
}

struct Fault<'a> {
    file: &'a str,
    line: &'a str,
    text: &'a str,
}

impl<'a> Fault<'a> {
    fn in_output(output: &'a str) -> Option<Self> {
        let (_, rest) = output.split_once(MARK)?;
        let mut parts = rest.lines().next()?.splitn(3, '\t');
        Some(Self { file: parts.next()?, line: parts.next()?, text: parts.next()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_for_us_is_found_among_others() {
        let output = "Error: x\n\nCaused by: AssertionError: pegbox-fault\tplugin.py\t4\tSyntaxError: expected ':'\nTraceback\n";
        let fault = Fault::in_output(output).unwrap();
        assert_eq!((fault.file, fault.line, fault.text), ("plugin.py", "4", "SyntaxError: expected ':'"));
        assert!(Fault::in_output("Traceback").is_none());
    }
}

//! What can be wrong with a file of weights.

use std::io;
use std::path::{Path, PathBuf};

/// `Display` is one line that names the file; [`WeightsError::help`] says how to mend it.
#[derive(Debug, thiserror::Error)]
pub enum WeightsError {
    #[error("cannot {doing} {}: {source}", path.display())]
    Io { path: PathBuf, doing: &'static str, source: io::Error },

    /// The file contradicts itself or its format.
    #[error("{}: {what}", path.display())]
    Damaged { path: PathBuf, what: String },

    /// A whole file of a kind that is not read.
    #[error("{}: {what}", path.display())]
    Unsupported { path: PathBuf, what: String },
}

impl WeightsError {
    /// For `map_err`: what could not be done with `path`.
    pub(crate) fn io<'a>(doing: &'static str, path: &'a Path) -> impl Fn(io::Error) -> Self + Copy + 'a {
        move |source| Self::Io { path: path.to_owned(), doing, source }
    }

    /// How to mend it.
    pub fn help(&self) -> String {
        match self {
            Self::Io { .. } => {
                "check that the file is there and that you may read it, or that there is room \
                                on the disk"
                    .into()
            }
            Self::Damaged { .. } => {
                "the file may be damaged or cut short: delete it and let Pegbox fetch the \
                                     model again, or restore it from its source"
                    .into()
            }
            Self::Unsupported { .. } => "weights are read from safetensors, PyTorch's state dicts and GGUF; \
                                         `save_pretrained` of Transformers writes safetensors"
                .into(),
        }
    }
}

/// A [`WeightsError`] that does not know its file yet.
#[derive(Debug)]
pub(crate) enum Fault {
    Damaged(String),
    Unsupported(String),
}

impl Fault {
    pub fn damaged(what: impl Into<String>) -> Self {
        Self::Damaged(what.into())
    }

    pub fn unsupported(what: impl Into<String>) -> Self {
        Self::Unsupported(what.into())
    }

    /// Says first where in the file it is.
    pub fn inside(self, place: &str) -> Self {
        match self {
            Self::Damaged(what) => Self::Damaged(format!("{place}: {what}")),
            Self::Unsupported(what) => Self::Unsupported(format!("{place}: {what}")),
        }
    }

    pub fn at(self, path: &Path) -> WeightsError {
        let path = path.to_owned();
        match self {
            Self::Damaged(what) => WeightsError::Damaged { path, what },
            Self::Unsupported(what) => WeightsError::Unsupported { path, what },
        }
    }
}

/// A name out of a file, fit for a message: escaped, and not longer than a line.
pub(crate) fn quoted(name: &str) -> String {
    format!("`{}`", escaped(name, 120))
}

/// What a library says of a file, which may quote it.
pub(crate) fn said(error: impl std::fmt::Display) -> String {
    escaped(&error.to_string(), 300)
}

fn escaped(text: &str, limit: usize) -> String {
    let plain = |c: char| !c.is_control() && c.escape_debug().len() == 1 || matches!(c, '"' | '\'');
    let escape = |c: char| if plain(c) { c.to_string() } else { c.escape_debug().to_string() };
    let mut shown: String = text.chars().take(limit).map(escape).collect();
    if text.chars().nth(limit).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_file_says_cannot_move_the_cursor() {
        assert_eq!(quoted("a\u{1b}[2J\n\u{202e}\"é"), "`a\\u{1b}[2J\\n\\u{202e}\"é`");
        assert_eq!(said("it's\t"), "it's\\t");
        assert_eq!(quoted(&"x".repeat(1000)).chars().count(), 123);
    }
}

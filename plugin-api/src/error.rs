//! A failure that a plugin foresees.

use pegbox_plugin_abi::lifecycle::Refusal;

/// What went wrong, for the user. The instance stays usable.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Error {
    message: String,
    help: Option<String>,
}

impl Error {
    /// `message` is one sentence, without a full stop: what went wrong, and where.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), help: None }
    }

    /// How to mend it.
    #[must_use]
    pub fn with_help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }

    pub fn message(&self) -> &str {
        &self.message
    }

    pub fn help(&self) -> Option<&str> {
        self.help.as_deref()
    }

    /// The message, and how to mend it.
    pub fn into_parts(self) -> (String, Option<String>) {
        (self.message, self.help)
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        let (message, help) = error.into_parts();
        Self { message, help }
    }
}

//! A plugin's call that failed: which plugin, which call, where, why, and how to mend it.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use crate::artifact::ArtifactError;
use crate::identity::PluginIdentity;
use crate::tensors::TensorError;

/// A call to a plugin that failed. Its `Display` is one line, for example
/// `plugin acme/focal@1.2.0 failed in loss.compute at step 412`; the cause is its source, and
/// [`PluginError::help`] says how to mend it.
#[derive(Clone)]
pub struct PluginError(Box<Failure>);

#[derive(Clone)]
struct Failure {
    plugin: Arc<PluginIdentity>,
    call: &'static str,
    place: Place,
    cause: Cause,
}

/// What the call was working on.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
enum Place {
    #[default]
    Nowhere,
    /// A training step or a batch of an evaluation, with the records in it.
    Step { number: u64, records: Vec<u64> },
    /// A batch of records.
    Records(Vec<u64>),
}

/// Why a call failed.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Cause {
    /// The plugin said so itself.
    #[error("{message}")]
    Refused { message: String, help: Option<String> },
    /// The recipe's configuration does not fit the plugin's JSON Schema.
    #[error("the configuration is wrong at `{}`: {fault}", config_place(.path))]
    Configuration { path: String, fault: String },
    /// A tensor operation that cannot be done.
    #[error(transparent)]
    Tensor(#[from] TensorError),
    /// The model could not be read or the bundle not be written.
    #[error(transparent)]
    Artifact(#[from] ArtifactError),
    /// The call took too long.
    #[error("the call ran longer than its deadline of {limit_ms} ms")]
    Deadline { limit_ms: u64 },
    /// The plugin asked for more memory than it may have.
    #[error("the plugin needs more memory than its {limit_mib} MiB")]
    Memory { limit_mib: u64 },
    /// The plugin returned more bytes than one call may.
    #[error("the plugin returned more than {limit_mib} MiB in one call")]
    Copied { limit_mib: u64 },
    /// Recursion without end, or nearly so.
    #[error("the plugin's stack of {limit_kib} KiB overflowed{}", trace(.backtrace))]
    StackOverflow { limit_kib: u64, backtrace: Vec<String> },
    /// Another limit; `what` is a sentence, `key` its setting.
    #[error("{what}: {key} is {limit}")]
    Limit { what: String, key: &'static str, limit: u64 },
    /// It used something that its manifest does not ask for, or the recipe does not grant.
    #[error("it {what}, for which it has no permission")]
    NotPermitted { what: &'static str, permission: &'static str },
    /// The component trapped.
    #[error("the plugin trapped: {what}{}", trace(.backtrace))]
    Trap { what: String, backtrace: Vec<String> },
    /// The native plugin panicked.
    #[error("the plugin panicked: {message}")]
    Panicked { message: String },
    /// The plugin broke a rule of the contract that types do not express.
    #[error("the plugin broke the contract: {what}")]
    Contract { what: String, help: Option<String> },
    /// Pegbox itself failed while it served the plugin.
    #[error("Pegbox failed while it served the plugin: {message}")]
    Host { message: String },
}

impl PluginError {
    /// A failure of `call`, written `loss.compute`.
    pub fn new(plugin: Arc<PluginIdentity>, call: &'static str, cause: Cause) -> Self {
        Self(Box::new(Failure { plugin, call, place: Place::Nowhere, cause }))
    }

    /// Adds the step or batch that the call was about.
    #[must_use]
    pub fn at_step(mut self, number: u64, records: &[u64]) -> Self {
        self.0.place = Place::Step { number, records: records.to_vec() };
        self
    }

    /// Adds the records that the call was about.
    #[must_use]
    pub fn at_records(mut self, records: Vec<u64>) -> Self {
        self.0.place = Place::Records(records);
        self
    }

    pub fn plugin(&self) -> &PluginIdentity {
        &self.0.plugin
    }

    /// `loss.compute`, `cleaner.clean` and so on.
    pub fn call(&self) -> &'static str {
        self.0.call
    }

    pub fn cause(&self) -> &Cause {
        &self.0.cause
    }

    /// The step or batch that the call was about.
    pub fn step(&self) -> Option<u64> {
        match self.0.place {
            Place::Step { number, .. } => Some(number),
            _ => None,
        }
    }

    /// The records that the call was about; the caller turns them into `file:line`.
    pub fn record_ids(&self) -> &[u64] {
        match &self.0.place {
            Place::Nowhere => &[],
            Place::Step { records, .. } | Place::Records(records) => records,
        }
    }

    /// How to mend it.
    pub fn help(&self) -> Option<String> {
        let name = &self.0.plugin.name;
        Some(match &self.0.cause {
            Cause::Refused { help, .. } | Cause::Contract { help, .. } => return help.clone(),
            Cause::Tensor(error) => return error.help.clone(),
            Cause::Artifact(error) => return error.help.clone(),
            Cause::Configuration { path, .. } => format!(
                "change `{}` of the plugin {name} in the recipe; `pegbox plugin inspect {name}` shows what it takes",
                config_place(path)
            ),
            Cause::Deadline { limit_ms } => format!(
                "if the plugin is right to take so long, raise `limits.deadline-ms` (now {limit_ms}) where the recipe names {name}"
            ),
            Cause::Memory { limit_mib } => format!(
                "if the plugin is right to need so much, raise `limits.memory-mib` (now {limit_mib}) where the recipe names {name}"
            ),
            Cause::Copied { limit_mib } => format!(
                "if the plugin is right to return so much, raise `limits.copy-mib` (now {limit_mib}) where the recipe names {name}"
            ),
            Cause::StackOverflow { limit_kib, .. } => format!(
                "this is most likely a mistake in the plugin; if it is right to call so deep, raise `limits.stack-kib` (now {limit_kib}) where the recipe names {name}"
            ),
            Cause::Limit { key, limit, .. } => format!(
                "if the plugin is right to need more, raise `limits.{key}` (now {limit}) where the recipe names {name}"
            ),
            Cause::NotPermitted { permission, .. } => format!(
                "the plugin must ask for `{permission} = true` in the [permissions] of its plugin.toml, and the recipe grant it in [grants.\"{name}\"]"
            ),
            Cause::Trap { .. } | Cause::Panicked { .. } => {
                format!("this is a mistake in the plugin; report it to {name}'s authors with this message")
            }
            Cause::Host { .. } => {
                "this is a mistake in Pegbox; please report it with this message".to_owned()
            }
        })
    }
}

impl Cause {
    /// What a plugin says of its failure, without anything that a terminal would obey.
    pub fn refused(message: &str, help: Option<&str>) -> Self {
        Self::Refused {
            message: clean_text(message, MAX_TEXT),
            help: help.map(|help| clean_text(help, MAX_TEXT)),
        }
    }

    pub fn limit(what: &str, key: &'static str, limit: u64) -> Self {
        Self::Limit { what: what.to_owned(), key, limit }
    }
}

/// The longest message of a plugin that is shown, in bytes.
pub const MAX_TEXT: usize = 4096;
/// The longest name that a plugin made up and that is shown, in bytes.
pub const MAX_NAME: usize = 200;

/// Text from a plugin for people's eyes: control characters, with which a terminal can be steered and a log
/// be forged, become spaces and it is cut after `most` bytes.
pub fn clean_text(text: &str, most: usize) -> String {
    // Directions of writing can make a text read as another.
    let steers = |c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    cut(text, most).chars().map(|c| if steers(c) { ' ' } else { c }).collect()
}

/// `text` as it is, but for what follows after `most` bytes. A message never holds all that a plugin says: to
/// print megabytes takes longer than any call may.
pub fn cut(text: &str, most: usize) -> Cow<'_, str> {
    if text.len() <= most {
        return Cow::Borrowed(text);
    }
    let end = (0..=most).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    Cow::Owned(format!("{}…", &text[..end]))
}

impl fmt::Display for PluginError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Failure { plugin, call, place, .. } = &*self.0;
        write!(f, "plugin {plugin} failed in {call}")?;
        match place {
            Place::Nowhere => Ok(()),
            Place::Step { number, .. } => write!(f, " at step {number}"),
            Place::Records(records) => match &records[..] {
                [] => Ok(()),
                [one] => write!(f, " at record {one}"),
                [first, .., last] => write!(f, " at records {first} to {last}"),
            },
        }
    }
}

impl fmt::Debug for PluginError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}: {}", self.0.cause)
    }
}

impl std::error::Error for PluginError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0.cause)
    }
}

/// A JSON pointer as the recipe writes the same place: `/protect/0` is `config.protect[0]`.
fn config_place(pointer: &str) -> String {
    let mut place = "config".to_owned();
    for part in pointer.split('/').skip(1) {
        if part.chars().all(|c| c.is_ascii_digit()) && !part.is_empty() {
            place.push_str(&format!("[{part}]"));
        } else {
            place.push('.');
            place.push_str(&part.replace("~1", "/").replace("~0", "~"));
        }
    }
    place
}

/// The functions on the plugin's stack, innermost first.
fn trace(functions: &[String]) -> String {
    if functions.is_empty() { String::new() } else { format!(" (in {})", functions.join(", called by ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(cause: Cause) -> PluginError {
        let plugin = PluginIdentity::built_in("acme/focal", semver::Version::new(1, 2, 0));
        PluginError::new(Arc::new(plugin), "loss.compute", cause)
    }

    #[test]
    fn the_first_line_names_plugin_version_call_and_step() {
        let error = error(Cause::Deadline { limit_ms: 5000 }).at_step(412, &[7, 9]);
        assert_eq!(error.to_string(), "plugin acme/focal@1.2.0 failed in loss.compute at step 412");
        assert_eq!(error.record_ids(), [7, 9]);
        assert!(error.help().unwrap().contains("`limits.deadline-ms` (now 5000)"));
    }

    #[test]
    fn a_plugins_text_cannot_steer_the_terminal() {
        assert_eq!(clean_text("a\u{1b}[2Jb\nc\u{202e}d", 100), "a [2Jb c d");
        assert_eq!(clean_text("äöü", 4), "äö…");
        assert_eq!(clean_text("äöü", 6), "äöü");
    }

    #[test]
    fn a_json_pointer_reads_as_the_recipe_writes_it() {
        assert_eq!(config_place(""), "config");
        assert_eq!(config_place("/protect/0"), "config.protect[0]");
        assert_eq!(config_place("/a~1b"), "config.a/b");
    }
}

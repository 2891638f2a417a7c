//! What a plugin may do beyond computing on what it is handed. The manifest asks, the recipe grants; nothing
//! is granted unless it stands there.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The table `[permissions]` of a manifest (what a plugin asks for), and `[grants."team/name"]` of a recipe
/// (what it gets).
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Permissions {
    /// Copy the elements of tensors out to the plugin (`read` and `read-ints`). Without it a plugin computes
    /// on handles and never sees a number.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub read_tensors: bool,
    /// Write lines to Pegbox's log.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub log: bool,
    /// The time of day and a steady clock (`wasi:clocks`).
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub clock: bool,
    /// Random numbers from the operating system (`wasi:random`).
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub random: bool,
    /// Folders, relative to the recipe, whose files the plugin may read, never write (`wasi:filesystem`).
    /// The plugin sees each under the name that stands here.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub read: Vec<String>,
    /// Environment variables, by name (`wasi:cli/environment`).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub environment: Vec<String>,
    /// Hosts that the plugin may send HTTP requests to, `example.org` (HTTPS on its usual port) or
    /// `example.org:8080` (`wasi:http`).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub network: Vec<String>,
}

impl Permissions {
    /// Nothing asked for, or nothing granted.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// What `self` asks for and `granted` does not give, as a recipe would grant it.
    #[must_use]
    pub fn without(&self, granted: &Self) -> Self {
        let missing = |asked: &[String], granted: &[String]| -> Vec<String> {
            let granted: Vec<&str> = granted.iter().map(|entry| plain(entry)).collect();
            asked.iter().filter(|entry| !granted.contains(&plain(entry))).cloned().collect()
        };
        Self {
            read_tensors: self.read_tensors && !granted.read_tensors,
            log: self.log && !granted.log,
            clock: self.clock && !granted.clock,
            random: self.random && !granted.random,
            read: missing(&self.read, &granted.read),
            environment: missing(&self.environment, &granted.environment),
            network: missing(&self.network, &granted.network),
        }
    }

    /// What both ask for and grant: what a plugin gets.
    #[must_use]
    pub fn within(&self, granted: &Self) -> Self {
        self.without(&self.without(granted))
    }

    /// One line a permission, as TOML writes it: `clock = true`, `read = ["lexicons"]`.
    pub fn lines(&self) -> Vec<String> {
        let flags = [
            ("read-tensors", self.read_tensors),
            ("log", self.log),
            ("clock", self.clock),
            ("random", self.random),
        ];
        let lists = [("read", &self.read), ("environment", &self.environment), ("network", &self.network)];
        let flags = flags.iter().filter(|(_, set)| *set).map(|(name, _)| format!("{name} = true"));
        let lists = lists
            .iter()
            .filter(|(_, entries)| !entries.is_empty())
            .map(|(name, entries)| format!("{name} = {}", toml::Value::from(entries.to_vec())));
        flags.chain(lists).collect()
    }

    /// A value that makes no sense: its key, and the fault.
    pub fn fault(&self) -> Option<(&'static str, String)> {
        let folder = |entry: &String| {
            let plain = plain(entry);
            let bad = plain.is_empty()
                || plain.starts_with('/')
                || plain.contains(['\\', ':'])
                || plain.contains(char::is_control)
                || plain.split('/').any(|part| part.is_empty() || part == "..");
            bad.then(|| ("read", format!("`{entry}` is not a folder inside the recipe's")))
        };
        let variable = |entry: &String| {
            let bad = entry.is_empty() || entry.contains('=') || entry.contains(char::is_control);
            bad.then(|| ("environment", format!("`{entry}` is not the name of an environment variable")))
        };
        let host = |entry: &String| {
            let (name, port) = entry.split_once(':').map_or((&**entry, None), |(n, p)| (n, Some(p)));
            let good = !name.is_empty()
                && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b'-')
                && port.is_none_or(|port| port.parse::<u16>().is_ok());
            (!good).then(|| ("network", format!("`{entry}` is not `host` or `host:port`")))
        };
        let of_read = self.read.iter().find_map(folder);
        let of_environment = || self.environment.iter().find_map(variable);
        of_read.or_else(of_environment).or_else(|| self.network.iter().find_map(host))
    }
}

/// `lexicons/` and `./lexicons` are `lexicons`.
fn plain(entry: &str) -> &str {
    entry.trim_start_matches("./").trim_end_matches('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Permissions {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn what_is_not_granted_is_missing_and_what_is_not_asked_for_is_not_given() {
        let asked = parse("clock = true\nread = [\"a/\", \"b\"]\nnetwork = [\"x.org\"]");
        let granted = parse("clock = true\nrandom = true\nread = [\"./a\"]");
        assert_eq!(asked.without(&granted).lines(), ["read = [\"b\"]", "network = [\"x.org\"]"]);
        assert_eq!(asked.within(&granted).lines(), ["clock = true", "read = [\"a/\"]"]);
        assert!(asked.without(&asked).is_empty());
    }

    #[test]
    fn lines_are_toml_whatever_the_names() {
        let asked = parse("read = [\"a\\u200bb\", \"it's\"]\nenvironment = [\"A\\\\B\"]");
        assert_eq!(parse(&asked.lines().join("\n")), asked);
    }

    #[test]
    fn values_without_sense_are_faults() {
        for bad in [
            "read = [\"/etc\"]",
            "read = [\"a/../..\"]",
            "read = [\"\"]",
            "read = [\"a\\u001b[2J\"]",
            "environment = [\"A=B\"]",
            "environment = [\"A\\nB\"]",
            "network = [\"http://x.org\"]",
            "network = [\"x.org:port\"]",
        ] {
            assert!(parse(bad).fault().is_some(), "{bad}");
        }
        assert!(parse("read = [\"a/b\"]\nnetwork = [\"x.org\", \"127.0.0.1:80\"]").fault().is_none());
        assert!(toml::from_str::<Permissions>("everything = true").is_err());
    }
}

//! `plugin.toml`: what a plugin is, where its code lies, what it asks for. Unknown keys are errors.

use std::io::Read;
use std::path::{Component as PathPart, Path, PathBuf};

use pegbox_plugin_abi::lifecycle::Kind;
use schemars::{JsonSchema, Schema, schema_for};
use semver::Version;
use serde::{Deserialize, Serialize};

use crate::error::ManifestError;
use crate::language::Language;
use crate::limits::LimitOverrides;
use crate::permissions::Permissions;
use crate::{digest, suggest};

/// The contract that this host serves.
pub const CONTRACT: &str = pegbox_plugin_abi::table::CONTRACT;

/// The longest manifest.
const MAX_BYTES: u64 = 256 << 10;

/// The file's name in a plugin's folder.
pub const FILE_NAME: &str = "plugin.toml";

/// A manifest that was read and makes sense.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    pub plugin: About,
    /// The WebAssembly component.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub component: Option<Binary>,
    /// The same plugin as a shared library.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub native: Option<Binary>,
    /// What it reads of records.
    #[serde(default, skip_serializing_if = "is_default")]
    pub records: Records,
    /// What it asks for beyond what its kinds bring.
    #[serde(default, skip_serializing_if = "Permissions::is_empty")]
    pub permissions: Permissions,
    #[serde(default, skip_serializing_if = "is_default")]
    pub limits: LimitOverrides,
    /// How `pegbox plugin build` makes the component; nobody else needs it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub build: Option<Build>,
}

/// The table `[plugin]`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct About {
    /// `team/name`, each part of a-z, 0-9 and `-`.
    #[schemars(regex(pattern = r"^[a-z0-9][a-z0-9-]*/[a-z0-9][a-z0-9-]*$"))]
    pub name: String,
    /// Semantic version.
    #[schemars(with = "String", regex(pattern = r"^[0-9]+\.[0-9]+\.[0-9]+"))]
    pub version: Version,
    /// What it is: at least one of cleaner, validator, loss, metric, exporter.
    #[schemars(with = "Vec<KindName>", length(min = 1))]
    pub kinds: Vec<Kind>,
    /// The version of the contract that it was built for.
    #[schemars(with = "String", regex(pattern = r"^[0-9]+\.[0-9]+\.[0-9]+"))]
    pub contract: Version,
    /// An SPDX expression.
    pub licence: String,
    /// One line on what it does.
    pub summary: String,
}

/// The tables `[component]` and `[native]`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Binary {
    /// Relative to the manifest, inside its folder.
    pub path: PathBuf,
    /// `sha256:...` of the file; a source tree may leave it out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^sha256:[0-9a-f]{64}$"))]
    pub digest: Option<String>,
}

/// The table `[records]`.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Records {
    /// The roles of the recipe's fields that a cleaner or validator reads, such as `text` and `label`.
    pub fields: Vec<String>,
}

/// The table `[build]`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Build {
    pub language: Language,
    /// The source file to begin with, relative to the manifest; the template's by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<PathBuf>,
}

/// For the schema: the contract's crate knows nothing of schemas.
#[derive(JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[expect(dead_code, reason = "only its schema is used")]
enum KindName {
    Cleaner,
    Validator,
    Loss,
    Metric,
    Exporter,
}

/// The JSON Schema of `plugin.toml`.
pub fn schema() -> Schema {
    let mut schema = schema_for!(Manifest);
    schema.insert("title".to_owned(), "plugin.toml".into());
    schema
}

impl Manifest {
    /// Reads the manifest in `folder`.
    ///
    /// # Errors
    /// The file cannot be read, is not TOML, has unknown or missing keys, or values that make no sense.
    pub fn read(folder: &Path) -> Result<Self, ManifestError> {
        let file = folder.join(FILE_NAME);
        let fail = |fault| ManifestError::Read { file: file.clone(), fault };
        let mut text = String::new();
        let opened = std::fs::File::open(&file).map_err(fail)?;
        opened.take(MAX_BYTES + 1).read_to_string(&mut text).map_err(fail)?;
        if text.len() as u64 > MAX_BYTES {
            let fault = format!("the manifest is larger than {} KiB", MAX_BYTES >> 10);
            return Err(ManifestError::Wrong { file, line: None, fault, help: None });
        }
        Self::parse(&text, &file)
    }

    /// Understands `text`; `file` is for errors only.
    ///
    /// # Errors
    /// As [`Manifest::read`].
    pub fn parse(text: &str, file: &Path) -> Result<Self, ManifestError> {
        let manifest: Self = toml::from_str(text).map_err(|error| {
            let message = one_line(error.message());
            ManifestError::Wrong {
                file: file.to_owned(),
                line: error.span().map(|span| line_of(text, span.start)),
                help: suggestion(&message),
                fault: message,
            }
        })?;
        match manifest.fault() {
            None => Ok(manifest),
            Some((key, fault)) => Err(ManifestError::Wrong {
                file: file.to_owned(),
                line: line_of_key(text, key),
                fault: one_line(&fault),
                help: None,
            }),
        }
    }

    /// Whether this host serves the contract that the plugin was built for.
    ///
    /// # Errors
    /// Another line of the contract.
    pub fn check(&self) -> Result<(), ManifestError> {
        if !same_track(&self.plugin.contract) {
            return Err(ManifestError::Contract {
                plugin: self.to_string(),
                built_for: self.plugin.contract.clone(),
            });
        }
        Ok(())
    }

    /// What the types allow and the sense does not: a key to point at, and the fault.
    fn fault(&self) -> Option<(&'static str, String)> {
        let about = &self.plugin;
        if !is_name(&about.name) {
            return Some((
                "name",
                format!("`{}` is not `team/name` with parts of a-z, 0-9 and `-`", about.name),
            ));
        }
        if about.kinds.is_empty() {
            return Some(("kinds", "a plugin is of at least one kind".to_owned()));
        }
        if (1..about.kinds.len()).any(|i| about.kinds[..i].contains(&about.kinds[i])) {
            return Some(("kinds", "a kind is named twice".to_owned()));
        }
        if let Some(text) = [("licence", &about.licence), ("summary", &about.summary)]
            .into_iter()
            .find_map(|(key, text)| (one_line(text) != *text).then_some(key))
        {
            return Some((text, format!("the {text} is not one line of plain text")));
        }
        if about.licence.trim().is_empty() {
            return Some(("licence", "the licence is empty; write an SPDX expression".to_owned()));
        }
        if self.component.is_none() && self.native.is_none() {
            return Some(("name", "there is neither a [component] nor a [native] table".to_owned()));
        }
        let reads_records = about.kinds.iter().any(|kind| matches!(kind, Kind::Cleaner | Kind::Validator));
        if reads_records && self.records.fields.is_empty() {
            return Some(("kinds", "a cleaner or validator needs `fields` in a table [records]".to_owned()));
        }
        let fields = &self.records.fields;
        if let Some(field) = (1..fields.len())
            .map(|i| &fields[i])
            .enumerate()
            .find_map(|(i, field)| fields[..=i].contains(field).then_some(field))
        {
            return Some(("fields", format!("the field `{field}` is named twice")));
        }
        let of_binary = [&self.component, &self.native].into_iter().flatten().find_map(binary_fault);
        of_binary.or_else(|| self.permissions.fault())
    }
}

impl std::fmt::Display for Manifest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}@{}", self.plugin.name, self.plugin.version)
    }
}

/// Whether `name` is `team/name`.
pub fn is_name(name: &str) -> bool {
    let is_part = |part: &str| {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        part.bytes().next().is_some_and(plain) && part.bytes().all(|b| plain(b) || b == b'-')
    };
    name.split_once('/').is_some_and(|(team, short)| is_part(team) && is_part(short))
}

fn binary_fault(binary: &Binary) -> Option<(&'static str, String)> {
    let inside = binary.path.components().all(|part| matches!(part, PathPart::Normal(_)));
    if !inside || binary.path.as_os_str().is_empty() {
        return Some(("path", format!("`{}` leaves the plugin's folder", binary.path.display())));
    }
    let shown = binary.path.display().to_string();
    if one_line(&shown) != shown {
        return Some(("path", format!("`{shown}` holds a control character")));
    }
    match &binary.digest {
        Some(text) if !digest::is_well_formed(text) => {
            Some(("digest", format!("`{text}` is not `sha256:` and 64 hex digits")))
        }
        _ => None,
    }
}

/// Versions 0.x are compatible within x, later ones within the major version.
pub fn same_track(built_for: &Version) -> bool {
    Version::parse(CONTRACT).is_ok_and(|ours| {
        built_for.pre.is_empty()
            && built_for.major == ours.major
            && (ours.major > 0 || built_for.minor == ours.minor)
    })
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// A stranger wrote it, and it is shown: control characters, with which a terminal can be steered, and changes of the
/// direction of writing become spaces; it ends after 1000 characters.
fn one_line(text: &str) -> String {
    let steers = |c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars().take(1000).map(|c| if steers(c) { ' ' } else { c }).collect()
}

fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|b| *b == b'\n').count() + 1
}

fn line_of_key(text: &str, key: &str) -> Option<usize> {
    let is_it = |line: &str| {
        line.trim_start().strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with('='))
    };
    text.lines().position(is_it).map(|index| index + 1)
}

/// serde says "unknown field `x`, expected one of `a`, `b`": the names stand between backticks.
fn suggestion(message: &str) -> Option<String> {
    if !message.starts_with("unknown ") {
        return None;
    }
    let mut names = message.split('`').skip(1).step_by(2);
    let wrong = names.next()?;
    suggest::nearest(wrong, names).map(|near| format!("did you mean `{near}`?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
[plugin]
name = "acme/focal"
version = "1.2.0"
kinds = ["loss"]
contract = "0.1.0"
licence = "MIT"
summary = "A loss"

[component]
path = "focal.wasm"
"#;

    fn parse(text: &str) -> Result<Manifest, ManifestError> {
        Manifest::parse(text, Path::new("plugin.toml"))
    }

    #[track_caller]
    fn fails(old: &str, new: &str, with: &str) {
        assert!(GOOD.contains(old));
        let error = parse(&GOOD.replace(old, new)).unwrap_err();
        let text = format!("{error} {}", error.help().unwrap_or_default());
        assert!(text.contains(with), "{text}");
    }

    #[test]
    fn a_good_manifest_is_read() {
        let manifest = parse(GOOD).unwrap();
        assert_eq!(manifest.to_string(), "acme/focal@1.2.0");
        assert!(manifest.check().is_ok());
    }

    #[test]
    fn an_unknown_key_is_named_with_its_line_and_a_suggestion() {
        fails("licence =", "licnece =", "plugin.toml:7: unknown field `licnece`");
        fails("licence =", "licnece =", "did you mean `licence`?");
        fails("[component]", "[compnent]\n[component]", "did you mean `component`?");
        fails("\"loss\"", "\"los\"", "did you mean `loss`?");
    }

    #[test]
    fn values_without_sense_are_named_with_their_line() {
        fails("acme/focal", "Acme Focal", "plugin.toml:3: `Acme Focal` is not `team/name`");
        fails("[\"loss\"]", "[]", "plugin.toml:5: a plugin is of at least one kind");
        fails("[\"loss\"]", "[\"loss\", \"loss\"]", "named twice");
        fails("[\"loss\"]", "[\"cleaner\"]", "needs `fields`");
        fails("focal.wasm", "../focal.wasm", "leaves the plugin's folder");
        fails("focal.wasm", "/focal.wasm", "leaves the plugin's folder");
        fails("\"focal.wasm\"", "\"focal.wasm\"\ndigest = \"md5:1\"", "64 hex digits");
        fails("1.2.0", "one", "plugin.toml:4");
        fails("[component]\npath = \"focal.wasm\"", "", "neither a [component] nor a [native]");
    }

    #[test]
    fn nothing_in_a_manifest_steers_a_terminal() {
        fails("\"A loss\"", "\"\\u001b[2J\"", "plugin.toml:8: the summary is not one line of plain text");
        fails("focal.wasm", "\\u001b[2J", "plugin.toml:11: ` [2J` holds a control character");
        fails("[component]", "\"\\u001b[2J\" = 1\n[component]", "unknown field ` [2J`");
        fails("acme/focal", "acme\\n/focal", "`acme /focal` is not `team/name`");
    }

    #[test]
    fn a_manifest_without_end_is_not_read() {
        let folder = std::env::temp_dir().join(format!("pegbox-manifest-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(FILE_NAME), format!("{GOOD}# {}", "x".repeat(1 << 20))).unwrap();
        let error = Manifest::read(&folder).unwrap_err();
        std::fs::remove_dir_all(&folder).unwrap();
        assert!(error.to_string().contains("larger than 256 KiB"), "{error}");
    }

    #[test]
    fn another_line_of_the_contract_is_refused() {
        let newer = parse(&GOOD.replace("contract = \"0.1.0\"", "contract = \"0.2.0\"")).unwrap();
        let error = newer.check().unwrap_err();
        assert_eq!(
            error.to_string(),
            "plugin acme/focal@1.2.0 is built for contract 0.2.0, this host serves 0.1.1"
        );
        assert!(error.help().unwrap().contains("newer Pegbox"));
        let patch = parse(&GOOD.replace("contract = \"0.1.0\"", "contract = \"0.1.3\"")).unwrap();
        assert!(patch.check().is_ok());
    }

    #[test]
    fn permissions_are_strict() {
        let ask = |what: &str| parse(&format!("{GOOD}\n[permissions]\n{what}\n"));
        assert_eq!(ask("clock = true").unwrap().permissions.lines(), ["clock = true"]);
        assert!(ask("clok = true").unwrap_err().help().unwrap().contains("did you mean `clock`?"));
        let error = ask("read = [\"/etc\"]").unwrap_err().to_string();
        assert!(error.contains("plugin.toml:14: `/etc` is not a folder inside the recipe's"), "{error}");
    }

    #[test]
    fn a_manifest_is_written_as_it_was_read() {
        let manifest =
            parse(&format!("{GOOD}\n[permissions]\nlog = true\n[build]\nlanguage = \"zig\"\n")).unwrap();
        assert_eq!(parse(&toml::to_string(&manifest).unwrap()).unwrap(), manifest);
    }
}

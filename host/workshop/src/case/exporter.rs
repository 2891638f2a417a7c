//! A case of an exporter: a small model, and the files that come of it.

use std::collections::BTreeMap;
use std::fmt;

use pegbox_manifest::{Kind, digest};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use toml::Spanned;

use super::batch::floats;
use super::numbers::{Given, SeededFloats};
use super::{Fault, no_configuration};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExporterCase {
    #[serde(rename = "kind")]
    _kind: Option<Kind>,
    pub summary: Option<String>,
    #[serde(default = "no_configuration")]
    pub config: Value,
    pub error: Option<String>,
    pub model: Spanned<Model>,
    /// By path; all of them.
    pub files: Option<BTreeMap<String, Spanned<Expected>>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Model {
    #[serde(default = "no_configuration")]
    pub configuration: Value,
    pub labels: Vec<String>,
    #[serde(default = "no_configuration")]
    pub metrics: Value,
    #[serde(default = "no_configuration")]
    pub provenance: Value,
    /// Content by path.
    #[serde(default)]
    pub tokenizer_files: BTreeMap<String, String>,
    /// By Hugging Face name.
    pub tensors: BTreeMap<String, Spanned<Given<f64, SeededFloats>>>,
}

/// What a file holds.
#[derive(Debug)]
pub enum Expected {
    /// Exactly this text.
    Text(String),
    /// What is said of it.
    Facts(Facts),
}

/// What a case says of a file that it does not write out.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Facts {
    pub digest: Option<String>,
    pub bytes: Option<u64>,
    /// The file is JSON, and this.
    pub json: Option<Value>,
    /// Texts that stand somewhere in it.
    #[serde(default)]
    pub contains: Vec<String>,
}

impl ExporterCase {
    pub(super) fn check(&self) -> Result<(), Fault> {
        for (name, tensor) in &self.model.as_ref().tensors {
            floats(tensor.as_ref()).map_err(|fault| Fault::at(tensor.span(), format!("{name}: {fault}")))?;
        }
        for (path, file) in self.files.iter().flatten() {
            let Expected::Facts(facts) = file.as_ref() else { continue };
            if facts.digest.is_none()
                && facts.bytes.is_none()
                && facts.json.is_none()
                && facts.contains.is_empty()
            {
                let fault = format!("nothing is said of `{path}`");
                let help = "say `digest`, `bytes`, `json` or `contains`, or give the file's text as a string";
                return Err(Fault::at(file.span(), fault).help(Some(help.to_owned())));
            }
            if facts.digest.as_ref().is_some_and(|text| !digest::is_well_formed(text)) {
                return Err(Fault::at(file.span(), "a digest is `sha256:` and 64 hex digits"));
            }
        }
        Ok(())
    }
}

struct ReadingExpected;

impl<'de> Visitor<'de> for ReadingExpected {
    type Value = Expected;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the file's text, or a table with `digest`, `bytes`, `json` or `contains`")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Expected::Text(text.to_owned()))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        Facts::deserialize(MapAccessDeserializer::new(map)).map(Expected::Facts)
    }
}

impl<'de> Deserialize<'de> for Expected {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ReadingExpected)
    }
}

//! The cases in a plugin's `tests/` folder, as their files say them. docs/plugin-tests.md describes the format.

/// One batch of a loss's or a metric's case.
pub mod batch;
/// A case of a cleaner.
pub mod cleaner;
/// A case of an exporter.
pub mod exporter;
/// A case of a loss.
pub mod loss;
/// A case of a metric.
pub mod metric;
/// Tensors written in a case.
pub mod numbers;
/// A case of a validator.
pub mod validator;

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use pegbox_manifest::{Kind, suggest};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::WorkshopError;
use cleaner::CleanerCase;
use exporter::ExporterCase;
use loss::LossCase;
use metric::MetricCase;
use validator::ValidatorCase;

pub use numbers::Numbers;

/// One file of a plugin's `tests/` folder.
#[derive(Debug)]
pub struct Case {
    /// The file's name without `.toml`.
    pub name: String,
    pub file: PathBuf,
    /// The file's text, for errors.
    pub text: String,
    pub body: Body,
}

/// What the five kinds have in common stands in each: serde cannot both flatten and refuse unknown keys.
#[derive(Debug)]
pub enum Body {
    Cleaner(CleanerCase),
    Validator(ValidatorCase),
    Loss(LossCase),
    Metric(MetricCase),
    Exporter(ExporterCase),
}

/// What is read first, to know what to read.
#[derive(Deserialize)]
struct Head {
    kind: Option<Kind>,
}

/// A place in the case's file that makes no sense.
pub struct Fault {
    pub span: Option<Range<usize>>,
    pub what: String,
    pub help: Option<String>,
}

impl Fault {
    pub fn at(span: Range<usize>, what: impl Into<String>) -> Self {
        Self { span: Some(span), what: what.into(), help: None }
    }

    #[must_use]
    pub fn help(mut self, help: Option<String>) -> Self {
        self.help = help;
        self
    }
}

/// Every case of the plugin in `folder`, in the order of their names; `kinds` and `fields` are its manifest's.
///
/// # Errors
/// A file that cannot be read or makes no sense; no case at all.
pub fn find(folder: &Path, kinds: &[Kind], fields: &[String]) -> Result<Vec<Case>, WorkshopError> {
    let folder = folder.join("tests");
    let mut files: Vec<PathBuf> = fs::read_dir(&folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    files.sort();
    if files.is_empty() {
        return Err(WorkshopError::NoCases { folder });
    }
    files.into_iter().map(|file| read(file, kinds, fields)).collect()
}

fn read(file: PathBuf, kinds: &[Kind], fields: &[String]) -> Result<Case, WorkshopError> {
    let text = fs::read_to_string(&file).map_err(WorkshopError::io("read", &file))?;
    let name = file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    match parse(&text, kinds, fields) {
        Ok(body) => Ok(Case { name, file, text, body }),
        Err(Fault { span, what, help }) => Err(WorkshopError::Case { file, text, span, fault: what, help }),
    }
}

fn parse(text: &str, kinds: &[Kind], fields: &[String]) -> Result<Body, Fault> {
    let head: Head = toml(text)?;
    let kind = match (head.kind, kinds) {
        (Some(kind), kinds) if kinds.contains(&kind) => kind,
        (None, [kind]) => *kind,
        (Some(kind), _) => return Err(Fault::at(0..0, format!("the plugin is no {kind}"))),
        (None, _) => {
            let names: Vec<&str> = kinds.iter().map(|kind| kind.name()).collect();
            let fault = format!("the plugin is several things: say `kind` = one of {}", names.join(", "));
            return Err(Fault::at(0..0, fault));
        }
    };
    let body = match kind {
        Kind::Cleaner => Body::Cleaner(toml(text)?),
        Kind::Validator => Body::Validator(toml(text)?),
        Kind::Loss => Body::Loss(toml(text)?),
        Kind::Metric => Body::Metric(toml(text)?),
        Kind::Exporter => Body::Exporter(toml(text)?),
    };
    match &body {
        Body::Cleaner(case) => case.check(fields)?,
        Body::Validator(case) => case.check(fields)?,
        Body::Loss(case) => case.check()?,
        Body::Metric(case) => case.check()?,
        Body::Exporter(case) => case.check()?,
    }
    Ok(body)
}

fn toml<T: DeserializeOwned>(text: &str) -> Result<T, Fault> {
    toml::from_str(text).map_err(|error| {
        let what = error.message().to_owned();
        Fault { span: error.span(), help: suggestion(&what), what }
    })
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

/// The field must be one of the manifest's.
fn check_field(name: &str, fields: &[String], span: &Range<usize>) -> Result<(), Fault> {
    if fields.iter().any(|field| field == name) {
        return Ok(());
    }
    let near = suggest::nearest(name, fields.iter().map(String::as_str));
    let help = near.map_or_else(
        || format!("its [records] are: {}", fields.join(", ")),
        |near| format!("did you mean `{near}`?"),
    );
    Err(Fault::at(span.clone(), format!("the plugin reads no field `{name}`")).help(Some(help)))
}

impl Body {
    pub fn kind(&self) -> Kind {
        match self {
            Self::Cleaner(_) => Kind::Cleaner,
            Self::Validator(_) => Kind::Validator,
            Self::Loss(_) => Kind::Loss,
            Self::Metric(_) => Kind::Metric,
            Self::Exporter(_) => Kind::Exporter,
        }
    }

    pub fn summary(&self) -> Option<&str> {
        match self {
            Self::Cleaner(case) => case.summary.as_deref(),
            Self::Validator(case) => case.summary.as_deref(),
            Self::Loss(case) => case.summary.as_deref(),
            Self::Metric(case) => case.summary.as_deref(),
            Self::Exporter(case) => case.summary.as_deref(),
        }
    }

    /// The text that the plugin's error must contain, where an error is expected.
    pub fn error(&self) -> Option<&str> {
        match self {
            Self::Cleaner(case) => case.error.as_deref(),
            Self::Validator(case) => case.error.as_deref(),
            Self::Loss(case) => case.error.as_deref(),
            Self::Metric(case) => case.error.as_deref(),
            Self::Exporter(case) => case.error.as_deref(),
        }
    }
}

fn no_configuration() -> Value {
    Value::Object(serde_json::Map::new())
}

#[cfg(test)]
mod tests;

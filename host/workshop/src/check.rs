//! Running the cases.

mod cleaner;
mod exporter;
/// A result that was looked at once and is expected from then on.
mod golden;
/// A loss's gradient against finite differences.
pub mod gradient;
mod loss;
mod metric;
/// Values as people read them.
mod text;
mod validator;

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use burn::tensor::Device;
use pegbox_deploy::ExportError;
use pegbox_manifest::suggest;
use pegbox_runtime::{Cause, Plugin, PluginError, PluginIdentity, TensorError};
use serde_json::Value;

use crate::case::{self, Body, Case};
use crate::error::{WorkshopError, line_of};
use crate::report::{CaseReport, Failure, Verdict};

pub use loss::compute as compute_loss;

/// How cases are run.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Options {
    /// Write golden files instead of comparing with them.
    pub bless: bool,
    /// Only this case.
    pub case: Option<String>,
}

/// What a case came to: what is wrong with it, what else was looked at, and where no expectation stands in the
/// case's file, what a golden file would hold.
#[derive(Default)]
pub struct Checked {
    pub failures: Vec<Failure>,
    pub notes: Vec<String>,
    pub golden: Option<Value>,
    /// Numbers in the golden file may differ by this, relative to the larger of 1 and the number.
    pub tolerance: f64,
}

/// The plugin, or the host while it served the plugin, ended a call with an error.
pub struct Refusal {
    pub error: String,
    pub cause: Option<String>,
    pub help: Option<String>,
}

impl From<PluginError> for Refusal {
    fn from(error: PluginError) -> Self {
        let cause = Some(error.cause().to_string());
        Self { error: error.to_string(), cause, help: error.help() }
    }
}

impl From<ExportError> for Refusal {
    fn from(error: ExportError) -> Self {
        match error {
            ExportError::Plugin(error) => error.into(),
            error => Self { help: error.help(), cause: None, error: error.to_string() },
        }
    }
}

impl From<TensorError> for Refusal {
    fn from(error: TensorError) -> Self {
        Self { help: error.help.clone(), cause: None, error: error.to_string() }
    }
}

impl From<WorkshopError> for Refusal {
    fn from(error: WorkshopError) -> Self {
        Self { help: error.help(), cause: None, error: error.to_string() }
    }
}

impl Refusal {
    /// All that the user would read.
    fn text(&self) -> String {
        let parts = [Some(&self.error), self.cause.as_ref(), self.help.as_ref()];
        parts.into_iter().flatten().map(String::as_str).collect::<Vec<_>>().join("\n")
    }
}

/// Runs the cases in the plugin's folder `tests`. `told` hears of each as it is done.
///
/// # Errors
/// A case's file makes no sense, there is none, or a golden file cannot be written. A case that fails is no error.
pub fn run(
    plugin: &Plugin,
    folder: &Path,
    device: &Device,
    options: &Options,
    told: &mut dyn FnMut(&CaseReport),
) -> Result<Vec<CaseReport>, WorkshopError> {
    let manifest = plugin.manifest();
    let cases = case::find(folder, &manifest.plugin.kinds, &manifest.records.fields)?;
    let wanted = chosen(&cases, options.case.as_deref())?;
    let mut reports = Vec::new();
    for case in wanted {
        let report = one(plugin, case, device, options)?;
        told(&report);
        reports.push(report);
    }
    Ok(reports)
}

fn chosen<'a>(cases: &'a [Case], name: Option<&str>) -> Result<Vec<&'a Case>, WorkshopError> {
    let Some(name) = name else { return Ok(cases.iter().collect()) };
    let found: Vec<&Case> = cases.iter().filter(|case| case.name == name).collect();
    if !found.is_empty() {
        return Ok(found);
    }
    let names: Vec<&str> = cases.iter().map(|case| case.name.as_str()).collect();
    let help = match suggest::nearest(name, names.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("there are: {}", names.join(", ")),
    };
    Err(WorkshopError::NoSuchCase { name: name.to_owned(), help })
}

fn one(
    plugin: &Plugin,
    case: &Case,
    device: &Device,
    options: &Options,
) -> Result<CaseReport, WorkshopError> {
    let started = Instant::now();
    let checked = check(plugin, case, device);
    let (verdict, notes) = match (checked, case.body.error()) {
        (Err(refusal), None) => (Verdict::Failed(vec![refused(&refusal)]), Vec::new()),
        (Err(refusal), Some(text)) if refusal.text().contains(text) => {
            (Verdict::Passed, vec![format!("refused: {}", text)])
        }
        (Err(refusal), Some(text)) => {
            let found = refusal.text();
            (
                Verdict::Failed(vec![Failure::of("the error", format!("text with {text:?}"), found)]),
                Vec::new(),
            )
        }
        (Ok(_), Some(text)) => {
            let failure = Failure::of("the error", format!("text with {text:?}"), "no error");
            (Verdict::Failed(vec![failure]), Vec::new())
        }
        (Ok(checked), None) => golden::settle(case, checked, options.bless)?,
    };
    Ok(CaseReport {
        name: case.name.clone(),
        file: case.file.clone(),
        summary: case.body.summary().map(str::to_owned),
        verdict,
        notes,
        took: started.elapsed(),
    })
}

fn check(plugin: &Plugin, case: &Case, device: &Device) -> Result<Checked, Refusal> {
    let fields = &plugin.manifest().records.fields;
    let text = &case.text;
    match &case.body {
        Body::Cleaner(body) => Ok(cleaner::check(body, text, fields, &|| plugin.cleaner(&body.config))?),
        Body::Validator(body) => {
            Ok(validator::check(body, text, fields, &|| plugin.validator(&body.config))?)
        }
        Body::Loss(body) => loss::check(body, text, device, plugin.identity(), &|| plugin.loss(&body.config)),
        Body::Metric(body) => metric::check(body, text, device, &|| plugin.metric(&body.config)),
        Body::Exporter(body) => exporter::check(body, text, &|| plugin.exporter(&body.config)),
    }
}

/// Makes instances of one plugin with the case's configuration.
type Make<'a, T> = &'a dyn Fn() -> Result<Box<T>, PluginError>;

fn refused(refusal: &Refusal) -> Failure {
    let mut failure = Failure::new(&refusal.error);
    failure.found = refusal.cause.clone();
    failure.help = refusal.help.clone();
    failure
}

/// The plugin broke a rule that only the host can see.
fn broken(by: &Arc<PluginIdentity>, call: &'static str, what: String, help: &str) -> PluginError {
    let cause = Cause::Contract { what, help: Some(help.to_owned()) };
    PluginError::new(Arc::clone(by), call, cause)
}

/// A failure at the place of `span` in `text`.
fn at(failure: Failure, text: &str, span: Range<usize>) -> Failure {
    failure.at(line_of(text, span.start))
}

/// Whether two numbers are one within `tolerance`, relative to the larger of 1 and the expected.
fn close(expected: f64, found: f64, tolerance: f64) -> bool {
    if expected.is_nan() || found.is_nan() {
        return expected.is_nan() && found.is_nan();
    }
    expected == found || (expected - found).abs() <= tolerance * expected.abs().max(1.0)
}

#[cfg(test)]
mod tests;

//! `[data]`.

use std::path::{Path, PathBuf};

use pegbox_plugin_abi::validation::Severity;

use crate::plugins::{self, PluginUse};
use crate::reader::Section;

pub(crate) const EXAMPLE: &str =
    "[data]\ntrain = \"data/train.jsonl\"\nfields = { text = \"text\", label = \"label\" }";

/// What becomes of texts above `max-length`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OverLong {
    /// They are cut.
    Truncate,
    /// They leave the dataset.
    Drop,
    /// The run stops.
    Fail,
}

/// Where the records come from and what happens to them before training.
#[derive(Debug, Clone)]
pub struct Data {
    /// `train`: one file or a list: `.jsonl`, `.json`, `.csv`, `.tsv`, `.parquet`, each but the last also as `.gz` or `.zst`. Required.
    pub train: Vec<PathBuf>,
    /// `test`: likewise. None by default; it is read by `eval` only, never for choosing anything.
    pub test: Vec<PathBuf>,
    /// `validation`: likewise. Where it is missing, `split` takes a share of `train`.
    pub validation: Vec<PathBuf>,
    /// `fields = { text = "...", label = "..." }`: the names that the roles have in the files. Required.
    pub text_field: String,
    pub label_field: String,
    pub split: Split,
    /// `over-long`: what becomes of texts above `max-length`: `"truncate"` (default), `"drop"`, `"fail"`.
    pub over_long: OverLong,
    /// `[[data.clean]]`: cleaners, in the order in which they work.
    pub clean: Vec<PluginUse>,
    /// `[[data.validate]]`: validators.
    pub validate: Vec<Validate>,
}

/// `split`: how validation records are taken from `train`.
#[derive(Debug, Clone, PartialEq)]
pub struct Split {
    /// `validation`: share of the records, above 0 and below 1. 0.1 by default.
    pub validation: f64,
    /// `stratify`: `"label"` (default) keeps every label's share equal, `"none"` does not.
    pub stratify: bool,
    /// `seed`: 0 by default.
    pub seed: u64,
}

impl Default for Split {
    fn default() -> Self {
        Self { validation: 0.1, stratify: true, seed: 0 }
    }
}

/// One of `[[data.validate]]`.
#[derive(Debug, Clone)]
pub struct Validate {
    pub plugin: PluginUse,
    pub fail_on: FailOn,
}

/// `fail-on`: the least severity that stops the run: `"error"` (default), `"warning"`, `"info"`, or
/// `"never"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FailOn(pub Option<Severity>);

pub(crate) fn read(mut section: Section<'_, '_>, folder: &Path) -> Option<Data> {
    let paths = |texts: Vec<String>| texts.into_iter().map(|text| folder.join(text)).collect();
    let train = paths(section.required_texts("train", "\"data/train.jsonl\""));
    let test = paths(section.texts("test"));
    let validation: Vec<PathBuf> = paths(section.texts("validation"));
    let fields = section
        .required_table("fields", "fields = { text = \"text\", label = \"label\" }")
        .and_then(read_fields);
    let split_span = section.span_of("split");
    let split = section.table("split").map(read_split);
    if let Some(split) = &split
        && split.as_ref().is_some_and(|(_, names_share)| *names_share)
        && !validation.is_empty()
    {
        section.fault(
            split_span,
            "`split.validation` and `validation` exclude each other",
            Some("leave out one of them: the validation records come from a file or from `train`".into()),
        );
    }
    let over_long = section.choice(
        "over-long",
        &[("truncate", OverLong::Truncate), ("drop", OverLong::Drop), ("fail", OverLong::Fail)],
    );
    let clean: Vec<_> = section.tables("clean").into_iter().map(plugins::read_only).collect();
    let validate: Vec<_> = section.tables("validate").into_iter().map(read_validate).collect();
    section.finish();
    let (text_field, label_field) = fields?;
    Some(Data {
        train,
        test,
        validation,
        text_field,
        label_field,
        split: split.flatten().map(|(split, _)| split).unwrap_or_default(),
        over_long: over_long.unwrap_or(OverLong::Truncate),
        clean: clean.into_iter().collect::<Option<_>>()?,
        validate: validate.into_iter().collect::<Option<_>>()?,
    })
}

fn read_fields(mut section: Section<'_, '_>) -> Option<(String, String)> {
    let text = section.required_text("text", "\"text\"");
    let label = section.required_text("label", "\"label\"");
    section.finish();
    Some((text?, label?))
}

/// Also says whether the recipe names the share.
fn read_split(mut section: Section<'_, '_>) -> Option<(Split, bool)> {
    let default = Split::default();
    let validation =
        section.number("validation", "a share above 0 and below 1", |share| share > 0.0 && share < 1.0);
    let stratify = section.choice("stratify", &[("label", true), ("none", false)]);
    let seed = section.whole("seed", 0);
    section.finish();
    let split = Split {
        validation: validation.unwrap_or(default.validation),
        stratify: stratify.unwrap_or(default.stratify),
        seed: seed.unwrap_or(default.seed),
    };
    Some((split, validation.is_some()))
}

fn read_validate(mut section: Section<'_, '_>) -> Option<Validate> {
    let fail_on = section.choice(
        "fail-on",
        &[
            ("error", FailOn(Some(Severity::Error))),
            ("warning", FailOn(Some(Severity::Warning))),
            ("info", FailOn(Some(Severity::Info))),
            ("never", FailOn(None)),
        ],
    );
    let plugin = plugins::read(&mut section);
    section.finish();
    Some(Validate { plugin: plugin?, fail_on: fail_on.unwrap_or(FailOn(Some(Severity::Error))) })
}

//! Plugins as a recipe names them: `[[data.clean]]`, `[[metrics]]`, `[[export]]`, `[train].loss`.

use std::ops::Range;
use std::path::{Path, PathBuf};

use pegbox_manifest::{LimitOverrides, PluginReference};
use serde_json::Value;

use crate::model::Task;
use crate::reader::{Faults, Section};

/// A plugin at work in a recipe.
#[derive(Debug, Clone, PartialEq)]
pub struct PluginUse {
    /// `plugin`: `team/name@requirement`.
    pub reference: String,
    /// `config`: checked against the plugin's JSON Schema. `{}` by default.
    pub config: Value,
    /// `limits = { deadline-ms = 20000 }` and so on: the manifest's by default.
    pub limits: LimitOverrides,
    /// `trust = "native"`: runs the native library, outside the sandbox; needs `digest`.
    pub native: bool,
    /// `digest`: `sha256:...`, the only code that may run under this name.
    pub digest: Option<String>,
    /// `on-failure`: what happens when a call fails. `"fail"` by default.
    pub on_failure: OnFailure,
    /// Where the recipe names it.
    pub span: Range<usize>,
}

/// What a failed call of a plugin means for the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnFailure {
    /// The run stops with an error.
    #[default]
    Fail,
    /// The records that it failed on are passed over: a cleaner drops them, a validator and a metric do not look
    /// at them, a loss leaves their batch out.
    Skip,
    /// The run goes on without the plugin, as if the recipe did not name it.
    Disable,
}

/// One term of the loss: `loss = [{ plugin = "a/b", weight = 0.7 }, ...]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Term {
    pub provider: Provider,
    /// `weight`: by which it is multiplied before the terms are summed. 1 by default.
    pub weight: f32,
}

/// Who does a job.
#[expect(clippy::large_enum_variant, reason = "a recipe holds a handful of them")]
#[derive(Debug, Clone, PartialEq)]
pub enum Provider {
    Plugin(PluginUse),
    /// `builtin`: part of Pegbox.
    BuiltIn {
        name: String,
        config: Value,
    },
}

/// One of `[[metrics]]`: `plugin` or `builtin`.
#[derive(Debug, Clone, PartialEq)]
pub struct Metric {
    pub provider: Provider,
    /// `select-by`: the score that decides which checkpoint is best. One metric may say so; without it the
    /// first score of the first metric decides.
    pub select_by: Option<String>,
}

/// One of `[[export]]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Export {
    pub provider: Provider,
    /// `to`: the folder that the artifact becomes. Required.
    pub to: PathBuf,
}

/// The keys of a plugin in a table that may have others, too.
pub(crate) fn read(section: &mut Section<'_, '_>) -> Option<PluginUse> {
    let reference = section.required_text("plugin", "\"pegbox/text-normalizer@^0.1\"");
    let span = section.span_of("plugin");
    if let Some(reference) = &reference
        && let Err(error) = PluginReference::parse(reference)
    {
        section.fault(span.clone(), error.to_string(), error.help());
    }
    let config = section.json("config");
    let limits = section.typed("limits");
    let native = section.choice("trust", &[("native", true), ("sandboxed", false)]).unwrap_or(false);
    let digest = section.text("digest");
    if let Some(text) = &digest
        && !pegbox_manifest::digest::is_well_formed(text)
    {
        section.fault(section.span_of("digest"), "`digest` must be `sha256:` and 64 hex digits", None);
    }
    if native && digest.is_none() {
        section.fault(
            section.span_of("trust"),
            "a native plugin runs outside the sandbox, so its `digest` must be pinned",
            Some("add digest = \"sha256:...\"; `sha256sum` prints that of the library".into()),
        );
    }
    let choices = [("fail", OnFailure::Fail), ("skip", OnFailure::Skip), ("disable", OnFailure::Disable)];
    let on_failure = section.choice("on-failure", &choices).unwrap_or_default();
    Some(PluginUse { reference: reference?, config, limits, native, digest, on_failure, span })
}

pub(crate) const NO_LOSS: &str = "embeddings need a loss that compares texts";
pub(crate) const CONTRASTIVE: &str = "add to [train]: loss = { plugin = \"pegbox/contrastive-loss@^0.1\" }";

/// The losses that are part of Pegbox.
const LOSSES: [&str; 4] = ["cross-entropy", "focal", "binary-cross-entropy", "mean-squared-error"];

/// The metrics that are part of Pegbox.
const METRICS: [&str; 6] =
    ["accuracy", "perplexity", "exact-match", "multi-label", "regression", "retrieval"];

/// The exporters that are part of Pegbox.
const EXPORTERS: [&str; 1] = ["peft-folder"];

/// The loss of a task where the recipe names none.
pub(crate) fn usual_loss(task: Option<Task>) -> &'static str {
    match task {
        Some(Task::MultiLabel) => "binary-cross-entropy",
        Some(Task::Regression) => "mean-squared-error",
        _ => "cross-entropy",
    }
}

/// The metric of a task where the recipe names none.
fn usual_metric(task: Option<Task>) -> &'static str {
    match task {
        Some(Task::MultiLabel) => "multi-label",
        Some(Task::Regression) => "regression",
        Some(Task::Embeddings) => "retrieval",
        Some(Task::MaskedLm | Task::Generation | Task::Seq2Seq) => "perplexity",
        _ => "accuracy",
    }
}

/// The terms of the loss: one table, or a list of tables.
pub(crate) fn read_terms(train: &mut Section<'_, '_>, task: Option<Task>) -> Option<Vec<Term>> {
    let sections = if train.holds_list("loss") {
        train.tables("loss")
    } else {
        train.table("loss").into_iter().collect()
    };
    if sections.is_empty() {
        if train.holds("loss") {
            train.fault(train.span_of("loss"), "`loss` has no terms", None);
        }
        if task == Some(Task::Embeddings) && !train.holds("loss") {
            train.fault(train.span_of("loss"), NO_LOSS, Some(CONTRASTIVE.into()));
        }
        let provider = Provider::BuiltIn { name: usual_loss(task).into(), config: serde_json::json!({}) };
        return Some(vec![Term { provider, weight: 1.0 }]);
    }
    sections.into_iter().map(read_term).collect()
}

fn read_term(mut section: Section<'_, '_>) -> Option<Term> {
    // In the precision of the loss: 1e-60 is 0 there, 1e60 is infinite.
    let is_weight = |weight: f64| weight as f32 > 0.0 && (weight as f32).is_finite();
    let weight =
        section.number("weight", "above 0, and of a size that a loss can have", is_weight).unwrap_or(1.0);
    let provider = provider(&mut section, &LOSSES);
    if let Some(Provider::Plugin(PluginUse { on_failure: OnFailure::Disable, .. })) = &provider {
        section.fault(
            section.span_of("on-failure"),
            "a loss cannot be disabled: from then on the training would be another",
            Some("use \"skip\" to leave out the batches that it fails on".into()),
        );
    }
    section.finish();
    Some(Term { provider: provider?, weight: weight as f32 })
}

/// `plugin` or `builtin`, and what belongs to each.
fn provider(section: &mut Section<'_, '_>, built_in: &[&str]) -> Option<Provider> {
    let choices: Vec<(&str, usize)> = built_in.iter().enumerate().map(|(i, name)| (*name, i)).collect();
    if !section.holds("builtin") {
        section.get("builtin");
        return read(section).map(Provider::Plugin);
    }
    if section.holds("plugin") {
        section.get("plugin");
        section.fault(section.span_of("builtin"), "`plugin` and `builtin` exclude each other", None);
    }
    let name = section.choice("builtin", &choices).and_then(|index| built_in.get(index));
    let config = section.json("config");
    Some(Provider::BuiltIn { name: name?.to_string(), config })
}

pub(crate) fn read_metrics(
    sections: Vec<Section<'_, '_>>,
    faults: &Faults,
    task: Option<Task>,
) -> Option<Vec<Metric>> {
    if sections.is_empty() {
        let provider = Provider::BuiltIn { name: usual_metric(task).into(), config: serde_json::json!({}) };
        return Some(vec![Metric { provider, select_by: None }]);
    }
    let mut metrics = Vec::new();
    let mut selected = false;
    for mut section in sections {
        let select_by = section.text("select-by");
        if select_by.is_some() && selected {
            faults.add(section.span_of("select-by"), "`select-by` may stand in one metric only", None, None);
        }
        selected |= select_by.is_some();
        let provider = provider(&mut section, &METRICS);
        if let (Some(Provider::Plugin(PluginUse { on_failure: OnFailure::Disable, .. })), Some(_)) =
            (&provider, &select_by)
        {
            section.fault(
                section.span_of("on-failure"),
                "the metric that selects the best checkpoint cannot be disabled",
                None,
            );
        }
        section.finish();
        metrics.push(provider.map(|provider| Metric { provider, select_by }));
    }
    metrics.into_iter().collect()
}

pub(crate) fn read_exports(sections: Vec<Section<'_, '_>>, folder: &Path) -> Option<Vec<Export>> {
    let read_export = |mut section: Section<'_, '_>| {
        let to = section.required_text("to", "\"out/hf\"");
        let provider = provider(&mut section, &EXPORTERS);
        let may_fail = |provider: &Provider| matches!(provider, Provider::Plugin(plugin) if plugin.on_failure != OnFailure::Fail);
        if provider.as_ref().is_some_and(may_fail) {
            section.fault(
                section.span_of("on-failure"),
                "an exporter that fails always ends the run: there is nothing to go on with",
                Some("leave `on-failure` out".into()),
            );
        }
        section.finish();
        Some(Export { provider: provider?, to: folder.join(to?) })
    };
    sections.into_iter().map(read_export).collect()
}

//! `pegbox.toml`: what to train, on what, how. Strict: an unknown key is an error that says what was meant.
//!
//! Every path is relative to the recipe's folder. Every key is kebab-case. The defaults stand at the fields.

/// `[model.adapter]` and `[model].freeze`.
mod adapter;
/// `[data]`.
mod data;
/// `[grants."team/name"]`.
mod grants;
/// `[model]`.
mod model;
/// Plugins as a recipe names them: `[[data.clean]]`, `[[metrics]]`, `[[export]]`, `[train].loss`.
mod plugins;
/// `[policy]`.
mod policy;
/// Tables read key by key, with every fault noted at its place.
mod reader;
/// Its JSON Schema.
mod schema;
/// `[train]`.
mod train;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use pegbox_manifest::Permissions;
use toml::de::DeTable;

pub use adapter::{Adapter, Freeze, FrozenLayers, Quantize};
pub use data::{
    Action, Annotations, Balance, Clean, Data, Duplicates, FailOn, Format, Keep, Layout, Leakage, Method,
    OverLong, Shingle, Split, Target, Validate, Weighting,
};
pub use model::{ChatTemplate, Init, Model, Pooling, Task};
pub use policy::Policy;

pub use plugins::{Export, Metric, OnFailure, PluginUse, Provider, Term};
pub use schema::SCHEMA;
pub use train::{Batch, Decay, Train, Warmup};

use reader::{Faults, Section};

/// The name that a recipe has unless the user says otherwise.
pub const FILE_NAME: &str = "pegbox.toml";

/// A recipe that was read and makes sense.
#[derive(Debug, Clone)]
pub struct Recipe {
    pub path: PathBuf,
    /// The recipe's folder; all its paths start there.
    pub folder: PathBuf,
    pub text: String,
    pub model: Model,
    pub data: Data,
    pub train: Train,
    /// `[[metrics]]`; accuracy, built in, where there are none.
    pub metrics: Vec<Metric>,
    /// `[[export]]`
    pub exports: Vec<Export>,
    /// `[grants."team/name"]`: what each plugin may do beyond computing on what it is handed. Nothing by default.
    pub grants: BTreeMap<String, Permissions>,
    /// `[policy]`: what the base model must fulfil.
    pub policy: Policy,
    /// `[run].dir`: a folder in which each training gets a folder of its own. `runs` by default.
    pub runs: PathBuf,
}

/// One fault, at its place in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Byte offsets into the recipe.
    pub span: Range<usize>,
    pub message: String,
    /// What stands beside the caret.
    pub label: Option<String>,
    pub help: Option<String>,
}

/// A recipe that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RecipeError {
    #[error("there is no recipe {}", path.display())]
    NotFound { path: PathBuf },
    #[error("{}: {source}", path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error("the recipe {} is wrong in {} place(s)", path.display(), faults.len())]
    Faults { path: PathBuf, text: String, faults: Vec<Fault> },
}

impl Recipe {
    /// Reads the recipe at `path`, a file or a folder that holds a `pegbox.toml`.
    ///
    /// # Errors
    /// The file is missing or not TOML, a key is unknown, missing or of the wrong type, a value makes no
    /// sense. All faults are found at once.
    pub fn load(path: &Path) -> Result<Self, RecipeError> {
        let path = if path.is_dir() { path.join(FILE_NAME) } else { path.to_path_buf() };
        let text = fs::read_to_string(&path).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => RecipeError::NotFound { path: path.clone() },
            _ => RecipeError::Io { path: path.clone(), source },
        })?;
        Self::parse(&text, &path)
    }

    /// Understands `text`; `path` says where its paths start.
    ///
    /// # Errors
    /// As [`Recipe::load`].
    pub fn parse(text: &str, path: &Path) -> Result<Self, RecipeError> {
        let faults = Faults::default();
        let recipe = read(text, path, &faults);
        match (recipe, faults.take()) {
            (Some(recipe), faults) if faults.is_empty() => Ok(recipe),
            (_, faults) => Err(RecipeError::Faults { path: path.to_path_buf(), text: text.into(), faults }),
        }
    }

    /// The score that decides which checkpoint is best, if the recipe names one.
    pub fn select_by(&self) -> Option<&str> {
        self.metrics.iter().find_map(|metric| metric.select_by.as_deref())
    }
}

fn read(text: &str, path: &Path, faults: &Faults) -> Option<Recipe> {
    let table = match DeTable::parse(text) {
        Ok(table) => table,
        Err(error) => {
            faults.add(error.span().unwrap_or(0..0), error.message().trim_end(), None, None);
            return None;
        }
    };
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
        _ => PathBuf::from("."),
    };
    let mut root = Section::root(table.get_ref(), faults);
    let model = root.required_table("model", model::EXAMPLE).and_then(model::read);
    let task = model.as_ref().map(|model| model.task);
    let data =
        root.required_table("data", data::EXAMPLE).and_then(|section| data::read(section, model.as_ref()));
    let train = match root.table("train") {
        Some(section) => train::read(section, task),
        None => {
            if task == Some(Task::Embeddings) {
                faults.add(0..0, plugins::NO_LOSS, None, Some(plugins::CONTRASTIVE.into()));
            }
            Some(Train::usual(task))
        }
    };
    let metrics = plugins::read_metrics(root.tables("metrics"), faults, task);
    let exports = plugins::read_exports(root.tables("export"), &folder);
    if let (Some(model), Some(exports)) = (&model, &exports)
        && model.adapter.is_none()
        && exports.iter().any(|export| matches!(export.provider, Provider::BuiltIn { .. }))
    {
        let help = "add a table [model.adapter], or export with a plugin such as `pegbox/hf-folder`";
        faults.add(
            0..0,
            "`peft-folder` exports an adapter, but the recipe trains none",
            None,
            Some(help.into()),
        );
    }
    let runs = root.table("run").map(|mut section| {
        let dir = section.text("dir");
        section.finish();
        dir
    });
    let grants = root.table("grants").map(grants::read).unwrap_or_default();
    let policy = root.table("policy").map(policy::read).unwrap_or_default();
    root.finish();
    Some(Recipe {
        path: path.to_path_buf(),
        runs: folder.join(runs.flatten().unwrap_or_else(|| "runs".into())),
        folder,
        text: text.into(),
        model: model?,
        data: data?,
        train: train?,
        metrics: metrics?,
        exports: exports?,
        grants,
        policy,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str = r#"
[model]
source = "pypi:model==1.0"
task = "classification"

[data]
train = "train.jsonl"
fields = { text = "text", label = "label" }

[train]
learning-rate = 2e-4
"#;

    fn faults(text: &str) -> Vec<Fault> {
        match Recipe::parse(text, Path::new("/r/pegbox.toml")) {
            Err(RecipeError::Faults { faults, .. }) => faults,
            other => panic!("{other:?}"),
        }
    }

    #[track_caller]
    fn fault(from: &str, to: &str) -> String {
        assert!(SMALL.contains(from), "{from}");
        let text = SMALL.replace(from, to);
        let fault = faults(&text).remove(0);
        let at = &text[fault.span.clone()];
        format!("{at} | {} | {}", fault.message, fault.help.or(fault.label).unwrap_or_default())
    }

    #[test]
    fn a_small_recipe_has_the_documented_defaults() {
        let recipe = Recipe::parse(SMALL, Path::new("/r/pegbox.toml")).unwrap();
        assert_eq!(recipe.data.train, ["train.jsonl"]);
        assert_eq!(recipe.runs, PathBuf::from("/r/runs"));
        assert_eq!(recipe.train, Train { learning_rate: 2e-4, ..Train::usual(Some(Task::Classification)) });
        assert_eq!(recipe.metrics.len(), 1);
        assert!(recipe.data.clean.is_empty() && recipe.exports.is_empty());
    }

    #[test]
    fn a_whole_recipe_is_read() {
        let text = format!(
            r#"{SMALL}
epochs = 8
batch = {{ rows = 16 }}
schedule = {{ kind = "cosine", warmup = 100 }}
loss = {{ plugin = "pegbox/focal-loss@^0.1", config = {{ gamma = 1.0 }}, limits = {{ deadline-ms = 50 }} }}
[[data.clean]]
plugin = "pegbox/text-normalizer@^0.1"
[[data.validate]]
plugin = "pegbox/label-guard"
fail-on = "never"
[[metrics]]
plugin = "pegbox/classification-report"
select-by = "macro-f1"
[[export]]
plugin = "pegbox/hf-folder"
to = "out/hf"
"#
        );
        let recipe = Recipe::parse(&text, Path::new("/r/pegbox.toml")).unwrap();
        assert_eq!(recipe.train.batch, Batch::Rows(16));
        assert_eq!(recipe.train.warmup, Warmup::Steps(100));
        assert_eq!(recipe.select_by(), Some("macro-f1"));
        assert_eq!((recipe.data.clean.len(), recipe.data.validate.len(), recipe.exports.len()), (1, 1, 1));
        let [Term { provider: Provider::Plugin(loss), weight: 1.0 }] = &recipe.train.loss[..] else {
            panic!("one plugin")
        };
        assert_eq!(loss.config, serde_json::json!({ "gamma": 1.0 }));
        assert_eq!(loss.limits.deadline_ms, Some(50));
    }

    #[test]
    fn grants_and_weighted_losses_are_read() {
        let text = SMALL.replace(
            "learning-rate = 2e-4",
            "loss = [{ builtin = \"cross-entropy\", weight = 0.7 }, { plugin = \"a/b\", weight = 0.3, on-failure = \"skip\" }]\n\
             [grants.\"a/b\"]\nclock = true\nread = [\"lexicons/\"]",
        );
        let recipe = Recipe::parse(&text, Path::new("/r/pegbox.toml")).unwrap();
        assert_eq!(recipe.train.loss.iter().map(|term| term.weight).collect::<Vec<_>>(), [0.7, 0.3]);
        assert_eq!(recipe.grants["a/b"].lines(), ["clock = true", "read = [\"lexicons/\"]"]);
    }

    #[test]
    fn a_number_that_is_too_large_is_not_lost_in_silence() {
        let huge = "99999999999999999999";
        let report = fault("learning-rate = 2e-4", &format!("epochs = {huge}"));
        assert!(report.starts_with(&format!("{huge} | `epochs` is too large")), "{report}");
        for (key, what, number) in [
            ("limits", format!("{{ deadline-ms = {huge} }}"), huge),
            ("config", format!("{{ a = [1, {huge}] }}"), huge),
            ("config", "{ a = { b = inf } }".to_owned(), "inf"),
        ] {
            let loss = format!("loss = {{ plugin = \"a/b\", {key} = {what} }}");
            let report = fault("learning-rate = 2e-4", &loss);
            assert!(report.starts_with(&format!("{number} | `{key}` holds a number that")), "{report}");
        }
    }

    #[test]
    fn an_exporter_that_fails_ends_the_run_whatever_the_recipe_says() {
        let export = "[[export]]\nplugin = \"a/b\"\nto = \"out\"\non-failure = \"skip\"\n[train]";
        let report = fault("[train]", export);
        assert!(report.contains("an exporter that fails always ends the run"), "{report}");
    }

    #[test]
    fn adapters_and_what_is_frozen() {
        let text = SMALL.replace(
            "[data]",
            "freeze = { patterns = \"bert.pooler.*\", layers = [0, 2] }\n[model.adapter]\nkind = \"dora\"\nrank = 4\n[data]",
        );
        let model = Recipe::parse(&text, Path::new("/r/pegbox.toml")).unwrap().model;
        assert_eq!(model.freeze.layers, Some(FrozenLayers::Numbers(vec![0, 2])));
        assert_eq!(model.freeze.patterns, ["bert.pooler.*"]);
        let adapter = model.adapter.unwrap();
        assert!(adapter.dora && adapter.quantize.is_none());
        assert_eq!((adapter.rank, adapter.alpha), (4, 8.0));
        let adapter = |what: &str| fault("[data]", &format!("[model.adapter]\n{what}\n[data]"));
        assert!(adapter("from = \"a\"\nrank = 4").contains("`rank` is what the adapter in `from` says"));
        assert!(adapter("targets = [1]").contains("`targets` must be a list of strings"));
        assert!(adapter("quantize = \"int8\"").contains("\"nf4\", \"nf4-double\""));
        assert!(
            fault("[data]", "pooling = \"mean-layer\"\n[model.adapter]\n[data]").contains("`mean-layer`")
        );
        let export = "[[export]]\nbuiltin = \"peft-folder\"\nto = \"out\"\n[train]";
        assert!(fault("[train]", export).contains("the recipe trains none"));
        assert!(fault("[data]", "freeze = { layers = -1 }\n[data]").contains("must be at least 0"));
    }

    #[test]
    fn a_weight_that_is_none_in_single_precision_is_refused() {
        for weight in ["1e300", "1e-300", "-1.0", "inf", "nan"] {
            let loss = format!("loss = [{{ builtin = \"cross-entropy\", weight = {weight} }}]");
            let report = fault("learning-rate = 2e-4", &loss);
            assert!(report.starts_with(&format!("{weight} | `weight` must be above 0")), "{report}");
        }
    }

    #[test]
    fn a_grant_without_sense_is_shown_at_its_place() {
        let grant = |what: &str| fault("[train]", &format!("[grants.\"a/b\"]\n{what}\n[train]"));
        assert!(grant("clok = true").starts_with("clok | unknown key `clok`"), "{}", grant("clok = true"));
        assert!(grant("read = [\"/etc\"]").contains("`/etc` is not a folder inside the recipe's"));
        let nobody = fault("[train]", "[grants.nobody]\n[train]");
        assert!(nobody.contains("`nobody` is not `team/name`"), "{nobody}");
    }

    #[test]
    fn licences_are_those_of_spdx() {
        let policy = |what: &str| SMALL.replace("[data]", &format!("[policy]\nlicences = {what}\n[data]"));
        let recipe =
            Recipe::parse(&policy("[\"MIT\", \"LicenseRef-llama3\"]"), Path::new("/r/pegbox.toml")).unwrap();
        assert_eq!(recipe.policy.licences.unwrap(), ["MIT", "LicenseRef-llama3"]);
        assert_eq!(
            faults(&policy("[\"MIT\", \"Apache 2\"]"))[0].message,
            "`Apache 2` is not a licence in SPDX's list"
        );
        assert_eq!(faults(&policy("[]"))[0].message, "`licences` allows no model");
        let stated = fault("[data]", "licence = \"my own\"\n[data]");
        assert!(stated.starts_with("\"my own\" | `licence` must be an SPDX expression"), "{stated}");
    }

    #[test]
    fn an_unknown_key_is_named_with_what_was_meant() {
        let report = fault("learning-rate", "learning_rate");
        assert!(report.starts_with("learning_rate | unknown key `learning_rate` in [train]"), "{report}");
        let text = SMALL.replace("learning-rate", "learning_rate");
        assert_eq!(faults(&text)[0].label.as_deref(), Some("did you mean `learning-rate`?"));
        assert!(fault("[train]", "[trian]").contains("unknown key `trian`"));
        assert!(fault("label = \"label\"", "labels = \"label\"").contains("`labels`"));
    }

    #[test]
    fn values_without_sense_are_shown_at_their_place() {
        assert!(fault("2e-4", "-1").starts_with("-1 | `learning-rate` must be above 0"));
        assert!(fault("2e-4", "\"fast\"").contains("`learning-rate` must be a number, this is a string"));
        assert!(fault("classification", "clasification").contains("did you mean `classification`?"));
        assert!(fault("learning-rate = 2e-4", "epochs = 0").contains("must be at least 1"));
        assert!(fault("learning-rate = 2e-4", "epochs = 1.5").contains("must be a whole number"));
        assert!(fault("learning-rate = 2e-4", "batch = { rows = 1, tokens = 2 }").contains("either"));
        assert!(fault("learning-rate = 2e-4", "batch = { packed = 64 }").contains("another task"));
        assert!(
            fault("learning-rate = 2e-4", "schedule = { kind = \"cosine\", warmup = 1.5 }").contains("share")
        );
    }

    #[test]
    fn what_is_missing_is_shown_with_an_example() {
        assert!(fault("train = \"train.jsonl\"\n", "").contains("train = \"data/train.jsonl\""));
        assert!(fault("source = \"pypi:model==1.0\"\n", "").contains("[model] needs `source`"));
    }

    #[test]
    fn all_faults_are_found_at_once() {
        let text = SMALL.replace("source", "sorce").replace("2e-4", "0");
        // `sorce` is unknown, the rate is 0; `source` is not missing besides.
        assert_eq!(faults(&text).len(), 2);
    }

    #[test]
    fn broken_toml_is_shown_at_its_place() {
        let found = faults(&SMALL.replace("[train]", "[train"));
        assert_eq!(found.len(), 1);
    }
}

//! `[data]`.

use pegbox_plugin_abi::validation::Severity;

use crate::model::{Model, Task};
use crate::plugins::{self, PluginUse};
use crate::reader::{Section, nearest};

pub(crate) const EXAMPLE: &str =
    "[data]\ntrain = \"data/train.jsonl\"\nfields = { text = \"text\", label = \"label\" }";

/// Where the records come from and what happens to them before training.
#[derive(Debug, Clone)]
pub struct Data {
    /// `train`: files, folders or patterns such as `data/*.csv`, relative to the recipe's folder. Required.
    pub train: Vec<String>,
    /// `test`: likewise. None by default; it is read by `eval` only, never for choosing anything.
    pub test: Vec<String>,
    /// `validation`: likewise. Where it is missing, `split` takes a share of `train`.
    pub validation: Vec<String>,
    /// `fields = { text = "...", label = "..." }`: roles, and the names that they have in the files. Required.
    pub fields: Vec<(String, String)>,
    /// `format`: where the files' names do not tell it.
    pub format: Option<Format>,
    /// `layout`: `"fields"` and so on; detected where it is not given and no field has the role `text`.
    pub layout: Option<Layout>,
    /// `on-error`: what becomes of rows that cannot be read: `"fail"` (default), `"quarantine"`.
    pub quarantine: bool,
    pub split: Split,
    /// `over-long`: what becomes of texts above `max-length`: `"truncate"` (default), `"truncate-left"`, `"drop"`,
    /// `"split"`, `"fail"`.
    pub over_long: OverLong,
    /// `over-long-target`: the same of what the model is to write, above `max-target-length`; `"split"` is not for it.
    pub over_long_target: OverLong,
    /// `[[data.clean]]`: cleaners, in the order in which they work.
    pub clean: Vec<Clean>,
    /// `[data.annotations]`.
    pub annotations: Option<Annotations>,
    /// `[data.duplicates]`.
    pub duplicates: Option<Duplicates>,
    /// `[[data.validate]]`: validators.
    pub validate: Vec<Validate>,
    /// `[data.suspects]`.
    pub suspects: Option<Action>,
    /// `[data.leakage]`.
    pub leakage: Option<Leakage>,
    /// `[data.balance]`.
    pub balance: Balance,
}

/// What becomes of texts above `max-length`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OverLong {
    /// Their end is cut off.
    Truncate,
    /// Their beginning is cut off.
    TruncateLeft,
    /// They leave the training part.
    Drop,
    /// Training texts become several rows, each with `stride` tokens of the one before it.
    Split { stride: u64 },
    /// The run stops.
    Fail,
}

/// How the bytes of a file are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Jsonl,
    Json,
    Csv,
    Tsv,
    Parquet,
    Conll,
    Text,
}

/// How rows are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    Fields,
    Alpaca,
    ShareGpt,
    Messages,
    PromptCompletion,
    Preference,
}

/// `split`: how validation and test records are taken from `train`.
#[derive(Debug, Clone, PartialEq)]
pub struct Split {
    /// `validation`: share of the records, at least 0 and below 1. 0.2 by default.
    pub validation: f64,
    /// `test`: likewise. 0.1 by default.
    pub test: f64,
    /// `stratify`: `"label"` (default) keeps every label's share equal, `"none"` does not.
    pub stratify: bool,
    /// `group`: the role of what must not be divided.
    pub group: Option<String>,
    /// `time`: the role of a time: the oldest records train, the newest test.
    pub time: Option<String>,
    /// `seed`: 0 by default.
    pub seed: u64,
}

impl Default for Split {
    fn default() -> Self {
        Self { validation: 0.2, test: 0.1, stratify: true, group: None, time: None, seed: 0 }
    }
}

/// One of `[[data.clean]]`.
#[derive(Debug, Clone)]
pub struct Clean {
    pub plugin: PluginUse,
    /// `fields`: the roles that are handed to it, where these are others than its manifest names.
    pub fields: Vec<String>,
    /// `modes`: the roles whose most frequent values it is told, in its configuration.
    pub modes: Vec<String>,
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

/// `[data.annotations]`: several annotators' labels made one.
#[derive(Debug, Clone, PartialEq)]
pub struct Annotations {
    /// `aggregate`: `"majority"` (default) or `"dawid-skene"`.
    pub dawid_skene: bool,
    /// `scale`: the values in their order, the least first.
    pub scale: Vec<String>,
    /// `labels`: values that become other labels.
    pub labels: Vec<(String, String)>,
    /// `ties`: `"drop"` (default), or `"first"` for the first by the scale.
    pub ties_first: bool,
}

/// `[data.duplicates]`: equal and near-equal texts leave.
#[derive(Debug, Clone, PartialEq)]
pub struct Duplicates {
    /// `near`: the Jaccard index from which texts are near-duplicates; 0.8 by default. None if `exact-only = true`.
    pub near: Option<f64>,
    pub shingle: Shingle,
    /// `fields`: roles that are compared; those of the task's texts where there are none.
    pub fields: Vec<String>,
    pub keep: Keep,
}

/// `shingle`: what texts are compared by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shingle {
    Characters(u64),
    Words(u64),
}

/// `keep`: which of several duplicates stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    First,
    Last,
    Longest,
}

/// `action`: what becomes of doubtful training rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    Report,
    Drop,
}

/// `[data.leakage]`: training rows that stand in the test part or in a benchmark.
#[derive(Debug, Clone, PartialEq)]
pub struct Leakage {
    /// `benchmarks`: files, folders or patterns.
    pub benchmarks: Vec<String>,
    /// `ngram`: words in a row that are compared; 8 by default.
    pub ngram: u64,
    /// `share`: of a text's runs of words, from which it counts as leaked; 0.5 by default.
    pub share: f64,
    pub action: Action,
}

/// `[data.balance]`: uneven classes of the training part.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Balance {
    /// `report`: roles whose values are counted, beside the label.
    pub report: Vec<String>,
    pub method: Option<Method>,
}

/// `method`: how classes are evened out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Method {
    Weights(Weighting),
    OverSample(Target),
    UnderSample(Target),
}

/// `weighting`: how a class's weight follows from its rows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Weighting {
    Inverse,
    InverseSqrt,
    EffectiveNumber { beta: f64 },
}

/// `target`: how many rows each class shall have.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Target {
    Even,
    Count(u64),
    Temperature(f64),
}

/// `model` is none where the recipe does not say it rightly.
pub(crate) fn read(mut section: Section<'_, '_>, model: Option<&Model>) -> Option<Data> {
    let task = model.map(|model| model.task);
    let converses = model.is_some_and(|model| model.chat_template.is_some());
    let train = section.required_texts("train", "\"data/train.jsonl\"");
    let test = section.texts("test");
    let validation = section.texts("validation");
    let wanted: &[&str] = match task {
        // Several annotators' labels become one, which then need not be there.
        Some(Task::Classification) if section.holds("annotations") => &["text"],
        Some(Task::Classification | Task::MultiLabel | Task::Regression | Task::Embeddings) => {
            &["text", "label"]
        }
        Some(Task::MaskedLm) => &["text"],
        Some(Task::Tagging) => &["tokens", "tags"],
        Some(Task::Generation) => &["prompt", "completion"],
        Some(Task::Seq2Seq) => &["source", "target"],
        None => &[],
    };
    let fields = section
        .required_table("fields", "fields = { text = \"text\", label = \"label\" }")
        .and_then(|fields| {
            let whole = task == Some(Task::Generation) && fields.holds("messages");
            if whole && !converses {
                let help =
                    "add chat-template = \"model\" to [model], or name `prompt` and `completion` instead";
                fields.fault(
                    fields.span_of("messages"),
                    "`messages` is a whole conversation, which needs a chat template",
                    Some(help.to_owned()),
                );
            }
            read_fields(fields, if whole { &["messages"] } else { wanted })
        });
    let format = section.choice("format", &FORMATS);
    let layout = section.choice("layout", &LAYOUTS);
    let quarantine = section.choice("on-error", &[("fail", false), ("quarantine", true)]);
    let split_span = section.span_of("split");
    let split = section.table("split").map(read_split);
    let named = split.as_ref().and_then(Option::as_ref).map_or([false; 2], |(_, named)| *named);
    for ((name, files), share) in [("validation", &validation), ("test", &test)].into_iter().zip(named) {
        if share && !files.is_empty() {
            section.fault(
                split_span.clone(),
                format!("`split.{name}` and `{name}` exclude each other"),
                Some(format!("leave out one of them: the {name} records come from a file or from `train`")),
            );
        }
    }
    let over_long = read_over_long(&mut section);
    let over_long_target = section.choice("over-long-target", &OVER_LONG_TARGET);
    if task == Some(Task::Seq2Seq) && matches!(over_long, OverLong::Split { .. }) {
        section.fault(
            section.span_of("over-long"),
            "a text and its target cannot be split",
            Some("use `truncate`, `truncate-left`, `drop` or `fail`".to_owned()),
        );
    }
    let clean: Vec<_> = section.tables("clean").into_iter().map(read_clean).collect();
    let annotations = section.table("annotations").map(read_annotations);
    let duplicates = section.table("duplicates").map(read_duplicates);
    let validate: Vec<_> = section.tables("validate").into_iter().map(read_validate).collect();
    let suspects = section.table("suspects").map(read_action);
    let leakage = section.table("leakage").map(read_leakage);
    let balance = section.table("balance").map(read_balance);
    section.finish();
    Some(Data {
        train,
        test,
        validation,
        fields: fields?,
        format,
        layout,
        quarantine: quarantine.unwrap_or(false),
        split: split.flatten().map(|(split, _)| split).unwrap_or_default(),
        over_long,
        over_long_target: over_long_target.unwrap_or(OverLong::Truncate),
        clean: clean.into_iter().collect::<Option<_>>()?,
        annotations,
        duplicates,
        validate: validate.into_iter().collect::<Option<_>>()?,
        suspects,
        leakage,
        balance: balance.unwrap_or_default(),
    })
}

const FORMATS: [(&str, Format); 7] = [
    ("jsonl", Format::Jsonl),
    ("json", Format::Json),
    ("csv", Format::Csv),
    ("tsv", Format::Tsv),
    ("parquet", Format::Parquet),
    ("conll", Format::Conll),
    ("text", Format::Text),
];

const LAYOUTS: [(&str, Layout); 6] = [
    ("fields", Layout::Fields),
    ("alpaca", Layout::Alpaca),
    ("share-gpt", Layout::ShareGpt),
    ("messages", Layout::Messages),
    ("prompt-completion", Layout::PromptCompletion),
    ("preference", Layout::Preference),
];

/// Tokens that pieces of a text share, if the recipe does not say.
const STRIDE: u64 = 32;

const OVER_LONG_TARGET: [(&str, OverLong); 4] = [
    ("truncate", OverLong::Truncate),
    ("truncate-left", OverLong::TruncateLeft),
    ("drop", OverLong::Drop),
    ("fail", OverLong::Fail),
];

fn read_over_long(section: &mut Section<'_, '_>) -> OverLong {
    let stride = section.whole("stride", 0);
    let policy = section.choice(
        "over-long",
        &[
            ("truncate", OverLong::Truncate),
            ("truncate-left", OverLong::TruncateLeft),
            ("drop", OverLong::Drop),
            ("split", OverLong::Split { stride: stride.unwrap_or(STRIDE) }),
            ("fail", OverLong::Fail),
        ],
    );
    policy.unwrap_or(OverLong::Truncate)
}

fn read_fields(section: Section<'_, '_>, wanted: &[&str]) -> Option<Vec<(String, String)>> {
    let fields = read_names(&section)?;
    if fields.is_empty() && wanted.is_empty() {
        section.fault(section.span(), "`fields` names no field", None);
    }
    for role in wanted.iter().filter(|role| !fields.iter().any(|(key, _)| key == *role)) {
        let keys: Vec<&str> = fields.iter().map(|(key, _)| key.as_str()).collect();
        let message = format!("[data].fields needs `{role}`");
        // A role that is nearly called so is misspelled.
        match nearest(role, &keys) {
            Some(near) => section.fault(
                section.span_of(near),
                format!("{message}; `{near}` is no role that this task learns from"),
                Some(format!("did you mean `{role}`?")),
            ),
            None => section.fault(section.span(), message, Some(format!("for example {role} = \"{role}\""))),
        }
    }
    Some(fields)
}

/// A table of strings whose keys are the user's.
fn read_names(section: &Section<'_, '_>) -> Option<Vec<(String, String)>> {
    let names = section.keys().into_iter().map(|(key, _)| {
        let name = section.named_text(&key)?;
        Some((key, name))
    });
    names.collect::<Vec<_>>().into_iter().collect()
}

/// Also says whether the recipe names the shares of validation and test.
fn read_split(mut section: Section<'_, '_>) -> Option<(Split, [bool; 2])> {
    let default = Split::default();
    let mut share =
        |key| section.number(key, "a share of at least 0 and below 1", |share| (0.0..1.0).contains(&share));
    let (validation, test) = (share("validation"), share("test"));
    let stratify = section.choice("stratify", &[("label", true), ("none", false)]);
    let (group, time) = (section.text("group"), section.text("time"));
    let seed = section.whole("seed", 0);
    let split = Split {
        validation: validation.unwrap_or(default.validation),
        test: test.unwrap_or(default.test),
        stratify: stratify.unwrap_or(default.stratify),
        group,
        time,
        seed: seed.unwrap_or(default.seed),
    };
    if split.validation + split.test >= 1.0 {
        section.fault(section.span(), "`validation` and `test` leave nothing to train on", None);
    }
    if split.group.is_some() && split.time.is_some() {
        section.fault(section.span(), "`group` and `time` exclude each other", None);
    }
    section.finish();
    Some((split, [validation.is_some_and(|share| share > 0.0), test.is_some_and(|share| share > 0.0)]))
}

fn read_clean(mut section: Section<'_, '_>) -> Option<Clean> {
    let fields = section.texts("fields");
    let modes = section.texts("modes");
    let plugin = plugins::read(&mut section);
    section.finish();
    Some(Clean { plugin: plugin?, fields, modes })
}

fn read_annotations(mut section: Section<'_, '_>) -> Annotations {
    let dawid_skene = section.choice("aggregate", &[("majority", false), ("dawid-skene", true)]);
    let scale = section.texts("scale");
    let labels = section.table("labels").and_then(|labels| read_names(&labels));
    let ties_first = section.choice("ties", &[("drop", false), ("first", true)]);
    section.finish();
    Annotations {
        dawid_skene: dawid_skene.unwrap_or(false),
        scale,
        labels: labels.unwrap_or_default(),
        ties_first: ties_first.unwrap_or(false),
    }
}

fn read_duplicates(mut section: Section<'_, '_>) -> Duplicates {
    let near = section.number("near", "a Jaccard index from 0.1 to 1", |near| (0.1..=1.0).contains(&near));
    let exact_only = section.truth("exact-only").unwrap_or(false);
    if exact_only && near.is_some() {
        section.fault(section.span_of("near"), "`near` and `exact-only` exclude each other", None);
    }
    let shingle = section.table("shingle").map(read_shingle);
    let fields = section.texts("fields");
    let keep =
        section.choice("keep", &[("first", Keep::First), ("last", Keep::Last), ("longest", Keep::Longest)]);
    section.finish();
    Duplicates {
        near: if exact_only { None } else { Some(near.unwrap_or(0.8)) },
        shingle: shingle.unwrap_or(Shingle::Characters(5)),
        fields,
        keep: keep.unwrap_or(Keep::First),
    }
}

fn read_shingle(mut section: Section<'_, '_>) -> Shingle {
    let (characters, words) = (section.whole("characters", 1), section.whole("words", 1));
    if characters.is_some() == words.is_some() {
        let help = "for example { characters = 5 } or { words = 3 }".to_owned();
        section.fault(section.span(), "`shingle` is either `characters` or `words`", Some(help));
    }
    section.finish();
    words.map_or(Shingle::Characters(characters.unwrap_or(5)), Shingle::Words)
}

const ACTIONS: [(&str, Action); 2] = [("report", Action::Report), ("drop", Action::Drop)];

fn read_action(mut section: Section<'_, '_>) -> Action {
    let action = section.choice("action", &ACTIONS);
    section.finish();
    action.unwrap_or(Action::Report)
}

fn read_leakage(mut section: Section<'_, '_>) -> Leakage {
    let benchmarks = section.texts("benchmarks");
    let ngram = section.whole("ngram", 1);
    let share = section.number("share", "above 0 and at most 1", |share| share > 0.0 && share <= 1.0);
    let action = section.choice("action", &ACTIONS);
    section.finish();
    Leakage {
        benchmarks,
        ngram: ngram.unwrap_or(8),
        share: share.unwrap_or(0.5),
        action: action.unwrap_or(Action::Report),
    }
}

#[derive(Clone, Copy, PartialEq)]
enum MethodName {
    None,
    Weights,
    OverSample,
    UnderSample,
}

fn read_balance(mut section: Section<'_, '_>) -> Balance {
    let report = section.texts("report");
    let method = section.choice(
        "method",
        &[
            ("none", MethodName::None),
            ("weights", MethodName::Weights),
            ("over-sample", MethodName::OverSample),
            ("under-sample", MethodName::UnderSample),
        ],
    );
    let beta = section.number("beta", "at least 0 and below 1", |beta| (0.0..1.0).contains(&beta));
    let weighting = section.choice(
        "weighting",
        &[
            ("inverse", Weighting::Inverse),
            ("inverse-sqrt", Weighting::InverseSqrt),
            ("effective-number", Weighting::EffectiveNumber { beta: beta.unwrap_or(0.999) }),
        ],
    );
    let count = section.whole("count", 1);
    let temperature =
        section.number("temperature", "from 0 to 1", |temperature| (0.0..=1.0).contains(&temperature));
    if count.is_some() && temperature.is_some() {
        section.fault(section.span_of("temperature"), "`count` and `temperature` exclude each other", None);
    }
    let target = match (count, temperature) {
        (Some(count), _) => Target::Count(count),
        (None, Some(temperature)) => Target::Temperature(temperature),
        (None, None) => Target::Even,
    };
    section.finish();
    let method = match method.unwrap_or(MethodName::None) {
        MethodName::None => None,
        MethodName::Weights => Some(Method::Weights(weighting.unwrap_or(Weighting::Inverse))),
        MethodName::OverSample => Some(Method::OverSample(target)),
        MethodName::UnderSample => Some(Method::UnderSample(target)),
    };
    Balance { report, method }
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

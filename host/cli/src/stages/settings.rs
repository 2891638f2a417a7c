//! What a recipe says, in the words of the crates that do it.

use std::path::Path;

use pegbox_data::{
    Aggregate, AnnotationSettings, BalanceSettings, Balancing, DuplicateSettings, Format, KeepRow, Layout,
    LeakageSettings, OnError, Reading, Schema, Shingle, SplitSettings, SuspectAction, Target, TargetSettings,
    Task, Ties, TokenSettings, Weighting,
};
use pegbox_models::{Head, Pooling, Problem, SentencePooling};
use pegbox_recipe::{self as recipe, Data, OnFailure, Recipe};
use pegbox_records::sources;

use crate::report::Report;

/// What the model gives, with so many labels.
pub fn head(recipe: &Recipe, labels: usize) -> Head {
    use recipe::Pooling as Wanted;
    let wanted = recipe.model.pooling;
    let pooling = match wanted {
        Wanted::Cls => Pooling::Cls,
        Wanted::Mean | Wanted::Max => Pooling::Mean,
        Wanted::MeanLayer => Pooling::MeanLayer,
    };
    let sequence = |outputs, problem| Head::Sequence { outputs, pooling, problem };
    match recipe.model.task {
        recipe::Task::Classification => sequence(labels, Problem::SingleLabel),
        recipe::Task::MultiLabel => sequence(labels, Problem::MultiLabel),
        recipe::Task::Regression => sequence(1, Problem::Regression),
        recipe::Task::Tagging => Head::Tokens { classes: labels },
        recipe::Task::Embeddings => Head::Embedding {
            pooling: match wanted {
                Wanted::Cls => SentencePooling::Cls,
                Wanted::Mean | Wanted::MeanLayer => SentencePooling::Mean,
                Wanted::Max => SentencePooling::Max,
            },
            normalise: true,
        },
        recipe::Task::MaskedLm => Head::MaskedLm,
        recipe::Task::Generation => Head::CausalLm,
        recipe::Task::Seq2Seq => Head::Seq2Seq,
    }
}

/// Whether the model gets one more layer, which begins as the mean.
pub fn pools_by_a_layer(recipe: &Recipe) -> bool {
    matches!(head(recipe, 0), Head::Sequence { pooling: Pooling::MeanLayer, .. })
}

/// As the recipe writes it.
pub fn task_name(recipe: &Recipe) -> &'static str {
    match recipe.model.task {
        recipe::Task::Embeddings => "embeddings",
        _ => task(recipe).name(),
    }
}

/// How texts become token ids.
pub fn tokens(recipe: &Recipe) -> TokenSettings {
    let max_length = recipe.model.max_length as usize;
    let target = TargetSettings {
        max_length: recipe.model.max_target_length.map_or(max_length, |length| length as usize),
        over_long: over_long(recipe.data.over_long_target),
    };
    TokenSettings {
        max_length,
        over_long: over_long(recipe.data.over_long),
        target: (task(recipe) == Task::Seq2Seq).then_some(target),
        // It comes with the base model.
        chat: None,
    }
}

fn over_long(policy: recipe::OverLong) -> pegbox_data::OverLong {
    use pegbox_data::Side;
    match policy {
        recipe::OverLong::Truncate => pegbox_data::OverLong::Truncate(Side::Right),
        recipe::OverLong::TruncateLeft => pegbox_data::OverLong::Truncate(Side::Left),
        recipe::OverLong::Drop => pegbox_data::OverLong::Drop,
        recipe::OverLong::Split { stride } => pegbox_data::OverLong::Split { stride: stride as usize },
        recipe::OverLong::Fail => pegbox_data::OverLong::Fail,
    }
}

/// What is prepared: embeddings learn from texts with labels, as classification does.
pub fn task(recipe: &Recipe) -> Task {
    match recipe.model.task {
        recipe::Task::Classification | recipe::Task::Embeddings => Task::Classification,
        recipe::Task::MultiLabel => Task::MultiLabel,
        recipe::Task::Regression => Task::Regression,
        recipe::Task::MaskedLm => Task::MaskedLm,
        recipe::Task::Tagging => Task::Tagging,
        recipe::Task::Generation => Task::Generation,
        recipe::Task::Seq2Seq => Task::Seq2Seq,
    }
}

/// How files are read.
pub fn reading(data: &Data) -> Reading {
    Reading {
        format: data.format.map(|format| match format {
            recipe::Format::Jsonl => Format::Jsonl,
            recipe::Format::Json => Format::Json,
            recipe::Format::Csv => Format::Csv,
            recipe::Format::Tsv => Format::Tsv,
            recipe::Format::Parquet => Format::Parquet,
            recipe::Format::Conll => Format::Conll,
            recipe::Format::Text => Format::Text,
        }),
        layout: data.layout.map(|layout| match layout {
            recipe::Layout::Fields => Layout::Fields,
            recipe::Layout::Alpaca => Layout::Alpaca,
            recipe::Layout::ShareGpt => Layout::ShareGpt,
            recipe::Layout::Messages => Layout::Messages,
            recipe::Layout::PromptCompletion => Layout::PromptCompletion,
            recipe::Layout::Preference => Layout::Preference,
        }),
        on_error: if data.quarantine { OnError::Quarantine } else { OnError::Fail },
        limit: None,
    }
}

/// How several annotators' labels become one.
pub fn annotations(data: &Data) -> Option<AnnotationSettings> {
    let wanted = data.annotations.as_ref()?;
    Some(AnnotationSettings {
        aggregate: if wanted.dawid_skene { Aggregate::DawidSkene } else { Aggregate::Majority },
        scale: wanted.scale.clone(),
        labels: wanted.labels.clone(),
        ties: if wanted.ties_first { Ties::First } else { Ties::Drop },
        seed: data.split.seed,
    })
}

/// What counts as a duplicate.
pub fn duplicates(data: &Data, task: Task, schema: &Schema) -> Option<DuplicateSettings> {
    let wanted = data.duplicates.as_ref()?;
    let texts = || task.texts(schema).iter().map(|role| (*role).to_owned()).collect();
    // What is out of range is refused where it is used, with its name.
    let size = |size: u64| u32::try_from(size).unwrap_or(u32::MAX);
    Some(DuplicateSettings {
        near: wanted.near,
        shingle: match wanted.shingle {
            recipe::Shingle::Characters(characters) => Shingle::Characters(size(characters)),
            recipe::Shingle::Words(words) => Shingle::Words(size(words)),
        },
        fields: if wanted.fields.is_empty() { texts() } else { wanted.fields.clone() },
        keep: match wanted.keep {
            recipe::Keep::First => KeepRow::First,
            recipe::Keep::Last => KeepRow::Last,
            recipe::Keep::Longest => KeepRow::Longest,
        },
        seed: data.split.seed,
    })
}

/// What becomes of labels that are likely wrong.
pub fn suspects(action: recipe::Action) -> SuspectAction {
    match action {
        recipe::Action::Report => SuspectAction::Report,
        recipe::Action::Drop => SuspectAction::Drop,
    }
}

/// How the records are divided.
pub fn split(data: &Data) -> SplitSettings {
    let recipe::Split { validation, test, stratify, group, time, seed } = data.split.clone();
    SplitSettings { validation, test, stratify, group, time, seed }
}

/// What training rows may not say.
pub fn leakage(data: &Data, folder: &Path) -> Result<Option<LeakageSettings>, Box<Report>> {
    let Some(wanted) = &data.leakage else { return Ok(None) };
    Ok(Some(LeakageSettings {
        benchmarks: sources::expand(folder, &wanted.benchmarks)?,
        ngram: usize::try_from(wanted.ngram).unwrap_or(usize::MAX),
        share: wanted.share,
        drop: wanted.action == recipe::Action::Drop,
    }))
}

/// What is done about uneven classes.
pub fn balance(data: &Data) -> BalanceSettings {
    let target = |target| match target {
        recipe::Target::Even => Target::Even,
        recipe::Target::Count(count) => Target::Count(count),
        recipe::Target::Temperature(temperature) => Target::Temperature(temperature),
    };
    let weighting = |weighting| match weighting {
        recipe::Weighting::Inverse => Weighting::Inverse,
        recipe::Weighting::InverseSqrt => Weighting::InverseSqrt,
        recipe::Weighting::EffectiveNumber { beta } => Weighting::EffectiveNumber { beta },
    };
    BalanceSettings {
        report: data.balance.report.clone(),
        method: data.balance.method.map(|method| match method {
            recipe::Method::Weights(wanted) => Balancing::Weights(weighting(wanted)),
            recipe::Method::OverSample(wanted) => Balancing::OverSample(target(wanted)),
            recipe::Method::UnderSample(wanted) => Balancing::UnderSample(target(wanted)),
        }),
        seed: data.split.seed,
    }
}

/// What a failed call means for the preparation.
pub fn on_failure(policy: OnFailure) -> pegbox_data::OnFailure {
    match policy {
        OnFailure::Fail => pegbox_data::OnFailure::Fail,
        OnFailure::Skip => pegbox_data::OnFailure::Skip,
        OnFailure::Disable => pegbox_data::OnFailure::Disable,
    }
}

//! Every task learns: a tiny BERT, its loss and its metric, through the whole loop.

use pegbox_data::{BatchSettings, BatchSize, Example, IGNORED, RowTarget, TokenSplit};
use pegbox_models::{Head, Model, Pooling, Problem};
use pegbox_train::{Masking, RunFolder, Start, TrainJob, TrainSettings, builtin_loss, builtin_metric, train};
use serde_json::json;

use crate::{Material, Watch, config, settings};

/// Rows of tokens from 10 to 29; `target` makes what is to be learned of them.
fn rows(count: usize, target: impl Fn(&[u32], &mut dyn FnMut(RowTarget<'_>))) -> TokenSplit {
    let mut split = TokenSplit::default();
    for row in 0..count {
        let ids: Vec<u32> = (0..4 + row % 4).map(|at| 10 + ((row * 7 + at * at * 5) % 20) as u32).collect();
        let type_ids = vec![0; ids.len()];
        target(&ids, &mut |target| {
            let example = Example { ids: &ids, type_ids: &type_ids, target, record: row as u64, weight: 1.0 };
            assert!(split.push(example));
        });
    }
    split
}

/// The scores of the best validation, and the first and the last validation's loss.
fn learn(
    head: Head,
    classes: &[&str],
    split: &TokenSplit,
    loss: &str,
    metric: &str,
    masking: Option<Masking>,
) -> (f64, f64, f64) {
    let material = Material::new();
    let job = material.job(settings());
    let job = TrainJob {
        model: Model::random(config(), head, 1, &job.device),
        train: split,
        validation: split,
        batching: BatchSettings::new(BatchSize::Rows(8)),
        masking,
        classes: classes.iter().map(|class| (*class).to_owned()).collect(),
        loss: builtin_loss(loss, &json!({})).unwrap(),
        metrics: vec![builtin_metric(metric, &json!({})).unwrap()],
        settings: TrainSettings { epochs: 24, ..settings() },
        ..job
    };
    let folder = tempfile::tempdir().unwrap();
    let run = RunFolder::create(folder.path(), "2026-01-01-a").unwrap();
    let mut watch = Watch::default();
    let summary = train(job, &run, Start::Fresh, &mut watch).unwrap();
    let losses: Vec<f64> = watch
        .events
        .iter()
        .filter_map(|event| match event {
            pegbox_train::Event::Validation { loss, .. } => *loss,
            _ => None,
        })
        .collect();
    (summary.best.unwrap().score.value, losses[0], *losses.last().unwrap())
}

#[test]
fn tags_of_tokens() {
    // The first token of a row has no label; the tag of another says whether its id is even.
    let split = rows(60, |ids, push| {
        let labels: Vec<i32> =
            ids.iter().enumerate().map(|(at, id)| if at == 0 { IGNORED } else { (*id % 2) as i32 }).collect();
        push(RowTarget::Tokens(&labels));
    });
    let head = Head::Tokens { classes: 2 };
    let (accuracy, first, last) = learn(head, &["B-a", "O"], &split, "cross-entropy", "accuracy", None);
    assert!(accuracy > 0.95 && last < first / 2.0, "accuracy {accuracy}, loss {first} to {last}");
}

#[test]
fn several_labels() {
    let split = rows(60, |ids, push| {
        let holds = |id: u32| f32::from(u8::from(ids.contains(&id)));
        push(RowTarget::Values(&[holds(10), holds(15), 0.0]));
    });
    let head = Head::Sequence { outputs: 3, pooling: Pooling::Mean, problem: Problem::MultiLabel };
    let (f1, first, last) =
        learn(head, &["ten", "fifteen", "never"], &split, "binary-cross-entropy", "multi-label", None);
    assert!(f1 > 0.9 && last < first / 2.0, "micro F1 {f1}, loss {first} to {last}");
}

#[test]
fn numbers() {
    let split = rows(60, |ids, push| push(RowTarget::Values(&[ids[0] as f32 / 10.0 - 2.0])));
    let head = Head::Sequence { outputs: 1, pooling: Pooling::Cls, problem: Problem::Regression };
    let (error, first, last) = learn(head, &[], &split, "mean-squared-error", "regression", None);
    assert!(error < 0.3 && last < first / 2.0, "RMSE {error}, loss {first} to {last}");
}

#[test]
fn hidden_tokens() {
    // Every token of a row is the same: what is hidden can be told from the others.
    let mut split = TokenSplit::default();
    for row in 0..80_u32 {
        let (ids, type_ids) = (vec![10 + row % 5; 12], vec![0; 12]);
        let target = RowTarget::Nothing;
        split.push(Example { ids: &ids, type_ids: &type_ids, target, record: row.into(), weight: 1.0 });
    }
    let masking = Masking { mask: 4, vocabulary: 40, special: vec![0, 1, 2, 3, 4] };
    let (perplexity, first, last) =
        learn(Head::MaskedLm, &[], &split, "cross-entropy", "perplexity", Some(masking));
    assert!(perplexity < 4.0 && last < first / 2.0, "perplexity {perplexity}, loss {first} to {last}");
}

#[test]
fn a_dataset_of_another_task_is_refused() {
    let material = Material::new();
    let job = material.job(settings());
    let model = Model::random(config(), Head::Tokens { classes: 3 }, 1, &job.device);
    let folder = tempfile::tempdir().unwrap();
    let run = RunFolder::create(folder.path(), "2026-01-01-a").unwrap();
    let error = train(TrainJob { model, ..job }, &run, Start::Fresh, &mut Watch::default()).unwrap_err();
    assert!(error.to_string().contains("another task"), "{error}");
}

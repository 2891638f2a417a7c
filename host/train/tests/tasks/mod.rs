//! Every task learns: a tiny BERT, its loss and its metric, through the whole loop.

use std::collections::BTreeMap;

use pegbox_data::{BatchSettings, BatchSize, Example, IGNORED, RowTarget, TokenSplit};
use pegbox_models::{Head, Model, ModelConfig, Pooling, Problem};
use pegbox_train::{
    Event, Masking, RunFolder, Start, TrainJob, TrainSettings, Writing, builtin_loss, builtin_metric, train,
};
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
        model: Model::random(config(), head, 1, &job.device).unwrap(),
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
    let model = Model::random(config(), Head::Tokens { classes: 3 }, 1, &job.device).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let run = RunFolder::create(folder.path(), "2026-01-01-a").unwrap();
    let error = train(TrainJob { model, ..job }, &run, Start::Fresh, &mut Watch::default()).unwrap_err();
    assert!(error.to_string().contains("another task"), "{error}");
}

/// What a text of two tokens becomes: three tokens and the end.
fn answer(prompt: &[u32]) -> Vec<i32> {
    let (a, b) = (prompt[0] as i32 - 10, prompt[1] as i32 - 10);
    vec![20 + a, 20 + b, 20 + (a + b) % 4, END as i32]
}

const END: u32 = 3;

/// Trains a model that writes on all sixteen prompts, each three times; gives the scores of the last validation and the
/// loss of the first.
fn writes(config: serde_json::Value, head: Head, pairs: bool, beams: u8) -> (BTreeMap<String, f64>, f64) {
    let mut split = TokenSplit::default();
    for row in 0..48_u32 {
        // Some prompts are longer, so that batches are padded.
        let prompt: Vec<u32> =
            [10 + row % 4, 10 + row / 4 % 4].into_iter().chain((0..row % 3).map(|_| 5)).collect();
        let answer = answer(&prompt);
        let whole: Vec<u32> = prompt.iter().copied().chain(answer.iter().map(|id| *id as u32)).collect();
        let labels: Vec<i32> = prompt.iter().map(|_| IGNORED).chain(answer.iter().copied()).collect();
        let (ids, target) = match pairs {
            true => (&prompt, RowTarget::Text(&answer)),
            false => (&whole, RowTarget::Completion(&labels)),
        };
        let type_ids = vec![0; ids.len()];
        assert!(split.push(Example { ids, type_ids: &type_ids, target, record: row.into(), weight: 1.0 }));
    }
    let material = Material::new();
    let job = material.job(settings());
    let config = ModelConfig::from_json(config.as_object().unwrap().clone()).unwrap();
    let job = TrainJob {
        model: Model::random(config, head, 1, &job.device).unwrap(),
        train: &split,
        validation: &split,
        writing: Some(Writing { max_tokens: 8, end: vec![END], unknown: Some(1) }),
        classes: Vec::new(),
        metrics: [
            ("perplexity", json!({})),
            ("exact-match", json!({ "beams": beams })),
            ("accuracy", json!({})),
        ]
        .map(|(name, config)| builtin_metric(name, &config).unwrap())
        .into(),
        settings: TrainSettings { epochs: 50, learning_rate: 1e-2, ..settings() },
        ..job
    };
    let folder = tempfile::tempdir().unwrap();
    let run = RunFolder::create(folder.path(), "2026-01-01-a").unwrap();
    let mut watch = Watch::default();
    train(job, &run, Start::Fresh, &mut watch).unwrap();
    let mut validations = watch.events.iter().filter_map(|event| match event {
        Event::Validation { scores, loss, .. } => Some((scores, loss.unwrap())),
        _ => None,
    });
    let first = validations.clone().next().unwrap().1;
    let (scores, last) = validations.next_back().unwrap();
    let mut scores: BTreeMap<String, f64> =
        scores.iter().map(|score| (score.name.clone(), score.value)).collect();
    // Every label counts once, in the loss as in the perplexity.
    assert!((last.exp() / scores["perplexity"] - 1.0).abs() < 1e-4, "{last}, {scores:?}");
    scores.insert("loss".into(), last);
    (scores, first)
}

#[test]
fn texts_that_are_written() {
    let gpt2 = json!({
        "model_type": "gpt2", "vocab_size": 40, "n_embd": 24, "n_layer": 2, "n_head": 2, "n_positions": 16,
        "initializer_range": 0.1, "embd_pdrop": 0.0, "attn_pdrop": 0.0, "resid_pdrop": 0.0,
    });
    let qwen3 = json!({
        "model_type": "qwen3", "vocab_size": 40, "hidden_size": 24, "intermediate_size": 48, "num_hidden_layers": 2,
        "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 8, "max_position_embeddings": 16,
        "initializer_range": 0.1,
    });
    let t5 = json!({
        "model_type": "t5", "vocab_size": 40, "d_model": 24, "d_kv": 8, "d_ff": 48, "num_layers": 1, "num_heads": 3,
        "dropout_rate": 0.0,
    });
    for (config, head, pairs, beams) in [
        (gpt2, Head::CausalLm, false, 1),
        (qwen3, Head::CausalLm, false, 1),
        (t5.clone(), Head::Seq2Seq, true, 1),
        (t5, Head::Seq2Seq, true, 3),
    ] {
        let name = config["model_type"].clone();
        let (scores, first) = writes(config, head, pairs, beams);
        assert!(scores["loss"] < first / 10.0, "{name}: loss {first} to {scores:?}");
        let written = [scores["exact-match"], scores["token-error-rate"], scores["accuracy"]];
        if beams > 1 {
            // A beam's scores are means over lengths: a wrong text can have the better one.
            assert!(written[0] > 0.95 && written[1] < 0.05 && written[2] == 1.0, "{name}: {scores:?}");
        } else {
            assert_eq!(written, [1.0, 0.0, 1.0], "{name}: {scores:?}");
        }
    }
}

//! What training promises, on a tiny BERT: exact repetition and resumption, checkpoints that survive damage,
//! freezing, early stopping, errors that lose nothing.

mod tasks;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use pegbox_data::{BatchSettings, BatchSize, Example, RowTarget, TokenSplit};
use pegbox_models::adapter::{self, AdapterSettings};
use pegbox_models::{Head, Model, ModelConfig, Parameters, Pooling, Problem, device};
use pegbox_runtime::{AnyTensor, Loss, PluginError, StepView};
use pegbox_train::{
    Decay, Event, Feed, Flow, Freeze, RunFolder, RunIdentity, Schedule, Start, TrainError, TrainJob,
    TrainObserver, TrainSettings, TrainSummary, Warmup, builtin_identity, builtin_loss, builtin_metric,
    evaluate, load_best, load_last, train,
};
use serde_json::json;

const CLASSES: usize = 3;
const HEAD: Head = Head::Sequence { outputs: CLASSES, pooling: Pooling::Cls, problem: Problem::SingleLabel };

/// Rows whose class is told by their second token.
fn rows(count: usize, offset: usize) -> TokenSplit {
    let mut split = TokenSplit::default();
    for row in offset..offset + count {
        let class = row * 7 % CLASSES;
        let mut ids = vec![1, 10 + class as u32];
        ids.extend((0..row % 5).map(|token| 20 + (row * 13 + token * 5) as u32 % 20));
        let type_ids = vec![0; ids.len()];
        split.push(Example {
            ids: &ids,
            type_ids: &type_ids,
            target: RowTarget::Class(class as u32),
            record: row as u64,
            weight: 1.0,
        });
    }
    split
}

fn settings() -> TrainSettings {
    TrainSettings {
        seed: 3,
        epochs: 4,
        learning_rate: 3e-3,
        head_learning_rate: 1.0,
        schedule: Schedule { kind: Decay::Cosine, warmup: Warmup::Share(0.1) },
        weight_decay: 0.01,
        beta1: 0.9,
        beta2: 0.999,
        epsilon: 1e-8,
        scale_parameter: false,
        clip_norm: Some(1.0),
        accumulation: 1,
        freeze: Freeze::default(),
        layer_decay: 1.0,
        unfreeze_each_epoch: None,
        validate_every: None,
        checkpoint_every: Some(3),
        keep: 3,
        select_by: None,
        patience: None,
    }
}

fn config() -> ModelConfig {
    let config = json!({
        "vocab_size": 40, "hidden_size": 24, "num_hidden_layers": 2, "num_attention_heads": 2,
        "intermediate_size": 48, "max_position_embeddings": 16, "type_vocab_size": 2,
        "initializer_range": 0.1,
    });
    ModelConfig::from_json(config.as_object().unwrap().clone()).unwrap()
}

struct Material {
    train: TokenSplit,
    validation: TokenSplit,
}

impl Material {
    fn new() -> Self {
        Self { train: rows(60, 0), validation: rows(30, 1000) }
    }

    fn job(&self, settings: TrainSettings) -> TrainJob<'_> {
        let device = device::parse("cpu").unwrap();
        TrainJob {
            model: Model::random(config(), HEAD, 1, &device).unwrap(),
            device,
            train: &self.train,
            validation: &self.validation,
            batching: BatchSettings::new(BatchSize::Rows(8)),
            masking: None,
            writing: None,
            classes: ["a", "b", "c"].map(String::from).to_vec(),
            loss: builtin_loss("cross-entropy", &json!({})).unwrap(),
            loss_identity: builtin_identity("cross-entropy"),
            lenient: Vec::new(),
            metrics: vec![builtin_metric("accuracy", &json!({})).unwrap()],
            settings,
            identity: RunIdentity {
                recipe: String::new(),
                dataset_key: "sha256:0".into(),
                fixed: BTreeMap::from([("loss".into(), "cross-entropy".into())]),
            },
        }
    }
}

/// Notes the events, and stops after some step.
#[derive(Default)]
struct Watch {
    stop_at: Option<u64>,
    events: Vec<Event>,
}

impl TrainObserver for Watch {
    fn event(&mut self, event: &Event) -> Flow {
        self.events.push(event.clone());
        match event {
            Event::Step { step, .. } if Some(*step) == self.stop_at => Flow::Stop,
            _ => Flow::Continue,
        }
    }
}

impl Watch {
    fn losses(&self) -> Vec<(u64, u64)> {
        let loss = |event: &Event| match event {
            Event::Step { step, loss, .. } => Some((*step, loss.to_bits())),
            _ => None,
        };
        self.events.iter().filter_map(loss).collect()
    }
}

fn in_new_run(folder: &Path, settings: TrainSettings) -> (RunFolder, TrainSummary, Watch) {
    let material = Material::new();
    let run = RunFolder::create(folder, "run").unwrap();
    let mut watch = Watch::default();
    let summary = train(material.job(settings), &run, Start::Fresh, &mut watch).unwrap();
    (run, summary, watch)
}

fn weights(run: &RunFolder) -> Vec<u8> {
    fs::read(load_last(run).unwrap().weights).unwrap()
}

#[test]
fn it_learns_and_the_best_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let (run, summary, watch) = in_new_run(folder.path(), TrainSettings { epochs: 12, ..settings() });
    assert_eq!(summary.steps, 96);
    let best = summary.best.unwrap();
    assert!(best.score.value > 0.9, "{best:?}");
    let found = load_best(&run).unwrap();
    assert_eq!(found.step, best.step);
    assert!(watch.events.iter().any(|event| matches!(event, Event::Finished { steps: 96, .. })));

    // The best checkpoint's weights give the score that made it the best.
    let material = Material::new();
    let mut job = material.job(settings());
    let mut weights = pegbox_models::Weights::read(&found.weights).unwrap();
    for (name, mut parameter) in job.model.parameters() {
        let (_, values) = weights.take(&[name]).unwrap();
        parameter.set(values, &job.device);
    }
    let TrainJob { model, device, validation, batching, classes, mut metrics, .. } = job;
    let feed = Feed { split: validation, batching: &batching, masking: None, writing: None };
    let measured = evaluate(&model, &device, feed, &classes, &mut metrics, None).unwrap();
    assert_eq!(measured.report.scores[0].value, best.score.value);
}

#[test]
fn the_same_job_gives_the_same_weights() {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let [a, b] = folders.each_ref().map(|folder| weights(&in_new_run(folder.path(), settings()).0));
    assert!(a == b);
}

#[test]
fn a_stopped_training_resumes_to_the_same_weights() {
    let whole = tempfile::tempdir().unwrap();
    let (run, _, watch) = in_new_run(whole.path(), TrainSettings { accumulation: 3, ..settings() });
    let expected = weights(&run);

    let folder = tempfile::tempdir().unwrap();
    let run = RunFolder::create(folder.path(), "run").unwrap();
    let (material, mut start, mut losses) = (Material::new(), Start::Fresh, Vec::new());
    // 8 batches an epoch in windows of 3, 3 and 2: 12 steps; stopped in the first, at an epoch's end, in the last.
    for stop_at in [Some(2), Some(6), Some(11), None] {
        let mut part = Watch { stop_at, ..Watch::default() };
        let settings = TrainSettings { accumulation: 3, ..settings() };
        train(material.job(settings), &run, start, &mut part).unwrap();
        losses.extend(part.losses());
        start = Start::Resume;
    }
    assert_eq!(losses, watch.losses(), "rate, order of rows and dropout go on where they were");
    assert!(weights(&run) == expected);
}

/// A job that trains adapters and the classifier.
fn adapted(material: &Material, settings: TrainSettings) -> TrainJob<'_> {
    let mut job = material.job(settings);
    let adapter = AdapterSettings {
        rank: 3,
        alpha: 6.0,
        dropout: 0.1,
        targets: vec!["query".into(), "value".into(), "intermediate.dense".into()],
        rank_stabilised: false,
        magnitudes: true,
    };
    let saved = vec!["classifier".to_owned(), "bert.pooler.dense".to_owned()];
    adapter::attach(&mut job.model, &adapter, &saved, 3, &job.device).unwrap();
    job.settings.freeze.adapter = Some(saved);
    job
}

#[test]
fn adapters_learn_beside_a_frozen_base_and_resume_to_the_same_weights() {
    let (material, folder) = (Material::new(), tempfile::tempdir().unwrap());
    let settings = || TrainSettings { epochs: 12, learning_rate: 1e-2, accumulation: 3, ..settings() };
    let run = RunFolder::create(folder.path(), "whole").unwrap();
    let summary = train(adapted(&material, settings()), &run, Start::Fresh, &mut Watch::default()).unwrap();
    assert!(summary.best.unwrap().score.value > 0.9);
    // What is trained and nothing else, by PEFT's names.
    let path = load_last(&run).unwrap().weights;
    assert!(path.ends_with("adapter_model.safetensors"), "{}", path.display());
    let headers = pegbox_models::Weights::headers(&path).unwrap();
    // A, B and magnitudes of three matrices in two layers; weight and bias of classifier and pooler.
    assert_eq!(headers.len(), 2 * 3 * 3 + 4);
    assert!(headers.iter().all(|header| header.name.starts_with("base_model.model.")));

    let parts = RunFolder::create(folder.path(), "parts").unwrap();
    let mut start = Start::Fresh;
    for stop_at in [Some(2), Some(20), None] {
        let mut watch = Watch { stop_at, ..Watch::default() };
        train(adapted(&material, settings()), &parts, start, &mut watch).unwrap();
        start = Start::Resume;
    }
    assert!(weights(&parts) == weights(&run));
}

#[test]
fn layers_are_unfrozen_epoch_by_epoch_and_resume_so() {
    let settings =
        || TrainSettings { unfreeze_each_epoch: Some(1), keep: 99, layer_decay: 0.8, ..settings() };
    let (material, folder) = (Material::new(), tempfile::tempdir().unwrap());
    let run = RunFolder::create(folder.path(), "run").unwrap();
    // 8 steps an epoch, a checkpoint every third.
    let mut start = Start::Fresh;
    for stop_at in [Some(9), Some(21), None] {
        let mut watch = Watch { stop_at, ..Watch::default() };
        train(material.job(settings()), &run, start, &mut watch).unwrap();
        start = Start::Resume;
    }
    let whole = tempfile::tempdir().unwrap();
    assert!(weights(&run) == weights(&in_new_run(whole.path(), settings()).0));

    let begun = material.job(settings()).model;
    let changed = |step: u64, part: &str| {
        let path = run.checkpoints().join(format!("step-{step:06}/model.safetensors"));
        let mut weights = pegbox_models::Weights::read(&path).unwrap();
        let mut begun = begun.clone();
        begun
            .parameters()
            .into_iter()
            .filter(|(name, _)| name.contains(part))
            .any(|(name, parameter)| weights.take(&[name]).unwrap().1 != parameter.values())
    };
    let parts = ["classifier", ".layer.1.", ".layer.0.", "embeddings"];
    for (step, expected) in [
        (6, [true, false, false, false]),
        (15, [true, true, false, false]),
        (24, [true, true, true, false]),
        (32, [true; 4]),
    ] {
        assert_eq!(parts.map(|part| changed(step, part)), expected, "step {step}");
    }
}

#[test]
fn a_damaged_checkpoint_is_found_and_the_one_before_it_used() {
    let folder = tempfile::tempdir().unwrap();
    let (run, summary, _) = in_new_run(folder.path(), settings());
    let expected = weights(&run);
    for name in ["model.safetensors", "optimizer.safetensors", "state.json", "manifest.json"] {
        for damage in ["flip", "cut"] {
            let path = summary.last.join(name);
            let good = fs::read(&path).unwrap();
            let mut bad = good.clone();
            match damage {
                "flip" => bad[good.len() / 2] ^= 1,
                _ => bad.truncate(good.len() / 2),
            }
            fs::write(&path, &bad).unwrap();
            let before = load_last(&run).unwrap();
            assert!(before.step < summary.steps, "{name}, {damage}");
            fs::write(&path, &good).unwrap();
        }
    }
    fs::write(summary.last.join("state.json"), "{").unwrap();
    let mut watch = Watch::default();
    train(Material::new().job(settings()), &run, Start::Resume, &mut watch).unwrap();
    assert!(watch.events.iter().any(|event| matches!(event, Event::DamagedCheckpoint { .. })));
    assert!(weights(&run) == expected);
}

#[test]
fn what_is_frozen_stays() {
    let folder = tempfile::tempdir().unwrap();
    let freeze = Freeze {
        patterns: vec!["bert.embeddings.*".into(), "bert.encoder.layer.0.*".into()],
        ..Freeze::default()
    };
    let (run, _, watch) = in_new_run(folder.path(), TrainSettings { freeze, ..settings() });
    let mut before = Material::new().job(settings()).model;
    let mut after = pegbox_models::Weights::read(&load_last(&run).unwrap().weights).unwrap();
    for (name, parameter) in before.parameters() {
        let (_, values) = after.take(std::slice::from_ref(&name)).unwrap();
        let frozen = name.starts_with("bert.embeddings.") || name.starts_with("bert.encoder.layer.0.");
        assert_eq!(values == parameter.values(), frozen, "{name}");
    }
    let Some(Event::Started { parameters, trained, .. }) = watch.events.first() else { panic!() };
    assert!(trained < parameters);
}

#[test]
fn training_stops_when_nothing_improves() {
    let folder = tempfile::tempdir().unwrap();
    // A rate this small changes no prediction.
    let still = TrainSettings { learning_rate: 1e-12, patience: Some(2), epochs: 20, ..settings() };
    let (run, summary, watch) = in_new_run(folder.path(), still.clone());
    assert!(summary.stopped_early);
    assert_eq!(summary.steps, 24, "the first validation is the best, two more do not improve");
    assert!(watch.events.iter().any(|event| matches!(event, Event::EarlyStop { patience: 2, .. })));
    // Resuming does not begin again.
    let summary = train(Material::new().job(still), &run, Start::Resume, &mut Watch::default()).unwrap();
    assert_eq!((summary.steps, summary.stopped_early), (24, true));
}

#[test]
fn old_checkpoints_are_deleted_but_not_the_best() {
    let folder = tempfile::tempdir().unwrap();
    let kept = TrainSettings { keep: 1, checkpoint_every: Some(1), ..settings() };
    let (run, summary, _) = in_new_run(folder.path(), kept);
    let mut steps: Vec<u64> = fs::read_dir(run.path().join("checkpoints"))
        .unwrap()
        .map(|entry| {
            entry.unwrap().file_name().to_string_lossy().trim_start_matches("step-").parse().unwrap()
        })
        .collect();
    steps.sort_unstable();
    let mut expected = vec![summary.best.unwrap().step, summary.steps];
    expected.dedup();
    assert_eq!(steps, expected);
}

/// Not a number from some step on.
struct Poisoned(Box<dyn Loss>);

impl Loss for Poisoned {
    fn compute(&mut self, step: Arc<dyn StepView>) -> Result<AnyTensor, PluginError> {
        let loss = self.0.compute(step.clone())?;
        if step.number() < 5 || !step.training() {
            return Ok(loss);
        }
        let op = pegbox_runtime::TensorOp::MulScalar(f32::NAN);
        Ok(step.engine().apply(&op, &[&loss], loss.kind()).unwrap())
    }
}

#[test]
fn a_loss_that_is_not_a_number_stops_and_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let run = RunFolder::create(folder.path(), "run").unwrap();
    let material = Material::new();
    let mut job = material.job(settings());
    job.loss = Box::new(Poisoned(builtin_loss("cross-entropy", &json!({})).unwrap()));
    let error = train(job, &run, Start::Fresh, &mut Watch::default()).unwrap_err();
    assert_eq!(error.to_string(), "the loss is NaN at step 5");
    assert_eq!(error.record_ids().len(), 8);
    assert_eq!(error.checkpoint(), Some(load_last(&run).unwrap().path.as_path()));
    assert_eq!(load_last(&run).unwrap().step, 3);
}

#[track_caller]
fn refused(error: Result<TrainSummary, TrainError>, what: &str) {
    let error = error.unwrap_err();
    assert!(error.to_string().contains(what), "{error}");
    assert!(error.help().is_some());
}

#[test]
fn a_run_goes_on_only_with_its_own_training() {
    let folder = tempfile::tempdir().unwrap();
    let (run, ..) = in_new_run(folder.path(), settings());
    let material = Material::new();
    let resume = |job| train(job, &run, Start::Resume, &mut Watch::default());
    refused(
        resume(material.job(TrainSettings { learning_rate: 1e-3, ..settings() })),
        "learning-rate was 0.003 and is now 0.001",
    );
    let mut job = material.job(settings());
    job.identity.dataset_key = "sha256:1".into();
    refused(resume(job), "the prepared data has changed");
    assert!(resume(material.job(settings())).is_ok());
}

#[test]
fn settings_that_cannot_work_are_refused_before_training() {
    let material = Material::new();
    let try_settings = |settings| {
        let folder = tempfile::tempdir().unwrap();
        let run = RunFolder::create(folder.path(), "run").unwrap();
        let mut watch = Watch::default();
        let result = train(material.job(settings), &run, Start::Fresh, &mut watch);
        assert!(!watch.events.iter().any(|event| matches!(event, Event::Step { .. })));
        result
    };
    let select_by = Some("macro-f1".to_string());
    refused(try_settings(TrainSettings { select_by, ..settings() }), "which no metric gives");
    let freeze = Freeze { patterns: vec!["encoder.*".into()], ..Freeze::default() };
    refused(try_settings(TrainSettings { freeze, ..settings() }), "fits no parameter");
}

//! Every encoder and head against Transformers: logits, hidden states, loss, every gradient, padding, the file's
//! configuration.

use std::path::{Path, PathBuf};

use burn::tensor::activation::{log_sigmoid, log_softmax};
use burn::tensor::{Device, Int, Tensor, TensorData};
use pegbox_models::{
    Head, Logits, Mode, Model, ModelConfig, Output, Parameters, Problem, SentencePooling, Weights,
};

use crate::shared::{Case, Difference, Expected, FLOAT32, floats};

const CASES: [&str; 12] = [
    "bert-multi-label",
    "bert-regression",
    "bert-tokens",
    "bert-masked-lm",
    "bert-embedding",
    "roberta-single-label",
    "roberta-tokens",
    "roberta-masked-lm",
    "xlm-roberta-single-label",
    "distilbert-single-label",
    "distilbert-tokens",
    "distilbert-masked-lm",
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/parity/encoders")
}

/// The checkpoint as Transformers saved it; its configuration says which head it has.
fn load(name: &str, head: Option<Head>) -> Model {
    let path = folder().join(name);
    let config = ModelConfig::read(&path.join("config.json")).unwrap();
    let head = head.unwrap_or_else(|| config.trained_head().unwrap());
    let weights = Weights::read(&path.join("model.safetensors")).unwrap();
    let (model, report) = Model::load(config, head, weights, 1, &Device::flex()).unwrap();
    assert!(report.initialised.is_empty() && report.unexpected.is_empty(), "{name}: {report:?}");
    model
}

fn forward(model: &Model, case: &Case) -> Output {
    let mode = Mode { hidden_states: true, ..Mode::default() };
    model.forward(&case.batch().unwrap().into(), mode).unwrap()
}

fn assert_holds(name: &str, difference: Difference) {
    assert!(difference.holds(), "{name}: {difference:?}");
}

#[test]
fn logits_and_hidden_states_of_every_head() {
    for name in CASES {
        let (model, case) = (load(name, None), Case::read(&folder(), name).unwrap());
        let mut expected = Expected::read(&folder(), name).unwrap();
        let output = forward(&model, &case);
        let mut compare = |what: String, ours: Vec<f32>| {
            let theirs = expected.take(&what).unwrap();
            assert_holds(name, Difference::absolute(what, &ours, &theirs, FLOAT32.absolute));
        };
        compare("logits".into(), output.logits.into_values());
        assert_eq!(output.hidden_states.len(), 3);
        for (number, state) in output.hidden_states.into_iter().enumerate() {
            compare(format!("hidden_states.{number}"), floats(state));
        }
    }
}

#[test]
fn losses_and_gradients_of_every_head() {
    for name in CASES {
        let (model, case) = (load(name, None), Case::read(&folder(), name).unwrap());
        let mut expected = Expected::read(&folder(), name).unwrap();
        let mut graph = model.tracked(&|_| true);
        let loss = loss(model.head(), forward(&graph, &case).logits, &case.labels);
        let mut gradients = loss.backward();
        let ours = [loss.into_scalar::<f32>()];
        let theirs = expected.take("loss").unwrap();
        assert_holds(name, Difference::absolute("loss", &ours, &theirs, FLOAT32.absolute));
        for (parameter_name, parameter) in graph.parameters() {
            let ours = parameter.take_gradient(&mut gradients).map_or_else(Vec::new, |g| g.into_values());
            // A model without a head is saved without the prefix.
            let bare = parameter_name.strip_prefix("bert.").unwrap_or(&parameter_name);
            let theirs = expected
                .take(&format!("grad.{parameter_name}"))
                .or_else(|_| expected.take(&format!("grad.{bare}")))
                .unwrap();
            assert_holds(name, Difference::relative(&parameter_name, &ours, &theirs, FLOAT32));
        }
    }
}

/// As Transformers computes them from `labels`.
fn loss(head: Head, logits: Logits, labels: &[f32]) -> Tensor<1> {
    match (head, logits) {
        (Head::Sequence { problem: Problem::SingleLabel, .. }, Logits::Rows(logits)) => {
            crate::shared::cross_entropy(logits, labels)
        }
        (Head::Sequence { problem, .. }, Logits::Rows(logits)) => {
            let labels = Tensor::from_data(TensorData::new(labels.to_vec(), logits.dims()), &logits.device());
            if problem == Problem::Regression {
                return (logits - labels).powi_scalar(2).mean();
            }
            let (right, wrong) = (log_sigmoid(logits.clone()), log_sigmoid(logits.neg()));
            (right * labels.clone() + wrong * (labels * -1.0 + 1.0)).mean().neg()
        }
        (_, Logits::Tokens(logits)) => {
            let [rows, tokens, classes] = logits.dims();
            let kept: Vec<i64> = (0..labels.len() as i64).filter(|at| labels[*at as usize] >= 0.0).collect();
            let targets: Vec<i64> = kept.iter().map(|at| labels[*at as usize] as i64).collect();
            let device = logits.device();
            let count = kept.len();
            let kept = Tensor::<1, Int>::from_data(TensorData::new(kept, [count]), &device);
            let targets = Tensor::<2, Int>::from_data(TensorData::new(targets, [count, 1]), &device);
            let logits = logits.reshape([rows * tokens, classes]).select(0, kept);
            log_softmax(logits, 1).gather(1, targets).mean().neg()
        }
        (_, Logits::Rows(vectors)) => {
            let [_, width] = vectors.dims();
            let weights: Vec<f32> =
                (0..width).map(|at| -1.0 + 2.0 * at as f32 / (width - 1) as f32).collect();
            let weights = Tensor::<2>::from_data(TensorData::new(weights, [1, width]), &vectors.device());
            (vectors * weights).sum_dim(1).mean()
        }
    }
}

#[test]
fn padding_changes_nothing_for_any_head() {
    for name in CASES {
        let (model, case) = (load(name, None), Case::read(&folder(), name).unwrap());
        let together = forward(&model, &case).logits;
        let of_a_row = match &together {
            Logits::Rows(logits) => logits.dims()[1],
            Logits::Tokens(logits) => logits.dims()[1] * logits.dims()[2],
        };
        let together = together.into_values();
        for row in 0..case.ids.len() {
            let alone = forward(&model, &case.row(row)).logits.into_values();
            for (a, b) in alone.iter().zip(&together[row * of_a_row..]) {
                assert!((a - b).abs() < FLOAT32.absolute, "{name}, row {row}: {a} alone, {b} padded");
            }
        }
    }
}

#[test]
fn other_poolings_of_a_sentence() {
    let name = "bert-embedding";
    let case = Case::read(&folder(), name).unwrap();
    for (what, pooling) in [("max", SentencePooling::Max), ("cls", SentencePooling::Cls)] {
        let model = load(name, Some(Head::Embedding { pooling, normalise: false }));
        let ours = forward(&model, &case).logits.into_values();
        let theirs = Expected::read(&folder(), name).unwrap().take(what).unwrap();
        assert_holds(name, Difference::absolute(what, &ours, &theirs, FLOAT32.absolute));
    }
}

/// What is written for Transformers names the class that wrote the file.
#[test]
fn configurations_are_written_as_they_were_read() {
    for name in CASES {
        let config = ModelConfig::read(&folder().join(name).join("config.json")).unwrap();
        let head = config.trained_head().unwrap();
        let written = config.trained(head, &[]);
        assert_eq!(written["architectures"], config.source()["architectures"], "{name}");
        assert_eq!(
            written.get("problem_type"),
            match head {
                Head::Sequence { problem: Problem::SingleLabel, .. } => written.get("problem_type"),
                _ => config.source().get("problem_type"),
            }
        );
        assert_eq!(ModelConfig::from_json(written).unwrap().trained_head(), Ok(head), "{name}");
    }
}

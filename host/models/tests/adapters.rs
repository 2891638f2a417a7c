//! Adapters against PEFT, on fixtures that tests/parity/make_adapter_fixtures.py wrote: logits, loss, the gradient of
//! everything that is trained, and the model that an adapter is merged into.

mod shared;

use std::path::{Path, PathBuf};

use burn::tensor::{Device, Int, Tensor, TensorData, activation::log_softmax};
use pegbox_models::adapter::{self, ADAPTER_WEIGHTS};
use pegbox_models::output::{Logits, Mode};
use pegbox_models::{
    Adaptable, AdapterSettings, DropoutKey, Encoder, EncoderConfig, Gpt2, Gpt2Config, Llama, LlamaConfig,
    Parameter, Parameters, PeftConfig, Seq2SeqBatch, T5, T5Config, TokenBatch, Weights,
};
use serde_json::{Map, Value};
use shared::{Difference, Expected, FLOAT32, classes, fixtures, floats};

/// Each adapter, the model that it is on, and the file of weights where several models share one.
const CASES: [(&str, &str, &str); 9] = [
    ("bert-lora", "bert", ""),
    ("bert-dora", "bert", ""),
    ("distilbert-lora", "encoders/distilbert-single-label", ""),
    ("qwen2-lora", "decoders/qwen2", "qwen2"),
    ("llama2-dora", "decoders/llama2", "llama"),
    ("gpt2-lora", "decoders/gpt2", "gpt2"),
    ("gpt2-dora", "decoders/gpt2", "gpt2"),
    ("t5-lora", "t5/v1.1", ""),
    ("t5-dora", "t5/v1.0", ""),
];

#[derive(Clone)]
#[expect(clippy::large_enum_variant, reason = "there is one at a time")]
enum Model {
    Encoder(Encoder),
    Gpt2(Gpt2),
    Llama(Llama),
    T5(T5),
}

#[derive(serde::Deserialize)]
struct Case {
    #[serde(default)]
    config: Map<String, Value>,
    ids: Vec<Vec<u32>>,
    #[serde(default)]
    types: Vec<Vec<u32>>,
    labels: Value,
}

impl Model {
    fn load(base: &str, weights: &str) -> (Self, Case) {
        let folder = fixtures().join(base);
        let (case, weights) = match weights {
            "" => (folder.join("batch.json"), folder.join("model.safetensors")),
            shared => (
                fixtures().join(format!("{base}.json")),
                fixtures().join(format!("decoders/weights-{shared}.safetensors")),
            ),
        };
        let case: Case = serde_json::from_str(&std::fs::read_to_string(case).unwrap()).unwrap();
        let (weights, device) = (Weights::read(&weights).unwrap(), cpu());
        let config = folder.join("config.json");
        let model = match base.split(['/', '-']).next() {
            Some("t5") => Self::T5(T5::load(T5Config::read(&config).unwrap(), weights, &device).unwrap().0),
            Some("decoders") if base.ends_with("gpt2") => {
                let config = Gpt2Config::from_json(case.config.clone()).unwrap();
                Self::Gpt2(Gpt2::load(config, weights, &device).unwrap().0)
            }
            Some("decoders") => {
                let config = LlamaConfig::from_json(case.config.clone()).unwrap();
                Self::Llama(Llama::load(config, weights, &device).unwrap().0)
            }
            _ => {
                let head = classes(if base == "bert" { 5 } else { 3 });
                let config = EncoderConfig::read(&config).unwrap();
                Self::Encoder(Encoder::load(config, head, weights, 1, &device).unwrap().0)
            }
        };
        (model, case)
    }

    /// Logits `[places, classes]`, and those of the places that have a label.
    fn forward(&self, case: &Case, mode: Mode) -> (Tensor<2>, Vec<i64>, Vec<i64>) {
        let rows = || case.ids.iter().map(Vec::as_slice);
        let flat = |logits: Tensor<3>| {
            let [batch, tokens, width] = logits.dims();
            logits.reshape([batch * tokens, width])
        };
        match self {
            Self::Encoder(model) => {
                let mut batch = TokenBatch::new(rows(), 0).unwrap();
                if !case.types.is_empty() {
                    let types = TokenBatch::new(case.types.iter().map(Vec::as_slice), 0).unwrap();
                    batch = batch.with_types(types.ids);
                }
                let logits = model.forward(&batch, mode).unwrap().logits;
                let Logits::Rows(logits) = logits else { panic!("a row a text") };
                let labels: Vec<i64> = serde_json::from_value(case.labels.clone()).unwrap();
                (logits, (0..labels.len() as i64).collect(), labels)
            }
            Self::Gpt2(_) | Self::Llama(_) => {
                let batch = TokenBatch::new(rows(), 0).unwrap();
                let output = match self {
                    Self::Gpt2(model) => model.forward(&batch, mode),
                    Self::Llama(model) => model.forward(&batch, mode),
                    _ => unreachable!("matched above"),
                };
                let Logits::Tokens(logits) = output.unwrap().logits else { panic!("a row a token") };
                let labels: Vec<Vec<i64>> = serde_json::from_value(case.labels.clone()).unwrap();
                let (mut places, mut targets) = (Vec::new(), Vec::new());
                for (row, labels) in labels.iter().enumerate() {
                    for (at, label) in labels.iter().enumerate().skip(1).filter(|(_, label)| **label >= 0) {
                        places.push((row * batch.tokens + at - 1) as i64);
                        targets.push(*label);
                    }
                }
                (flat(logits), places, targets)
            }
            Self::T5(model) => {
                let inputs = TokenBatch::new(rows(), 0).unwrap();
                let labels: Vec<Vec<i32>> = serde_json::from_value(case.labels.clone()).unwrap();
                let batch = Seq2SeqBatch::new(inputs, labels.iter().map(Vec::as_slice)).unwrap();
                let logits = flat(model.forward(&batch, mode).unwrap().logits);
                let labels = batch.labels.iter().enumerate().filter(|(_, label)| **label >= 0);
                let (places, targets) = labels.map(|(at, label)| (at as i64, i64::from(*label))).unzip();
                (logits, places, targets)
            }
        }
    }

    fn logits(&self, case: &Case) -> Vec<f32> {
        floats(self.forward(case, Mode::default()).0)
    }
}

impl Parameters for Model {
    fn parameters(&mut self) -> Vec<(String, Parameter<'_>)> {
        match self {
            Self::Encoder(model) => model.parameters(),
            Self::Gpt2(model) => model.parameters(),
            Self::Llama(model) => model.parameters(),
            Self::T5(model) => model.parameters(),
        }
    }
}

impl Adaptable for Model {
    fn weights(&mut self) -> Vec<(String, &mut pegbox_models::kernels::Weight)> {
        match self {
            Self::Encoder(model) => model.weights(),
            Self::Gpt2(model) => model.weights(),
            Self::Llama(model) => model.weights(),
            Self::T5(model) => model.weights(),
        }
    }
}

fn cpu() -> Device {
    Device::flex()
}

fn folder(name: &str) -> PathBuf {
    Path::new("adapters").join(name)
}

fn with_adapter(name: &str, base: &str, weights: &str) -> (Model, PeftConfig, Case) {
    let (mut model, case) = Model::load(base, weights);
    let folder = fixtures().join(folder(name));
    let config = PeftConfig::read(&folder).unwrap();
    let mut tensors = Weights::read(&folder.join(ADAPTER_WEIGHTS)).unwrap();
    let adapted = adapter::load(&mut model, &config, &mut tensors, &cpu()).unwrap();
    assert!(adapted.len() > 1, "{name}: {adapted:?}");
    (model, config, case)
}

fn cross_entropy(logits: Tensor<2>, places: Vec<i64>, targets: Vec<i64>) -> Tensor<1> {
    let (count, device) = (places.len(), logits.device());
    let places = Tensor::<1, Int>::from_data(TensorData::new(places, [count]), &device);
    let targets = Tensor::<2, Int>::from_data(TensorData::new(targets, [count, 1]), &device);
    log_softmax(logits.select(0, places), 1).gather(1, targets).mean().neg()
}

/// T5's fixtures have logits in the hundreds.
fn scale(values: &[f32]) -> f32 {
    values.iter().fold(1.0f32, |largest, value| largest.max(value.abs()))
}

/// Where a label stands or padding does not: what the logits of padding are means nothing.
fn assert_near(what: &str, ours: &[f32], theirs: &[f32], width: usize, case: &Case) {
    assert_eq!(ours.len(), theirs.len(), "{what}");
    let limit = FLOAT32.absolute * scale(theirs);
    let tokens = case.ids.iter().map(Vec::len).max().unwrap_or(1);
    let by_token = ours.len() == case.ids.len() * tokens * width;
    for (at, (a, b)) in ours.iter().zip(theirs).enumerate() {
        let (row, token) = (at / width / tokens, at / width % tokens);
        let padding = by_token && token >= case.ids[row].len();
        assert!(padding || (a - b).abs() < limit, "{what}, {at}: {a} and {b}");
    }
}

#[test]
fn logits_losses_and_gradients_are_those_of_peft() {
    for (name, base, weights) in CASES {
        let (model, config, case) = with_adapter(name, base, weights);
        let mut expected = Expected::read(&fixtures(), folder(name).to_str().unwrap()).unwrap();
        let trained = |name: &str| {
            adapter::is_adapters(name)
                || config.modules_to_save.iter().any(|module| adapter::is_of(name, module))
        };
        let mut graph = model.tracked(&trained);
        let (logits, places, targets) = graph.forward(&case, Mode::default());
        let width = logits.dims()[1];
        assert_near(name, &floats(logits.clone()), &expected.take("logits").unwrap(), width, &case);
        let loss = cross_entropy(logits, places, targets);
        let mut gradients = loss.backward();
        let (ours, theirs) = ([loss.into_scalar::<f32>()], expected.take("loss").unwrap());
        let limit = FLOAT32.absolute * scale(&theirs);
        let difference = Difference::absolute(format!("{name}: loss"), &ours, &theirs, limit);
        assert!(difference.holds(), "{difference:?}");
        let mut compared = 0;
        for (parameter, value) in graph.parameters() {
            let gradient = value.take_gradient(&mut gradients);
            if !trained(&parameter) {
                assert!(gradient.is_none(), "{name}: a gradient of {parameter}");
                continue;
            }
            let ours = gradient.map_or_else(Vec::new, |gradient| gradient.into_values());
            let stored = match adapter::is_adapters(&parameter) {
                true => parameter.clone(),
                false => format!("{}{parameter}", adapter::PREFIX),
            };
            let theirs = expected.take(&format!("grad.{stored}")).unwrap();

            let difference = Difference::relative(&format!("{name}: {parameter}"), &ours, &theirs, FLOAT32);
            // The sum of what rounding leaves of a gradient of zero is no smaller for being split in two matrices.
            let vanishes = parameter.contains(".key.") || parameter.contains("k_proj");
            assert!(
                difference.holds() || (vanishes && scale(&theirs) <= 1.0 && difference.worst < 2e-2),
                "{difference:?}"
            );
            compared += 1;
        }
        assert!(compared > 3, "{name}");
    }
}

#[test]
fn a_merged_model_gives_the_same_logits() {
    for (name, base, weights) in CASES {
        let (mut model, _, case) = with_adapter(name, base, weights);
        let before = model.logits(&case);
        adapter::merge(&mut model, &cpu());
        assert!(!adapter::is_adapted(&mut model));
        let after = model.logits(&case);
        let limit = FLOAT32.absolute * scale(&before);
        let difference = Difference::absolute(name, &after, &before, limit);
        assert!(difference.holds(), "{difference:?}");
        // They are not those of the model without the adapter.
        let (plain, _) = Model::load(base, weights);
        assert!(!Difference::absolute(name, &plain.logits(&case), &before, 100.0 * limit).holds(), "{name}");
    }
}

fn settings(targets: &[&str], magnitudes: bool) -> AdapterSettings {
    AdapterSettings {
        rank: 2,
        alpha: 4.0,
        dropout: 0.3,
        targets: targets.iter().map(|target| (*target).to_owned()).collect(),
        rank_stabilised: false,
        magnitudes,
    }
}

#[test]
fn a_new_adapter_changes_nothing() {
    for (base, weights) in
        [("bert", ""), ("decoders/qwen2", "qwen2"), ("decoders/gpt2", "gpt2"), ("t5/v1.1", "")]
    {
        for magnitudes in [false, true] {
            let (mut model, case) = Model::load(base, weights);
            let before = model.logits(&case);
            adapter::attach(&mut model, &settings(&["all-linear"], magnitudes), &[], 1, &cpu()).unwrap();
            let difference =
                Difference::absolute(base, &model.logits(&case), &before, FLOAT32.absolute * scale(&before));
            assert!(difference.holds(), "{difference:?}");
        }
    }
}

/// A fused operation that forgot its mask in the backward pass would still train, a little worse.
#[test]
fn dropout_has_the_gradient_of_its_own_mask() {
    for magnitudes in [false, true] {
        let (mut model, case) = Model::load("bert", "");
        adapter::attach(&mut model, &settings(&["query", "value"], magnitudes), &[], 1, &cpu()).unwrap();
        for (name, mut parameter) in model.parameters() {
            if name.ends_with("lora_B.weight") {
                let count = parameter.shape().iter().product::<usize>();
                parameter.set((0..count).map(|i| (i as f32 * 0.7).sin() * 0.3).collect(), &cpu());
            }
        }
        let mode = Mode { dropout: Some(DropoutKey { seed: 2, step: 5 }), hidden_states: false };
        let loss = |model: &Model| {
            let (logits, places, targets) = model.forward(&case, mode);
            cross_entropy(logits, places, targets)
        };
        let mut graph = model.tracked(&adapter::is_adapters);
        let mut gradients = loss(&graph).backward();
        let wanted = "bert.encoder.layer.0.attention.self.query.lora_A.weight";
        let gradient = graph
            .parameters()
            .into_iter()
            .find(|(name, _)| name.ends_with(wanted))
            .and_then(|(_, parameter)| parameter.take_gradient(&mut gradients))
            .unwrap()
            .into_values();
        // Along the gradient, where rounding counts least.
        let length = shared::norm(&gradient);
        let moved = |step: f32| {
            let mut model = model.clone();
            for (name, mut parameter) in model.parameters() {
                if name.ends_with(wanted) {
                    let values = parameter.values();
                    let values = values.iter().zip(&gradient).map(|(value, g)| value + step * g / length);
                    parameter.set(values.collect(), &cpu());
                }
            }
            f64::from(loss(&model).into_scalar::<f32>())
        };
        let slope = (moved(0.01) - moved(-0.01)) / 0.02;
        assert!((slope - f64::from(length)).abs() < 0.03 * f64::from(length), "{slope} and {length}");
    }
}

#[test]
fn four_bits_under_an_adapter_train_as_the_rounded_matrix_does() {
    for (base, weights) in
        [("bert", ""), ("decoders/qwen2", "qwen2"), ("decoders/gpt2", "gpt2"), ("t5/v1.0", "")]
    {
        let (mut model, case) = Model::load(base, weights);
        let done = adapter::quantise(&mut model, true, &[], &cpu());
        assert!(done.matrices > 5 && done.bytes * 7 < done.bytes_before, "{done:?}");
        let mut rounded = model.clone();
        adapter::merge(&mut rounded, &cpu());
        assert!(rounded.weights().iter().all(|(_, weight)| !weight.is_quantised()));
        let results = [model, rounded].map(|mut model| {
            adapter::attach(&mut model, &settings(&["all-linear"], false), &[], 1, &cpu()).unwrap();
            let mut graph = model.tracked(&adapter::is_adapters);
            let (logits, places, targets) = graph.forward(&case, Mode::default());
            let mut gradients = cross_entropy(logits.clone(), places, targets).backward();
            let gradients: Vec<f32> = graph
                .parameters()
                .into_iter()
                .filter_map(|(_, parameter)| parameter.take_gradient(&mut gradients))
                .flat_map(|gradient| gradient.into_values())
                .collect();
            (floats(logits), gradients)
        });
        let [(logits, gradients), (same_logits, same_gradients)] = results;
        for (ours, theirs) in [(logits, same_logits), (gradients, same_gradients)] {
            let limit = 1e-4 * scale(&theirs);
            assert!(theirs.len() > 10 && Difference::absolute(base, &ours, &theirs, limit).holds(), "{base}");
        }
    }
}

//! The fixtures that tests/parity/make_bert_fixtures.py wrote, and how far a device's results are from them:
//! tests/parity.rs asserts it for the CPU, examples/parity.rs prints it for any device.

#![allow(dead_code, reason = "each of the two takes what it needs")]

use burn::tensor::{Device, Int, Tensor, TensorData, activation::log_softmax};
use pegbox_models::weights::Weights;
use pegbox_models::{
    DropoutKey, Encoder, EncoderConfig, Head, Logits, Mode, ModelError, Output, Parameters, Pooling, Problem,
    TokenBatch,
};
use std::path::{Path, PathBuf};

pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// How far results may be apart.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Of logits, hidden states and losses.
    pub absolute: f32,
    /// Of gradients.
    pub relative: f32,
    /// Of gradients whose true value is 0.
    pub zero: f32,
}

/// For a device that multiplies float32 matrices in float32.
pub const FLOAT32: Limits = Limits { absolute: 1e-4, relative: 1e-3, zero: 1e-6 };

/// For one that rounds their elements to 10 bits first, as tensor cores do with TF32. PyTorch with its matrix
/// products rounded so is 5e-3, 3e-2 and 1e-5 away from itself on these models; cutting bits off instead of
/// rounding doubles that.
pub const TENSOR_FLOAT32: Limits = Limits { absolute: 2e-2, relative: 1e-1, zero: 1e-4 };

/// A result beside the expected one.
#[derive(Debug)]
pub struct Difference {
    pub what: String,
    /// The largest over all elements; infinite if an element is not finite, or if there are too few or many.
    pub worst: f32,
    pub limit: f32,
}

impl Difference {
    pub fn holds(&self) -> bool {
        self.worst < self.limit
    }

    pub fn absolute(what: impl Into<String>, ours: &[f32], theirs: &[f32], limit: f32) -> Self {
        Self { what: what.into(), worst: worst(ours, theirs, |a, b| (a - b).abs()), limit }
    }

    /// Of gradients: relative to the expected element or, for small ones, to the typical element; and of the
    /// norms.
    pub fn relative(name: &str, ours: &[f32], theirs: &[f32], limits: Limits) -> Self {
        let what = format!("gradient of {name}");
        // A softmax does not change when every score of a query shifts by the same amount, which is all
        // that the bias of the keys does: its true gradient is 0, and both sides hold rounding noise.
        if name.ends_with("key.bias") || name.ends_with("k_lin.bias") {
            let largest = |values: &[f32]| worst(values, values, |value, _| value.abs());
            return Self { what, worst: largest(ours).max(largest(theirs)), limit: limits.zero };
        }
        let typical = norm(theirs) / (theirs.len() as f32).sqrt();
        let element = worst(ours, theirs, |a, b| (a - b).abs() / b.abs().max(typical));
        let difference: Vec<f32> = ours.iter().zip(theirs).map(|(a, b)| a - b).collect();
        Self { what, worst: element.max(norm(&difference) / norm(theirs)), limit: limits.relative }
    }
}

fn worst(ours: &[f32], theirs: &[f32], distance: impl Fn(f32, f32) -> f32) -> f32 {
    if ours.len() != theirs.len() {
        return f32::INFINITY;
    }
    // `max` skips NaN.
    ours.iter()
        .zip(theirs)
        .map(|(a, b)| distance(*a, *b))
        .map(|distance| if distance.is_finite() { distance } else { f32::INFINITY })
        .fold(0.0, f32::max)
}

#[derive(serde::Deserialize)]
pub struct Case {
    pub ids: Vec<Vec<u32>>,
    /// Of a pair's texts, which one each token belongs to; empty for single texts.
    #[serde(default)]
    pub types: Vec<Vec<u32>>,
    /// What pads rows.
    #[serde(default)]
    pub padding: u32,
    #[serde(default)]
    pub labels: Vec<f32>,
    #[serde(default)]
    pub cosine: f32,
}

impl Case {
    /// `model` is the name of a folder in `fixtures`.
    pub fn read(fixtures: &Path, model: &str) -> Result<Self> {
        let path = fixtures.join(model).join("batch.json");
        let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(serde_json::from_str(&text)?)
    }

    /// One of the rows alone.
    pub fn row(&self, row: usize) -> Self {
        Self {
            ids: vec![self.ids[row].clone()],
            types: self.types.get(row).cloned().into_iter().collect(),
            labels: self.labels.get(row).copied().into_iter().collect(),
            padding: self.padding,
            cosine: 0.0,
        }
    }

    pub fn batch(&self) -> std::result::Result<TokenBatch, ModelError> {
        let padded = |rows: &[Vec<u32>], with| TokenBatch::new(rows.iter().map(Vec::as_slice), with);
        let batch = padded(&self.ids, self.padding)?;
        Ok(match self.types.as_slice() {
            [] => batch,
            types => batch.with_types(padded(types, 0)?.ids),
        })
    }
}

/// The tensors that Transformers computed.
pub struct Expected(Weights);

impl Expected {
    pub fn read(fixtures: &Path, model: &str) -> Result<Self> {
        Ok(Self(Weights::read(&fixtures.join(model).join("expected.safetensors"))?))
    }

    /// Taken out: each tensor can be had once.
    pub fn take(&mut self, name: &str) -> Result<Vec<f32>> {
        match self.0.take(&[name.into()]) {
            Some((_, values)) => Ok(values),
            None => Err(format!("the fixture has no tensor {name}").into()),
        }
    }
}

/// A head for `outputs` classes of which one is right.
pub fn classes(outputs: usize) -> Head {
    Head::Sequence { outputs, pooling: Pooling::Cls, problem: Problem::SingleLabel }
}

/// In a checkout.
pub fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/parity")
}

/// The small BERT with random weights whose every value Transformers wrote down.
pub fn random_bert(fixtures: &Path, device: &Device) -> Result<Encoder> {
    let folder = fixtures.join("bert");
    let config = EncoderConfig::read(&folder.join("config.json"))?;
    let weights = Weights::read(&folder.join("model.safetensors"))?;
    let (model, report) = Encoder::load(config, classes(5), weights, 1, device)?;
    if report.initialised.is_empty() && report.unexpected.is_empty() {
        return Ok(model);
    }
    Err(format!("the fixture's weights do not fit: {report:?}").into())
}

pub fn tracked(model: &Encoder) -> Encoder {
    model.tracked(&|_| true)
}

pub fn run(model: &Encoder, case: &Case) -> Result<Output> {
    Ok(model.forward(&case.batch()?, Mode { dropout: None, hidden_states: true })?)
}

/// Logits and hidden states against Transformers', without and with autodiff.
pub fn forward(fixtures: &Path, device: &Device, limits: Limits) -> Result<Vec<Difference>> {
    let (model, case) = (random_bert(fixtures, device)?, Case::read(fixtures, "bert")?);
    let mut list = Vec::new();
    for (kind, graph) in [("", model.clone()), (" with autodiff", tracked(&model))] {
        let mut expected = Expected::read(fixtures, "bert")?;
        let output = run(&graph, &case)?;
        let mut compare = |name: &str, ours: Vec<f32>| -> Result<()> {
            let what = format!("{name}{kind}");
            list.push(Difference::absolute(what, &ours, &expected.take(name)?, limits.absolute));
            Ok(())
        };
        compare("logits", output.logits.into_values())?;
        // Padding positions are compared too: Transformers computes them like any other.
        for (number, state) in output.hidden_states.into_iter().enumerate() {
            compare(&format!("hidden_states.{number}"), floats(state))?;
        }
    }
    Ok(list)
}

/// The loss of a cross-entropy step and the gradient of every parameter against Transformers'.
pub fn gradients(fixtures: &Path, device: &Device, limits: Limits) -> Result<Vec<Difference>> {
    let (model, case) = (random_bert(fixtures, device)?, Case::read(fixtures, "bert")?);
    let mut expected = Expected::read(fixtures, "bert")?;
    let mut graph = tracked(&model);
    let loss = cross_entropy(rows(run(&graph, &case)?), &case.labels);
    let mut gradients = loss.backward();
    let ours = [loss.into_scalar::<f32>()];
    let mut list = vec![Difference::absolute("loss", &ours, &expected.take("loss")?, limits.absolute)];
    for (name, parameter) in graph.parameters() {
        let ours = parameter.take_gradient(&mut gradients).map_or_else(Vec::new, |g| g.into_values());
        list.push(Difference::relative(&name, &ours, &expected.take(&format!("grad.{name}"))?, limits));
    }
    Ok(list)
}

/// What a training step gives: logits, loss, gradients by name.
type Step = (Vec<f32>, f32, Vec<(String, Vec<f32>)>);

/// A larger model with dropout on `device` against the same on the CPU: logits, loss, gradients.
pub fn against_cpu(device: &Device, limits: Limits) -> Result<Vec<Difference>> {
    let config = serde_json::json!({
        "vocab_size": 3001, "hidden_size": 384, "num_hidden_layers": 3, "num_attention_heads": 12,
        "intermediate_size": 1536, "max_position_embeddings": 128, "type_vocab_size": 2
    });
    let config = config.as_object().cloned().unwrap_or_default();
    // Rows of 37 to 72 tokens: padding, and sizes that no tile divides.
    let ids = (1u32..9).map(|row| (0..32 + 5 * row).map(|t| (row * 131 + t * t * 17) % 3001).collect());
    let (ids, labels) = (ids.collect(), (0..8u8).map(|row| f32::from(row * 5 % 77)).collect());
    let case = Case { ids, types: vec![], padding: 0, labels, cosine: 0.0 };

    let step = |device: &Device| -> Result<Step> {
        let model = Encoder::random(EncoderConfig::from_json(config.clone())?, classes(77), 1, device)?;
        let mut graph = tracked(&model);
        let dropout = Some(DropoutKey { seed: 5, step: 3 });
        let logits = rows(graph.forward(&case.batch()?, Mode { dropout, hidden_states: false })?);
        let loss = cross_entropy(logits.clone(), &case.labels);
        let mut gradients = loss.backward();
        let parameters = graph.parameters();
        let gradients = parameters.into_iter().map(|(name, parameter)| {
            let gradient = parameter.take_gradient(&mut gradients);
            (name, gradient.map_or_else(Vec::new, |g| g.into_values()))
        });
        Ok((floats(logits), loss.into_scalar::<f32>(), gradients.collect()))
    };
    let (ours, theirs) = (step(device)?, step(&pegbox_models::device::parse("cpu")?)?);
    let mut list = vec![
        Difference::absolute("logits, CPU", &ours.0, &theirs.0, limits.absolute),
        Difference::absolute("loss, CPU", &[ours.1], &[theirs.1], limits.absolute),
    ];
    for ((name, ours), (_, theirs)) in ours.2.iter().zip(&theirs.2) {
        let mut difference = Difference::relative(name, ours, theirs, limits);
        difference.what += ", CPU";
        list.push(difference);
    }
    Ok(list)
}

/// The logits of a sequence head.
pub fn rows(output: Output) -> Tensor<2> {
    match output.logits {
        Logits::Rows(logits) => logits,
        Logits::Tokens(_) => unreachable!("a sequence head gives one row a text"),
    }
}

pub fn cross_entropy(logits: Tensor<2>, labels: &[f32]) -> Tensor<1> {
    let labels: Vec<i64> = labels.iter().map(|label| *label as i64).collect();
    let data = TensorData::new(labels.clone(), [labels.len(), 1]);
    let labels = Tensor::<2, Int>::from_data(data, &logits.device());
    log_softmax(logits, 1).gather(1, labels).mean().neg()
}

pub fn floats<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}

pub fn norm(values: &[f32]) -> f32 {
    values.iter().map(|value| f64::from(*value).powi(2)).sum::<f64>().sqrt() as f32
}

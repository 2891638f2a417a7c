//! T5 against Hugging Face Transformers, on fixtures that tests/parity/make_t5_fixtures.py wrote, and what training
//! and generation rely on.

mod shared;

use burn::tensor::{Int, Tensor, TensorData, activation::log_softmax};
use pegbox_generation::{Decoder, GenerationSettings, Logits, generate};
use pegbox_models::output::Mode;
use pegbox_models::t5::{Buckets, IGNORED};
use pegbox_models::weights::{NamedTensor, Weights, write_safetensors};
use pegbox_models::{
    DropoutKey, ModelError, Parameters, Seq2SeqBatch, T5, T5Config, T5Decoder, TokenBatch, device,
};
use serde::Deserialize;
use shared::{Difference, Expected, FLOAT32, fixtures, floats, norm};
use std::ops::ControlFlow;

const VERSIONS: [&str; 2] = ["t5/v1.0", "t5/v1.1"];
const WITH_STATES: Mode = Mode { dropout: None, hidden_states: true };

#[derive(Deserialize)]
struct Case {
    ids: Vec<Vec<u32>>,
    labels: Vec<Vec<i32>>,
    greedy: Vec<Vec<u32>>,
    beams: Vec<Beams>,
}

/// A beam search, and what came of it.
#[derive(Deserialize)]
struct Beams {
    num_beams: usize,
    max_new_tokens: usize,
    length_penalty: f64,
    tokens: Vec<Vec<u32>>,
    scores: Vec<f32>,
}

impl Case {
    fn read(version: &str) -> Self {
        let path = fixtures().join(version).join("batch.json");
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
    }

    fn batch(&self) -> Seq2SeqBatch {
        batch(&self.ids, &self.labels)
    }
}

fn batch(ids: &[Vec<u32>], labels: &[Vec<i32>]) -> Seq2SeqBatch {
    let inputs = TokenBatch::new(ids.iter().map(Vec::as_slice), 0).unwrap();
    Seq2SeqBatch::new(inputs, labels.iter().map(Vec::as_slice)).unwrap()
}

fn config(version: &str) -> T5Config {
    T5Config::read(&fixtures().join(version).join("config.json")).unwrap()
}

fn model(version: &str) -> T5 {
    let weights = Weights::read(&fixtures().join(version).join("model.safetensors")).unwrap();
    let (model, report) = T5::load(config(version), weights, &device::parse("cpu").unwrap()).unwrap();
    assert!(report.initialised.is_empty() && report.unexpected.is_empty(), "{report:?}");
    assert_eq!(model.is_tied(), version.ends_with("0"));
    model
}

/// The mean over the labels that are not ignored.
fn cross_entropy(logits: Tensor<3>, labels: &[i32]) -> Tensor<1> {
    let (vocabulary, places) = (logits.dims()[2], labels.len());
    let device = logits.device();
    let ids: Vec<i64> = labels.iter().map(|label| i64::from((*label).max(0))).collect();
    let ids = Tensor::<2, Int>::from_data(TensorData::new(ids, [places, 1]), &device);
    let learned = labels.iter().filter(|label| **label != IGNORED).count() as f32;
    let weights: Vec<f32> =
        labels.iter().map(|label| if *label == IGNORED { 0.0 } else { 1.0 / learned }).collect();
    let weights = Tensor::<2>::from_data(TensorData::new(weights, [places, 1]), &device);
    (log_softmax(logits.reshape([places, vocabulary]), 1).gather(1, ids) * weights).sum().neg()
}

fn assert_holds(difference: &Difference) {
    assert!(difference.holds(), "{difference:?}");
}

#[test]
fn logits_and_hidden_states() {
    for version in VERSIONS {
        let (model, case) = (model(version), Case::read(version));
        for (kind, graph) in [("", model.clone()), (" with autodiff", model.tracked(&|_| true))] {
            let mut expected = Expected::read(&fixtures(), version).unwrap();
            let output = graph.forward(&case.batch(), WITH_STATES).unwrap();
            let mut compare = |name: String, ours: Vec<f32>| {
                let theirs = expected.take(&name).unwrap();
                // Weights of deviation 0.5 make values in the hundreds: float32 has seven digits.
                let scale = theirs.iter().fold(1.0f32, |largest, value| largest.max(value.abs()));
                let what = format!("{version}: {name}{kind}");
                assert_holds(&Difference::absolute(what, &ours, &theirs, FLOAT32.absolute * scale));
            };
            compare("logits".into(), floats(output.logits));
            assert_eq!(output.encoder_hidden_states.len(), model.config.num_layers + 1);
            assert_eq!(output.decoder_hidden_states.len(), model.config.num_decoder_layers + 1);
            for (stack, states) in
                [("encoder", output.encoder_hidden_states), ("decoder", output.decoder_hidden_states)]
            {
                for (number, state) in states.into_iter().enumerate() {
                    compare(format!("{stack}_hidden_states.{number}"), floats(state));
                }
            }
        }
    }
}

#[test]
fn gradients_of_a_cross_entropy_step() {
    for version in VERSIONS {
        let (model, case) = (model(version), Case::read(version));
        let mut expected = Expected::read(&fixtures(), version).unwrap();
        let batch = case.batch();
        let mut graph = model.tracked(&|_| true);
        let loss = cross_entropy(graph.forward(&batch, Mode::default()).unwrap().logits, &batch.labels);
        let mut gradients = loss.backward();
        let ours = [loss.into_scalar::<f32>()];
        let theirs = expected.take("loss").unwrap();
        assert_holds(&Difference::absolute("loss", &ours, &theirs, FLOAT32.absolute * theirs[0].max(1.0)));
        let parameters = graph.parameters();
        assert!(parameters.len() > 30);
        for (name, parameter) in parameters {
            let ours = parameter.take_gradient(&mut gradients).map_or_else(Vec::new, |g| g.into_values());
            let theirs = expected.take(&format!("grad.{name}")).unwrap();
            let what = format!("{version}: {name}");
            assert_holds(&Difference::relative(&what, &ours, &theirs, FLOAT32));
            let difference: Vec<f32> = ours.iter().zip(&theirs).map(|(a, b)| a - b).collect();
            let relative = norm(&difference) / norm(&theirs);
            assert!(relative < FLOAT32.relative, "{what}: {relative} of the gradient's norm");
        }
    }
}

#[test]
fn padding_changes_nothing() {
    for version in VERSIONS {
        let (model, case) = (model(version), Case::read(version));
        let together = model.forward(&case.batch(), Mode::default()).unwrap().logits;
        let [_, targets, vocabulary] = together.dims();
        let together = floats(together);
        for (row, (ids, labels)) in case.ids.iter().zip(&case.labels).enumerate() {
            let alone = batch(std::slice::from_ref(ids), std::slice::from_ref(labels));
            let alone = floats(model.forward(&alone, Mode::default()).unwrap().logits);
            assert_eq!(alone.len(), labels.len() * vocabulary);
            for (a, b) in alone.iter().zip(&together[row * targets * vocabulary..]) {
                assert!(
                    (a - b).abs() < 2e-4 * b.abs().max(1.0),
                    "{version}, row {row}: {a} alone, {b} padded"
                );
            }
        }
    }
}

#[test]
fn relative_positions_have_the_buckets_of_transformers() {
    #[derive(Deserialize)]
    struct Expected {
        first: i64,
        bidirectional: Vec<usize>,
        unidirectional: Vec<usize>,
    }
    let text = std::fs::read_to_string(fixtures().join("t5/buckets.json")).unwrap();
    let expected: Expected = serde_json::from_str(&text).unwrap();
    for (bidirectional, buckets) in [(true, expected.bidirectional), (false, expected.unidirectional)] {
        let ours = Buckets { bidirectional, buckets: 32, max_distance: 128 };
        assert!(buckets.len() > 500);
        for (relative, bucket) in (expected.first..).zip(buckets) {
            assert_eq!(ours.of(relative), bucket, "{relative}, bidirectional: {bidirectional}");
        }
    }
}

fn best(logits: &Logits) -> Vec<u32> {
    (0..logits.rows)
        .map(|row| {
            let scores = logits.row(row).unwrap().iter().enumerate();
            scores.max_by(|(_, a), (_, b)| a.total_cmp(b)).unwrap().0 as u32
        })
        .collect()
}

#[test]
fn greedy_generation_is_the_same() {
    for version in VERSIONS {
        let (model, case) = (model(version), Case::read(version));
        let mut decoder = T5Decoder::new(&model);
        let mut next = best(&decoder.prefill(&case.ids).unwrap());
        let mut written = vec![Vec::new(); case.ids.len()];
        for _ in 0..case.greedy[0].len() {
            for (row, token) in written.iter_mut().zip(&next) {
                row.push(*token);
            }
            next = best(&decoder.step(&next).unwrap());
        }
        assert_eq!(written[0].len(), 200);
        assert_eq!(written, case.greedy, "{version}");
    }
}

#[test]
fn beam_search_is_the_same() {
    for version in VERSIONS {
        let (model, case) = (model(version), Case::read(version));
        for beams in case.beams {
            let settings = GenerationSettings {
                num_beams: beams.num_beams,
                max_new_tokens: Some(beams.max_new_tokens),
                length_penalty: beams.length_penalty,
                eos_token_id: vec![1],
                ..GenerationSettings::default()
            };
            let mut decoder = T5Decoder::new(&model);
            let answers =
                generate(&mut decoder, &case.ids, &settings, None, |_| ControlFlow::Continue(())).unwrap();
            let tokens: Vec<Vec<u32>> = answers.iter().map(|answer| answer.tokens.clone()).collect();
            assert_eq!(tokens, beams.tokens, "{version}, {} beams", beams.num_beams);
            for (answer, score) in answers.iter().zip(&beams.scores) {
                let ours = answer.score.unwrap();
                assert!((ours - score).abs() < 1e-3, "{version}: {ours}, Transformers has {score}");
            }
        }
    }
}

#[test]
fn rows_change_places() {
    let (model, case) = (model(VERSIONS[0]), Case::read(VERSIONS[0]));
    let alone = |row: usize, tokens: &[u32]| {
        let mut decoder = T5Decoder::new(&model);
        let mut logits = decoder.prefill(&case.ids[row..=row]).unwrap();
        for token in tokens {
            logits = decoder.step(&[*token]).unwrap();
        }
        logits.values
    };
    let mut decoder = T5Decoder::new(&model);
    decoder.prefill(&case.ids).unwrap();
    decoder.step(&[5, 6, 7]).unwrap();
    // Beams of rows 2 and 0; then one of each, the other way round.
    decoder.reorder(&[2, 2, 0]).unwrap();
    decoder.step(&[8, 9, 10]).unwrap();
    decoder.reorder(&[0, 2, 1]).unwrap();
    decoder.reorder(&[1, 2]).unwrap();
    let logits = decoder.step(&[11, 12]).unwrap();
    for (row, theirs) in [alone(0, &[5, 10, 11]), alone(2, &[7, 9, 12])].iter().enumerate() {
        for (a, b) in logits.row(row).unwrap().iter().zip(theirs) {
            assert!((a - b).abs() < 2e-4 * b.abs().max(1.0), "row {row}: {a} together, {b} alone");
        }
    }
}

#[test]
fn a_decoder_refuses_what_it_cannot_go_on_with() {
    let model = model(VERSIONS[0]);
    let mut decoder = T5Decoder::new(&model);
    assert!(matches!(decoder.step(&[1]), Err(ModelError::DecoderRows { .. })), "nothing was read");
    assert!(matches!(decoder.prefill(&[vec![]]), Err(ModelError::EmptyBatch)));
    assert!(matches!(decoder.prefill(&[vec![48]]), Err(ModelError::TokenId { id: 48, .. })));
    decoder.prefill(&[vec![3], vec![4, 5]]).unwrap();
    assert!(matches!(decoder.step(&[1]), Err(ModelError::DecoderRows { .. })));
    assert!(matches!(decoder.step(&[1, 48]), Err(ModelError::TokenId { row: 1, .. })));
    assert!(matches!(decoder.reorder(&[0, 2]), Err(ModelError::DecoderRows { .. })));
    assert!(matches!(decoder.reorder(&[]), Err(ModelError::DecoderRows { .. })));
    assert!(decoder.step(&[1, 2]).is_ok(), "a refusal changes nothing");
}

#[test]
fn tied_and_untied_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let cpu = device::parse("cpu").unwrap();
    let mut model = model(VERSIONS[0]);
    let mut tensors: Vec<NamedTensor> = model
        .parameters()
        .into_iter()
        .map(|(name, parameter)| NamedTensor { name, shape: parameter.shape(), values: parameter.values() })
        .collect();
    let shared = tensors.iter().find(|tensor| tensor.name == "shared.weight").unwrap().clone();
    let load = |tensors: &[NamedTensor]| {
        write_safetensors(&path, tensors).unwrap();
        T5::load(config(VERSIONS[0]), Weights::read(&path).unwrap(), &cpu)
    };

    // As pytorch_model.bin has it: copies, and a matrix that nothing uses.
    for name in ["lm_head.weight", "encoder.embed_tokens.weight", "decoder.embed_tokens.weight"] {
        tensors.push(NamedTensor { name: name.into(), ..shared.clone() });
    }
    let unused = "decoder.block.0.layer.1.EncDecAttention.relative_attention_bias.weight";
    tensors.push(NamedTensor { name: unused.into(), shape: vec![1], values: vec![0.0] });
    let (same, report) = load(&tensors).unwrap();
    assert!(same.is_tied() && report.unexpected.is_empty(), "{report:?}");

    let head = tensors.iter_mut().find(|tensor| tensor.name == "lm_head.weight").unwrap();
    head.values[7] += 1.0;
    assert!(!load(&tensors).unwrap().0.is_tied());

    tensors.retain(|tensor| tensor.name != "shared.weight");
    tensors.push(NamedTensor { name: "new.weight".into(), shape: vec![1], values: vec![0.0] });
    let (_, report) = load(&tensors).unwrap();
    assert_eq!(report.unexpected, ["new.weight"], "the embedding has its other names");

    tensors.retain(|tensor| !tensor.name.ends_with("final_layer_norm.weight"));
    let error = load(&tensors).unwrap_err().to_string();
    assert!(error.contains("missing: encoder.final_layer_norm.weight, decoder.final"), "{error}");
}

#[test]
fn new_models_learn_and_repeat() {
    let step = |seed: u64, trainable: &dyn Fn(&str) -> bool| {
        let model = T5::random(config(VERSIONS[1]), seed, &device::parse("cpu").unwrap());
        assert!(!model.is_tied());
        let batch = Case::read(VERSIONS[1]).batch();
        let mut graph = model.tracked(trainable);
        let mode = Mode { dropout: Some(DropoutKey { seed, step: 3 }), hidden_states: false };
        let loss = cross_entropy(graph.forward(&batch, mode).unwrap().logits, &batch.labels);
        let mut gradients = loss.backward();
        let list: Vec<(String, Option<Vec<f32>>)> = graph
            .parameters()
            .into_iter()
            .map(|(name, p)| (name, p.take_gradient(&mut gradients).map(|g| g.into_values())))
            .collect();
        (loss.into_scalar::<f32>(), list)
    };
    let all = step(1, &|_| true);
    assert_eq!(all, step(1, &|_| true), "the same seed gives the same bits");
    assert_ne!(all.0, step(2, &|_| true).0);
    assert!(all.0.is_finite() && all.0 < 20.0, "a new model's loss is {}", all.0);
    // Frozen parameters have no gradient, and change no other.
    let decoder = |name: &str| name.starts_with("decoder.block");
    for ((name, full), (_, partial)) in all.1.iter().zip(&step(1, &decoder).1) {
        match decoder(name) {
            true => assert!(full.is_some() && full == partial, "{name}"),
            false => assert!(partial.is_none(), "{name} is frozen"),
        }
    }
}

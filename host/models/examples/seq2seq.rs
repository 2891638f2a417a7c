//! Trains a T5 with new weights on pairs of short texts, and measures what it writes.
//!
//! usage: seq2seq FOLDER TRAIN.jsonl TEST.jsonl [EPOCHS] [ROWS] [RATE]. FOLDER has the model's config.json and a
//! word-level tokenizer.json; the lines have `source`, read letter by letter, and `target`, tokens with a space between
//! them. Prints one JSON line an epoch, then one with the share of test texts that are not as they should be, by greedy
//! choice.

use burn::tensor::{Int, Tensor, TensorData, activation::log_softmax};
use pegbox_generation::{Decoder, Logits};
use pegbox_models::kernels::adamw::AdamW;
use pegbox_models::kernels::{Buffer, mix64, sum_of_squares, update};
use pegbox_models::output::Mode;
use pegbox_models::t5::IGNORED;
use pegbox_models::{DropoutKey, Parameters, Seq2SeqBatch, T5, T5Config, T5Decoder, TokenBatch, device};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;
type Pair = (Vec<u32>, Vec<i32>);

const SEED: u64 = 1;
/// Tokens that an answer may have.
const LONGEST: usize = 48;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("seq2seq: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    device::keep_freed_memory();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, train, test, rest @ ..] = arguments.as_slice() else {
        return Err("usage: seq2seq FOLDER TRAIN.jsonl TEST.jsonl [EPOCHS] [ROWS] [RATE]".into());
    };
    let number = |at: usize, default: f64| rest.get(at).map_or(Ok(default), |argument| argument.parse());
    let (epochs, rows, rate) = (number(0, 15.0)? as usize, number(1, 64.0)? as usize, number(2, 1e-3)?);
    let folder = Path::new(folder);
    let config = T5Config::read(&folder.join("config.json"))?;
    let vocabulary = vocabulary(&folder.join("tokenizer.json"))?;
    let (train, test) = (pairs(train, &vocabulary, &config)?, pairs(test, &vocabulary, &config)?);

    let mut model = T5::random(config, SEED, &device::parse("cpu")?);
    let steps = epochs * train.len().div_ceil(rows);
    let mut trainer = Trainer::new(&mut model, steps, rate);
    for epoch in 0..epochs {
        let started = Instant::now();
        let loss = trainer.epoch(&mut model, &train, rows, epoch as u64)?;
        println!("{}", json!({ "epoch": epoch, "loss": loss, "seconds": started.elapsed().as_secs_f64() }));
    }
    let started = Instant::now();
    let wrong = wrong(&model, &test)?;
    let seconds = started.elapsed().as_secs_f64();
    println!(
        "{}",
        json!({ "test": test.len(), "wrong": wrong as f64 / test.len() as f64, "seconds": seconds })
    );
    Ok(())
}

fn vocabulary(path: &Path) -> Result<HashMap<String, u32>> {
    let file: Value = serde_json::from_str(&std::fs::read_to_string(path)?)?;
    Ok(serde_json::from_value(file["model"]["vocab"].clone())?)
}

/// Both with the token that ends a text.
fn pairs(path: &str, vocabulary: &HashMap<String, u32>, config: &T5Config) -> Result<Vec<Pair>> {
    let unknown = vocabulary.get("<unk>").copied().ok_or("the tokenizer has no <unk>")?;
    let id = |token: &str| vocabulary.get(token).copied().unwrap_or(unknown);
    let text = std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
    text.lines()
        .map(|line| {
            let row: Value = serde_json::from_str(line)?;
            let field = |name: &str| row[name].as_str().ok_or(format!("{path}: no `{name}` in {line}"));
            let mut source: Vec<u32> =
                field("source")?.chars().map(|letter| id(letter.encode_utf8(&mut [0; 4]))).collect();
            source.push(config.eos_token_id);
            let mut target: Vec<i32> = field("target")?.split(' ').map(|token| id(token) as i32).collect();
            target.push(config.eos_token_id as i32);
            Ok((source, target))
        })
        .collect()
}

struct Trainer {
    moments: Vec<(Buffer, Buffer)>,
    step: usize,
    steps: usize,
    rate: f64,
}

impl Trainer {
    fn new(model: &mut T5, steps: usize, rate: f64) -> Self {
        let cpu = burn::tensor::Device::flex();
        let sizes = model.parameters().into_iter().map(|(_, p)| p.shape().iter().product::<usize>());
        let moments = sizes.map(|n| (Buffer::zeros(n, &cpu), Buffer::zeros(n, &cpu))).collect();
        Self { moments, step: 0, steps, rate }
    }

    /// The mean loss of an epoch.
    fn epoch(&mut self, model: &mut T5, pairs: &[Pair], rows: usize, epoch: u64) -> Result<f64> {
        let mut losses = 0.0;
        let batches = batches(pairs, rows, epoch);
        for batch in &batches {
            losses += self.step(model, &collate(batch.iter().map(|row| &pairs[*row]), model)?)?;
        }
        Ok(losses / batches.len() as f64)
    }

    fn step(&mut self, model: &mut T5, batch: &Seq2SeqBatch) -> Result<f64> {
        let mut graph = model.tracked(&|_| true);
        let dropout = Some(DropoutKey { seed: SEED, step: self.step as u64 });
        let logits = graph.forward(batch, Mode { dropout, hidden_states: false })?.logits;
        let loss = cross_entropy(logits, &batch.labels);
        let mut gradients = loss.backward();
        let gradients: Vec<Option<Buffer>> = graph
            .parameters()
            .iter()
            .map(|(_, p)| p.take_gradient(&mut gradients).map(Buffer::from_gradient))
            .collect();
        drop(graph);

        self.step += 1;
        let norm = sum_of_squares(gradients.iter().flatten()).sqrt();
        let rule = AdamW {
            learning_rate: (self.rate * self.factor()) as f32,
            weight_decay: 0.01,
            beta1: 0.9,
            beta2: 0.98,
            epsilon: 1e-9,
            correction1: 1.0 - 0.9f32.powi(self.step as i32),
            correction2: (1.0 - 0.98f32.powi(self.step as i32)).sqrt(),
            gradient_scale: (1.0 / norm.max(1.0)) as f32,
        };
        for (((_, parameter), gradient), (first, second)) in
            model.parameters().iter_mut().zip(&gradients).zip(&mut self.moments)
        {
            if let Some(gradient) = gradient {
                update(parameter, gradient, first, second, rule);
            }
        }
        Ok(f64::from(loss.into_scalar::<f32>()))
    }

    /// Of the learning rate: up for a twentieth of the steps, then down along a cosine.
    fn factor(&self) -> f64 {
        let warmup = (self.steps / 20).max(1);
        if self.step < warmup {
            return self.step as f64 / warmup as f64;
        }
        let done = (self.step - warmup) as f64 / (self.steps - warmup).max(1) as f64;
        0.5 * (1.0 + (std::f64::consts::PI * done).cos())
    }
}

/// Rows of similar length together, in an order of its own each epoch.
fn batches(pairs: &[Pair], rows: usize, epoch: u64) -> Vec<Vec<usize>> {
    let key = |number: usize| mix64(mix64(SEED + epoch) ^ number as u64);
    let mut order: Vec<usize> = (0..pairs.len()).collect();
    order.sort_by_key(|row| (pairs[*row].0.len() + pairs[*row].1.len(), key(*row)));
    let mut batches: Vec<Vec<usize>> = order.chunks(rows).map(<[usize]>::to_vec).collect();
    batches.sort_by_key(|batch| key(batch[0]));
    batches
}

fn collate<'a>(pairs: impl Iterator<Item = &'a Pair>, model: &T5) -> Result<Seq2SeqBatch> {
    let (sources, targets): (Vec<&[u32]>, Vec<&[i32]>) =
        pairs.map(|(source, target)| (&source[..], &target[..])).unzip();
    let inputs = TokenBatch::new(sources.into_iter(), model.config.pad_token_id)?;
    Ok(Seq2SeqBatch::new(inputs, targets.into_iter())?)
}

/// The mean over the labels that are not ignored.
fn cross_entropy(logits: Tensor<3>, labels: &[i32]) -> Tensor<1> {
    let (vocabulary, places, device) = (logits.dims()[2], labels.len(), logits.device());
    let ids: Vec<i64> = labels.iter().map(|label| i64::from((*label).max(0))).collect();
    let ids = Tensor::<2, Int>::from_data(TensorData::new(ids, [places, 1]), &device);
    let learned = labels.iter().filter(|label| **label != IGNORED).count() as f32;
    let weight = |label: &i32| if *label == IGNORED { 0.0 } else { 1.0 / learned };
    let weights: Vec<f32> = labels.iter().map(weight).collect();
    let weights = Tensor::<2>::from_data(TensorData::new(weights, [places, 1]), &device);
    (log_softmax(logits.reshape([places, vocabulary]), 1).gather(1, ids) * weights).sum().neg()
}

/// How many texts are not as they should be.
fn wrong(model: &T5, pairs: &[Pair]) -> Result<usize> {
    let mut wrong = 0;
    for pairs in pairs.chunks(128) {
        let sources: Vec<Vec<u32>> = pairs.iter().map(|(source, _)| source.clone()).collect();
        let written = write(model, &sources)?;
        let targets = pairs.iter().map(|(_, target)| target.iter().map(|id| *id as u32));
        wrong += written
            .into_iter()
            .zip(targets)
            .filter(|(ours, theirs)| !ours.iter().copied().eq(theirs.clone()))
            .count();
    }
    Ok(wrong)
}

/// The likeliest token after the other, up to the one that ends a text.
fn write(model: &T5, sources: &[Vec<u32>]) -> Result<Vec<Vec<u32>>> {
    let mut decoder = T5Decoder::new(model);
    let mut written = vec![Vec::new(); sources.len()];
    let mut open: Vec<usize> = (0..sources.len()).collect();
    let mut next = best(&decoder.prefill(sources)?);
    for _ in 0..LONGEST {
        for (row, token) in open.iter().zip(&next) {
            written[*row].push(*token);
        }
        let stay: Vec<usize> = (0..open.len()).filter(|at| next[*at] != model.config.eos_token_id).collect();
        if stay.is_empty() {
            break;
        }
        decoder.reorder(&stay)?;
        let tokens: Vec<u32> = stay.iter().map(|at| next[*at]).collect();
        open = stay.into_iter().map(|at| open[at]).collect();
        next = best(&decoder.step(&tokens)?);
    }
    Ok(written)
}

fn best(logits: &Logits) -> Vec<u32> {
    let rows = logits.values.chunks(logits.vocabulary);
    rows.map(|row| {
        let best = row.iter().enumerate().max_by(|(_, a), (_, b)| a.total_cmp(b));
        best.map_or(0, |(token, _)| token as u32)
    })
    .collect()
}

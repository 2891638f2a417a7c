//! The loss against its formula written out in 64-bit floats, and against PyTorch's definition of
//! cross-entropy.

use pegbox_plugin::testing::{TestStep, assert_schema_describes};
use pegbox_plugin::{Loss, Plugin};

use super::Focal;
use super::configuration::{Configuration, SCHEMA};

const LOGITS: [[f32; 3]; 4] = [[2.0, 0.5, -1.0], [0.0, 3.0, 0.5], [-0.5, 0.25, 1.0], [1.0, 1.0, 1.0]];
const LABELS: [i64; 4] = [0, 2, 2, 1];

fn step() -> TestStep {
    let rows: Vec<&[f32]> = LOGITS.iter().map(|row| row.as_slice()).collect();
    TestStep::classification(&rows, &LABELS)
}

fn loss(json: &str, step: &TestStep) -> f32 {
    let plugin = Focal::configure(json).unwrap();
    let loss = step.run(|step| plugin.compute(step).map(|loss| (loss.shape(), loss.read()))).unwrap();
    assert_eq!(loss.0, [1]);
    loss.1[0]
}

/// The formula of the crate's documentation, for one label.
fn formula(row: &[f32], label: usize, gamma: f64, alpha: [f64; 3], smoothing: f64) -> f64 {
    let exp: Vec<f64> = row.iter().map(|x| f64::from(*x).exp()).collect();
    let total: f64 = exp.iter().sum();
    let of_class = |class: usize| {
        let p = exp[class] / total;
        -alpha[class] * (1.0 - p).powf(gamma) * p.ln()
    };
    (1.0 - smoothing) * of_class(label) + smoothing / 3.0 * (0..3).map(of_class).sum::<f64>()
}

fn mean(gamma: f64, alpha: [f64; 3], smoothing: f64) -> f64 {
    let of = |(row, label): (&[f32; 3], &i64)| formula(row, *label as usize, gamma, alpha, smoothing);
    LOGITS.iter().zip(&LABELS).map(of).sum::<f64>() / LABELS.len() as f64
}

#[track_caller]
fn near(found: f32, expected: f64) {
    assert!((f64::from(found) - expected).abs() < 1e-6, "{found} instead of {expected}");
}

#[test]
fn every_configuration_is_its_formula() {
    for gamma in [0.0, 0.5, 1.0, 2.0, 3.5] {
        for smoothing in [0.0, 0.125, 1.0] {
            let json = |alpha: &str| {
                format!(r#"{{"gamma": {gamma}, "alpha": {alpha}, "label-smoothing": {smoothing}}}"#)
            };
            near(loss(&json("1.0"), &step()), mean(gamma, [1.0; 3], smoothing));
            near(loss(&json("0.25"), &step()), mean(gamma, [0.25; 3], smoothing));
            near(loss(&json("[0.5, 1.0, 2.0]"), &step()), mean(gamma, [0.5, 1.0, 2.0], smoothing));
            let by_name = r#"{"class-2": 2.0, "class-0": 0.5}"#;
            near(loss(&json(by_name), &step()), mean(gamma, [0.5, 1.0, 2.0], smoothing));
        }
    }
}

#[test]
fn without_gamma_it_is_pytorchs_cross_entropy() {
    // What the documentation of torch.nn.CrossEntropyLoss defines for these logits, worked out apart from
    // this code.
    near(loss(r#"{"gamma": 0}"#, &step()), 1.122943071887486);
    near(loss(r#"{"gamma": 0, "label-smoothing": 0.1}"#, &step()), 1.1625264052208195);
}

#[test]
fn weights_and_mask_count_and_what_is_masked_does_not() {
    let mut step = step();
    step.weights = vec![1.0, 2.0, 0.5, 7.0];
    step.mask[3] = false;
    step.logits[9..].fill(f32::NAN);
    let each = |at: usize| formula(&LOGITS[at], LABELS[at] as usize, 2.0, [1.0; 3], 0.0);
    near(loss("{}", &step), (each(0) + 2.0 * each(1) + 0.5 * each(2)) / 3.5);
}

#[test]
fn a_batch_without_labels_has_loss_zero() {
    let mut step = step();
    step.mask.fill(false);
    assert_eq!(loss("{}", &step), 0.0);
}

#[test]
fn tagging_is_the_same_over_more_dimensions() {
    for json in ["{}", r#"{"alpha": [1, 2, 3]}"#, r#"{"alpha": [1, 2, 3], "label-smoothing": 0.1}"#] {
        assert_eq!(loss(json, &step()), loss(json, &step().tagging(2)));
    }
}

#[test]
fn what_makes_no_sense_is_refused() {
    for json in [
        r#"{"gamma": -1}"#,
        r#"{"gamma": 1e39}"#,
        r#"{"label-smoothing": 1.5}"#,
        r#"{"alpha": [1, -1]}"#,
        r#"{"gama": 2}"#,
    ] {
        assert!(Focal::configure(json).is_err(), "{json}");
    }
    let two = Focal::configure(r#"{"alpha": [1, 2]}"#).unwrap();
    let error = step().run(|step| two.compute(step).map(|_| ())).unwrap_err();
    assert!(error.message().contains("2 factors, the model has 3 classes"));
}

#[test]
fn nothing_said_gives_what_the_schema_calls_default() {
    assert_schema_describes::<Configuration>(SCHEMA, "{}");
}

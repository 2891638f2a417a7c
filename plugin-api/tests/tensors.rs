//! Tensors as a plugin's author writes them, against the host of `testing`.

use pegbox_plugin::testing::TestStep;
use pegbox_plugin::{DType, Tensor};

fn step() -> TestStep {
    TestStep::classification(&[&[1.0, 2.0, 4.0], &[0.5, -1.0, 8.0]], &[2, 0])
}

/// Runs in a call.
fn with<R>(work: impl FnOnce() -> R) -> R {
    step().run(|_| work())
}

fn tensor(values: &[f32]) -> Tensor {
    Tensor::from_floats(&[values.len() as u32], values)
}

#[test]
fn operators_work_by_value_and_by_reference_on_both_sides() {
    with(|| {
        let (a, b) = (tensor(&[1.0, 2.0]), tensor(&[4.0, 8.0]));
        assert_eq!((&a + &b).read(), [5.0, 10.0]);
        assert_eq!((&a - tensor(&[4.0, 8.0])).read(), [-3.0, -6.0]);
        assert_eq!((tensor(&[1.0, 2.0]) * &b).read(), [4.0, 16.0]);
        assert_eq!((tensor(&[1.0, 2.0]) / tensor(&[4.0, 8.0])).read(), [0.25, 0.25]);
        assert_eq!((&a + 1.0).read(), [2.0, 3.0]);
        assert_eq!((1.0 + &a).read(), [2.0, 3.0]);
        assert_eq!((&a - 1.0).read(), [0.0, 1.0]);
        assert_eq!((1.0 - &a).read(), [0.0, -1.0]);
        assert_eq!((&a * 2.0).read(), [2.0, 4.0]);
        assert_eq!((2.0 * &a).read(), [2.0, 4.0]);
        assert_eq!((&a / 4.0).read(), [0.25, 0.5]);
        assert_eq!((4.0 / a).read(), [4.0, 2.0]);
        assert_eq!((-&b).read(), [-4.0, -8.0]);
        assert_eq!((!b.greater(&tensor(&[5.0]))).read_ints(), [1, 0]);
    });
}

#[test]
fn selection_and_layout() {
    step().run(|step| {
        let logits = step.logits();
        let labels = step.labels();
        assert_eq!((logits.shape(), logits.dtype()), (vec![2, 3], DType::Float));
        assert_eq!(format!("{labels:?}"), "int [2]");
        assert_eq!(logits.gather(-1, &labels.reshape(&[-1, 1])).read(), [4.0, 0.5]);
        assert_eq!(labels.one_hot(3).read(), [0.0, 0.0, 1.0, 1.0, 0.0, 0.0]);
        assert_eq!(logits.argmax(1).shape(), [2, 1]);
        assert_eq!(logits.argmax(1).read_ints(), [2, 2]);
        assert_eq!(logits.transpose(0, 1).read(), [1.0, 0.5, 2.0, -1.0, 4.0, 8.0]);
        assert_eq!(logits.slice(1, 1..3).read(), [2.0, 4.0, -1.0, 8.0]);
        assert_eq!(logits.matmul(&logits.transpose(0, 1)).read(), [21.0, 30.5, 30.5, 65.25]);
        assert_eq!(Tensor::concat(&[&logits, &logits.slice(0, 0..1)], 0).shape(), [3, 3]);
        assert_eq!(logits.sum(&[0]).read(), [1.5, 1.0, 12.0]);
        assert_eq!(logits.max(&[1]).read(), [4.0, 8.0]);
        assert_eq!(logits.mean(&[]).read(), [14.5 / 6.0]);
        let low = logits.less(&Tensor::scalar(1.0));
        assert_eq!(low.where_(&Tensor::scalar(0.0), &logits).read(), [1.0, 2.0, 4.0, 0.0, 0.0, 8.0]);
        assert_eq!(logits.masked_fill(&low, 9.0).read(), [1.0, 2.0, 4.0, 9.0, 9.0, 8.0]);
        assert_eq!(logits.softmax(-1).sum(&[-1]).read(), [1.0, 1.0]);
        assert!((Tensor::scalar(1.0).gelu().read()[0] - 0.841_344_8).abs() < 1e-6);
    });
}

#[test]
fn a_masked_mean_counts_the_elements_where_the_mask_holds() {
    with(|| {
        let x = Tensor::from_floats(&[2, 3], &[1.0, 2.0, f32::NAN, 4.0, 5.0, f32::INFINITY]);
        let of_columns = Tensor::from_ints(&[3], &[1, 1, 0]).greater(&Tensor::from_ints(&[1], &[0]));
        assert_eq!(x.masked_mean(&of_columns).read(), [3.0]);
        let nowhere = of_columns.to_float().greater(&Tensor::scalar(1.0));
        assert_eq!(x.masked_mean(&nowhere).read(), [0.0]);
    });
}

#[test]
#[should_panic = "the host ended the call: masked-fill: boolean [3] does not broadcast to [3, 1]"]
fn a_mask_never_makes_a_tensor_larger() {
    with(|| {
        let mask = tensor(&[1.0, 0.0, 1.0]).greater(&Tensor::scalar(0.5));
        tensor(&[1.0, 2.0, 3.0]).reshape(&[3, 1]).masked_mean(&mask).read()
    });
}

#[test]
fn the_weighted_mean_is_over_what_counts() {
    let mut step = step();
    step.weights = vec![3.0, 1.0];
    assert_eq!(step.run(|step| step.weighted_mean(&tensor(&[2.0, 6.0])).read()), [3.0]);
    step.mask[0] = false;
    assert_eq!(step.run(|step| step.weighted_mean(&tensor(&[f32::NAN, 6.0])).read()), [6.0]);
    step.weights[1] = 0.0;
    assert_eq!(step.run(|step| step.weighted_mean(&tensor(&[2.0, 6.0])).read()), [0.0]);
}

#[test]
#[should_panic = "can be used only during a call"]
fn tensors_belong_to_a_call() {
    let _ = Tensor::scalar(1.0);
}

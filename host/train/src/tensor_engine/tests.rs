//! Every operation of the contract through the runtime's rules: its values against values worked out by hand
//! or by another formula, its gradient against finite differences.

use burn::tensor::{Device, Tensor, TensorData};
use pegbox_runtime::tensors::rules;
use pegbox_runtime::{AnyTensor, DType, Shape, TensorEngine, TensorError, TensorOp};

use super::{BurnEngine, float, into_floats};

fn engine() -> BurnEngine {
    BurnEngine::new(&Device::flex())
}

fn floats(dims: &[usize], values: &[f32]) -> AnyTensor {
    engine().tensor_from_floats(Shape::new(dims).unwrap(), values.to_vec()).unwrap()
}

fn ints(dims: &[usize], values: &[i64]) -> AnyTensor {
    engine().tensor_from_ints(Shape::new(dims).unwrap(), values.to_vec()).unwrap()
}

fn apply(op: TensorOp, arguments: &[&AnyTensor]) -> Result<AnyTensor, TensorError> {
    let out = rules::infer_for(&op, arguments)?;
    let result = engine().apply(&op, arguments, out)?;
    assert_eq!(result.kind(), out, "{op:?}");
    Ok(result)
}

fn read(tensor: &AnyTensor) -> Vec<f32> {
    engine().read_floats(tensor).unwrap()
}

/// `[op](arguments)`, read back.
fn values(op: TensorOp, arguments: &[&AnyTensor]) -> Vec<f32> {
    read(&apply(op, arguments).unwrap())
}

#[track_caller]
fn close(ours: &[f32], expected: &[f32]) {
    assert_eq!(ours.len(), expected.len());
    for (a, b) in ours.iter().zip(expected) {
        assert!((a - b).abs() <= 1e-5 * b.abs().max(1.0), "{ours:?} is not {expected:?}");
    }
}

#[test]
fn arithmetic_broadcasts() {
    let (matrix, row) = (floats(&[2, 2], &[1.0, 2.0, 3.0, 4.0]), floats(&[2], &[10.0, 20.0]));
    close(&values(TensorOp::Add, &[&matrix, &row]), &[11.0, 22.0, 13.0, 24.0]);
    close(&values(TensorOp::Sub, &[&row, &matrix]), &[9.0, 18.0, 7.0, 16.0]);
    close(&values(TensorOp::Mul, &[&matrix, &row]), &[10.0, 40.0, 30.0, 80.0]);
    close(&values(TensorOp::Div, &[&row, &matrix]), &[10.0, 10.0, 10.0 / 3.0, 5.0]);
    close(&values(TensorOp::Pow, &[&matrix, &floats(&[1], &[2.0])]), &[1.0, 4.0, 9.0, 16.0]);
    let column = floats(&[2, 1], &[1.0, 2.0]);
    close(&values(TensorOp::Mul, &[&column, &row]), &[10.0, 20.0, 20.0, 40.0]);
}

#[test]
fn integers_divide_towards_zero_and_never_by_zero() {
    let (left, right) = (ints(&[3], &[7, -7, 9]), ints(&[3], &[2, 2, -3]));
    close(&values(TensorOp::Div, &[&left, &right]), &[3.0, -3.0, -3.0]);
    close(&values(TensorOp::Add, &[&left, &right]), &[9.0, -5.0, 6.0]);
    let error = apply(TensorOp::Div, &[&left, &ints(&[1], &[0])]).unwrap_err();
    assert!(error.to_string().contains("divisor is 0"), "{error}");
    let least = ints(&[1], &[i64::MIN]);
    assert!(apply(TensorOp::Div, &[&least, &ints(&[1], &[-1])]).is_err());
}

#[test]
fn elementwise_functions() {
    let x = floats(&[4], &[-1.0, 0.0, 0.5, 2.0]);
    close(&values(TensorOp::Exp, &[&x]), &[0.367_879_4, 1.0, 1.648_721_3, 7.389_056]);
    close(&values(TensorOp::Abs, &[&x]), &[1.0, 0.0, 0.5, 2.0]);
    close(&values(TensorOp::Neg, &[&x]), &[1.0, 0.0, -0.5, -2.0]);
    close(&values(TensorOp::Relu, &[&x]), &[0.0, 0.0, 0.5, 2.0]);
    close(&values(TensorOp::Sigmoid, &[&x]), &[0.268_941_4, 0.5, 0.622_459_3, 0.880_797]);
    close(&values(TensorOp::Tanh, &[&x]), &[-0.761_594_2, 0.0, 0.462_117_2, 0.964_027_6]);
    // torch.nn.functional.gelu, exact
    close(&values(TensorOp::Gelu, &[&x]), &[-0.158_655_3, 0.0, 0.345_731_2, 1.954_499_7]);
    close(&values(TensorOp::Clamp { low: -0.5, high: 1.0 }, &[&x]), &[-0.5, 0.0, 0.5, 1.0]);
    close(&values(TensorOp::AddScalar(1.5), &[&x]), &[0.5, 1.5, 2.0, 3.5]);
    close(&values(TensorOp::MulScalar(-2.0), &[&x]), &[2.0, 0.0, -1.0, -4.0]);
    close(&values(TensorOp::PowScalar(2.0), &[&x]), &[1.0, 0.0, 0.25, 4.0]);
    let positive = floats(&[3], &[1.0, 4.0, 0.0]);
    close(&values(TensorOp::Sqrt, &[&positive]), &[1.0, 2.0, 0.0]);
    let log = values(TensorOp::Log, &[&positive]);
    assert_eq!((log[0], log[2]), (0.0, f32::NEG_INFINITY));
    // An exponent that no integer holds must not panic.
    assert!(values(TensorOp::PowScalar(1e30), &[&positive])[1].is_infinite());
}

#[test]
fn along_a_dimension() {
    let x = floats(&[2, 3], &[1.0, 2.0, 3.0, 1000.0, 0.0, -1000.0]);
    close(
        &values(TensorOp::Softmax { dim: -1 }, &[&x]),
        &[0.090_030_6, 0.244_728_5, 0.665_240_9, 1.0, 0.0, 0.0],
    );
    let log = values(TensorOp::LogSoftmax { dim: 1 }, &[&x]);
    close(&log[..4], &[-2.407_606, -1.407_606, -0.407_606, 0.0]);
    assert_eq!(log[5], -2000.0, "stable");
    close(&values(TensorOp::Argmax { dim: 0 }, &[&x]), &[1.0, 0.0, 0.0]);
    // The first of equals.
    close(&values(TensorOp::Argmax { dim: 0 }, &[&floats(&[3], &[5.0, 7.0, 7.0])]), &[1.0]);
}

#[test]
fn reductions_keep_dimensions() {
    let x = floats(&[2, 1, 3], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    let sum = apply(TensorOp::Sum { dims: vec![0, -1] }, &[&x]).unwrap();
    assert_eq!((&sum.shape()[..], read(&sum)), (&[1, 1, 1][..], vec![21.0]));
    let all = apply(TensorOp::Mean { dims: vec![] }, &[&x]).unwrap();
    assert_eq!((&all.shape()[..], read(&all)), (&[1][..], vec![3.5]));
    close(&values(TensorOp::Max { dims: vec![0] }, &[&x]), &[4.0, 5.0, 6.0]);
    close(&values(TensorOp::Sum { dims: vec![2] }, &[&ints(&[1, 1, 2], &[3, -5])]), &[-2.0]);
}

#[test]
fn selection() {
    let x = floats(&[2, 3], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    close(&values(TensorOp::Gather { dim: -1 }, &[&x, &ints(&[2, 1], &[2, 0])]), &[3.0, 4.0]);
    for index in [-1, 3] {
        let error = apply(TensorOp::Gather { dim: 1 }, &[&x, &ints(&[2, 1], &[0, index])]).unwrap_err();
        assert!(
            error.to_string().contains(&format!("index {index} is outside [0, 3) at position [1, 0]")),
            "{error}"
        );
    }
    close(&values(TensorOp::OneHot { classes: 3 }, &[&ints(&[2], &[2, 0])]), &[0.0, 0.0, 1.0, 1.0, 0.0, 0.0]);
    assert!(apply(TensorOp::OneHot { classes: 2 }, &[&ints(&[1], &[2])]).is_err());

    let two = floats(&[1], &[2.0]);
    close(&values(TensorOp::Greater, &[&x, &two]), &[0.0, 0.0, 1.0, 1.0, 1.0, 1.0]);
    close(&values(TensorOp::GreaterEqual, &[&x, &two]), &[0.0, 1.0, 1.0, 1.0, 1.0, 1.0]);
    close(&values(TensorOp::Less, &[&x, &two]), &[1.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
    close(&values(TensorOp::LessEqual, &[&x, &two]), &[1.0, 1.0, 0.0, 0.0, 0.0, 0.0]);
    let mask = apply(TensorOp::Equal, &[&x, &two]).unwrap();
    close(&read(&mask), &[0.0, 1.0, 0.0, 0.0, 0.0, 0.0]);
    let not = apply(TensorOp::LogicalNot, &[&mask]).unwrap();
    close(
        &values(TensorOp::Where, &[&not, &x, &floats(&[3], &[7.0, 8.0, 9.0])]),
        &[1.0, 8.0, 3.0, 4.0, 5.0, 6.0],
    );
    close(&values(TensorOp::MaskedFill { value: -1.0 }, &[&x, &mask]), &[1.0, -1.0, 3.0, 4.0, 5.0, 6.0]);
    assert_eq!(engine().read_ints(&mask).unwrap(), [0, 1, 0, 0, 0, 0]);
    assert!(engine().read_ints(&x).is_err());
}

#[test]
fn shapes_change_and_elements_do_not() {
    let x = floats(&[2, 3], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    close(&values(TensorOp::Transpose { dim0: 0, dim1: -1 }, &[&x]), &[1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
    let flat = apply(TensorOp::Reshape { shape: vec![3, -1] }, &[&x]).unwrap();
    assert_eq!(&flat.shape()[..], [3, 2]);
    close(&values(TensorOp::Slice { dim: 1, start: 1, end: 3 }, &[&x]), &[2.0, 3.0, 5.0, 6.0]);
    close(
        &values(TensorOp::Concat { dim: 0 }, &[&x, &floats(&[1, 3], &[7.0, 8.0, 9.0])])[6..],
        &[7.0, 8.0, 9.0],
    );
    close(&values(TensorOp::ToInt, &[&floats(&[2], &[-1.7, 1.7])]), &[-1.0, 1.0]);
    close(&values(TensorOp::ToFloat, &[&ints(&[2], &[3, -4])]), &[3.0, -4.0]);
    // Batched against one matrix: leading dimensions broadcast.
    let batch = floats(&[2, 1, 2], &[1.0, 2.0, 3.0, 4.0]);
    close(
        &values(TensorOp::Matmul, &[&batch, &floats(&[2, 2], &[1.0, 0.0, 0.0, 10.0])]),
        &[1.0, 20.0, 3.0, 40.0],
    );
}

/// The gradient of `sum(weights * f(x))` by autodiff and by central differences, on a 2 x 3 matrix.
#[track_caller]
fn differentiable(name: &str, at: &[f32; 6], f: impl Fn(&AnyTensor) -> AnyTensor) {
    let weighted = |tensor: AnyTensor| {
        let weights: Vec<f32> =
            (0..tensor.shape().elements()).map(|i| (i as f32 * 1.7).sin() + 0.3).collect();
        let weights = floats(&tensor.shape(), &weights);
        let product = apply(TensorOp::Mul, &[&tensor, &weights]).unwrap();
        apply(TensorOp::Sum { dims: vec![] }, &[&product]).unwrap()
    };
    let leaf = Tensor::<2>::from_data(TensorData::new(at.to_vec(), [2, 3]), &Device::flex().autodiff())
        .require_grad();
    let loss = into_floats::<1>("test", &weighted(f(&float(leaf.clone()).unwrap()))).unwrap();
    let gradients = loss.backward();
    let ours: Vec<f32> = leaf.grad(&gradients).unwrap().into_data().iter::<f32>().collect();

    let value = |moved: &[f32]| f64::from(read(&weighted(f(&floats(&[2, 3], moved))))[0]);
    for (i, ours) in ours.iter().enumerate() {
        let h = 1e-2;
        let (mut up, mut down) = (*at, *at);
        up[i] += h;
        down[i] -= h;
        let expected = (value(&up) - value(&down)) / f64::from(2.0 * h);
        let ours = f64::from(*ours);
        assert!(
            (ours - expected).abs() < 5e-3 * expected.abs().max(1.0),
            "{name}, element {i}: {ours} is not {expected}"
        );
    }
}

#[test]
fn gradients_are_those_of_finite_differences() {
    let x = [0.6, -1.3, 0.9, 1.7, -0.4, 0.25];
    let positive = [0.6, 1.3, 0.9, 1.7, 0.4, 0.75];
    let one = |op: TensorOp| move |x: &AnyTensor| apply(op.clone(), &[x]).unwrap();
    for op in [
        TensorOp::AddScalar(2.0),
        TensorOp::MulScalar(-3.0),
        TensorOp::Neg,
        TensorOp::Exp,
        TensorOp::Abs,
        TensorOp::Clamp { low: -1.0, high: 1.0 },
        TensorOp::Relu,
        TensorOp::Gelu,
        TensorOp::Sigmoid,
        TensorOp::Tanh,
        TensorOp::Softmax { dim: -1 },
        TensorOp::LogSoftmax { dim: 0 },
        TensorOp::Sum { dims: vec![1] },
        TensorOp::Mean { dims: vec![0] },
        TensorOp::Max { dims: vec![1] },
        TensorOp::Reshape { shape: vec![3, 2] },
        TensorOp::Transpose { dim0: 0, dim1: 1 },
        TensorOp::Slice { dim: 1, start: 0, end: 2 },
        TensorOp::ToFloat,
    ] {
        differentiable(op.name(), &x, one(op));
    }
    for op in [TensorOp::Log, TensorOp::Sqrt, TensorOp::PowScalar(1.7)] {
        differentiable(op.name(), &positive, one(op));
    }
    let row = floats(&[3], &[1.5, -0.7, 2.2]);
    for op in [TensorOp::Add, TensorOp::Sub, TensorOp::Mul, TensorOp::Div] {
        let name = op.name();
        differentiable(name, &x, |x| apply(op.clone(), &[x, &row]).unwrap());
        differentiable(name, &positive, |x| apply(op.clone(), &[&row, x]).unwrap());
    }
    differentiable("pow", &positive, |x| apply(TensorOp::Pow, &[x, &row]).unwrap());
    differentiable("pow, exponent", &positive, |x| {
        apply(TensorOp::Pow, &[&floats(&[1], &[1.4]), x]).unwrap()
    });
    let (index, other) = (ints(&[2, 2], &[2, 0, 1, 1]), floats(&[3, 2], &[1.0, -2.0, 0.5, 3.0, -1.0, 0.25]));
    differentiable("gather", &x, |x| apply(TensorOp::Gather { dim: 1 }, &[x, &index]).unwrap());
    differentiable("matmul", &x, |x| apply(TensorOp::Matmul, &[x, &other]).unwrap());
    differentiable("concat", &x, |x| apply(TensorOp::Concat { dim: 0 }, &[x, x]).unwrap());
    let mask = apply(TensorOp::Greater, &[&row, &floats(&[1], &[0.0])]).unwrap();
    differentiable("where", &x, |x| apply(TensorOp::Where, &[&mask, x, &row]).unwrap());
    differentiable("masked-fill", &x, |x| apply(TensorOp::MaskedFill { value: 9.0 }, &[x, &mask]).unwrap());
}

#[test]
fn a_loss_may_bring_its_own_gradient() {
    let leaf = Tensor::<1>::from_data(TensorData::new(vec![1.0, 2.0], [2]), &Device::flex().autodiff())
        .require_grad();
    let about = float(leaf.clone()).unwrap();
    let (value, gradient) = (floats(&[1], &[42.0]), floats(&[2], &[0.5, -3.0]));
    let loss = apply(TensorOp::WithGradient, &[&about, &value, &gradient]).unwrap();
    let twice = apply(TensorOp::MulScalar(2.0), &[&loss]).unwrap();
    assert_eq!(read(&twice), [84.0]);
    let gradients = into_floats::<1>("test", &twice).unwrap().backward();
    let gradient: Vec<f32> = leaf.grad(&gradients).unwrap().into_data().iter::<f32>().collect();
    assert_eq!(gradient, [1.0, -6.0]);
}

#[test]
fn detached_values_carry_no_gradient() {
    let leaf =
        Tensor::<1>::from_data(TensorData::new(vec![3.0], [1]), &Device::flex().autodiff()).require_grad();
    let detached = apply(TensorOp::Detach, &[&float(leaf).unwrap()]).unwrap();
    assert_eq!(read(&detached), [3.0]);
    assert!(!into_floats::<1>("test", &detached).unwrap().is_tracked());
    assert_eq!(detached.dtype(), DType::Float);
}

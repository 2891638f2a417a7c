//! Requests to the host. Most are nearly right: what is wrong everywhere is refused at the first look.

use arbitrary::{Arbitrary, Result, Unstructured};
use pegbox_plugin_abi::tensors::TensorOp;
use pegbox_plugin_abi::wire::{Bytes, HostRequest, TensorHandle};
use pegbox_runtime::Element;

/// One request, about tensors among `live` for the most part.
///
/// # Errors
/// The bytes are used up.
pub fn request(u: &mut Unstructured<'_>, live: &[TensorHandle]) -> Result<HostRequest> {
    Ok(match u.int_in_range(0..=39u8)? {
        0 => HostRequest::StepNumber,
        1 => HostRequest::StepTraining,
        2 => HostRequest::StepRecordIds,
        3 => HostRequest::StepClasses,
        4 => HostRequest::StepLogits,
        5 => HostRequest::StepLabels,
        6 => HostRequest::StepMask,
        7 => HostRequest::StepWeights,
        8 => HostRequest::StepTeacherLogits,
        9 => HostRequest::StepHiddenStateCount,
        10 => HostRequest::StepHiddenState { layer: u32::from(u.arbitrary::<u8>()?) },
        11 => HostRequest::TensorFull { shape: sizes(u)?, value: u.arbitrary()? },
        12 => {
            let shape = sizes(u)?;
            let values = values(u, &shape)?;
            HostRequest::TensorFromFloats { shape, values }
        }
        13 => {
            let shape = sizes(u)?;
            let values = values::<i8>(u, &shape)?.into_iter().map(i64::from).collect();
            HostRequest::TensorFromInts { shape, values }
        }
        14 => HostRequest::TensorShape { tensor: handle(u, live)? },
        15 => HostRequest::TensorDType { tensor: handle(u, live)? },
        16 => HostRequest::TensorRead { tensor: handle(u, live)? },
        17 => HostRequest::TensorReadInts { tensor: handle(u, live)? },
        18 => HostRequest::TensorDrop { tensor: handle(u, live)? },
        19 => HostRequest::ModelConfiguration,
        20 => HostRequest::ModelTokenizerFiles,
        21 => HostRequest::ModelLabels,
        22 => HostRequest::ModelMetrics,
        23 => HostRequest::ModelProvenance,
        24 => HostRequest::ModelTensors,
        25 => HostRequest::ModelRead {
            name: word(u, &["w", "b", "scalar", "big", "W"])?,
            start: number(u)?,
            count: number(u)?,
            element: *u.choose(&[Element::Float32, Element::Float16, Element::BFloat16])?,
        },
        26 => HostRequest::BundleCreate { path: path(u)? },
        27 => HostRequest::BundleAppend { path: path(u)?, content: content(u)? },
        _ => {
            let op = op(u)?;
            let count = match usual_arguments(&op) {
                0 => u.int_in_range(0..=5usize)?,
                _ if u.ratio(1, 32u8)? => u.int_in_range(0..=4usize)?,
                usual => usual,
            };
            let arguments = (0..count).map(|_| handle(u, live)).collect::<Result<_>>()?;
            HostRequest::TensorApply { op, arguments }
        }
    })
}

fn op(u: &mut Unstructured<'_>) -> Result<TensorOp> {
    Ok(match u.int_in_range(0..=45u8)? {
        0 => TensorOp::Add,
        1 => TensorOp::Sub,
        2 => TensorOp::Mul,
        3 => TensorOp::Div,
        4 => TensorOp::Pow,
        5 => TensorOp::AddScalar(u.arbitrary()?),
        6 => TensorOp::MulScalar(u.arbitrary()?),
        7 => TensorOp::PowScalar(u.arbitrary()?),
        8 => TensorOp::Neg,
        9 => TensorOp::Exp,
        10 => TensorOp::Log,
        11 => TensorOp::Sqrt,
        12 => TensorOp::Abs,
        13 => TensorOp::Clamp { low: u.arbitrary()?, high: u.arbitrary()? },
        14 => TensorOp::Relu,
        15 => TensorOp::Gelu,
        16 => TensorOp::Sigmoid,
        17 => TensorOp::Tanh,
        18 => TensorOp::Softmax { dim: dim(u)? },
        19 => TensorOp::LogSoftmax { dim: dim(u)? },
        20 => TensorOp::Sum { dims: dims(u, dim)? },
        21 => TensorOp::Mean { dims: dims(u, dim)? },
        22 => TensorOp::Max { dims: dims(u, dim)? },
        23 => TensorOp::Argmax { dim: dim(u)? },
        24 => TensorOp::Gather { dim: dim(u)? },
        25 => TensorOp::OneHot { classes: size(u)? },
        26 => TensorOp::Equal,
        27 => TensorOp::Greater,
        28 => TensorOp::GreaterEqual,
        29 => TensorOp::Less,
        30 => TensorOp::LessEqual,
        31 => TensorOp::LogicalNot,
        32 => TensorOp::Where,
        33 => TensorOp::MaskedFill { value: u.arbitrary()? },
        34 | 35 => TensorOp::Reshape { shape: dims(u, |u| Ok(size(u)?.cast_signed()))? },
        36 => TensorOp::Reshape { shape: dims(u, dim)? },
        37 => TensorOp::Transpose { dim0: dim(u)?, dim1: dim(u)? },
        38 => TensorOp::Slice { dim: dim(u)?, start: size(u)?, end: size(u)? },
        39 | 40 => TensorOp::Concat { dim: dim(u)? },
        41 => TensorOp::Matmul,
        42 => TensorOp::ToFloat,
        43 => TensorOp::ToInt,
        44 => TensorOp::Detach,
        _ => TensorOp::WithGradient,
    })
}

/// How many tensors an operation takes; 0 where that is open.
fn usual_arguments(op: &TensorOp) -> usize {
    match op {
        TensorOp::Concat { .. } => 0,
        TensorOp::Where | TensorOp::WithGradient => 3,
        TensorOp::Add | TensorOp::Sub | TensorOp::Mul | TensorOp::Div | TensorOp::Pow => 2,
        TensorOp::Equal | TensorOp::Greater | TensorOp::GreaterEqual | TensorOp::Less => 2,
        TensorOp::LessEqual | TensorOp::Gather { .. } | TensorOp::MaskedFill { .. } | TensorOp::Matmul => 2,
        _ => 1,
    }
}

fn handle(u: &mut Unstructured<'_>, live: &[TensorHandle]) -> Result<TensorHandle> {
    if live.is_empty() || u.ratio(1, 24u8)? { u.arbitrary() } else { Ok(*u.choose(live)?) }
}

fn dim(u: &mut Unstructured<'_>) -> Result<i32> {
    if u.ratio(1, 24u8)? { u.arbitrary() } else { u.int_in_range(-4..=3) }
}

fn size(u: &mut Unstructured<'_>) -> Result<u32> {
    if u.ratio(1, 24u8)? { u.arbitrary() } else { u.int_in_range(0..=6) }
}

fn dims(u: &mut Unstructured<'_>, one: impl Fn(&mut Unstructured<'_>) -> Result<i32>) -> Result<Vec<i32>> {
    (0..u.int_in_range(0..=4u8)?).map(|_| one(u)).collect()
}

fn sizes(u: &mut Unstructured<'_>) -> Result<Vec<u32>> {
    let rank = if u.ratio(1, 16u8)? { u.int_in_range(0..=10u8)? } else { u.int_in_range(1..=4)? };
    (0..rank).map(|_| size(u)).collect()
}

/// As many as the shape says, unless that is many.
fn values<'a, T: Arbitrary<'a> + Copy + Default>(u: &mut Unstructured<'a>, shape: &[u32]) -> Result<Vec<T>> {
    let count = shape.iter().fold(1usize, |product, size| product.saturating_mul(*size as usize));
    if count > 4096 || u.ratio(1, 24u8)? {
        return u.arbitrary_iter()?.collect();
    }
    let some: T = u.arbitrary()?;
    let mut values = vec![some; count];
    for value in values.iter_mut().take(4) {
        *value = u.arbitrary()?;
    }
    Ok(values)
}

fn number(u: &mut Unstructured<'_>) -> Result<u64> {
    Ok(match u.int_in_range(0..=3u8)? {
        0 => u.arbitrary()?,
        1 => (8 << 20) - 4 + u.int_in_range(0..=8u64)?,
        _ => u.int_in_range(0..=17)?,
    })
}

fn word(u: &mut Unstructured<'_>, words: &[&str]) -> Result<String> {
    if u.ratio(1, 8u8)? { u.arbitrary() } else { Ok((*u.choose(words)?).to_owned()) }
}

fn path(u: &mut Unstructured<'_>) -> Result<String> {
    let parts = ["a", "A", "b", "..", ".", "", "config.json", "C:", "é", "É", "İ", "ß", "SS", " "];
    let count = u.int_in_range(1..=3u8)?;
    let parts = (0..count).map(|_| word(u, &parts)).collect::<Result<Vec<_>>>()?;
    Ok(parts.join(word(u, &["/", "/", "/", "\\"])?.as_str()))
}

fn content(u: &mut Unstructured<'_>) -> Result<Bytes> {
    // At times more than the smallest limit in two calls.
    let size = if u.ratio(1, 8u8)? { 700 << 10 } else { u.int_in_range(0..=64usize)? };
    Ok(Bytes(vec![0x50; size]))
}

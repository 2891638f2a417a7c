//! Tensors as plain vectors, with every operation. Elements are numbers whatever the dtype: what is under
//! test is that the runtime lets through only what fits, so every index here is one that would panic if a
//! shape were wrong.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use pegbox_runtime::tensors::rules;
use pegbox_runtime::{AnyTensor, DType, Shape, TensorEngine, TensorError, TensorOp, TensorType};

/// Above this an operation is refused, as a device without memory would refuse it.
const MOST_WORK: usize = 1 << 18;

/// The elements of one tensor. It counts itself, so that tensors which are never freed are noticed.
pub struct Elements {
    values: Vec<f64>,
    alive: Arc<AtomicUsize>,
}

impl Drop for Elements {
    fn drop(&mut self) {
        self.alive.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Runs operations one element at a time.
#[derive(Default)]
pub struct Vectors {
    alive: Arc<AtomicUsize>,
}

impl Vectors {
    /// How many tensors there are.
    pub fn alive(&self) -> usize {
        self.alive.load(Ordering::Relaxed)
    }

    /// A tensor of these elements.
    pub fn tensor(&self, values: Vec<f64>, kind: TensorType) -> AnyTensor {
        assert_eq!(values.len(), kind.shape.elements(), "{kind:?}");
        self.alive.fetch_add(1, Ordering::Relaxed);
        AnyTensor::new(Elements { values, alive: Arc::clone(&self.alive) }, kind)
    }
}

fn elements(tensor: &AnyTensor) -> &[f64] {
    &tensor.downcast_ref::<Elements>().expect("this engine made it").values
}

impl TensorEngine for Vectors {
    fn apply(
        &self,
        op: &TensorOp,
        arguments: &[&AnyTensor],
        out: TensorType,
    ) -> Result<AnyTensor, TensorError> {
        let work = arguments.iter().map(|tensor| tensor.shape().elements()).sum::<usize>();
        if work.saturating_add(out.shape.elements()) > MOST_WORK {
            return Err(TensorError::new(op.name(), "out of memory"));
        }
        Ok(self.tensor(compute(op, arguments, out)?, out))
    }

    fn full(&self, shape: Shape, value: f32) -> Result<AnyTensor, TensorError> {
        let kind = TensorType { shape, dtype: DType::Float };
        Ok(self.tensor(vec![f64::from(value); shape.elements()], kind))
    }

    fn tensor_from_floats(&self, shape: Shape, values: Vec<f32>) -> Result<AnyTensor, TensorError> {
        let kind = TensorType { shape, dtype: DType::Float };
        Ok(self.tensor(values.into_iter().map(f64::from).collect(), kind))
    }

    fn tensor_from_ints(&self, shape: Shape, values: Vec<i64>) -> Result<AnyTensor, TensorError> {
        let kind = TensorType { shape, dtype: DType::Int };
        Ok(self.tensor(values.into_iter().map(|value| value as f64).collect(), kind))
    }

    fn read_floats(&self, tensor: &AnyTensor) -> Result<Vec<f32>, TensorError> {
        Ok(elements(tensor).iter().map(|value| *value as f32).collect())
    }

    fn read_ints(&self, tensor: &AnyTensor) -> Result<Vec<i64>, TensorError> {
        assert_ne!(tensor.dtype(), DType::Float);
        Ok(elements(tensor).iter().map(|value| *value as i64).collect())
    }
}

/// A position in a tensor.
type Place = Vec<usize>;

fn place(mut flat: usize, shape: Shape) -> Place {
    let mut found = vec![0; shape.rank()];
    for (at, size) in found.iter_mut().zip(shape.iter()).rev() {
        (*at, flat) = (flat % size, flat / size);
    }
    assert_eq!(flat, 0);
    found
}

fn at(tensor: &AnyTensor, place: &[usize]) -> f64 {
    let shape = tensor.shape();
    assert_eq!(place.len(), shape.rank());
    let flat = place.iter().zip(shape.iter()).fold(0, |flat, (at, size)| {
        assert!(at < size, "{place:?} leaves {shape}");
        flat * size + at
    });
    elements(tensor)[flat]
}

/// The element that stands at `place` once `tensor` is broadcast.
fn broadcast(tensor: &AnyTensor, place: &[usize]) -> f64 {
    let shape = tensor.shape();
    let place = &place[place.len() - shape.rank()..];
    let place: Place =
        place.iter().zip(shape.iter()).map(|(at, size)| if *size == 1 { 0 } else { *at }).collect();
    at(tensor, &place)
}

fn compute(op: &TensorOp, arguments: &[&AnyTensor], out: TensorType) -> Result<Vec<f64>, TensorError> {
    let name = op.name();
    let places = || (0..out.shape.elements()).map(|flat| place(flat, out.shape));
    let one = |f: &dyn Fn(f64) -> f64| Ok(elements(arguments[0]).iter().map(|x| f(*x)).collect());
    let two = |f: &dyn Fn(f64, f64) -> f64| {
        Ok(places().map(|at| f(broadcast(arguments[0], &at), broadcast(arguments[1], &at))).collect())
    };
    let yes = |truth: bool| f64::from(u8::from(truth));
    match op {
        TensorOp::Add => two(&|a, b| a + b),
        TensorOp::Sub => two(&|a, b| a - b),
        TensorOp::Mul => two(&|a, b| a * b),
        TensorOp::Div => two(&|a, b| a / b),
        TensorOp::Pow => two(&f64::powf),
        TensorOp::Equal => two(&|a, b| yes(a == b)),
        TensorOp::Greater => two(&|a, b| yes(a > b)),
        TensorOp::GreaterEqual => two(&|a, b| yes(a >= b)),
        TensorOp::Less => two(&|a, b| yes(a < b)),
        TensorOp::LessEqual => two(&|a, b| yes(a <= b)),
        TensorOp::AddScalar(by) => one(&|x| x + f64::from(*by)),
        TensorOp::MulScalar(by) => one(&|x| x * f64::from(*by)),
        TensorOp::PowScalar(by) => one(&|x| x.powf(f64::from(*by))),
        TensorOp::Neg => one(&|x| -x),
        TensorOp::Exp | TensorOp::Sigmoid | TensorOp::Tanh | TensorOp::Gelu => one(&f64::tanh),
        TensorOp::Log => one(&f64::ln),
        TensorOp::Sqrt => one(&f64::sqrt),
        TensorOp::Abs => one(&f64::abs),
        // Panics unless low <= high and neither is NaN.
        TensorOp::Clamp { low, high } => one(&|x| x.clamp(f64::from(*low), f64::from(*high))),
        TensorOp::Relu => one(&|x| x.max(0.0)),
        TensorOp::LogicalNot => one(&|x| 1.0 - x),
        TensorOp::ToFloat | TensorOp::ToInt | TensorOp::Detach => one(&|x| x),
        TensorOp::Reshape { .. } => Ok(elements(arguments[0]).to_vec()),
        TensorOp::WithGradient => {
            assert_eq!(elements(arguments[0]).len(), elements(arguments[2]).len());
            Ok(elements(arguments[1]).to_vec())
        }
        TensorOp::Softmax { dim } | TensorOp::LogSoftmax { dim } => {
            let along = rules::dim(name, *dim, out.shape.rank())?;
            let sum = |at: &Place| {
                let with = |i| [&at[..along], &[i], &at[along + 1..]].concat();
                (0..out.shape[along]).map(|i| self::at(arguments[0], &with(i)).exp()).sum::<f64>()
            };
            cheap(name, out.shape.elements(), out.shape[along])?;
            Ok(places().map(|at| self::at(arguments[0], &at).exp() / sum(&at)).collect())
        }
        TensorOp::Sum { dims } | TensorOp::Mean { dims } | TensorOp::Max { dims } => {
            let over = rules::reduced(name, dims, arguments[0].shape().rank())?;
            reduced(arguments[0], &over, dims.is_empty(), out)
        }
        TensorOp::Argmax { dim } => {
            let over = rules::dim(name, *dim, arguments[0].shape().rank())?;
            reduced(arguments[0], &[over], false, out)
        }
        TensorOp::Gather { dim } => {
            let along = rules::dim(name, *dim, out.shape.rank())?;
            let found = places().map(|mut at| {
                let index = self::at(arguments[1], &at);
                let size = arguments[0].shape()[along];
                if !(0.0..size as f64).contains(&index) {
                    return Err(TensorError::new(name, format!("index {index} is outside [0, {size})")));
                }
                at[along] = index as usize;
                Ok(self::at(arguments[0], &at))
            });
            found.collect()
        }
        TensorOp::OneHot { classes } => {
            let hot = places().map(|mut at| {
                let class = at.pop().expect("one dimension more than the input");
                assert!(class < *classes as usize);
                yes(self::at(arguments[0], &at) == class as f64)
            });
            Ok(hot.collect())
        }
        TensorOp::Where => {
            let chosen =
                |at: &Place| if broadcast(arguments[0], at) == 0.0 { arguments[2] } else { arguments[1] };
            Ok(places().map(|at| broadcast(chosen(&at), &at)).collect())
        }
        TensorOp::MaskedFill { value } => two(&|x, mask| if mask == 0.0 { x } else { f64::from(*value) }),
        TensorOp::Transpose { dim0, dim1 } => {
            let (a, b) =
                (rules::dim(name, *dim0, out.shape.rank())?, rules::dim(name, *dim1, out.shape.rank())?);
            let swapped = places().map(|mut at| {
                at.swap(a, b);
                self::at(arguments[0], &at)
            });
            Ok(swapped.collect())
        }
        TensorOp::Slice { dim, start, end } => {
            let along = rules::dim(name, *dim, out.shape.rank())?;
            let cut = places().map(|mut at| {
                at[along] += *start as usize;
                assert!(at[along] < *end as usize);
                self::at(arguments[0], &at)
            });
            Ok(cut.collect())
        }
        TensorOp::Concat { dim } => {
            let along = rules::dim(name, *dim, out.shape.rank())?;
            let joined = places().map(|mut at| {
                let mut parts = arguments.iter();
                loop {
                    let part = parts.next().expect("the parts fill the result");
                    match at[along].checked_sub(part.shape()[along]) {
                        Some(rest) => at[along] = rest,
                        None => return self::at(part, &at),
                    }
                }
            });
            Ok(joined.collect())
        }
        TensorOp::Matmul => matmul(arguments[0], arguments[1], out),
    }
}

fn cheap(op: &'static str, times: usize, each: usize) -> Result<(), TensorError> {
    if times.saturating_mul(each) > MOST_WORK {
        return Err(TensorError::new(op, "out of memory"));
    }
    Ok(())
}

fn reduced(input: &AnyTensor, over: &[usize], all: bool, out: TensorType) -> Result<Vec<f64>, TensorError> {
    let mut sums = vec![0.0; out.shape.elements()];
    for (flat, value) in elements(input).iter().enumerate() {
        let mut at = place(flat, input.shape());
        over.iter().for_each(|dim| at[*dim] = 0);
        let at = if all { vec![0] } else { at };
        assert_eq!(at.len(), out.shape.rank());
        let flat = at.iter().zip(out.shape.iter()).fold(0, |flat, (at, size)| flat * size + at);
        sums[flat] += value;
    }
    Ok(sums)
}

fn matmul(left: &AnyTensor, right: &AnyTensor, out: TensorType) -> Result<Vec<f64>, TensorError> {
    let inner = left.shape()[left.shape().rank() - 1];
    cheap("matmul", out.shape.elements(), inner)?;
    let product = |place: Place| {
        let (batch, cell) = place.split_at(place.len() - 2);
        let with = |row, column| [batch, &[row, column]].concat();
        (0..inner).map(|i| broadcast(left, &with(cell[0], i)) * broadcast(right, &with(i, cell[1]))).sum()
    };
    Ok((0..out.shape.elements()).map(|flat| product(place(flat, out.shape))).collect())
}

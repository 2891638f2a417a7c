//! What the tests need of a host: a step, and an engine on plain vectors with the few operations that the
//! plugins under test use.

// Each test binary uses a part of it.
#![allow(dead_code)]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use pegbox_runtime::{
    AnyTensor, DType, LimitOverrides, LoadError, LoadOptions, Plugin, PluginFolders, Row, RowBatch, Runtime,
    Shape, StepView, TensorEngine, TensorError, TensorOp, TensorType,
};

/// Builds the hostile plugin `name` and loads it with those limits.
pub fn load(runtime: &Runtime, name: &str, limits: LimitOverrides) -> Result<Plugin, LoadError> {
    let folder = tempfile::tempdir().unwrap();
    pegbox_hostile_plugins::build(name, folder.path()).unwrap();
    load_from(runtime, folder.path(), name, limits)
}

/// Loads `hostile/name` from a plugin folder.
pub fn load_from(
    runtime: &Runtime,
    folder: &Path,
    name: &str,
    limits: LimitOverrides,
) -> Result<Plugin, LoadError> {
    let found = PluginFolders::new(vec![folder.to_owned()]).resolve(&format!("hostile/{name}"))?;
    runtime.load(&found, &LoadOptions { limits, ..LoadOptions::default() })
}

pub fn batch(ids: impl IntoIterator<Item = u64>) -> RowBatch {
    let rows = ids.into_iter().map(|id| Row { id, values: vec![Some("text".to_owned())] });
    RowBatch { fields: vec!["text".to_owned()], rows: rows.collect() }
}

/// Float tensors are vectors of `f32`, int tensors of `i64`, booleans of `bool`. It knows how many of its tensors are
/// alive.
#[derive(Default)]
pub struct VecEngine {
    pub applied: AtomicU64,
    alive: Arc<()>,
}

/// What a tensor is made of.
struct Values<T> {
    values: Vec<T>,
    _alive: Arc<()>,
}

fn kind(dtype: DType, shape: Shape) -> TensorType {
    TensorType { shape, dtype }
}

fn values<T: 'static>(tensor: &AnyTensor) -> &[T] {
    &tensor.downcast_ref::<Values<T>>().unwrap().values
}

/// The last dimension's.
fn rows(tensor: &AnyTensor) -> impl Iterator<Item = &[f32]> {
    let size = tensor.shape().last().copied().unwrap_or(1);
    values::<f32>(tensor).chunks(size)
}

impl VecEngine {
    fn floats(&self, op: &TensorOp, arguments: &[&AnyTensor]) -> Result<Vec<f32>, TensorError> {
        let input: &[f32] = values(arguments[0]);
        let each = |f: &dyn Fn(f32) -> f32| Ok(input.iter().map(|x| f(*x)).collect());
        // Of the same shape, or one number.
        let both = |f: &dyn Fn(f32, f32) -> f32| {
            let other: &[f32] = values(arguments[1]);
            Ok(input.iter().zip(other.iter().cycle()).map(|(x, y)| f(*x, *y)).collect())
        };
        match op {
            TensorOp::Exp => each(&f32::exp),
            TensorOp::Neg => each(&|x| -x),
            TensorOp::Reshape { .. } | TensorOp::Detach => each(&|x| x),
            TensorOp::MulScalar(factor) => each(&|x| x * factor),
            TensorOp::AddScalar(term) => each(&|x| x + term),
            TensorOp::PowScalar(exponent) => each(&|x| x.powf(*exponent)),
            TensorOp::Clamp { low, high } => each(&|x| x.clamp(*low, *high)),
            TensorOp::Add => both(&|x, y| x + y),
            TensorOp::Sub => both(&|x, y| x - y),
            TensorOp::Mul => both(&|x, y| x * y),
            TensorOp::Div => both(&|x, y| x / y),
            TensorOp::Sum { dims } if dims.is_empty() => Ok(vec![input.iter().sum()]),
            TensorOp::MaskedFill { value } => {
                let mask = values::<bool>(arguments[1]).iter();
                Ok(input.iter().zip(mask).map(|(x, held)| if *held { *value } else { *x }).collect())
            }
            TensorOp::LogSoftmax { dim: -1 } => Ok(rows(arguments[0])
                .flat_map(|row| {
                    let sum: f32 = row.iter().map(|x| x.exp()).sum();
                    row.iter().map(move |x| x - sum.ln())
                })
                .collect()),
            TensorOp::Gather { dim: 1 | -1 } => {
                let size = arguments[0].shape()[1];
                let indices = values::<i64>(arguments[1]).iter();
                indices
                    .zip(rows(arguments[0]))
                    .map(|(index, row)| {
                        let place = usize::try_from(*index).ok().and_then(|index| row.get(index));
                        place.copied().ok_or_else(|| {
                            TensorError::new("gather", format!("index {index} is outside [0, {size})"))
                        })
                    })
                    .collect()
            }
            TensorOp::Relu => panic!("the engine's own mistake"),
            other => Err(TensorError::new(other.name(), "the test's engine lacks it")),
        }
    }

    pub fn alive(&self) -> usize {
        Arc::strong_count(&self.alive) - 1
    }

    pub fn tensor<T: Send + Sync + 'static>(
        &self,
        dtype: DType,
        dims: &[usize],
        values: Vec<T>,
    ) -> AnyTensor {
        let values = Values { values, _alive: Arc::clone(&self.alive) };
        AnyTensor::new(values, kind(dtype, Shape::new(dims).unwrap()))
    }
}

impl TensorEngine for VecEngine {
    fn apply(
        &self,
        op: &TensorOp,
        arguments: &[&AnyTensor],
        out: TensorType,
    ) -> Result<AnyTensor, TensorError> {
        self.applied.fetch_add(1, Ordering::Relaxed);
        match (op, arguments[0].dtype()) {
            (TensorOp::Reshape { .. }, DType::Int) => {
                return Ok(self.tensor(out.dtype, &out.shape, values::<i64>(arguments[0]).to_vec()));
            }
            (TensorOp::LogicalNot, _) => {
                let not = values::<bool>(arguments[0]).iter().map(|held| !held).collect();
                return Ok(self.tensor::<bool>(out.dtype, &out.shape, not));
            }
            (TensorOp::Argmax { dim: -1 }, DType::Float) => {
                let largest = |row: &[f32]| (0..row.len()).rev().max_by(|a, b| row[*a].total_cmp(&row[*b]));
                let rows = rows(arguments[0]).map(|row| largest(row).unwrap_or_default() as i64);
                return Ok(self.tensor::<i64>(out.dtype, &out.shape, rows.collect()));
            }
            _ => {}
        }
        let made = self.floats(op, arguments)?;
        Ok(self.tensor(out.dtype, &out.shape, made))
    }

    fn full(&self, shape: Shape, value: f32) -> Result<AnyTensor, TensorError> {
        Ok(self.tensor(DType::Float, &shape, vec![value; shape.elements()]))
    }

    fn tensor_from_floats(&self, shape: Shape, values: Vec<f32>) -> Result<AnyTensor, TensorError> {
        Ok(self.tensor(DType::Float, &shape, values))
    }

    fn tensor_from_ints(&self, shape: Shape, values: Vec<i64>) -> Result<AnyTensor, TensorError> {
        Ok(self.tensor(DType::Int, &shape, values))
    }

    fn read_floats(&self, tensor: &AnyTensor) -> Result<Vec<f32>, TensorError> {
        Ok(values(tensor).to_vec())
    }

    fn read_ints(&self, tensor: &AnyTensor) -> Result<Vec<i64>, TensorError> {
        Ok(match tensor.dtype() {
            DType::Boolean => values::<bool>(tensor).iter().map(|held| i64::from(*held)).collect(),
            _ => values(tensor).to_vec(),
        })
    }
}

/// Two rows, three classes.
pub struct TestStep {
    pub engine: Arc<VecEngine>,
    pub number: u64,
}

impl TestStep {
    pub fn new(number: u64) -> Arc<Self> {
        Arc::new(Self { engine: Arc::new(VecEngine::default()), number })
    }
}

impl StepView for TestStep {
    fn engine(&self) -> Arc<dyn TensorEngine> {
        self.engine.clone()
    }

    fn number(&self) -> u64 {
        self.number
    }

    fn training(&self) -> bool {
        true
    }

    fn record_ids(&self) -> &[u64] {
        &[70, 71]
    }

    fn classes(&self) -> &[String] {
        &[]
    }

    fn logits(&self) -> AnyTensor {
        self.engine.tensor(DType::Float, &[2, 3], vec![1.0_f32, 2.0, 3.0, 4.0, 5.0, 6.0])
    }

    fn labels(&self) -> AnyTensor {
        self.engine.tensor(DType::Int, &[2], vec![0_i64, 2])
    }

    fn mask(&self) -> AnyTensor {
        self.engine.tensor(DType::Boolean, &[2], vec![true; 2])
    }

    fn weights(&self) -> AnyTensor {
        self.engine.tensor(DType::Float, &[2], vec![1.0_f32; 2])
    }

    fn teacher_logits(&self) -> Option<AnyTensor> {
        None
    }

    fn hidden_state_count(&self) -> u32 {
        0
    }

    fn hidden_state(&self, _: u32) -> Option<AnyTensor> {
        None
    }
}

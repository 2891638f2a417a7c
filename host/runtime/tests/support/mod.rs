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

/// Float tensors are `Vec<f32>`, int tensors `Vec<i64>`.
#[derive(Default)]
pub struct VecEngine {
    pub applied: AtomicU64,
}

fn kind(dtype: DType, shape: Shape) -> TensorType {
    TensorType { shape, dtype }
}

pub fn floats(dims: &[usize], values: Vec<f32>) -> AnyTensor {
    AnyTensor::new(values, kind(DType::Float, Shape::new(dims).unwrap()))
}

pub fn ints(dims: &[usize], values: Vec<i64>) -> AnyTensor {
    AnyTensor::new(values, kind(DType::Int, Shape::new(dims).unwrap()))
}

impl TensorEngine for VecEngine {
    fn apply(
        &self,
        op: &TensorOp,
        arguments: &[&AnyTensor],
        out: TensorType,
    ) -> Result<AnyTensor, TensorError> {
        self.applied.fetch_add(1, Ordering::Relaxed);
        let input: &Vec<f32> = arguments[0].downcast_ref().unwrap();
        let values: Vec<f32> = match op {
            TensorOp::Exp => input.iter().map(|x| x.exp()).collect(),
            TensorOp::Neg => input.iter().map(|x| -x).collect(),
            TensorOp::MulScalar(factor) => input.iter().map(|x| x * factor).collect(),
            TensorOp::Sum { dims } if dims.is_empty() => vec![input.iter().sum()],
            TensorOp::Relu => panic!("the engine's own mistake"),
            other => return Err(TensorError::new(other.name(), "the test's engine lacks it")),
        };
        Ok(AnyTensor::new(values, out))
    }

    fn full(&self, shape: Shape, value: f32) -> Result<AnyTensor, TensorError> {
        Ok(AnyTensor::new(vec![value; shape.elements()], kind(DType::Float, shape)))
    }

    fn tensor_from_floats(&self, shape: Shape, values: Vec<f32>) -> Result<AnyTensor, TensorError> {
        Ok(AnyTensor::new(values, kind(DType::Float, shape)))
    }

    fn tensor_from_ints(&self, shape: Shape, values: Vec<i64>) -> Result<AnyTensor, TensorError> {
        Ok(AnyTensor::new(values, kind(DType::Int, shape)))
    }

    fn read_floats(&self, tensor: &AnyTensor) -> Result<Vec<f32>, TensorError> {
        Ok(tensor.downcast_ref::<Vec<f32>>().unwrap().clone())
    }

    fn read_ints(&self, tensor: &AnyTensor) -> Result<Vec<i64>, TensorError> {
        Ok(tensor.downcast_ref::<Vec<i64>>().unwrap().clone())
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
        floats(&[2, 3], vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    }

    fn labels(&self) -> AnyTensor {
        ints(&[2], vec![0, 2])
    }

    fn mask(&self) -> AnyTensor {
        AnyTensor::new(vec![true; 2], kind(DType::Boolean, Shape::new(&[2]).unwrap()))
    }

    fn weights(&self) -> AnyTensor {
        floats(&[2], vec![1.0; 2])
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

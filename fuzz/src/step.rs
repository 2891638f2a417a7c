//! A training step: a few rows, a few classes, and hidden states.

use std::sync::Arc;

use pegbox_runtime::{AnyTensor, DType, Shape, StepView, TensorEngine, TensorType};

use crate::vectors::Vectors;

pub struct Step {
    pub engine: Arc<Vectors>,
    rows: usize,
    classes: Vec<String>,
    ids: Vec<u64>,
    teacher: bool,
    layers: u32,
}

impl Step {
    /// 1 to 4 rows and classes; a teacher and up to 3 layers, if so.
    pub fn new(rows: u8, classes: u8, teacher: bool, layers: u8) -> Arc<Self> {
        let rows = usize::from(rows % 4) + 1;
        Arc::new(Self {
            engine: Arc::default(),
            rows,
            classes: (0..=classes % 4).map(|class| format!("class-{class}")).collect(),
            ids: (70..).take(rows).collect(),
            teacher,
            layers: u32::from(layers % 4),
        })
    }

    fn tensor(&self, dims: &[usize], dtype: DType, value: impl Fn(usize) -> f64) -> AnyTensor {
        let shape = Shape::new(dims).expect("dimensions of at least 1");
        let values = (0..shape.elements()).map(value).collect();
        self.engine.tensor(values, TensorType { shape, dtype })
    }
}

impl StepView for Step {
    fn engine(&self) -> Arc<dyn TensorEngine> {
        self.engine.clone()
    }

    fn number(&self) -> u64 {
        412
    }

    fn training(&self) -> bool {
        true
    }

    fn record_ids(&self) -> &[u64] {
        &self.ids
    }

    fn classes(&self) -> &[String] {
        &self.classes
    }

    fn logits(&self) -> AnyTensor {
        self.tensor(&[self.rows, self.classes.len()], DType::Float, |i| i as f64 / 3.0 - 1.0)
    }

    fn labels(&self) -> AnyTensor {
        self.tensor(&[self.rows], DType::Int, |i| (i % self.classes.len()) as f64)
    }

    fn mask(&self) -> AnyTensor {
        self.tensor(&[self.rows], DType::Boolean, |i| (i % 2) as f64)
    }

    fn weights(&self) -> AnyTensor {
        self.tensor(&[self.rows], DType::Float, |_| 1.0)
    }

    fn teacher_logits(&self) -> Option<AnyTensor> {
        self.teacher.then(|| self.logits())
    }

    fn hidden_state_count(&self) -> u32 {
        self.layers
    }

    fn hidden_state(&self, layer: u32) -> Option<AnyTensor> {
        (layer < self.layers).then(|| self.tensor(&[self.rows, 2, 3], DType::Float, |i| i as f64))
    }
}

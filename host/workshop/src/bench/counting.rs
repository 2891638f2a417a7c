//! Counts and times the operations that a plugin asks of the tensor library.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use pegbox_runtime::{AnyTensor, Shape, TensorEngine, TensorError, TensorOp, TensorType};

/// Passes everything on.
pub struct Counting {
    engine: Arc<dyn TensorEngine>,
    count: AtomicU64,
    nanoseconds: AtomicU64,
}

impl Counting {
    pub fn new(engine: Arc<dyn TensorEngine>) -> Self {
        Self { engine, count: AtomicU64::new(0), nanoseconds: AtomicU64::new(0) }
    }

    /// Operations and nanoseconds since the last call.
    pub fn take(&self) -> (u64, u64) {
        (self.count.swap(0, Ordering::Relaxed), self.nanoseconds.swap(0, Ordering::Relaxed))
    }

    fn timed<T>(&self, work: impl FnOnce(&dyn TensorEngine) -> T) -> T {
        let started = Instant::now();
        let result = work(&*self.engine);
        let nanoseconds = u64::try_from(started.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.nanoseconds.fetch_add(nanoseconds, Ordering::Relaxed);
        self.count.fetch_add(1, Ordering::Relaxed);
        result
    }
}

impl TensorEngine for Counting {
    fn apply(
        &self,
        op: &TensorOp,
        arguments: &[&AnyTensor],
        out: TensorType,
    ) -> Result<AnyTensor, TensorError> {
        self.timed(|engine| engine.apply(op, arguments, out))
    }

    fn full(&self, shape: Shape, value: f32) -> Result<AnyTensor, TensorError> {
        self.timed(|engine| engine.full(shape, value))
    }

    fn tensor_from_floats(&self, shape: Shape, values: Vec<f32>) -> Result<AnyTensor, TensorError> {
        self.timed(|engine| engine.tensor_from_floats(shape, values))
    }

    fn tensor_from_ints(&self, shape: Shape, values: Vec<i64>) -> Result<AnyTensor, TensorError> {
        self.timed(|engine| engine.tensor_from_ints(shape, values))
    }

    fn read_floats(&self, tensor: &AnyTensor) -> Result<Vec<f32>, TensorError> {
        self.timed(|engine| engine.read_floats(tensor))
    }

    fn read_ints(&self, tensor: &AnyTensor) -> Result<Vec<i64>, TensorError> {
        self.timed(|engine| engine.read_ints(tensor))
    }
}

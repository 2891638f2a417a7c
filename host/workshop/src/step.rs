//! A forward pass made of given numbers, as losses and metrics see it.

use std::sync::Arc;

use burn::tensor::{Bool, Device, Gradients, Int, Tensor, TensorData};
use pegbox_runtime::{AnyTensor, Shape, StepView, TensorEngine, TensorError};
use pegbox_train::tensor_engine::{self, BurnEngine};

use crate::case::Numbers;

/// The numbers of one step.
#[derive(Clone, PartialEq, Debug)]
pub struct Arrays {
    /// The logits', `[B, C]` or `[B, T, C]`.
    pub shape: Vec<usize>,
    pub logits: Vec<f32>,
    pub labels: Vec<i64>,
    pub mask: Vec<bool>,
    pub weights: Vec<f32>,
    pub teacher: Option<Vec<f32>>,
    pub hidden: Vec<Numbers<f32>>,
    pub classes: Vec<String>,
    pub number: u64,
    /// None: true for a loss, false for a metric.
    pub training: Option<bool>,
}

/// [`Arrays`] on a device.
pub struct GivenStep {
    engine: Arc<dyn TensorEngine>,
    number: u64,
    training: bool,
    records: Vec<u64>,
    classes: Vec<String>,
    logits: AnyTensor,
    labels: AnyTensor,
    mask: AnyTensor,
    weights: AnyTensor,
    teacher: Option<AnyTensor>,
    hidden: Vec<AnyTensor>,
}

/// What a gradient is taken with respect to: logits first, then each hidden state, flat.
pub struct Leaves(Vec<Tensor<1>>);

impl Leaves {
    /// Derivatives, flat; zero where the loss does not depend on a leaf.
    pub fn gradients(&self, gradients: &Gradients) -> Vec<Vec<f32>> {
        let of = |leaf: &Tensor<1>| match leaf.grad(gradients) {
            Some(gradient) => gradient.into_data().iter::<f32>().collect(),
            None => vec![0.0; leaf.dims()[0]],
        };
        self.0.iter().map(of).collect()
    }
}

impl GivenStep {
    /// Constants on `device`.
    ///
    /// # Errors
    /// A shape that the contract does not know.
    pub fn new(arrays: &Arrays, device: &Device, training: bool) -> Result<Arc<Self>, TensorError> {
        Self::on(arrays, &device.clone().inner(), Arc::new(BurnEngine::new(device)), training, false)
            .map(|(step, _)| Arc::new(step))
    }

    /// As [`GivenStep::new`], whose operations go through `engine`; under autodiff while training.
    ///
    /// # Errors
    /// As [`GivenStep::new`].
    pub fn with_engine(
        arrays: &Arrays,
        device: &Device,
        engine: Arc<dyn TensorEngine>,
        training: bool,
    ) -> Result<Arc<Self>, TensorError> {
        let device = if training { device.clone().autodiff() } else { device.clone().inner() };
        Self::on(arrays, &device, engine, training, training).map(|(step, _)| Arc::new(step))
    }

    /// Under autodiff, with what gradients can be taken of.
    ///
    /// # Errors
    /// As [`GivenStep::new`].
    pub fn tracked(arrays: &Arrays, device: &Device) -> Result<(Arc<Self>, Leaves), TensorError> {
        let engine = Arc::new(BurnEngine::new(device));
        Self::on(arrays, &device.clone().autodiff(), engine, true, true)
            .map(|(step, leaves)| (Arc::new(step), leaves))
    }

    fn on(
        arrays: &Arrays,
        device: &Device,
        engine: Arc<dyn TensorEngine>,
        training: bool,
        tracked: bool,
    ) -> Result<(Self, Leaves), TensorError> {
        let constant = device.clone().inner();
        let mut leaves = Vec::new();
        let mut leaf = |shape: &[usize], values: &[f32]| {
            let flat = Tensor::<1>::from_data(TensorData::new(values.to_vec(), [values.len()]), device);
            let flat = if tracked { flat.require_grad() } else { flat };
            leaves.push(flat.clone());
            float(shape, flat)
        };
        let logits = leaf(&arrays.shape, &arrays.logits)?;
        let hidden = arrays.hidden.iter().map(|state| leaf(&state.shape, &state.values));
        let hidden = hidden.collect::<Result<_, _>>()?;

        let outer = arrays.shape.split_last().map_or(&[][..], |(_, outer)| outer);
        let shape = Shape::new(outer).ok_or_else(|| unknown(outer))?;
        let labels = TensorData::new(arrays.labels.clone(), [arrays.labels.len()]);
        let mask = TensorData::new(arrays.mask.clone(), [arrays.mask.len()]);
        let mask = Tensor::<1, Bool>::from_data(mask, &constant);
        let labels = Tensor::<1, Int>::from_data(labels, &constant);
        let (labels, mask) = match *outer {
            [rows] => {
                (tensor_engine::int(labels.reshape([rows]))?, tensor_engine::boolean(mask.reshape([rows]))?)
            }
            [rows, tokens] => (
                tensor_engine::int(labels.reshape([rows, tokens]))?,
                tensor_engine::boolean(mask.reshape([rows, tokens]))?,
            ),
            _ => return Err(unknown(outer)),
        };
        let whole = Shape::new(&arrays.shape).ok_or_else(|| unknown(&arrays.shape))?;
        let teacher = arrays.teacher.clone();
        let step = Self {
            number: arrays.number,
            training: arrays.training.unwrap_or(training),
            records: (1..=arrays.shape[0] as u64).collect(),
            classes: arrays.classes.clone(),
            logits,
            labels,
            mask,
            weights: engine.tensor_from_floats(shape, arrays.weights.clone())?,
            teacher: teacher.map(|teacher| engine.tensor_from_floats(whole, teacher)).transpose()?,
            hidden,
            engine,
        };
        Ok((step, Leaves(leaves)))
    }
}

fn float(shape: &[usize], flat: Tensor<1>) -> Result<AnyTensor, TensorError> {
    match *shape {
        [a, b] => tensor_engine::float(flat.reshape([a, b])),
        [a, b, c] => tensor_engine::float(flat.reshape([a, b, c])),
        _ => Err(unknown(shape)),
    }
}

fn unknown(shape: &[usize]) -> TensorError {
    TensorError::new("step", format!("{shape:?} is no shape of a step's tensors"))
}

impl StepView for GivenStep {
    fn engine(&self) -> Arc<dyn TensorEngine> {
        Arc::clone(&self.engine)
    }

    fn number(&self) -> u64 {
        self.number
    }

    fn training(&self) -> bool {
        self.training
    }

    fn record_ids(&self) -> &[u64] {
        &self.records
    }

    fn classes(&self) -> &[String] {
        &self.classes
    }

    fn logits(&self) -> AnyTensor {
        self.logits.clone()
    }

    fn labels(&self) -> AnyTensor {
        self.labels.clone()
    }

    fn mask(&self) -> AnyTensor {
        self.mask.clone()
    }

    fn weights(&self) -> AnyTensor {
        self.weights.clone()
    }

    fn teacher_logits(&self) -> Option<AnyTensor> {
        self.teacher.clone()
    }

    fn hidden_state_count(&self) -> u32 {
        u32::try_from(self.hidden.len()).unwrap_or(u32::MAX)
    }

    fn hidden_state(&self, layer: u32) -> Option<AnyTensor> {
        self.hidden.get(layer as usize).cloned()
    }
}

//! A batch and the model's answer, as losses and metrics see it.

use std::sync::Arc;

use burn::tensor::{Bool, Device, Int, Tensor, TensorData};
use pegbox_data::PaddedBatch;
use pegbox_models::TokenBatch;
use pegbox_runtime::{AnyTensor, StepView, TensorEngine, TensorError};

use crate::tensor_engine::{self, BurnEngine};

/// What all steps of one training or evaluation share.
#[derive(Clone)]
pub struct Stage {
    engine: Arc<BurnEngine>,
    device: Device,
    classes: Arc<[String]>,
}

impl Stage {
    /// `device` is the one that the model's tensors are on, with or without autodiff.
    pub fn new(device: &Device, classes: &[String]) -> Self {
        Self {
            engine: Arc::new(BurnEngine::new(device)),
            device: device.clone().inner(),
            classes: classes.into(),
        }
    }

    /// The view of a batch whose logits are `logits`, `[B, C]`.
    ///
    /// # Errors
    /// A shape that the contract does not know.
    pub fn view(
        &self,
        batch: &PaddedBatch,
        logits: Tensor<2>,
        number: u64,
        training: bool,
    ) -> Result<Arc<BatchView>, TensorError> {
        let rows = batch.rows;
        let labels: Vec<i64> = batch.labels.iter().map(|label| i64::from(*label)).collect();
        let labels = Tensor::<1, Int>::from_data(TensorData::new(labels, [rows]), &self.device);
        let mask = Tensor::<1, Bool>::from_data(TensorData::new(vec![true; rows], [rows]), &self.device);
        let weights = Tensor::<1>::from_data(TensorData::new(batch.weights.clone(), [rows]), &self.device);
        Ok(Arc::new(BatchView {
            stage: self.clone(),
            number,
            training,
            records: batch.records.clone(),
            logits: tensor_engine::float(logits)?,
            labels: tensor_engine::int(labels)?,
            mask: tensor_engine::boolean(mask)?,
            weights: tensor_engine::float(weights)?,
        }))
    }
}

/// One batch of a classification.
pub struct BatchView {
    stage: Stage,
    number: u64,
    training: bool,
    records: Vec<u64>,
    logits: AnyTensor,
    labels: AnyTensor,
    mask: AnyTensor,
    weights: AnyTensor,
}

impl StepView for BatchView {
    fn engine(&self) -> Arc<dyn TensorEngine> {
        self.stage.engine.clone()
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
        &self.stage.classes
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
        None
    }

    fn hidden_state_count(&self) -> u32 {
        0
    }

    fn hidden_state(&self, _: u32) -> Option<AnyTensor> {
        None
    }
}

/// A padded batch as the model takes it.
pub fn tokens(batch: &PaddedBatch) -> TokenBatch {
    TokenBatch {
        ids: batch.ids.clone(),
        mask: batch.mask(),
        types: batch.type_ids.clone(),
        documents: Vec::new(),
        rows: batch.rows,
        tokens: batch.width,
    }
}

/// The weight of a batch among others: the sum of its rows' weights.
pub fn weight(batch: &PaddedBatch) -> f64 {
    batch.weights.iter().map(|weight| f64::from(*weight)).sum()
}

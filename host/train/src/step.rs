//! A batch and the model's answer, as losses and metrics see it.

use std::sync::Arc;

use burn::tensor::{Bool, Device, Int, Tensor, TensorData};
use pegbox_data::{IGNORED, PaddedBatch, Targets};
use pegbox_models::{Batch, Head, Logits, Model, ModelError, Places, Problem, Seq2SeqBatch, TokenBatch};
use pegbox_runtime::{AnyTensor, StepView, TensorEngine, TensorError, Written};

use crate::foretold::Foretold;
use crate::tensor_engine::{self, BurnEngine};
use crate::write::{Writer, Writing};

/// What all steps of one training or evaluation share.
#[derive(Clone)]
pub struct Stage {
    engine: Arc<BurnEngine>,
    device: Device,
    head: Head,
    classes: Arc<[String]>,
    writer: Option<Writer>,
}

/// Labels, whether they count, and their weights.
type Labels = (AnyTensor, AnyTensor, AnyTensor);

impl Stage {
    /// `device` is the one that the model's tensors are on, with or without autodiff.
    pub fn new(device: &Device, head: Head, classes: &[String]) -> Self {
        Self {
            engine: Arc::new(BurnEngine::new(device)),
            device: device.clone().inner(),
            head,
            classes: classes.into(),
            writer: None,
        }
    }

    /// The same for an evaluation in which `model` writes texts, where it does.
    pub fn writing(self, model: &Model, writing: Option<&Writing>) -> Self {
        Self { writer: writing.map(|writing| Writer::new(model, writing)), ..self }
    }

    /// The view of a batch and the model's answer to it.
    ///
    /// # Errors
    /// A shape that the contract does not know, or targets that do not go with the model's head.
    pub fn view(
        &self,
        batch: &PaddedBatch,
        logits: Logits,
        number: u64,
        training: bool,
    ) -> Result<Arc<BatchView>, TensorError> {
        let (labels, mask, weights) = match (&logits, &batch.targets) {
            (Logits::Rows(_), Targets::Classes(classes)) => self.of_rows(batch, classes)?,
            (Logits::Tokens(_), Targets::Tokens(labels)) => self.of_tokens(batch, labels, batch.width)?,
            (Logits::Tokens(_), Targets::Completions(labels)) => {
                let Foretold { places, labels } = Foretold::of(batch, labels);
                self.of_tokens(batch, &labels, places.width)?
            }
            (Logits::Tokens(logits), Targets::Texts { .. }) => {
                let [_, width, _] = logits.dims();
                self.of_tokens(batch, &texts(batch, width), width)?
            }
            (Logits::Rows(_), Targets::Values { width, values }) if *width == logits.width() => {
                self.of_values(batch, *width, values)?
            }
            _ => {
                let what = "the dataset was prepared for another task than the model's head";
                return Err(TensorError::new("step", what));
            }
        };
        let logits = match logits {
            Logits::Rows(logits) => tensor_engine::float(logits)?,
            Logits::Tokens(logits) => tensor_engine::float(logits)?,
        };
        Ok(Arc::new(BatchView {
            stage: self.clone(),
            number,
            training,
            records: batch.records.clone(),
            // Only an evaluation looks at it again.
            batch: self.writer.is_some().then(|| batch.clone()),
            logits,
            labels,
            mask,
            weights,
        }))
    }

    /// A class a row.
    fn of_rows(&self, batch: &PaddedBatch, classes: &[u32]) -> Result<Labels, TensorError> {
        let rows = [batch.rows];
        let labels = classes.iter().map(|class| i64::from(*class)).collect();
        Ok((
            self.ints(labels, rows)?,
            self.bools(vec![true; batch.rows], rows)?,
            self.floats(batch.weights.clone(), rows)?,
        ))
    }

    /// A class a token. Where there is none the label is class 0, which the mask hides.
    fn of_tokens(&self, batch: &PaddedBatch, labels: &[i32], width: usize) -> Result<Labels, TensorError> {
        let shape = [batch.rows, width];
        let mask = labels.iter().map(|label| *label >= 0).collect();
        let labels = labels.iter().map(|label| i64::from((*label).max(0))).collect();
        Ok((
            self.ints(labels, shape)?,
            self.bools(mask, shape)?,
            self.floats(repeated(&batch.weights, width), shape)?,
        ))
    }

    /// Several numbers a row: integers where they say which classes hold.
    fn of_values(&self, batch: &PaddedBatch, width: usize, values: &[f32]) -> Result<Labels, TensorError> {
        let shape = [batch.rows, width];
        let labels = match self.head {
            Head::Sequence { problem: Problem::MultiLabel, .. } => {
                self.ints(values.iter().map(|value| i64::from(*value > 0.5)).collect(), shape)?
            }
            _ => self.floats(values.to_vec(), shape)?,
        };
        Ok((
            labels,
            self.bools(vec![true; batch.rows * width], shape)?,
            self.floats(repeated(&batch.weights, width), shape)?,
        ))
    }

    fn ints<const D: usize>(&self, values: Vec<i64>, shape: [usize; D]) -> Result<AnyTensor, TensorError> {
        tensor_engine::int(Tensor::<D, Int>::from_data(TensorData::new(values, shape), &self.device))
    }

    fn bools<const D: usize>(&self, values: Vec<bool>, shape: [usize; D]) -> Result<AnyTensor, TensorError> {
        tensor_engine::boolean(Tensor::<D, Bool>::from_data(TensorData::new(values, shape), &self.device))
    }

    fn floats<const D: usize>(&self, values: Vec<f32>, shape: [usize; D]) -> Result<AnyTensor, TensorError> {
        tensor_engine::float(Tensor::<D>::from_data(TensorData::new(values, shape), &self.device))
    }
}

/// Each value `times` times.
fn repeated(values: &[f32], times: usize) -> Vec<f32> {
    values.iter().flat_map(|value| std::iter::repeat_n(*value, times)).collect()
}

/// One batch.
pub struct BatchView {
    stage: Stage,
    number: u64,
    training: bool,
    records: Vec<u64>,
    batch: Option<PaddedBatch>,
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

    fn written(&self, beams: usize) -> Result<Option<Vec<Written>>, TensorError> {
        match (&self.stage.writer, &self.batch) {
            (Some(writer), Some(batch)) => writer.of(batch, beams),
            _ => Ok(None),
        }
    }
}

/// A padded batch as the model takes it: of completions only the logits that are compared with a label, and texts with
/// what is to be written after them.
pub fn batch(batch: &PaddedBatch) -> Result<Batch, ModelError> {
    Ok(match &batch.targets {
        Targets::Completions(labels) => {
            let places = Foretold::of(batch, labels).places;
            if batch.packed { packed(batch, &places)? } else { Batch::Places(tokens(batch), places) }
        }
        Targets::Texts { .. } => {
            let rows: Vec<&[i32]> =
                (0..batch.rows).map(|row| batch.targets.text(row).unwrap_or_default()).collect();
            Batch::Pairs(Seq2SeqBatch::new(tokens(batch), rows.into_iter())?)
        }
        Targets::Classes(_) | Targets::Tokens(_) | Targets::Values { .. } | Targets::Nothing => {
            Batch::Tokens(tokens(batch))
        }
    })
}

/// Tokens that the model computes, padding included.
pub fn positions(batch: &PaddedBatch) -> usize {
    let written = (0..batch.rows).filter_map(|row| batch.targets.text(row)).map(<[i32]>::len).max();
    if batch.packed { batch.tokens } else { batch.rows * (batch.width + written.unwrap_or(0)) }
}

/// The rows one after the other in one, without their padding, and the same places in it.
fn packed(batch: &PaddedBatch, places: &Places) -> Result<Batch, ModelError> {
    let width = batch.width.max(1);
    let rows = batch.ids.chunks(width).zip(&batch.lengths);
    let rows: Vec<&[u32]> =
        rows.map(|(ids, length)| ids.get(..*length as usize).unwrap_or_default()).collect();
    let starts: Vec<u32> =
        rows.iter().scan(0, |start, row| Some(std::mem::replace(start, *start + row.len() as u32))).collect();
    let moved = |place: &u32| {
        let (row, column) = (*place as usize / width, *place % width as u32);
        starts.get(row).map_or(0, |start| start + column)
    };
    let at = Arc::new(places.at.iter().map(moved).collect());
    Ok(Batch::Places(TokenBatch::packed(&[rows], 0)?, Places { at, width: places.width }))
}

/// What is to be written after each row, padded with [`IGNORED`] to `width`.
fn texts(batch: &PaddedBatch, width: usize) -> Vec<i32> {
    let mut labels = Vec::with_capacity(batch.rows * width);
    for row in 0..batch.rows {
        labels.extend(batch.targets.text(row).unwrap_or_default());
        labels.resize((row + 1) * width, IGNORED);
    }
    labels
}

fn tokens(batch: &PaddedBatch) -> TokenBatch {
    TokenBatch {
        ids: batch.ids.clone(),
        mask: batch.mask(),
        types: batch.type_ids.clone(),
        documents: Vec::new(),
        rows: batch.rows,
        tokens: batch.width,
    }
}

/// The weight of a batch among others: the sum of the weights of its labels that count.
pub fn weight(batch: &PaddedBatch) -> f64 {
    let rows = batch.weights.iter().map(|weight| f64::from(*weight));
    let counted = |labels: &[i32]| labels.iter().filter(|label| **label >= 0).count() as f64;
    match &batch.targets {
        Targets::Classes(_) | Targets::Values { .. } | Targets::Nothing => rows.sum(),
        Targets::Tokens(labels) => {
            let labels = labels.chunks(batch.width.max(1));
            rows.zip(labels).map(|(weight, labels)| weight * counted(labels)).sum()
        }
        Targets::Completions(labels) => {
            let Foretold { places, labels } = Foretold::of(batch, labels);
            rows.zip(labels.chunks(places.width)).map(|(weight, labels)| weight * counted(labels)).sum()
        }
        Targets::Texts { .. } => {
            let texts = (0..batch.rows).map(|row| batch.targets.text(row).unwrap_or_default());
            rows.zip(texts).map(|(weight, text)| weight * counted(text)).sum()
        }
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::activation::log_softmax;
    use pegbox_data::{Example, RowTarget};
    use pegbox_models::{Mode, ModelConfig, Parameters};
    use serde_json::{Value, json};

    use super::*;

    /// Prompts and answers of unequal lengths, the last of them without an answer.
    const TEXTS: [(&[u32], &[i32]); 4] = [
        (&[1, 2, 3, 4, 5], &[IGNORED, IGNORED, 3, 4, 5]),
        (&[6, 7], &[IGNORED, 7]),
        (&[8, 9, 10, 1, 2, 3, 4], &[IGNORED, 9, 10, IGNORED, IGNORED, 3, 4]),
        (&[5], &[IGNORED]),
    ];

    fn texts(packed: bool) -> PaddedBatch {
        let types = [0; 8];
        let example = |(ids, labels): &(&'static [u32], &'static [i32])| Example {
            ids,
            type_ids: &types[..ids.len()],
            target: RowTarget::Completion(labels),
            record: 0,
            weight: 1.0,
        };
        let examples: Vec<Example<'_>> = TEXTS.iter().map(example).collect();
        PaddedBatch { packed, ..PaddedBatch::new(&examples, 0) }
    }

    /// Of the labels' summed log-probability: itself, and its gradients.
    fn learned(model: &Model, texts: &PaddedBatch) -> Vec<Vec<f32>> {
        let Targets::Completions(labels) = &texts.targets else { panic!("no completions") };
        let mut graph = model.tracked(&|_| true);
        let Logits::Tokens(logits) = graph.forward(&batch(texts).unwrap(), Mode::default()).unwrap().logits
        else {
            panic!("a label a token")
        };
        let Foretold { labels, places } = Foretold::of(texts, labels);
        assert_eq!(logits.dims()[..2], [texts.rows, places.width]);
        let shape = [texts.rows, places.width, 1];
        let ids: Vec<i64> = labels.iter().map(|label| i64::from((*label).max(0))).collect();
        let counts: Vec<f32> = labels.iter().map(|label| f32::from(u8::from(*label >= 0))).collect();
        let device = Device::flex();
        let ids = Tensor::<3, Int>::from_data(TensorData::new(ids, shape), &device);
        let counts = Tensor::<3>::from_data(TensorData::new(counts, shape), &device);
        let sum = (log_softmax(logits, 2).gather(2, ids) * counts).sum();
        let mut gradients = sum.backward();
        let gradient = |parameter: pegbox_models::Parameter<'_>| {
            parameter.take_gradient(&mut gradients).map_or_else(Vec::new, |gradient| gradient.into_values())
        };
        let mut values: Vec<Vec<f32>> =
            graph.parameters().into_iter().map(|(_, parameter)| parameter).map(gradient).collect();
        values.push(vec![sum.into_scalar::<f32>()]);
        values
    }

    fn decoders() -> [Value; 2] {
        [
            json!({
                "model_type": "gpt2", "vocab_size": 12, "n_embd": 16, "n_layer": 2, "n_head": 2, "n_positions": 8,
                "initializer_range": 0.3,
            }),
            // Its second layer sees two tokens back at most.
            json!({
                "model_type": "qwen3", "vocab_size": 12, "hidden_size": 16, "intermediate_size": 24,
                "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 8,
                "max_position_embeddings": 8, "initializer_range": 0.3, "use_sliding_window": true,
                "sliding_window": 2, "max_window_layers": 1,
            }),
        ]
    }

    #[test]
    fn packed_texts_teach_what_padded_ones_teach() {
        for config in decoders() {
            let name = config["model_type"].clone();
            let config = ModelConfig::from_json(config.as_object().unwrap().clone()).unwrap();
            let model = Model::random(config, Head::CausalLm, 1, &Device::flex()).unwrap();
            let (padded, packed) = (texts(false), texts(true));
            // 15 tokens in one row, which is longer than the model's texts may be.
            assert_eq!((positions(&padded), positions(&packed)), (28, 15));
            let Batch::Places(tokens, _) = batch(&packed).unwrap() else { panic!("some places") };
            assert_eq!((tokens.rows, tokens.tokens), (1, 15));
            let (expected, found) = (learned(&model, &padded), learned(&model, &packed));
            assert!(expected.len() > 20);
            for (number, (a, b)) in expected.iter().zip(&found).enumerate() {
                assert_eq!(a.len(), b.len());
                let largest = a.iter().fold(1e-3f32, |largest, value| largest.max(value.abs()));
                for (a, b) in a.iter().zip(b) {
                    assert!((a - b).abs() < 1e-4 * largest, "{name}, parameter {number}: {a} and {b}");
                }
            }
        }
    }
}

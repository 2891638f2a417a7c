//! The labels of a step that count, of texts or of tokens alike.

use burn::tensor::{Device, Int, Tensor, TensorData};
use pegbox_runtime::{StepView, TensorError};

use crate::tensor_engine::{into_bools, into_floats, into_ints};

const OP: &str = "compute";

/// The labels that count, N of them.
pub struct Counted {
    /// `[N, C]`
    pub logits: Tensor<2>,
    /// `[N]`
    pub labels: Tensor<1, Int>,
    /// `[N]`
    pub weights: Tensor<1>,
}

/// None where no label counts. Of tokens only those are looked at whose label counts: in language modelling most
/// do not, and each has as many logits as the vocabulary has entries.
pub fn counted(step: &dyn StepView) -> Result<Option<Counted>, TensorError> {
    let (logits, labels, weights) = (step.logits(), step.labels(), step.weights());
    if labels.shape().rank() == 1 {
        return Ok(Some(Counted {
            logits: into_floats(OP, &logits)?,
            labels: into_ints(OP, &labels)?,
            weights: into_floats(OP, &weights)?,
        }));
    }
    let logits = into_floats::<3>(OP, &logits)?;
    let (labels, weights) = (into_ints::<2>(OP, &labels)?, into_floats::<2>(OP, &weights)?);
    let [rows, tokens, classes] = logits.dims();
    let mask = into_bools(&*step.engine(), &step.mask())?;
    let kept: Vec<i64> = (0..).zip(mask).filter(|(_, counts)| *counts).map(|(place, _)| place).collect();
    if kept.is_empty() {
        return Ok(None);
    }
    let count = kept.len();
    if count == rows * tokens {
        return Ok(Some(Counted {
            logits: logits.reshape([count, classes]),
            labels: labels.reshape([count]),
            weights: weights.reshape([count]),
        }));
    }
    let kept = |device: &Device| Tensor::<1, Int>::from_data(TensorData::new(kept.clone(), [count]), device);
    Ok(Some(Counted {
        labels: labels.reshape([rows * tokens]).select(0, kept(&logits.device().inner())),
        weights: weights.reshape([rows * tokens]).select(0, kept(&logits.device().inner())),
        logits: {
            let kept = kept(&logits.device());
            logits.reshape([rows * tokens, classes]).select(0, kept)
        },
    }))
}

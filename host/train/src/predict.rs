//! Labels for texts.

use burn::tensor::activation::{sigmoid, softmax};
use pegbox_data::{TextTokenizer, collate_ids};
use pegbox_models::{Head, Logits, Mode, Model, Problem};

use crate::error::{Fault, TrainError};
use crate::step;

/// What a model says of one text.
#[derive(Clone, PartialEq, Debug)]
pub struct Prediction {
    /// Of each class, in the order of the classes.
    pub logits: Vec<f32>,
    /// The likeliest classes, the likeliest first.
    pub top: Vec<Likely>,
}

/// A class and how likely it is.
#[derive(Clone, PartialEq, Debug)]
pub struct Likely {
    pub class: String,
    /// Softmax of the logits; their sigmoid where any number of classes may hold.
    pub probability: f64,
}

/// Classifies `texts`, `batch` at a time, and keeps the `top` classes of each. The logits of a regression are its
/// numbers, those of a model of embeddings its vectors.
///
/// # Errors
/// A text cannot be tokenized, or the model fails.
pub fn predict(
    model: &Model,
    tokenizer: &TextTokenizer,
    classes: &[String],
    texts: &[String],
    top: usize,
    batch: usize,
) -> Result<Vec<Prediction>, TrainError> {
    let encoded = texts
        .iter()
        .enumerate()
        .map(|(row, text)| {
            tokenizer.encode(text).map_err(|what| Fault::Tokenize { row: row + 1, what }.into())
        })
        .collect::<Result<Vec<_>, TrainError>>()?;
    let mut predictions = Vec::with_capacity(texts.len());
    for rows in encoded.chunks(batch.max(1)) {
        let ids: Vec<&[u32]> = rows.iter().map(|row| &row.ids[..]).collect();
        let padded = collate_ids(&ids, model.pad_token_id());
        let Logits::Rows(logits) = model.forward(&step::batch(&padded)?, Mode::default())?.logits else {
            return Err(Fault::Head { what: "gives numbers for each token, not for a text" }.into());
        };
        let width = logits.dims()[1];
        let probabilities = match model.head() {
            Head::Sequence { problem: Problem::MultiLabel, .. } => sigmoid(logits.clone()),
            _ => softmax(logits.clone(), 1),
        };
        let probabilities: Vec<f32> = probabilities.into_data().iter::<f32>().collect();
        let logits: Vec<f32> = logits.into_data().iter::<f32>().collect();
        for (logits, probabilities) in logits.chunks(width).zip(probabilities.chunks(width)) {
            predictions
                .push(Prediction { logits: logits.to_vec(), top: likeliest(probabilities, classes, top) });
        }
    }
    Ok(predictions)
}

fn likeliest(probabilities: &[f32], classes: &[String], top: usize) -> Vec<Likely> {
    let mut ranked: Vec<(&String, f32)> = classes.iter().zip(probabilities.iter().copied()).collect();
    // Stable: of equals, the class with the lower id comes first.
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
    ranked
        .into_iter()
        .take(top)
        .map(|(class, probability)| Likely { class: class.clone(), probability: f64::from(probability) })
        .collect()
}

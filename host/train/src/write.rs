//! Texts that a model writes: answers to prompts, and what becomes of texts that are read.

use std::ops::ControlFlow;
use std::sync::Arc;

use pegbox_data::{PaddedBatch, Targets, TextTokenizer};
use pegbox_generation::{Generated, GenerationError, GenerationSettings, generate};
use pegbox_models::{Model, ModelError, T5Decoder};
use pegbox_runtime::{TensorError, Written};

use crate::error::{Fault, TrainError};

/// Token ids of texts.
type Texts = Vec<Vec<u32>>;

/// What answers are held to.
#[derive(Clone, PartialEq, Debug)]
pub struct Writing {
    /// Tokens of an answer at most, the one that ends it included.
    pub max_tokens: usize,
    /// Any of these ends an answer.
    pub end: Vec<u32>,
    /// What stands for everything that is not in the vocabulary: it is never what was wanted.
    pub unknown: Option<u32>,
}

/// Writes after each of `prompts` (token ids), all at once. `tokenizer` gives the texts.
///
/// # Errors
/// The model writes nothing, or a prompt does not fit it.
pub fn write(
    model: &Model,
    prompts: &[Vec<u32>],
    settings: &GenerationSettings,
    tokenizer: Option<&TextTokenizer>,
) -> Result<Vec<Generated>, TrainError> {
    if matches!(model, Model::Encoder(_)) {
        return Err(Fault::Head { what: "writes no texts" }.into());
    }
    Ok(answers(model, prompts, settings, tokenizer)?)
}

fn answers(
    model: &Model,
    prompts: &[Vec<u32>],
    settings: &GenerationSettings,
    tokenizer: Option<&TextTokenizer>,
) -> Result<Vec<Generated>, GenerationError<ModelError>> {
    let tokenizer = tokenizer.map(TextTokenizer::inner);
    let go_on = |_: &pegbox_generation::NewToken<'_>| ControlFlow::Continue(());
    match model {
        Model::Encoder(_) => Ok(Vec::new()),
        Model::Gpt2(model) => generate(&mut model.decoder(), prompts, settings, tokenizer, go_on),
        Model::Llama(model) => generate(&mut model.decoder(), prompts, settings, tokenizer, go_on),
        Model::T5(model) => generate(&mut T5Decoder::new(model), prompts, settings, tokenizer, go_on),
    }
}

/// A model that writes for an evaluation.
#[derive(Clone)]
pub struct Writer {
    model: Arc<Model>,
    writing: Writing,
}

impl Writer {
    /// The model's parameters are shared, not copied.
    pub fn new(model: &Model, writing: &Writing) -> Self {
        Self { model: Arc::new(model.clone()), writing: writing.clone() }
    }

    /// Of each row of `batch` what is wanted and what the model writes in a search with `beams`; none where rows ask for
    /// no text.
    pub fn of(&self, batch: &PaddedBatch, beams: usize) -> Result<Option<Vec<Written>>, TensorError> {
        let Some((prompts, wanted)) = self.asked(batch) else { return Ok(None) };
        let settings = GenerationSettings {
            max_new_tokens: Some(self.writing.max_tokens),
            eos_token_id: self.writing.end.clone(),
            num_beams: beams,
            ..GenerationSettings::default()
        };
        let answers = answers(&self.model, &prompts, &settings, None)
            .map_err(|error| TensorError::new("step", TrainError::from(error).to_string()))?;
        let answer = |tokens: Vec<u32>| -> Vec<u32> {
            let known = |id: u32| if Some(id) == self.writing.unknown { u32::MAX } else { id };
            self.body(&tokens).iter().map(|id| known(*id)).collect()
        };
        let answers = answers.into_iter().map(|generated| answer(generated.tokens));
        Ok(Some(answers.zip(wanted).map(|(answer, wanted)| Written { answer, wanted }).collect()))
    }

    /// What is read of each row, and what is to be written then.
    fn asked(&self, batch: &PaddedBatch) -> Option<(Texts, Texts)> {
        let body = |ids: Vec<u32>| self.body(&ids).to_vec();
        let rows = batch.ids.chunks(batch.width.max(1)).zip(&batch.lengths);
        let rows = rows.map(|(ids, length)| ids.get(..*length as usize).unwrap_or_default());
        match &batch.targets {
            Targets::Texts { .. } => {
                let text = |row| batch.targets.text(row).unwrap_or_default();
                let known = |label: &i32| u32::try_from(*label).ok();
                let wanted = (0..batch.rows).map(|row| body(text(row).iter().filter_map(known).collect()));
                Some((rows.map(<[u32]>::to_vec).collect(), wanted.collect()))
            }
            Targets::Completions(labels) => {
                // A row whose answer was cut off asks for nothing.
                let begins = |labels: &[i32]| labels.iter().position(|label| *label >= 0);
                let asked = rows.zip(labels.chunks(batch.width.max(1)));
                let asked = asked.filter_map(|(ids, labels)| ids.split_at_checked(begins(labels)?));
                Some(asked.map(|(prompt, answer)| (prompt.to_vec(), body(answer.to_vec()))).unzip())
            }
            Targets::Classes(_) | Targets::Tokens(_) | Targets::Values { .. } | Targets::Nothing => None,
        }
    }

    /// A text up to what ends it.
    fn body<'t>(&self, ids: &'t [u32]) -> &'t [u32] {
        let end = ids.iter().position(|id| self.writing.end.contains(id));
        ids.get(..end.unwrap_or(ids.len())).unwrap_or_default()
    }
}

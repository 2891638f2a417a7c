//! A T5 as generation sees it: the encoder runs once, its states are every decoder block's keys and values, and the
//! decoder remembers its own.

use super::{KeysValues, Memory, Mode, Pass, Past, T5};
use crate::error::ModelError;
use crate::tokens::TokenBatch;
use burn::tensor::{Int, Tensor, TensorData};
use pegbox_generation::{Decoder, Logits};
use std::sync::Arc;

/// Rows of an encoder's input, and what the decoder has written after each.
pub struct T5Decoder<'m> {
    model: &'m T5,
    state: Option<State>,
}

struct State {
    memory: Memory,
    /// Tokens of the longest input.
    sources: usize,
    /// Which of the inputs each row goes on from.
    inputs: Vec<usize>,
    past: Past,
}

impl<'m> T5Decoder<'m> {
    /// `model` is not to be a tracked one: nothing here is to be differentiated.
    pub fn new(model: &'m T5) -> Self {
        Self { model, state: None }
    }

    /// What the state's rows say after one more token each.
    fn advance(model: &T5, state: &mut State, ids: &[u32]) -> Result<Logits, ModelError> {
        let mut pass = Pass::new(Mode::default(), 0.0);
        let states = model.decode(ids, 1, &state.memory, &mut state.past, &mut pass);
        let vocabulary = model.config.vocab_size;
        let values: Vec<f32> = model.score(states).into_data().iter::<f32>().collect();
        Ok(Logits { rows: ids.len(), vocabulary, values })
    }
}

impl Decoder for T5Decoder<'_> {
    type Error = ModelError;

    /// `rows` are what the encoder reads; the logits are those after the decoder's start token.
    fn prefill(&mut self, rows: &[Vec<u32>]) -> Result<Logits, ModelError> {
        let config = &self.model.config;
        let batch = TokenBatch::new(rows.iter().map(Vec::as_slice), config.pad_token_id)?;
        batch.check(config.vocab_size, usize::MAX, 1)?;
        let mut pass = Pass::new(Mode::default(), 0.0);
        let states = self.model.encode(&batch, &mut pass);
        let memory = self.model.remember(states, &batch, &mut pass);
        let inputs = (0..batch.rows).collect();
        let state = self.state.insert(State { memory, sources: batch.tokens, inputs, past: Past::default() });
        Self::advance(self.model, state, &vec![config.decoder_start_token_id; batch.rows])
    }

    fn step(&mut self, tokens: &[u32]) -> Result<Logits, ModelError> {
        let vocabulary = self.model.config.vocab_size;
        let state = self.state.as_mut().filter(|state| state.inputs.len() == tokens.len());
        let state = state.ok_or(ModelError::DecoderRows { rows: tokens.len() })?;
        if let Some(row) = tokens.iter().position(|id| *id as usize >= vocabulary) {
            let (id, position) = (tokens[row], state.past.tokens);
            return Err(ModelError::TokenId { id, row, position, vocabulary });
        }
        Self::advance(self.model, state, tokens)
    }

    /// The prompt is the encoder's; answers go on from the decoder's start token.
    fn history(&self, _: &[u32]) -> Vec<u32> {
        vec![self.model.config.decoder_start_token_id]
    }

    fn reorder(&mut self, parents: &[usize]) -> Result<(), ModelError> {
        let state = self
            .state
            .as_mut()
            .filter(|state| !parents.is_empty() && parents.iter().all(|parent| *parent < state.inputs.len()));
        let state = state.ok_or(ModelError::DecoderRows { rows: parents.len() })?;
        let identity: Vec<usize> = (0..state.inputs.len()).collect();
        if parents == identity {
            return Ok(());
        }
        choose(&mut state.past.blocks, parents);
        let inputs: Vec<usize> = parents.iter().map(|parent| state.inputs[*parent]).collect();
        // Beams of one input change places all the time; what they attend to is the same.
        if inputs != state.inputs {
            choose(&mut state.memory.blocks, parents);
            let bias = &state.memory.key_bias;
            let rows = parents.iter().flat_map(|parent| &bias[parent * state.sources..][..state.sources]);
            state.memory.key_bias = Arc::new(rows.copied().collect());
            state.inputs = inputs;
        }
        Ok(())
    }
}

/// Row i becomes what row `parents[i]` was.
fn choose(blocks: &mut [KeysValues], parents: &[usize]) {
    let ids: Vec<i64> = parents.iter().map(|parent| *parent as i64).collect();
    for tensor in blocks.iter_mut().flatten() {
        let ids = TensorData::new(ids.clone(), [ids.len()]);
        let ids = Tensor::<1, Int>::from_data(ids, &tensor.device());
        *tensor = tensor.clone().select(0, ids);
    }
}

//! Checks of what a decoder is given.

use crate::error::ModelError;

/// Every id of row `row` is below `vocabulary`, and `tokens` of them are within the model's positions.
pub fn check(
    ids: &[u32],
    row: usize,
    vocabulary: usize,
    tokens: usize,
    limit: usize,
) -> Result<(), ModelError> {
    if tokens > limit {
        return Err(ModelError::TooLong { tokens, limit });
    }
    match ids.iter().position(|id| *id as usize >= vocabulary) {
        Some(position) => Err(ModelError::TokenId { id: ids[position], row, position, vocabulary }),
        None => Ok(()),
    }
}

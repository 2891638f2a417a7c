//! A vocabulary that grows: more rows in the matrices that have one for each token.

use crate::error::ModelError;
use crate::weights::{NewRow, Weights};

/// A token that a model gets before it is trained.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewToken {
    pub id: u32,
    /// The tokens whose embeddings it begins as the mean of: the model's own, or new ones before it.
    pub pieces: Vec<u32>,
}

/// Entries of a vocabulary of `size` with room for `tokens`. One that was padded to more keeps its size.
pub(crate) fn size_with(size: usize, tokens: &[NewToken]) -> usize {
    size.max(tokens.iter().map(|token| token.id as usize + 1).max().unwrap_or(0))
}

/// Grows the matrix in `weights` that bears one of `names`.
///
/// # Errors
/// There is no such matrix, or it has fewer rows than the tokens begin from.
pub(crate) fn grow(weights: &mut Weights, names: &[String], tokens: &[NewToken]) -> Result<(), ModelError> {
    let new: Vec<NewRow> = tokens
        .iter()
        .map(|token| NewRow {
            row: token.id as usize,
            mean_of: token.pieces.iter().map(|piece| *piece as usize).collect(),
        })
        .collect();
    if new.is_empty() {
        return Ok(());
    }
    Ok(weights.grow(names, size_with(0, tokens), &new)?)
}

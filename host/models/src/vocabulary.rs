//! A vocabulary: the tokens that config.json names, and more rows in the matrices that have one for each token.

use serde_json::{Map, Value};

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

/// Grows a decoder's embeddings and, where it is a matrix of its own, its head, each by the names that it may bear.
///
/// # Errors
/// As those of [`grow`].
pub(crate) fn grow_both(
    weights: &mut Weights,
    embeddings: &[String],
    head: Option<&[String]>,
    tokens: &[NewToken],
) -> Result<(), ModelError> {
    grow(weights, embeddings, tokens)?;
    head.map_or(Ok(()), |head| grow(weights, head, tokens))
}

/// `eos_token_id` of a config.json: a number or a list of them.
pub fn end_tokens(source: &Map<String, Value>) -> Vec<u32> {
    let id = |value: &Value| value.as_u64().and_then(|id| u32::try_from(id).ok());
    match source.get("eos_token_id") {
        Some(Value::Array(ids)) => ids.iter().filter_map(id).collect(),
        Some(value) => id(value).into_iter().collect(),
        None => Vec::new(),
    }
}

/// `pad_token_id` of a config.json, where it is below `vocabulary`; else what ends a text, else 0.
pub(crate) fn pad_token_id(source: &Map<String, Value>, vocabulary: usize) -> u32 {
    let id = source.get("pad_token_id").and_then(Value::as_u64).and_then(|id| u32::try_from(id).ok());
    let ids = id.into_iter().chain(end_tokens(source));
    ids.into_iter().find(|id| (*id as usize) < vocabulary).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_padded_vocabulary_keeps_its_size() {
        let tokens = [NewToken { id: 10, pieces: vec![1] }];
        assert_eq!([size_with(16, &tokens), size_with(10, &tokens), size_with(10, &[])], [16, 11, 10]);
    }
}

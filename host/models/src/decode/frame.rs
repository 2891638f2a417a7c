//! What all decoders over a cache have in common: prompts, steps, and going on after a part of what was read.

use pegbox_generation::Logits;

use super::{Cache, Pass, check};
use crate::error::ModelError;

/// Tokens of a row that are read at once after others: their scores take memory for each token of the row.
const PIECE: usize = 128;

/// The layers of a decoder-only model.
pub trait Layers {
    /// Different tokens, and tokens of a row at most.
    fn sizes(&self) -> (usize, usize);

    fn cache(&mut self) -> &mut Cache;

    /// Passes checked tokens through all layers, and remembers their keys and values.
    fn read(&mut self, tokens: &[u32], pass: Pass);

    /// The logits after the last `rows` tokens that were read.
    fn scores(&mut self, rows: usize) -> Vec<f32>;
}

/// `Decoder::prefill`
pub fn prefill<L: Layers + Send>(layers: &mut L, rows: &[Vec<u32>]) -> Result<Logits, ModelError> {
    if rows.is_empty() || rows.iter().any(Vec::is_empty) {
        return Err(ModelError::EmptyBatch);
    }
    let (vocabulary, limit) = layers.sizes();
    for (row, ids) in rows.iter().enumerate() {
        check(ids, row, vocabulary, ids.len(), limit)?;
    }
    layers.cache().clear(rows.len());
    let mut values = Vec::with_capacity(rows.len() * vocabulary);
    for (row, ids) in rows.iter().enumerate() {
        // On a thread of the pool, so that its threads need not be woken for every product.
        rayon::scope(|_| {
            layers.read(ids, Pass::Prompt(row));
            values.extend_from_slice(&layers.scores(1));
        });
    }
    Ok(Logits { rows: rows.len(), vocabulary, values })
}

/// `Decoder::step`
pub fn step<L: Layers + Send>(layers: &mut L, tokens: &[u32]) -> Result<Logits, ModelError> {
    if tokens.len() != layers.cache().rows() || tokens.is_empty() {
        return Err(ModelError::DecoderRows { rows: tokens.len() });
    }
    let (vocabulary, limit) = layers.sizes();
    for (row, id) in tokens.iter().enumerate() {
        check(&[*id], row, vocabulary, layers.cache().length(row) + 1, limit)?;
    }
    let values = rayon::scope(|_| {
        layers.read(tokens, Pass::Step);
        layers.scores(tokens.len())
    });
    Ok(Logits { rows: tokens.len(), vocabulary, values })
}

/// `Rewind::read_on`
pub fn read_on<L: Layers + Send>(layers: &mut L, kept: usize, tokens: &[u32]) -> Result<Logits, ModelError> {
    if tokens.is_empty() {
        return Err(ModelError::EmptyBatch);
    }
    let cache = layers.cache();
    if cache.rows() != 1 || cache.length(0) < kept {
        return Err(ModelError::DecoderRows { rows: 1 });
    }
    let (vocabulary, limit) = layers.sizes();
    check(tokens, 0, vocabulary, kept + tokens.len(), limit)?;
    layers.cache().truncate(0, kept);
    let values = rayon::scope(|_| {
        for piece in tokens.chunks(PIECE) {
            layers.read(piece, Pass::More(0));
        }
        layers.scores(1)
    });
    Ok(Logits { rows: 1, vocabulary, values })
}

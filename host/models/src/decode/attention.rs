//! Attention of new tokens to the cache.

use std::sync::Arc;

use rayon::prelude::*;

use super::Cache;
use super::cache::BLOCK;
use crate::kernels::math::{dot, exp, max, sum};
use crate::kernels::simd::simd;

/// Multiplications from which on more than one thread is worth it.
const PARALLEL: usize = 1 << 16;

/// Heads of one layer's attention.
#[derive(Clone, Copy)]
pub struct CachedAttention {
    pub layer: usize,
    /// Heads of the queries.
    pub heads: usize,
    /// Heads of the keys and of the values.
    pub groups: usize,
    /// Size of a head.
    pub head: usize,
    pub scale: f32,
    /// Tokens that are seen at most, the new one among them.
    pub window: Option<usize>,
}

/// Of each token, its attention to the cache: `qkv` `[tokens, W]`, the queries' heads first, to out `[tokens, heads D]`.
/// `place` says of which row a token is, and how many of the row's tokens there are up to itself; their keys and values
/// are in the cache already. `scores` is scratch.
pub fn attend(
    out: &mut [f32],
    qkv: &[f32],
    cache: &Cache,
    attention: CachedAttention,
    place: impl Fn(usize) -> (usize, usize) + Sync,
    scores: &mut Vec<f32>,
) {
    let CachedAttention { layer, heads, groups, head, scale, window } = attention;
    let (width, shared) = ((heads + 2 * groups) * head, heads / groups);
    let tokens = qkv.len() / width;
    let longest = (0..tokens).map(|token| place(token).1).max().unwrap_or(0);
    scores.resize(tokens * heads * longest, 0.0);
    let group = |number: usize, out: &mut [f32], scores: &mut [f32]| {
        let (token, group) = (number / groups, number % groups);
        let queries = &qkv[token * width + group * shared * head..][..shared * head];
        let (row, length) = place(token);
        let (blocks, keys) = cache.blocks(row, layer);
        let first = length.saturating_sub(window.unwrap_or(usize::MAX));
        let place = Place { keys, width: cache.width, column: group * head, head, first, length };
        attend_group(out, queries, blocks, place, scores, scale);
    };
    if heads * head * longest * tokens < PARALLEL {
        let pieces = out.chunks_exact_mut(shared * head).zip(scores.chunks_exact_mut(shared * longest));
        pieces.enumerate().for_each(|(number, (out, scores))| group(number, out, scores));
    } else {
        out.par_chunks_exact_mut(shared * head)
            .zip(scores.par_chunks_exact_mut(shared * longest))
            .enumerate()
            .for_each(|(number, (out, scores))| group(number, out, scores));
    }
}

/// Where the keys of one head, of `head` numbers, lie in the blocks: tokens `first .. length`, at `keys + token * width + column` of a block; the
/// values `BLOCK * width` after them.
#[derive(Clone, Copy)]
struct Place {
    keys: usize,
    width: usize,
    column: usize,
    head: usize,
    first: usize,
    length: usize,
}

simd! {
    /// The heads that share one head of keys and values; `queries` and `out` have them side by side.
    fn attend_group(
        out: &mut [f32],
        queries: &[f32],
        blocks: &[Arc<Vec<f32>>],
        place: Place,
        scores: &mut [f32],
        scale: f32,
    ) {
        let Place { keys, width, column, head, first, length } = place;
        let seen = length - first;
        let shared = queries.len() / head.max(1);
        for (number, token) in (first..length).enumerate() {
            let at = keys + token % BLOCK * width + column;
            let key = &blocks[token / BLOCK][at..at + head];
            for (query, scores) in queries.chunks_exact(head).zip(scores.chunks_exact_mut(seen)) {
                scores[number] = dot(query, key) * scale;
            }
        }
        for scores in scores.chunks_exact_mut(seen).take(shared) {
            let largest = max(scores);
            for score in scores.iter_mut() {
                *score = exp(*score - largest);
            }
            let inverse = 1.0 / sum(scores);
            for score in scores.iter_mut() {
                *score *= inverse;
            }
        }
        out.fill(0.0);
        for (number, token) in (first..length).enumerate() {
            let at = keys + (BLOCK + token % BLOCK) * width + column;
            let value = &blocks[token / BLOCK][at..at + head];
            for (out, scores) in out.chunks_exact_mut(head).zip(scores.chunks_exact(seen)) {
                let weight = scores[number];
                for (out, value) in out.iter_mut().zip(value) {
                    *out += weight * value;
                }
            }
        }
    }
}

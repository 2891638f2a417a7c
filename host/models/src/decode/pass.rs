//! One pass of tokens through a decoder's layers: whose they are, where they stand, and what they attend to.

use std::sync::Arc;

use super::{Cache, CachedAttention, attend};
use crate::kernels::grouped_attention::forward_into;
use crate::kernels::{GroupedAttention, Visible};

/// What the tokens of a pass belong to.
#[derive(Clone, Copy)]
pub enum Pass {
    /// All to this row, which is empty.
    Prompt(usize),
    /// All to this row, after what it has read.
    More(usize),
    /// Token i to row i.
    Step,
}

impl Pass {
    /// Whether all tokens are one row's, so that they are multiplied as a matrix.
    pub fn is_one_row(self) -> bool {
        matches!(self, Self::Prompt(_) | Self::More(_))
    }

    /// The positions of `tokens` new tokens, and room for them in the cache.
    pub fn begin(self, cache: &mut Cache, tokens: usize, positions: &mut Vec<u32>) {
        positions.clear();
        match self {
            Self::Prompt(row) | Self::More(row) => {
                let first = cache.length(row);
                positions.extend(first as u32..(first + tokens) as u32);
                cache.reserve(row, tokens);
            }
            Self::Step => {
                for row in 0..tokens {
                    positions.push(cache.length(row) as u32);
                    cache.reserve(row, 1);
                }
            }
        }
    }

    /// The attention of each token in one layer, whose keys and values go into the cache: `qkv` `[tokens, W]`, the
    /// heads of queries, of keys and of values side by side, to out `[tokens, heads D]`.
    pub fn attend(
        self,
        cache: &mut Cache,
        positions: &[u32],
        attention: CachedAttention,
        qkv: &[f32],
        out: &mut Vec<f32>,
        scores: &mut Vec<f32>,
    ) {
        let CachedAttention { layer, heads, groups, head, scale, window } = attention;
        let width = (heads + 2 * groups) * head;
        for (token, qkv) in qkv.chunks_exact(width).enumerate() {
            let (keys, values) = qkv[heads * head..].split_at(groups * head);
            cache.write(self.row(token), layer, positions[token] as usize, keys, values);
        }
        let tokens = positions.len();
        out.resize(tokens * heads * head, 0.0);
        match self {
            Self::Prompt(_) => {
                let visible = Arc::new(Visible::causal(tokens, window));
                let attention = GroupedAttention { heads, groups, scale, visible, dropout: None };
                scores.resize(tokens * heads, 0.0);
                forward_into(out, scores, qkv, &attention);
            }
            Self::More(_) | Self::Step => {
                let place = |token: usize| (self.row(token), positions[token] as usize + 1);
                attend(out, qkv, cache, attention, place, scores);
            }
        }
    }

    /// The rows have `tokens` more tokens, in every layer.
    pub fn end(self, cache: &mut Cache, tokens: usize) {
        match self {
            Self::Prompt(row) | Self::More(row) => cache.grow(row, tokens),
            Self::Step => (0..tokens).for_each(|row| cache.grow(row, 1)),
        }
    }

    fn row(self, token: usize) -> usize {
        match self {
            Self::Prompt(row) | Self::More(row) => row,
            Self::Step => token,
        }
    }
}

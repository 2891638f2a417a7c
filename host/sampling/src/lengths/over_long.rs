//! What happens to rows that are longer than the maximum.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::error::SamplingError;

/// In a recipe: `"drop"`, `"fail"`, `{ truncate = "right" }` or `{ split = { stride = 32 } }`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OverLong {
    /// Leave the row out.
    Drop,
    /// Take tokens off at this side.
    Truncate(Side),
    /// Make several rows of it. Each has `stride` tokens of the one before it (as the tokenizers of Hugging Face
    /// use the word), special tokens not counted.
    Split { stride: usize },
    /// An error.
    Fail,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    Left,
    Right,
}

/// How many special tokens stand around a row, such as [CLS] and [SEP]. Every piece of a row keeps them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Special {
    pub prefix: usize,
    pub suffix: usize,
}

/// What a policy makes of a row.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fitted {
    /// It is short enough.
    Whole,
    Dropped,
    /// One piece if it was truncated, several if it was split.
    Pieces(Vec<Piece>),
}

/// Part of a row: its special tokens, and between them these of its tokens.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Piece {
    /// The original row.
    pub row: u32,
    /// Places in the original row, special tokens counted.
    pub body: Range<usize>,
    special: Special,
}

impl Piece {
    /// The piece of what belongs to the row token by token: its ids, but also labels of tokens.
    pub fn of<T: Copy>(&self, tokens: &[T]) -> Vec<T> {
        let suffix = tokens.len().saturating_sub(self.special.suffix)..;
        let parts = [tokens.get(..self.special.prefix), tokens.get(self.body.clone()), tokens.get(suffix)];
        parts.into_iter().flatten().flatten().copied().collect()
    }
}

/// Applies a policy to a row of `tokens` tokens, special ones counted.
pub fn cut(
    row: u32,
    tokens: usize,
    max: usize,
    special: Special,
    policy: OverLong,
) -> Result<Fitted, SamplingError> {
    if tokens <= max {
        return Ok(Fitted::Whole);
    }
    let around = special.prefix + special.suffix;
    let room = max.checked_sub(around).filter(|room| *room > 0);
    let room = || room.ok_or(SamplingError::NoRoom { max, special: around });
    let end = tokens.saturating_sub(special.suffix);
    let piece = |body| Piece { row, body, special };
    Ok(match policy {
        OverLong::Fail => return Err(SamplingError::OverLong { tokens, max }),
        OverLong::Drop => Fitted::Dropped,
        OverLong::Truncate(Side::Right) => {
            Fitted::Pieces(vec![piece(special.prefix..special.prefix + room()?)])
        }
        OverLong::Truncate(Side::Left) => Fitted::Pieces(vec![piece(end - room()?..end)]),
        OverLong::Split { stride } => {
            let room = room()?;
            let windows = windows(end - special.prefix, room, stride)?;
            let moved = |window: Range<usize>| window.start + special.prefix..window.end + special.prefix;
            Fitted::Pieces(windows.map(moved).map(piece).collect())
        }
    })
}

/// Windows of `room` tokens over `tokens` tokens, each with `stride` tokens of the one before it; the last one
/// may be shorter. No window is inside another.
pub fn windows(
    tokens: usize,
    room: usize,
    stride: usize,
) -> Result<impl Iterator<Item = Range<usize>>, SamplingError> {
    let Some(step) = room.checked_sub(stride).filter(|step| *step > 0) else {
        let expected = "smaller than the tokens of a row beside the special ones";
        return Err(SamplingError::Setting { name: "stride", value: stride as f64, expected });
    };
    let count = 1 + tokens.saturating_sub(room).div_ceil(step);
    Ok((0..count).map(move |window| window * step..(window * step + room).min(tokens)))
}

#[cfg(test)]
mod tests {
    use pegbox_random::SplitMix64;

    use super::*;

    const SPECIAL: Special = Special { prefix: 1, suffix: 1 };

    fn pieces(ids: &[u32], max: usize, policy: OverLong) -> Vec<Vec<u32>> {
        match cut(3, ids.len(), max, SPECIAL, policy).unwrap() {
            Fitted::Whole => vec![ids.to_vec()],
            Fitted::Dropped => Vec::new(),
            Fitted::Pieces(pieces) => {
                assert!(pieces.iter().all(|piece| piece.row == 3));
                pieces.iter().map(|piece| piece.of(ids)).collect()
            }
        }
    }

    #[test]
    fn every_policy_on_one_row() {
        let ids = [101, 1, 2, 3, 4, 5, 6, 7, 102];
        assert_eq!(pieces(&ids, 9, OverLong::Fail), [ids]);
        assert!(pieces(&ids, 8, OverLong::Drop).is_empty());
        assert_eq!(pieces(&ids, 5, OverLong::Truncate(Side::Right)), [[101, 1, 2, 3, 102]]);
        assert_eq!(pieces(&ids, 5, OverLong::Truncate(Side::Left)), [[101, 5, 6, 7, 102]]);
        assert_eq!(
            pieces(&ids, 5, OverLong::Split { stride: 1 }),
            [[101, 1, 2, 3, 102], [101, 3, 4, 5, 102], [101, 5, 6, 7, 102]]
        );
        assert_eq!(
            pieces(&ids, 6, OverLong::Split { stride: 0 }),
            [vec![101, 1, 2, 3, 4, 102], vec![101, 5, 6, 7, 102]]
        );
        let refused = |max, policy| cut(0, 9, max, SPECIAL, policy).unwrap_err();
        assert_eq!(refused(8, OverLong::Fail), SamplingError::OverLong { tokens: 9, max: 8 });
        assert_eq!(refused(2, OverLong::Truncate(Side::Left)), SamplingError::NoRoom { max: 2, special: 2 });
        assert!(matches!(refused(5, OverLong::Split { stride: 3 }), SamplingError::Setting { .. }));
    }

    #[test]
    fn windows_cover_every_token_and_share_the_stride() {
        let mut random = SplitMix64::new(17);
        for _ in 0..2000 {
            let (tokens, room) = (random.below(200), 1 + random.below(40));
            let stride = random.below(room);
            let all: Vec<Range<usize>> = windows(tokens, room, stride).unwrap().collect();
            assert_eq!((all[0].start, all[all.len() - 1].end), (0, tokens));
            assert!(all.iter().all(|window| window.len() <= room));
            for pair in all.windows(2) {
                assert_eq!(pair[0].end - pair[1].start, stride);
                assert!(pair[1].end > pair[0].end && pair[0].len() == room);
            }
        }
    }

    #[test]
    fn a_recipe_names_a_policy() {
        let policy = |text| serde_json::from_str::<OverLong>(text).unwrap();
        assert_eq!(policy(r#"{"truncate": "left"}"#), OverLong::Truncate(Side::Left));
        assert_eq!(policy(r#"{"split": {"stride": 32}}"#), OverLong::Split { stride: 32 });
        assert_eq!(policy(r#""drop""#), OverLong::Drop);
    }
}

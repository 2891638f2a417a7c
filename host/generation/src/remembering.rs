//! A prompt that begins like the one before is not read anew.

use crate::decoder::{Decoder, Logits};

/// A decoder that can go back to an earlier place.
pub trait Rewind: Decoder {
    /// The only row forgets all but the first `kept` tokens that it has read, reads `tokens`, of which there is at least
    /// one, and gives the logits after the last of them.
    fn read_on(&mut self, kept: usize, tokens: &[u32]) -> Result<Logits, Self::Error>;
}

/// A decoder that remembers what its only row has read, and keeps of it what the next prompt begins with: the turns of
/// a conversation so far. Its answers are the same as without, up to rounding.
#[derive(Clone, Debug)]
pub struct Remembering<D> {
    decoder: D,
    /// What the only row has read; nothing where there are several rows.
    read: Vec<u32>,
    kept: usize,
}

impl<D> Remembering<D> {
    pub fn new(decoder: D) -> Self {
        Self { decoder, read: Vec::new(), kept: 0 }
    }

    /// Tokens of the last prompt that were not read anew.
    pub fn kept(&self) -> usize {
        self.kept
    }
}

impl<D: Rewind> Decoder for Remembering<D> {
    type Error = D::Error;

    fn prefill(&mut self, rows: &[Vec<u32>]) -> Result<Logits, D::Error> {
        // After an error nobody knows what the decoder has read.
        let before = std::mem::take(&mut self.read);
        self.kept = 0;
        let [row] = rows else { return self.decoder.prefill(rows) };
        let common = row.iter().zip(&before).take_while(|(new, old)| new == old).count();
        // The logits come after a token that is read now.
        let kept = common.min(row.len().saturating_sub(1));
        let logits = match row.get(kept..) {
            Some(rest) if kept > 0 => self.decoder.read_on(kept, rest)?,
            _ => self.decoder.prefill(rows)?,
        };
        (self.read, self.kept) = (row.clone(), kept);
        Ok(logits)
    }

    fn step(&mut self, tokens: &[u32]) -> Result<Logits, D::Error> {
        let mut read = std::mem::take(&mut self.read);
        let logits = self.decoder.step(tokens)?;
        if let ([token], false) = (tokens, read.is_empty()) {
            read.push(*token);
            self.read = read;
        }
        Ok(logits)
    }

    fn reorder(&mut self, parents: &[usize]) -> Result<(), D::Error> {
        if parents != [0] {
            self.read.clear();
        }
        self.decoder.reorder(parents)
    }

    fn history(&self, prompt: &[u32]) -> Vec<u32> {
        self.decoder.history(prompt)
    }

    fn context(&self) -> Option<usize> {
        self.decoder.context()
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    /// Counts what it reads; the likeliest token is the number of tokens that its row has, modulo 10.
    #[derive(Default)]
    struct Counting {
        rows: Vec<Vec<u32>>,
        reads: Vec<usize>,
    }

    impl Counting {
        fn logits(&self) -> Result<Logits, Infallible> {
            let scores = |row: &Vec<u32>| -> Vec<f32> {
                (0..10).map(|id| f32::from(u8::from(id == row.len() % 10))).collect()
            };
            let values = self.rows.iter().flat_map(scores).collect();
            Ok(Logits { rows: self.rows.len(), vocabulary: 10, values })
        }
    }

    impl Decoder for Counting {
        type Error = Infallible;

        fn prefill(&mut self, rows: &[Vec<u32>]) -> Result<Logits, Infallible> {
            self.rows = rows.to_vec();
            self.reads.push(rows.iter().map(Vec::len).sum());
            self.logits()
        }

        fn step(&mut self, tokens: &[u32]) -> Result<Logits, Infallible> {
            self.rows.iter_mut().zip(tokens).for_each(|(row, token)| row.push(*token));
            self.logits()
        }

        fn reorder(&mut self, parents: &[usize]) -> Result<(), Infallible> {
            self.rows = parents.iter().map(|parent| self.rows[*parent].clone()).collect();
            Ok(())
        }
    }

    impl Rewind for Counting {
        fn read_on(&mut self, kept: usize, tokens: &[u32]) -> Result<Logits, Infallible> {
            self.rows[0].truncate(kept);
            self.rows[0].extend(tokens);
            self.reads.push(tokens.len());
            self.logits()
        }
    }

    #[test]
    fn what_two_prompts_have_in_common_is_read_once() {
        let mut decoder = Remembering::new(Counting::default());
        decoder.prefill(&[vec![1, 2, 3]]).unwrap();
        decoder.step(&[4]).unwrap();
        // The answer and a new turn; then another conversation from the third token on; then the same again.
        for prompt in [vec![1, 2, 3, 4, 5, 6], vec![1, 2, 7], vec![1, 2, 7]] {
            let logits = decoder.prefill(std::slice::from_ref(&prompt)).unwrap();
            assert_eq!(decoder.decoder.rows, [prompt]);
            assert_eq!(logits, decoder.decoder.logits().unwrap());
        }
        assert_eq!(decoder.decoder.reads, [3, 2, 1, 1]);
        // Nothing is known of several rows, or in common with them.
        decoder.reorder(&[0, 0]).unwrap();
        decoder.step(&[1, 1]).unwrap();
        decoder.prefill(&[vec![1, 2, 7, 1]]).unwrap();
        decoder.prefill(&[vec![1], vec![2]]).unwrap();
        decoder.prefill(&[vec![1, 2]]).unwrap();
        decoder.prefill(&[vec![9, 2]]).unwrap();
        assert_eq!(decoder.decoder.reads, [3, 2, 1, 1, 4, 2, 2, 2]);
    }
}

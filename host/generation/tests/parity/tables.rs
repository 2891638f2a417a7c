//! The language model of tests/parity/generation: the logits depend on the last two tokens.

use std::convert::Infallible;

use pegbox_generation::{Decoder, Logits};
use safetensors::SafeTensors;

use crate::fixture;

pub struct Tables {
    vocabulary: usize,
    last: Vec<f32>,
    previous: Vec<f32>,
    /// The tokens of every row.
    rows: Vec<Vec<u32>>,
}

impl Tables {
    pub fn open() -> Self {
        let bytes = fixture("generation/model.safetensors");
        let file = SafeTensors::deserialize(&bytes).unwrap();
        let table = |name| {
            let view = file.tensor(name).unwrap();
            let floats =
                view.data().as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
            (view.shape()[1], floats)
        };
        let (vocabulary, last) = table("last");
        Self { vocabulary, last, previous: table("previous").1, rows: Vec::new() }
    }

    /// Every score is `value` from now on.
    pub fn break_with(&mut self, value: f32) {
        self.last.fill(value);
    }

    pub fn scores(&self, history: &[u32]) -> Vec<f32> {
        let [.., token] = *history else { panic!("an empty row") };
        let before = match *history {
            [.., before, _] => before as usize,
            _ => self.vocabulary,
        };
        let row = |table: &[f32], row: usize| table[row * self.vocabulary..][..self.vocabulary].to_vec();
        let pairs = row(&self.last, token as usize).into_iter().zip(row(&self.previous, before));
        pairs.map(|(last, previous)| last + previous).collect()
    }

    fn logits(&self) -> Logits {
        let values = self.rows.iter().flat_map(|row| self.scores(row)).collect();
        Logits { rows: self.rows.len(), vocabulary: self.vocabulary, values }
    }
}

impl Decoder for Tables {
    type Error = Infallible;

    fn prefill(&mut self, rows: &[Vec<u32>]) -> Result<Logits, Infallible> {
        self.rows = rows.to_vec();
        Ok(self.logits())
    }

    fn step(&mut self, tokens: &[u32]) -> Result<Logits, Infallible> {
        assert_eq!(tokens.len(), self.rows.len());
        self.rows.iter_mut().zip(tokens).for_each(|(row, token)| row.push(*token));
        Ok(self.logits())
    }

    fn reorder(&mut self, parents: &[usize]) -> Result<(), Infallible> {
        self.rows = parents.iter().map(|parent| self.rows[*parent].clone()).collect();
        Ok(())
    }
}

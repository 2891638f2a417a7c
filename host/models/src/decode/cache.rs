//! Keys and values of the tokens that were read, in blocks that rows share until one of them writes (as paged
//! attention does, Kwon et al. 2023): a row grows without being copied, and beams part without being copied.

use std::sync::Arc;

use crate::error::ModelError;

/// Tokens a block.
pub const BLOCK: usize = 32;

/// The cache of all rows and layers.
#[derive(Clone, Debug)]
pub struct Cache {
    layers: usize,
    /// Numbers of one token's keys in one layer, and of its values: groups times D.
    pub width: usize,
    rows: Vec<Row>,
}

/// Blocks are `[layers, 2, BLOCK, width]`: keys, then values.
#[derive(Clone, Debug, Default)]
struct Row {
    length: usize,
    blocks: Vec<Arc<Vec<f32>>>,
}

impl Cache {
    pub fn new(layers: usize, width: usize) -> Self {
        Self { layers, width, rows: Vec::new() }
    }

    /// Forgets everything, and begins `rows` empty rows.
    pub fn clear(&mut self, rows: usize) {
        self.rows.clear();
        self.rows.resize_with(rows, Row::default);
    }

    pub fn rows(&self) -> usize {
        self.rows.len()
    }

    /// Tokens of a row.
    pub fn length(&self, row: usize) -> usize {
        self.rows[row].length
    }

    /// Row `i` becomes what row `parents[i]` was.
    pub fn reorder(&mut self, parents: &[usize]) -> Result<(), ModelError> {
        if parents.iter().any(|parent| *parent >= self.rows.len()) {
            return Err(ModelError::DecoderRows { rows: parents.len() });
        }
        self.rows = parents.iter().map(|parent| self.rows[*parent].clone()).collect();
        Ok(())
    }

    /// Makes room for `tokens` more tokens of a row.
    pub fn reserve(&mut self, row: usize, tokens: usize) {
        let size = self.layers * 2 * BLOCK * self.width;
        let row = &mut self.rows[row];
        while row.blocks.len() * BLOCK < row.length + tokens {
            row.blocks.push(Arc::new(vec![0.0; size]));
        }
    }

    /// Writes the keys and values of one token, for which there is room.
    pub fn write(&mut self, row: usize, layer: usize, position: usize, keys: &[f32], values: &[f32]) {
        let block = Arc::make_mut(&mut self.rows[row].blocks[position / BLOCK]);
        for (part, numbers) in [(2 * layer, keys), (2 * layer + 1, values)] {
            let at = (part * BLOCK + position % BLOCK) * self.width;
            block[at..at + self.width].copy_from_slice(numbers);
        }
    }

    /// A row has `tokens` more tokens, written in every layer.
    pub fn grow(&mut self, row: usize, tokens: usize) {
        self.rows[row].length += tokens;
    }

    /// A row forgets all but its first `tokens` tokens.
    pub fn truncate(&mut self, row: usize, tokens: usize) {
        let row = &mut self.rows[row];
        row.length = row.length.min(tokens);
        row.blocks.truncate(row.length.div_ceil(BLOCK));
    }

    /// The blocks of a row; in each, the keys of `layer` begin at the number that comes with them, `[BLOCK, width]`, and
    /// right after them its values.
    pub fn blocks(&self, row: usize, layer: usize) -> (&[Arc<Vec<f32>>], usize) {
        (&self.rows[row].blocks, 2 * layer * BLOCK * self.width)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(cache: &Cache, row: usize, layer: usize, position: usize) -> (f32, f32) {
        let (blocks, start) = cache.blocks(row, layer);
        let at = start + position % BLOCK * cache.width;
        let block = &blocks[position / BLOCK];
        (block[at], block[at + BLOCK * cache.width])
    }

    #[test]
    fn rows_grow_part_and_stay_apart() {
        let mut cache = Cache::new(2, 3);
        cache.clear(1);
        for position in 0..BLOCK + 5 {
            cache.reserve(0, 1);
            let value = position as f32;
            cache.write(0, 1, position, &[value; 3], &[-value; 3]);
            cache.grow(0, 1);
        }
        cache.reorder(&[0, 0]).unwrap();
        let (before, _) = cache.blocks(1, 1);
        assert!(Arc::ptr_eq(&before[0], &cache.blocks(0, 1).0[0]), "shared until written");
        for (row, value) in [(0, 100.0), (1, 200.0)] {
            cache.reserve(row, 1);
            cache.write(row, 1, BLOCK + 5, &[value; 3], &[value; 3]);
            cache.grow(row, 1);
        }
        for (row, value) in [(0, 100.0), (1, 200.0)] {
            assert_eq!(cache.length(row), BLOCK + 6);
            assert_eq!(read(&cache, row, 1, BLOCK + 5), (value, value));
            assert_eq!(read(&cache, row, 1, BLOCK + 4), (BLOCK as f32 + 4.0, -(BLOCK as f32) - 4.0));
            assert_eq!(read(&cache, row, 1, 3), (3.0, -3.0));
        }
        assert!(Arc::ptr_eq(&cache.blocks(0, 1).0[0], &cache.blocks(1, 1).0[0]), "full blocks stay shared");
        assert!(cache.reorder(&[2]).is_err());
    }
}

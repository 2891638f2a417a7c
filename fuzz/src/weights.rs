//! What holds of every file of weights that is let in, and of every error about one that is not.

use std::path::Path;

use pegbox_weights::{Weights, WeightsError};

/// Floats for each byte of a file: of Q2_K 256 in 84 bytes; PyTorch's tensors may share storages.
const FLOATS: usize = 4;

/// Reads `bytes`, and every tensor in them.
pub fn read(path: &str, bytes: &[u8]) {
    let mut weights = match Weights::from_bytes(Path::new(path), bytes.to_vec()) {
        Ok(weights) => weights,
        Err(error) => return is_readable(&error),
    };
    let mut floats = 0;
    for tensor in weights.tensors() {
        let names = [tensor.name];
        let Some((shape, values)) = weights.take(&names) else {
            assert!(weights.left_over().contains(&names[0]) || names[0].ends_with("position_ids"));
            continue;
        };
        assert_eq!(shape, tensor.shape);
        assert_eq!(values.len(), shape.iter().product::<usize>());
        assert_eq!(weights.take(&names), None, "it can be taken once");
        floats += values.len();
    }
    assert!(floats <= FLOATS * bytes.len(), "{floats} floats of {} bytes", bytes.len());
}

/// It names the file, in one line, and what it quotes cannot move the cursor.
pub fn is_readable(error: &WeightsError) {
    let text = error.to_string();
    assert!(text.contains("model."), "{text:?}");
    assert!(!text.contains(['\u{1b}', '\n', '\r']), "{text:?}");
    assert!(!error.help().is_empty());
}

//! Reads weights of any format and writes them as safetensors:
//! `cargo run --release -p pegbox-weights --example to_safetensors WEIGHTS FOLDER [BYTES_OF_A_FILE]`

use std::borrow::Cow;
use std::path::Path;
use std::time::Instant;

use pegbox_weights::{SHARD_LIMIT, Weights, write_model};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [from, to, rest @ ..] = &arguments[..] else {
        return Err("usage: to_safetensors WEIGHTS FOLDER [BYTES_OF_A_FILE]".into());
    };
    let limit = rest.first().map_or(Ok(SHARD_LIMIT), |limit| limit.parse())?;

    let start = Instant::now();
    let mut weights = Weights::read(Path::new(from))?;
    let tensors: Vec<_> = weights.stored().map(|(name, tensor)| (name.to_owned(), tensor.clone())).collect();
    let opened = start.elapsed();
    let read: Vec<_> = tensors.iter().filter(|(_, tensor)| tensor.dtype().is_read()).collect();
    let values: usize = read.iter().map(|(_, tensor)| tensor.values().len()).sum();
    println!(
        "{} tensors: opened in {opened:.3?}, {values} values read in {:.3?}",
        tensors.len(),
        start.elapsed() - opened
    );
    if let Some(config) = weights.config() {
        println!("{config:#}");
    }

    let shapes: Vec<_> = read.iter().map(|(name, tensor)| (name.clone(), tensor.shape().to_vec())).collect();
    write_model(Path::new(to), &shapes, limit, |name| {
        Cow::from(weights.take(&[name.to_owned()]).map(|(_, values)| values).unwrap_or_default())
    })?;
    println!("not written: {:?}", weights.left_over());
    Ok(())
}

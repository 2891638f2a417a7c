//! Equal to Hugging Face Transformers, by the fixtures that the scripts in tests/parity make.

mod chat;
mod generation;
mod rows;
mod tables;

use std::fs;
use std::path::{Path, PathBuf};

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/parity").join(name)
}

fn fixture(name: &str) -> Vec<u8> {
    fs::read(path(name)).unwrap()
}

//! Prints a model's logits, for `tests/parity/check_families.py`.
//!
//! usage: logits FOLDER [ADAPTER] < ROWS. FOLDER is a model in Hugging Face's form, ADAPTER what PEFT writes. A row is a JSON
//! object with `ids` and, for a sequence-to-sequence model, `labels`. Prints one JSON list a row, the logits row-major.

use std::io::{BufRead, stdin};
use std::path::Path;
use std::process::ExitCode;

use burn::tensor::Device;
use pegbox_models::adapter::{self, ADAPTER_WEIGHTS};
use pegbox_models::output::Mode;
use pegbox_models::{Batch, Head, Model, ModelConfig, PeftConfig, Seq2SeqBatch, TokenBatch, Weights};
use serde::Deserialize;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

#[derive(Deserialize)]
struct Row {
    ids: Vec<u32>,
    #[serde(default)]
    labels: Vec<i32>,
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("logits: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, rest @ ..] = arguments.as_slice() else {
        return Err("usage: logits FOLDER [ADAPTER] < ROWS".into());
    };
    let device = Device::flex();
    let folder = Path::new(folder);
    let config = ModelConfig::read(&folder.join("config.json"))?;
    let head = config.trained_head()?;
    let (mut model, _) = Model::load(config, head, Weights::read(folder)?, 0, &device)?;
    if let [path] = rest {
        let path = Path::new(path);
        let peft = PeftConfig::read(path)?;
        adapter::load(&mut model, &peft, &mut Weights::read(&path.join(ADAPTER_WEIGHTS))?, &device)?;
    }
    for line in stdin().lock().lines() {
        let row: Row = serde_json::from_str(&line?)?;
        let tokens = TokenBatch::new(std::iter::once(row.ids.as_slice()), model.pad_token_id())?;
        let batch = match head {
            Head::Seq2Seq => Batch::Pairs(Seq2SeqBatch::new(tokens, std::iter::once(row.labels.as_slice()))?),
            _ => Batch::Tokens(tokens),
        };
        let logits = model.forward(&batch, Mode::default())?.logits.into_values();
        println!("{}", serde_json::to_string(&logits)?);
    }
    Ok(())
}

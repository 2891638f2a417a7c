//! Times a decoder-only model: from the program's start to the first token, prompts, and greedy generation.
//!
//! usage: decode FOLDER [PROMPT] [TOKENS]. FOLDER holds config.json and model.safetensors; PROMPT is the length of the
//! timed prompts, TOKENS how many are generated after a short one. Prints one JSON line, times in seconds.
//! bench/python/torch_decode.py does the same in Transformers.

use pegbox_generation::{Decoder, Logits};
use pegbox_models::{Gpt2, Gpt2Config, Llama, LlamaConfig, ModelError, Weights, device};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Length of the prompt that generation goes on from.
const SHORT: usize = 16;
/// Timed prompts.
const PROMPTS: usize = 3;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    match time() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("decode: {error}");
            ExitCode::FAILURE
        }
    }
}

fn time() -> Result<()> {
    device::keep_freed_memory();
    let mut arguments = std::env::args().skip(1);
    let folder = PathBuf::from(arguments.next().ok_or("usage: decode FOLDER [PROMPT] [TOKENS]")?);
    let mut next = |default: usize| arguments.next().map_or(Ok(default), |argument| argument.parse());
    let (prompt, tokens) = (next(512)?, next(128)?);

    let start = Instant::now();
    let config: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(folder.join("config.json"))?)?;
    let gpt2 = config["model_type"] == "gpt2";
    let vocabulary = config["vocab_size"].as_u64().ok_or("config.json has no vocab_size")? as usize;
    let weights = Weights::read(&folder.join("model.safetensors"))?;
    if gpt2 {
        let model =
            Gpt2::load(Gpt2Config::read(&folder.join("config.json"))?, weights, &device::parse("cpu")?)?.0;
        run(model.decoder(), &folder, start, vocabulary, prompt, tokens)
    } else {
        let config = LlamaConfig::read(&folder.join("config.json"))?;
        let model = Llama::load(config, weights, &device::parse("cpu")?)?.0;
        run(model.decoder(), &folder, start, vocabulary, prompt, tokens)
    }
}

fn run<D: Decoder<Error = ModelError>>(
    mut decoder: D,
    folder: &Path,
    start: Instant,
    vocabulary: usize,
    prompt: usize,
    tokens: usize,
) -> Result<()> {
    let load = start.elapsed().as_secs_f64();
    let mut logits = decoder.prefill(&[ids(SHORT, vocabulary)])?;
    let mut generated = vec![likeliest(&logits)];
    let first_token_at = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs_f64();

    let mut steps = Vec::new();
    for _ in 1..tokens {
        let start = Instant::now();
        logits = decoder.step(&generated[generated.len() - 1..])?;
        generated.push(likeliest(&logits));
        steps.push(start.elapsed().as_secs_f64());
    }
    let mut prefill = Vec::new();
    for _ in 0..PROMPTS {
        let start = Instant::now();
        decoder.prefill(&[ids(prompt, vocabulary)])?;
        prefill.push(start.elapsed().as_secs_f64());
    }
    println!(
        "{}",
        serde_json::json!({
            "folder": folder, "load": load, "first_token_at": first_token_at, "prompt": prompt,
            "prefill": prefill, "steps": steps, "tokens": generated,
        })
    );
    Ok(())
}

fn ids(length: usize, vocabulary: usize) -> Vec<u32> {
    (0..length).map(|i| ((i * 104_729 + 1013) % vocabulary) as u32).collect()
}

fn likeliest(logits: &Logits) -> u32 {
    let best = logits.values.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
    best.map_or(0, |(id, _)| id as u32)
}

//! Checks a device: BERT against Hugging Face Transformers on the fixtures of tests/parity, and a larger model
//! with dropout against the CPU.
//!
//! usage: parity [DEVICE] [FIXTURES] [float32 | tf32]. FIXTURES is the folder tests/parity. The limits are
//! float32's on the CPU, and TF32's on a GPU, whose tensor cores multiply in it. Prints one JSON line, the
//! differences with the largest share of their limit first, and fails if one is beyond it.

#[path = "../tests/shared/mod.rs"]
mod shared;

use pegbox_models::device;
use shared::{FLOAT32, TENSOR_FLOAT32};
use std::path::PathBuf;
use std::process::ExitCode;

fn main() -> ExitCode {
    match compare() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("parity: {error}");
            ExitCode::from(2)
        }
    }
}

/// Whether everything was within its limit.
fn compare() -> shared::Result<bool> {
    let mut arguments = std::env::args().skip(1);
    let name = arguments.next().unwrap_or_else(|| "cpu".into());
    let fixtures = arguments.next().map_or_else(|| PathBuf::from("tests/parity"), PathBuf::from);
    let limits = match arguments.next().as_deref() {
        Some("float32") => FLOAT32,
        Some("tf32") => TENSOR_FLOAT32,
        None if name == "cpu" => FLOAT32,
        None => TENSOR_FLOAT32,
        Some(other) => return Err(format!("limits `{other}`: use `float32` or `tf32`").into()),
    };
    let device = device::parse(&name)?;

    let mut differences = shared::forward(&fixtures, &device, limits)?;
    differences.extend(shared::gradients(&fixtures, &device, limits)?);
    differences.extend(shared::against_cpu(&device, limits)?);
    let within = differences.iter().all(shared::Difference::holds);
    let share = |difference: &shared::Difference| difference.worst / difference.limit;
    differences.sort_by(|a, b| share(b).total_cmp(&share(a)));
    let list: Vec<_> = differences
        .iter()
        .map(
            |d| serde_json::json!({ "what": d.what, "worst": d.worst, "limit": d.limit, "holds": d.holds() }),
        )
        .collect();
    println!("{}", serde_json::json!({ "device": name, "holds": within, "differences": list }));
    Ok(within)
}

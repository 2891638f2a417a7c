//! Times training steps of a MiniLM-shaped BERT with random weights: forward, backward, AdamW.
//!
//! usage: step [ROWS] [TOKENS] [STEPS] [DEVICE]. Prints one JSON line: a list of seconds for each phase.
//! bench/python/torch_step.py does the same in PyTorch. A GPU's first steps also choose and compile its
//! kernels: leave them out.

use burn::tensor::{Int, Tensor, TensorData, activation::log_softmax};
use pegbox_models::kernels::adamw::AdamW;
use pegbox_models::kernels::{Buffer, update};
use pegbox_models::{
    DropoutKey, Encoder, EncoderConfig, Head, Logits, Mode, Parameters, Pooling, Problem, TokenBatch, device,
};
use std::process::ExitCode;
use std::time::Instant;

fn main() -> ExitCode {
    match time() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("step: {error}");
            ExitCode::FAILURE
        }
    }
}

fn time() -> Result<(), Box<dyn std::error::Error>> {
    device::keep_freed_memory();
    let mut arguments = std::env::args().skip(1);
    let mut next = |default: usize| arguments.next().map_or(Ok(default), |argument| argument.parse());
    let (rows, tokens, steps) = (next(16)?, next(64)?, next(12)?);
    let device_name = arguments.next().unwrap_or_else(|| "cpu".into());
    let device = device::parse(&device_name)?;

    let config = serde_json::json!({
        "vocab_size": 30522, "hidden_size": 384, "num_hidden_layers": 6, "num_attention_heads": 12,
        "intermediate_size": 1536, "max_position_embeddings": 512, "type_vocab_size": 2
    });
    let serde_json::Value::Object(config) = config else {
        return Ok(());
    };
    let head = Head::Sequence { outputs: 77, pooling: Pooling::Cls, problem: Problem::SingleLabel };
    let mut model = Encoder::random(EncoderConfig::from_json(config)?, head, 1, &device)?;
    let mut moments: Vec<(Buffer, Buffer)> = model
        .parameters()
        .iter()
        .map(|(_, p)| p.shape().iter().product())
        .map(|n| (Buffer::zeros(n, &device), Buffer::zeros(n, &device)))
        .collect();

    let ids: Vec<Vec<u32>> = (0..rows)
        .map(|r| (0..tokens).map(|t| 1000 + ((r * 7919 + t * 104_729) % 29_000) as u32).collect())
        .collect();
    let batch = TokenBatch::new(ids.iter().map(Vec::as_slice), 0)?;
    let labels: Vec<i64> = (0..rows as i64).map(|row| row * 5 % 77).collect();
    let labels = Tensor::<2, Int>::from_data(TensorData::new(labels, [rows, 1]), &device);

    let mut phases: [Vec<f64>; 3] = Default::default();
    let mut last_loss = 0.0;
    for step in 0..steps as u64 {
        let start = Instant::now();
        let mut graph = model.tracked(&|_| true);
        let mode = Mode { dropout: Some(DropoutKey { seed: 1, step }), hidden_states: false };
        let Logits::Rows(logits) = graph.forward(&batch, mode)?.logits else {
            return Err("not a row a text".into());
        };
        let loss = log_softmax(logits, 1).gather(1, labels.clone()).mean().neg();
        device::finish(&device)?;
        let forward = start.elapsed().as_secs_f64();

        let start = Instant::now();
        let mut gradients = loss.backward();
        let gradients: Vec<Option<Buffer>> = graph
            .parameters()
            .iter()
            .map(|(_, p)| p.take_gradient(&mut gradients).map(Buffer::from_gradient))
            .collect();
        last_loss = loss.into_scalar::<f32>();
        drop(graph);
        device::finish(&device)?;
        let backward = start.elapsed().as_secs_f64();

        let start = Instant::now();
        let t = step as i32 + 1;
        let rule = AdamW {
            learning_rate: 2e-4,
            weight_decay: 0.01,
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
            correction1: 1.0 - 0.9f32.powi(t),
            correction2: (1.0 - 0.999f32.powi(t)).sqrt(),
            gradient_scale: 1.0,
            scale_parameter: false,
        };
        for (((_, parameter), gradient), (first, second)) in
            model.parameters().iter_mut().zip(&gradients).zip(&mut moments)
        {
            if let Some(gradient) = gradient {
                update(parameter, gradient, first, second, rule);
            }
        }
        device::finish(&device)?;
        let optimizer = start.elapsed().as_secs_f64();
        for (phase, seconds) in phases.iter_mut().zip([forward, backward, optimizer]) {
            phase.push(seconds);
        }
    }
    let [forward, backward, optimizer] = phases;
    println!(
        "{}",
        serde_json::json!({
            "forward": forward, "backward": backward, "optimizer": optimizer, "loss": last_loss,
            "device": device_name, "rows": rows, "tokens": tokens,
        })
    );
    Ok(())
}

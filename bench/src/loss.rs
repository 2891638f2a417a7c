//! A loss through WebAssembly against the same loss built in, in real training steps of a MiniLM-shaped BERT.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, anyhow};
use burn::tensor::Device;
use pegbox_data::{BatchSettings, BatchSize, Example, PaddedBatch, RowTarget, TokenSplit};
use pegbox_models::{Head, Model, ModelConfig, Pooling, Problem};
use pegbox_runtime::{LoadOptions, Loss, PluginFolders, PluginIdentity, Runtime};
use pegbox_train::{
    Decay, Freeze, RunIdentity, Schedule, TrainJob, TrainSettings, Trial, Warmup, builtin_identity,
    builtin_loss,
};
use serde_json::json;

use crate::sample::Sample;
use crate::step::{ROWS, TOKENS};

/// Steps of each side that count, and those before that do not.
const STEPS: usize = 60;
pub const WARM_UP: usize = 5;
const CLASSES: usize = 77;

/// Seconds a step.
pub struct Compared {
    pub built_in: Sample,
    pub wasm: Sample,
    /// WASM's over the built-in's, pair by pair.
    pub cost: Sample,
}

pub fn measure(plugins: &Path) -> Result<Compared> {
    let config = json!({ "gamma": 1.0 });
    let cache = std::env::temp_dir().join("pegbox-bench-compiled");
    let runtime = Runtime::new(&cache).map_err(|error| anyhow!("{error}"))?;
    let found = PluginFolders::new(vec![plugins.to_path_buf()]).resolve("pegbox/focal-loss")?;
    let plugin = runtime.load(&found, &LoadOptions::default())?;
    let split = rows();
    let batch = batch(&split)?;

    let wasm = plugin.loss(&config)?;
    let mut wasm = trial(&split, wasm, Arc::clone(plugin.identity()))?;
    let built_in = builtin_loss("focal", &config)?;
    let mut built_in = trial(&split, built_in, builtin_identity("focal"))?;
    let (mut of_wasm, mut of_built_in) = (Vec::new(), Vec::new());
    for step in 0..WARM_UP + STEPS {
        if step % 10 == 0 {
            eprintln!("  loss: step {step} of {}", WARM_UP + STEPS);
        }
        // In turn, and each as often first as second.
        let (a, b) = match step % 2 {
            0 => {
                let a = wasm.step(&batch)?;
                (a, built_in.step(&batch)?)
            }
            _ => {
                let b = built_in.step(&batch)?;
                (wasm.step(&batch)?, b)
            }
        };
        if (a.loss - b.loss).abs() > 1e-4 {
            return Err(anyhow!("the losses differ at step {step}: {} and {}", a.loss, b.loss));
        }
        if step >= WARM_UP {
            of_wasm.push(a.seconds);
            of_built_in.push(b.seconds);
        }
    }
    Ok(Compared {
        cost: Sample::of_ratios(&of_wasm, &of_built_in).context("no steps")?,
        built_in: Sample::of(&of_built_in).context("no steps")?,
        wasm: Sample::of(&of_wasm).context("no steps")?,
    })
}

pub fn trial(
    split: &TokenSplit,
    loss: Box<dyn Loss>,
    loss_identity: Arc<PluginIdentity>,
) -> Result<Trial<'_>> {
    let config = json!({
        "vocab_size": 30522, "hidden_size": 384, "num_hidden_layers": 6, "num_attention_heads": 12,
        "intermediate_size": 1536, "max_position_embeddings": 512, "type_vocab_size": 2
    });
    let config = config.as_object().cloned().unwrap_or_default();
    let config = ModelConfig::from_json(config).map_err(|error| anyhow!(error))?;
    let device = Device::flex();
    let head = Head::Sequence { outputs: CLASSES, pooling: Pooling::Cls, problem: Problem::SingleLabel };
    let model = Model::random(config, head, 1, &device)?;
    let settings = TrainSettings {
        seed: 1,
        epochs: 1,
        learning_rate: 1e-5,
        head_learning_rate: 1.0,
        schedule: Schedule { kind: Decay::Constant, warmup: Warmup::Steps(0) },
        weight_decay: 0.01,
        beta1: 0.9,
        beta2: 0.999,
        epsilon: 1e-8,
        scale_parameter: false,
        clip_norm: Some(1.0),
        accumulation: 1,
        freeze: Freeze::default(),
        layer_decay: 1.0,
        unfreeze_each_epoch: None,
        validate_every: None,
        checkpoint_every: None,
        keep: 1,
        select_by: None,
        patience: None,
    };
    let identity =
        RunIdentity { recipe: String::new(), dataset_key: String::new(), fixed: Default::default() };
    Ok(Trial::new(TrainJob {
        model,
        device,
        train: split,
        validation: split,
        batching: BatchSettings::new(BatchSize::Rows(ROWS)),
        masking: None,
        writing: None,
        classes: (0..CLASSES).map(|class| class.to_string()).collect(),
        loss,
        loss_identity,
        lenient: Vec::new(),
        metrics: Vec::new(),
        settings,
        identity,
    })?)
}

pub fn rows() -> TokenSplit {
    let mut split = TokenSplit::default();
    for row in 0..ROWS {
        let ids: Vec<u32> =
            (0..TOKENS).map(|token| 1000 + ((row * 7919 + token * 104_729) % 29_000) as u32).collect();
        let type_ids = vec![0; TOKENS];
        let (label, record) = ((row * 5 % CLASSES) as u32, row as u64);
        split.push(Example {
            ids: &ids,
            type_ids: &type_ids,
            target: RowTarget::Class(label),
            record,
            weight: 1.0,
        });
    }
    split
}

pub fn batch(split: &TokenSplit) -> Result<PaddedBatch> {
    let rows: Vec<u32> = (0..ROWS as u32).collect();
    split.collate(&rows, 0).context("the rows are there")
}

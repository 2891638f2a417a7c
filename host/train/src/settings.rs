//! How to train.

use serde::{Deserialize, Serialize};

/// Everything that the recipe's `[train]` decides but batches, loss and metrics.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct TrainSettings {
    /// Of everything random: the order of the rows, dropout, a new head.
    pub seed: u64,
    /// Times that every training row is seen; at least 1.
    pub epochs: u32,
    /// The highest that the schedule reaches.
    pub learning_rate: f64,
    /// The classification head's rate as a multiple of the others'.
    pub head_learning_rate: f64,
    pub schedule: Schedule,
    /// Decoupled (Loshchilov and Hutter 2019), a share of each weight times the rate a step; not for biases
    /// and norms.
    pub weight_decay: f64,
    pub beta1: f64,
    pub beta2: f64,
    pub epsilon: f64,
    /// Each parameter's rate is multiplied by the root mean square of its values, as in Adafactor (Shazeer and Stern
    /// 2018, section 8).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub scale_parameter: bool,
    /// The highest L2 norm of a step's gradient over all parameters.
    pub clip_norm: Option<f64>,
    /// Batches joined into one optimizer step; at least 1.
    pub accumulation: u32,
    pub freeze: Freeze,
    /// Each layer's rate as a multiple of that of the layer above it; 1 for the same rate everywhere.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub layer_decay: f64,
    /// Training begins with the head alone, and after each epoch so many layers more are trained, from the top
    /// (Howard and Ruder 2018, ULMFiT); all from the beginning if none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unfreeze_each_epoch: Option<u32>,
    /// Steps between validations; at the end of each epoch if none.
    pub validate_every: Option<u64>,
    /// Steps between checkpoints; at each validation if none.
    pub checkpoint_every: Option<u64>,
    /// Checkpoints that stay, the best aside; at least 1.
    pub keep: u32,
    /// The score that decides which checkpoint is best; the first score if none.
    pub select_by: Option<String>,
    /// Validations without improvement after which training stops.
    pub patience: Option<u32>,
}

fn one() -> f64 {
    1.0
}

fn is_one(value: &f64) -> bool {
    *value == 1.0
}

/// How the learning rate rises and falls.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Schedule {
    pub kind: Decay,
    pub warmup: Warmup,
}

/// How it falls after the warm-up.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decay {
    /// To 0 at the end.
    Linear,
    /// Half a period of a cosine, to 0 at the end.
    Cosine,
    /// Not at all.
    Constant,
}

/// How long it rises, linearly from 0.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Warmup {
    /// A share of all steps.
    Share(f64),
    Steps(u64),
}

/// Parameters that stay as they are.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Freeze {
    /// Globs over Hugging Face names, such as `bert.embeddings.*` or `bert.encoder.layer.[0-3].*`.
    pub patterns: Vec<String>,
    /// Layers, counted from the embeddings on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layers: Option<FrozenLayers>,
    /// Where the model has adapters: beside them only these modules are trained.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adapter: Option<Vec<String>>,
}

/// Which layers stay.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FrozenLayers {
    /// The embeddings and so many layers above them.
    Lowest(u32),
    /// Those of these numbers, from 0.
    Numbers(Vec<u32>),
}

//! What can go wrong, where, and how to mend it.

use std::io;
use std::path::{Path, PathBuf};

use pegbox_generation::GenerationError;
use pegbox_models::ModelError;
use pegbox_models::weights::WeightsError;
use pegbox_runtime::{PluginError, TensorError};

/// A training, evaluation or prediction that failed. `Display` is one line that says what and where.
#[derive(Debug)]
pub struct TrainError {
    fault: Box<Fault>,
    checkpoint: Option<PathBuf>,
}

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    #[error(transparent)]
    Plugin(#[from] PluginError),
    #[error(transparent)]
    Model(#[from] ModelError),
    #[error(transparent)]
    Tensor(#[from] TensorError),
    #[error(transparent)]
    Generation(GenerationError<ModelError>),
    #[error("the {what} is {value} at step {step}")]
    NotFinite { what: &'static str, value: f64, step: u64, records: Vec<u64> },
    #[error("the {part} part has no rows")]
    NoRows { part: &'static str },
    #[error("a tokenized row is missing: the dataset has changed under the training")]
    RowMissing,
    #[error("[model].freeze: `{pattern}` {what}")]
    Freeze { pattern: String, what: String, example: Option<String> },
    #[error("[model].freeze names {wanted} layers or the layer of number {}, but the model has {count} layers", wanted.saturating_sub(1))]
    FreezeLayers { wanted: u32, count: u32 },
    #[error("[model].freeze leaves nothing to train")]
    NothingToTrain,
    #[error("two metrics give the score `{name}`")]
    ScoreTwice { name: String },
    #[error("select-by names the score `{name}`, which no metric gives")]
    SelectBy { name: String, known: Vec<String> },
    #[error("the run {} is of another training: {}", run.display(), differences.join("; "))]
    Identity { run: PathBuf, differences: Vec<String> },
    #[error("the run {} has no checkpoint", run.display())]
    NoCheckpoint { run: PathBuf },
    #[error("no checkpoint of the run {} is whole: {what}", run.display())]
    AllDamaged { run: PathBuf, what: String },
    #[error("{} is no run: {what}", path.display())]
    NoRun { path: PathBuf, what: String },
    #[error("there is a run {} already", path.display())]
    RunExists { path: PathBuf },
    #[error(
        "the disk of {} has {:.1} GB free, this training's checkpoints need {:.1} GB",
        path.display(), *free as f64 / 1e9, *needed as f64 / 1e9
    )]
    DiskFull { path: PathBuf, free: u64, needed: u64 },
    #[error("cannot {doing} {}: {source}", path.display())]
    Io { doing: &'static str, path: PathBuf, source: io::Error },
    #[error("the model's head {what}")]
    Head { what: &'static str },
    #[error("the text {row} could not be tokenized: {what}")]
    Tokenize { row: usize, what: String },
}

impl From<WeightsError> for Fault {
    fn from(error: WeightsError) -> Self {
        Self::Model(error.into())
    }
}

impl From<GenerationError<ModelError>> for Fault {
    fn from(error: GenerationError<ModelError>) -> Self {
        match error {
            GenerationError::Model(error) => Self::Model(error),
            other => Self::Generation(other),
        }
    }
}

impl TrainError {
    /// The records that were worked on.
    pub fn record_ids(&self) -> &[u64] {
        match &*self.fault {
            Fault::Plugin(error) => error.record_ids(),
            Fault::NotFinite { records, .. } => records,
            _ => &[],
        }
    }

    /// The last whole checkpoint, if there is one.
    pub fn checkpoint(&self) -> Option<&Path> {
        self.checkpoint.as_deref()
    }

    /// Adds the last whole checkpoint.
    #[must_use]
    pub fn safe_at(mut self, checkpoint: Option<&Path>) -> Self {
        self.checkpoint = checkpoint.map(Path::to_owned);
        self
    }

    pub fn fault(&self) -> &Fault {
        &self.fault
    }

    /// How to mend it.
    pub fn help(&self) -> Option<String> {
        Some(match &*self.fault {
            Fault::Plugin(error) => return error.help(),
            Fault::Model(error) => return error.help(),
            Fault::Tensor(error) => return error.help.clone(),
            Fault::Generation(GenerationError::Settings(error)) => return error.help().map(str::to_owned),
            Fault::NotFinite { .. } => {
                "lower the learning rate, lengthen the warm-up, or look at these records; the optimizer did not step".into()
            }
            Fault::Freeze { example, .. } => format!(
                "patterns are globs over the tensors' names, such as `{}`; `pegbox models inspect --tensors` lists them",
                example.as_deref().unwrap_or("bert.embeddings.*")
            ),
            Fault::FreezeLayers { .. } => "layers are counted from 0, the lowest; an encoder's come before its decoder's".into(),
            Fault::NothingToTrain => "freeze fewer layers".into(),
            Fault::ScoreTwice { .. } => "take one of the metrics out of the recipe".into(),
            Fault::SelectBy { known, .. } => format!("name one of: {}", known.join(", ")),
            Fault::Identity { .. } => {
                "undo the change, or begin a new run with `pegbox train`".into()
            }
            Fault::NoCheckpoint { .. } | Fault::AllDamaged { .. } => "begin a new run with `pegbox train`".into(),
            Fault::NoRun { .. } => "`pegbox train` makes a run; name its folder with --run".into(),
            Fault::RunExists { .. } => "name another run".into(),
            Fault::DiskFull { .. } => "free some room, lower `keep` in [train], or put the runs on another disk".into(),
            Fault::Head { .. } => "name a model that was trained for this task".into(),
            Fault::NoRows { .. }
            | Fault::RowMissing
            | Fault::Io { .. }
            | Fault::Tokenize { .. }
            | Fault::Generation(_) => return None,
        })
    }

    pub(crate) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Fault::Io { doing, path, source }.into()
    }
}

impl std::fmt::Display for TrainError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.fault.fmt(f)
    }
}

impl std::error::Error for TrainError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.fault.source()
    }
}

impl<T: Into<Fault>> From<T> for TrainError {
    fn from(fault: T) -> Self {
        Self { fault: Box::new(fault.into()), checkpoint: None }
    }
}

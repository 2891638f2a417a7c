//! What happens to a trained model: today, export. No training in here.

/// What can go wrong, and how to mend it.
mod error;
/// A trained model becomes an artifact, whole or not at all.
mod export;

pub use error::ExportError;
pub use export::{Exported, PeftFolder, TrainedModel, export, tokenizer_files};

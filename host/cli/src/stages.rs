//! The pieces of work that commands are made of. Each says what it does, and whether there was anything to do.

/// Adapters: the recipe's, and those in folders.
pub mod adapter;
/// Answers of language models.
pub mod answer;
/// The base model.
pub mod base;
/// The prepared dataset.
pub mod dataset;
/// Measuring the best checkpoint.
pub mod evaluation;
/// Artifacts.
pub mod export;
/// What a GGUF file holds besides weights.
pub mod gguf;
/// Ctrl-C while answers are written.
pub mod interrupt;
/// Models that write text.
pub mod language;
/// pegbox.lock.
pub mod lock;
/// Memory of this machine.
pub mod memory;
/// What would make a training fit.
pub mod remedies;
/// Run folders.
pub mod runs;
/// What a recipe says, in the words of the crates that do it.
pub mod settings;
/// A trained model, from a run or from an exported folder.
pub mod trained;
/// Training and its observer.
pub mod training;

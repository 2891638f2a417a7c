//! The pieces of work that commands are made of. Each says what it does, and whether there was anything to do.

/// Adapters: the recipe's, and those in folders.
pub mod adapter;
/// The base model.
pub mod base;
/// The prepared dataset.
pub mod dataset;
/// Measuring the best checkpoint.
pub mod evaluation;
/// Artifacts.
pub mod export;
/// pegbox.lock.
pub mod lock;
/// Run folders.
pub mod runs;
/// What a recipe says, in the words of the crates that do it.
pub mod settings;
/// A trained model, from a run or from an exported folder.
pub mod trained;
/// Training and its observer.
pub mod training;

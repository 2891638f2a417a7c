//! Tokenizers: trained from texts, extended by the words of a domain, compared. Words and ids only: how the
//! embeddings of a model grow with its vocabulary is written down here and done in `models`.

/// Tokenizers side by side on the same texts.
pub mod compare;
/// Texts in files, read as often as they are needed.
mod corpus;
/// What can go wrong, and how to mend it.
mod error;
/// Words that a tokenizer splits, proposed and added as tokens.
pub mod extend;
/// An extended tokenizer beside the model that it was made for.
mod extension;
/// A tokenizer's folder on disk, written whole.
mod folder;
/// Tokenizers out of the vocabularies of GGUF files and SentencePiece models.
pub mod stored;
/// A tokenizer.json at hand.
mod tokenizer;
/// New tokenizers.
pub mod train;
/// How often each word occurs.
mod words;

pub use corpus::Corpus;
pub use error::VocabularyError;
pub use extension::{AddedToken, Extension, RECORD};
pub use folder::check_target;
pub use tokenizer::TokenizerFile;

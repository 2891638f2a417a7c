//! How a language model's next tokens become text: what generation needs besides the model itself. It knows no
//! tensor; the model is behind the trait [`Decoder`]. The reference, token for token, is Hugging Face Transformers.

/// Several hypotheses at once.
mod beam;
/// Conversations as the text that a model was trained on.
pub mod chat;
/// The model, as generation sees it.
mod decoder;
/// What can go wrong.
mod error;
/// From prompts to answers.
mod generate;
/// What changes the scores before a token is chosen.
mod processors;
/// A prompt that begins like the one before is not read anew.
mod remembering;
/// A token out of scores.
mod sampler;
/// How to generate: `generation_config.json`, and what overrides it.
mod settings;
/// Where an answer ends besides the end-of-sequence tokens.
mod stop;
/// Text out of tokens, one at a time.
mod stream;

pub use decoder::{Decoder, Logits};
pub use error::{GenerationError, SettingsError};
pub use generate::{Finish, Generated, NewToken, generate};
pub use processors::process;
pub use remembering::{Remembering, Rewind};
pub use sampler::{argmax, sample, softmax};
pub use settings::{EarlyStopping, GenerationSettings};
pub use stream::{StreamError, TextStream};

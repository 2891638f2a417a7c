//! How a language model's next tokens become text: what generation needs besides the model itself. It knows no
//! tensor; the model is behind the trait [`Decoder`].

mod decoder;

pub use decoder::{Decoder, Logits};

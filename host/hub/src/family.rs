//! What an architecture is for.

/// Families of architectures, as what they are trained for tells them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// Sees a text whole: BERT and its kin.
    Encoder,
    /// Sees what stands before: GPT, Llama and their kin.
    Decoder,
    /// Reads one text and writes another: T5 and its kin.
    EncoderDecoder,
}

impl Family {
    /// Of the `model_type` in a config.json, or the `general.architecture` of a GGUF file. None for an architecture that
    /// Pegbox does not know.
    pub fn of(model_type: &str) -> Option<Self> {
        match model_type {
            "bert" | "roberta" | "xlm-roberta" | "distilbert" => Some(Self::Encoder),
            "gpt2" | "llama" | "mistral" | "qwen2" | "qwen3" => Some(Self::Decoder),
            "t5" => Some(Self::EncoderDecoder),
            _ => None,
        }
    }

    /// The tasks that it serves, as recipes call them.
    pub fn tasks(self) -> &'static [&'static str] {
        match self {
            Self::Encoder => &["classification", "tagging", "embedding", "masked-lm"],
            Self::Decoder => &["generation"],
            Self::EncoderDecoder => &["seq2seq"],
        }
    }

    /// Such as `an encoder`.
    pub fn named(self) -> &'static str {
        match self {
            Self::Encoder => "an encoder",
            Self::Decoder => "a decoder",
            Self::EncoderDecoder => "an encoder and decoder",
        }
    }
}

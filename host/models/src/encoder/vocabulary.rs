//! A vocabulary that grows: more rows in the matrix of word embeddings, more tokens in the configuration.

use super::load::aliases;
use super::{EncoderConfig, WORD_EMBEDDINGS};
use crate::error::ModelError;
use crate::vocabulary::{NewToken, grow};
use crate::weights::Weights;

impl EncoderConfig {
    /// Grows the word embeddings in `weights`, as they were pretrained, by `tokens`. [`Encoder::load`](super::Encoder::load)
    /// then fits them to a configuration
    /// [`with_tokens`](crate::ModelConfig::with_tokens).
    ///
    /// # Errors
    /// The file has no word embeddings, or fewer than the tokens begin from.
    pub fn add_tokens(&self, weights: &mut Weights, tokens: &[NewToken]) -> Result<(), ModelError> {
        let name = format!("{}{WORD_EMBEDDINGS}", self.architecture.prefix);
        grow(weights, &aliases(self.architecture, &name), tokens)
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;
    use crate::head::{Head, Pooling, Problem};
    use crate::output::Mode;
    use crate::weights::{NamedTensor, write_safetensors};
    use crate::{Encoder, ModelConfig, Parameters, TokenBatch};

    const HEAD: Head = Head::Sequence { outputs: 2, pooling: Pooling::Cls, problem: Problem::SingleLabel };

    fn config(vocabulary: usize) -> EncoderConfig {
        let config = serde_json::json!({
            "vocab_size": vocabulary, "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2,
            "intermediate_size": 16, "max_position_embeddings": 8, "type_vocab_size": 2, "initializer_range": 0.2,
        });
        EncoderConfig::from_json(config.as_object().unwrap().clone()).unwrap()
    }

    /// Files carry the name with the prefix `bert.` or without it.
    #[test]
    fn a_model_grows_and_sees_its_old_tokens_as_before() {
        let device = Device::flex();
        let tokens = [NewToken { id: 10, pieces: vec![3, 4] }, NewToken { id: 11, pieces: vec![10, 5, 5] }];
        for prefix in ["bert.", ""] {
            let mut base = Encoder::random(config(10), HEAD, 1, &device).unwrap();
            let named: Vec<NamedTensor> = base
                .parameters()
                .into_iter()
                .map(|(name, parameter)| NamedTensor {
                    name: name.replacen("bert.", prefix, 1),
                    shape: parameter.shape(),
                    values: parameter.values(),
                })
                .collect();
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("model.safetensors");
            write_safetensors(&path, &named).unwrap();

            let mut weights = Weights::read(&path).unwrap();
            config(10).add_tokens(&mut weights, &tokens).unwrap();
            let ModelConfig::Encoder(larger) = ModelConfig::Encoder(config(10)).with_tokens(&tokens) else {
                unreachable!()
            };
            assert_eq!(larger.source["vocab_size"], 12);
            let (mut grown, report) = Encoder::load(larger, HEAD, weights, 1, &device).unwrap();
            assert!(report.initialised.is_empty() && report.unexpected.is_empty(), "{report:?}");

            let table = grown.parameters()[0].1.values();
            let row = |id: usize| &table[id * 8..][..8];
            for column in 0..8 {
                let mean = (row(3)[column] + row(4)[column]) / 2.0;
                assert!((row(10)[column] - mean).abs() < 1e-6);
                let mean = (row(10)[column] + 2.0 * row(5)[column]) / 3.0;
                assert!((row(11)[column] - mean).abs() < 1e-6);
            }
            let rows: [&[u32]; 1] = [&[1, 3, 4, 9]];
            let batch = TokenBatch::new(rows.into_iter(), 0).unwrap();
            let logits = |model: &Encoder| {
                let output = model.forward(&batch, Mode::default()).unwrap();
                output.logits.into_values()
            };
            assert_eq!(logits(&base), logits(&grown));
            let new: [&[u32]; 1] = [&[1, 10, 11]];
            assert!(grown.forward(&TokenBatch::new(new.into_iter(), 0).unwrap(), Default::default()).is_ok());
        }
    }
}

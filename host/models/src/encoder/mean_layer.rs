//! Mean pooling as one more encoder layer.
//!
//! Sentence-embedding models are trained so that the mean of their hidden states tells what a text means, while
//! the classifier that Transformers knows for such a model looks at the first token alone. This layer joins them: its
//! attention begins uniform, with values and output that pass hidden states through, so that the first token
//! holds `LayerNorm(x_0 + WEIGHT * mean(x))`, and its feed-forward part begins as nothing. From there it is
//! trained like every other layer, and the result is a plain encoder with one layer more, which
//! `AutoModelForSequenceClassification` opens.

use super::{Activation, EncoderConfig};

/// How much the mean counts beside the first token.
const WEIGHT: f32 = 4.0;

/// The pooler's slope: hidden states have unit variance, so tanh begins nearly linear.
const POOLER: f32 = 0.5;

/// The last layer of an encoder, before it is trained.
pub struct MeanLayer<'a> {
    config: &'a EncoderConfig,
    prefix: String,
}

impl<'a> MeanLayer<'a> {
    /// The last layer; none where there are no layers.
    pub fn of(config: &'a EncoderConfig) -> Option<Self> {
        let last = config.layers.checked_sub(1)?;
        Some(Self { config, prefix: format!("{}.", config.layer_name(last)) })
    }

    /// Whether a parameter is this layer's.
    pub fn holds(&self, name: &str) -> bool {
        name.starts_with(&self.prefix)
    }

    /// What a parameter of this layer begins with; none for random values. With queries of 0 all scores are 0;
    /// keys are random, or else queries would never learn.
    pub fn values(&self, name: &str) -> Option<Vec<f32>> {
        let (hidden, inner) = (self.config.hidden_size, self.config.intermediate_size);
        let (part, kind) = name.strip_prefix(&self.prefix)?.rsplit_once('.')?;
        let names = &self.config.architecture.layer;
        let is_norm = part == names.attention_norm || part == names.output_norm;
        Some(match kind {
            "weight" if part == names.query => vec![0.0; hidden * hidden],
            "weight" if part == names.value => self.identity(1.0),
            "weight" if part == names.attention_output => self.identity(WEIGHT),
            "weight" if part == names.output => vec![0.0; hidden * inner],
            "weight" if is_norm => vec![1.0; hidden],
            "bias" if part == names.intermediate => vec![0.0; inner],
            "bias" => vec![0.0; hidden],
            _ => return None,
        })
    }

    /// What the dense layer after a new layer begins with: hidden states as they are, nearly. After ReLU they would
    /// lose half of what they say: there it is random.
    pub fn pooler_values(&self, name: &str) -> Option<Vec<f32>> {
        if self.config.architecture.activation != Activation::Tanh {
            return None;
        }
        match name.strip_prefix(self.config.architecture.sequence[0])? {
            ".weight" => Some(self.identity(POOLER)),
            ".bias" => Some(vec![0.0; self.config.hidden_size]),
            _ => None,
        }
    }

    fn identity(&self, scale: f32) -> Vec<f32> {
        let hidden = self.config.hidden_size;
        let mut matrix = vec![0.0; hidden * hidden];
        matrix.iter_mut().step_by(hidden + 1).for_each(|value| *value = scale);
        matrix
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use crate::head::{Head, Pooling, Problem};
    use crate::output::Mode;
    use crate::weights::{NamedTensor, Weights, write_safetensors};
    use crate::{Encoder, EncoderConfig, Parameters, TokenBatch};

    fn config() -> EncoderConfig {
        let config = serde_json::json!({
            "vocab_size": 50, "hidden_size": 12, "num_hidden_layers": 2, "num_attention_heads": 3,
            "intermediate_size": 20, "max_position_embeddings": 16, "type_vocab_size": 2, "initializer_range": 0.2,
        });
        EncoderConfig::from_json(config.as_object().unwrap().clone()).unwrap()
    }

    fn normalised(values: &[f32]) -> Vec<f32> {
        let mean = values.iter().sum::<f32>() / values.len() as f32;
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f32>() / values.len() as f32;
        values.iter().map(|value| (value - mean) / (variance + 1e-12).sqrt()).collect()
    }

    #[test]
    fn a_new_layer_gives_the_mean_and_leaves_the_others_alone() {
        let device = Device::flex();
        let head = |pooling| Head::Sequence { outputs: 2, pooling, problem: Problem::SingleLabel };
        let mut base = Encoder::random(config(), head(Pooling::Cls), 1, &device).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.safetensors");
        let named = |(name, parameter): (String, crate::Parameter<'_>)| NamedTensor {
            shape: parameter.shape(),
            values: parameter.values(),
            name,
        };
        let tensors: Vec<NamedTensor> = base.parameters().into_iter().map(named).collect();
        write_safetensors(&path, &tensors).unwrap();

        let larger = config().with_another_layer();
        assert_eq!(larger.source["num_hidden_layers"], 3);
        let weights = Weights::read(&path).unwrap();
        let (model, report) = Encoder::load(larger, head(Pooling::MeanLayer), weights, 1, &device).unwrap();
        assert_eq!(report.initialised.len(), 16, "{report:?}");

        let rows: [&[u32]; 2] = [&[2, 7, 9, 11], &[2, 5]];
        let batch = TokenBatch::new(rows.into_iter(), 0).unwrap();
        let mode = Mode { hidden_states: true, ..Mode::default() };
        let (before, after) = (base.forward(&batch, mode).unwrap(), model.forward(&batch, mode).unwrap());
        let last: Vec<f32> = before.hidden_states[2].clone().into_data().iter::<f32>().collect();
        let new: Vec<f32> = after.hidden_states[3].clone().into_data().iter::<f32>().collect();
        for (row, ids) in rows.iter().enumerate() {
            let token = |t: usize| &last[(row * batch.tokens + t) * 12..][..12];
            let mean: Vec<f32> = (0..12)
                .map(|i| (0..ids.len()).map(|t| token(t)[i]).sum::<f32>() / ids.len() as f32)
                .collect();
            let expected: Vec<f32> =
                token(0).iter().zip(&mean).map(|(x, mean)| x + super::WEIGHT * mean).collect();
            let found = &new[row * batch.tokens * 12..][..12];
            for (a, b) in found.iter().zip(normalised(&normalised(&expected))) {
                assert!((a - b).abs() < 1e-4, "row {row}: {a} is not {b}");
            }
        }
    }
}

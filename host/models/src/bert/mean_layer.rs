//! Mean pooling as one more encoder layer.
//!
//! Sentence-embedding models are trained so that the mean of their hidden states tells what a text means, while
//! the classifier that Transformers knows for a BERT looks at the first token alone. This layer joins them: its
//! attention begins uniform, with values and output that pass hidden states through, so that the first token
//! holds `LayerNorm(x_0 + WEIGHT * mean(x))`, and its feed-forward part begins as nothing. From there it is
//! trained like every other layer, and the result is a plain BERT with one layer more, which
//! `BertForSequenceClassification` opens.

use super::BertConfig;

/// How much the mean counts beside the first token.
const WEIGHT: f32 = 4.0;

/// The pooler's slope: hidden states have unit variance, so tanh begins nearly linear.
const POOLER: f32 = 0.5;

/// The last layer of a BERT, before it is trained.
pub struct MeanLayer {
    prefix: String,
    hidden: usize,
    inner: usize,
}

impl MeanLayer {
    /// The last layer; none where there are no layers.
    pub fn of(config: &BertConfig) -> Option<Self> {
        let last = config.num_hidden_layers.checked_sub(1)?;
        Some(Self {
            prefix: format!("bert.encoder.layer.{last}."),
            hidden: config.hidden_size,
            inner: config.intermediate_size,
        })
    }

    /// Whether a parameter is this layer's.
    pub fn holds(&self, name: &str) -> bool {
        name.starts_with(&self.prefix)
    }

    /// What a parameter of this layer begins with; none for random values. With queries of 0 all scores are 0;
    /// keys are random, or else queries would never learn.
    pub fn values(&self, name: &str) -> Option<Vec<f32>> {
        let Self { hidden, inner, .. } = *self;
        Some(match name.strip_prefix(&self.prefix)? {
            "attention.self.query.weight" => vec![0.0; hidden * hidden],
            "attention.self.value.weight" => self.identity(1.0),
            "attention.output.dense.weight" => self.identity(WEIGHT),
            "output.dense.weight" => vec![0.0; hidden * inner],
            "attention.output.LayerNorm.weight" | "output.LayerNorm.weight" => vec![1.0; hidden],
            "intermediate.dense.bias" => vec![0.0; inner],
            bias if bias.ends_with("bias") => vec![0.0; hidden],
            _ => return None,
        })
    }

    /// What the pooler after a new layer begins with: hidden states as they are, nearly.
    pub fn pooler_values(&self, name: &str) -> Option<Vec<f32>> {
        match name {
            "bert.pooler.dense.weight" => Some(self.identity(POOLER)),
            "bert.pooler.dense.bias" => Some(vec![0.0; self.hidden]),
            _ => None,
        }
    }

    fn identity(&self, scale: f32) -> Vec<f32> {
        let mut matrix = vec![0.0; self.hidden * self.hidden];
        matrix.iter_mut().step_by(self.hidden + 1).for_each(|value| *value = scale);
        matrix
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use crate::bert::Mode;
    use crate::weights::{NamedTensor, Weights, write_safetensors};
    use crate::{Bert, BertConfig, Parameters, Pooling, TokenBatch};

    fn config() -> BertConfig {
        let config = serde_json::json!({
            "vocab_size": 50, "hidden_size": 12, "num_hidden_layers": 2, "num_attention_heads": 3,
            "intermediate_size": 20, "max_position_embeddings": 16, "type_vocab_size": 2, "initializer_range": 0.2,
        });
        BertConfig::from_json(config.as_object().unwrap().clone()).unwrap()
    }

    fn normalised(values: &[f32]) -> Vec<f32> {
        let mean = values.iter().sum::<f32>() / values.len() as f32;
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f32>() / values.len() as f32;
        values.iter().map(|value| (value - mean) / (variance + 1e-12).sqrt()).collect()
    }

    #[test]
    fn a_new_layer_gives_the_mean_and_leaves_the_others_alone() {
        let device = Device::flex();
        let mut base = Bert::random(config(), Pooling::Cls, 2, 1, &device);
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
        let (model, report) = Bert::load(larger, Pooling::MeanLayer, 2, weights, 1, &device).unwrap();
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
